/**
 * Rules from what makers of mail gateways and block lists say of the replies they cause.
 */
import { forContent, forRecipient, type RuleGroup } from './rule.ts'

const mimecast: RuleGroup = {
  source: 'Mimecast: SMTP error codes',
  rules: [
    {
      id: 'mimecast-greylist',
      class: 'greylisted',
      when: {
        codes: [451],
        text: ['internal resources are temporarily unavailable', 'internal resource temporarily unavailable'],
      },
      reason: 'Mimecast words greylisting like that',
    },
    {
      id: 'mimecast-dmarc',
      class: 'dmarc-failed',
      when: { text: ['dmarc sender invalid'] },
      reason: 'DMARC did not pass',
    },
    {
      id: 'mimecast-spf',
      class: 'spf-failed',
      when: { text: ['spf sender invalid'] },
      reason: 'SPF did not pass',
    },
    {
      id: 'mimecast-dkim',
      class: 'dkim-failed',
      when: { text: ['dkim sender invalid'] },
      reason: 'DKIM did not pass',
    },
    {
      id: 'mimecast-spoofing',
      class: 'blocked-by-recipient',
      when: { text: ['anti spoofing', 'antispoofing'] },
      reason: 'the organisation takes the sender for one that pretends to be its own',
    },
    {
      id: 'mimecast-administrator',
      class: 'blocked-by-recipient',
      when: {
        text: [
          'administrative prohibition * envelope',
          'envelope blocked',
          'sender address blocked',
          'blocked sender*',
        ],
      },
      reason: 'a list of the organisation names the sender',
    },
    {
      id: 'mimecast-verification',
      class: 'remote-trouble',
      when: { codes: [451], text: ['recipient temporarily unavailable', 'account service is temporarily unavailable'] },
      reason: 'Mimecast could not ask the server behind it',
    },
    {
      id: 'mimecast-spam',
      class: 'spam-content',
      when: { phases: forContent, text: ['rejected due to security policies'] },
      reason: 'a spam signature fits the message',
    },
    {
      id: 'mimecast-reputation',
      class: 'spam-block',
      when: { text: ['poor reputation sender', 'local ct ip reputation', 'csi mimecast', 'host network not allowed'] },
      reason: 'the sending address has a bad reputation',
    },
  ],
}

const cisco: RuleGroup = {
  source: 'Cisco Secure Email Gateway: SMTP responses and mail policies',
  rules: [
    {
      id: 'cisco-access',
      class: 'spam-block',
      when: {
        text: ['access to this mail system has been rejected', 'access to submit messages', 'mtas poor reputation'],
      },
      reason: 'SenderBase reputation of the sending address',
    },
    {
      id: 'cisco-recipient-rate',
      class: 'rate',
      when: { digit: 4, text: ['too many recipients * hour|day|minute'] },
      reason: 'recipients an hour, not in one transaction',
    },
    {
      id: 'cisco-dmarc',
      class: 'dmarc-failed',
      when: { text: ['dmarc unauthenticated mail'] },
      reason: 'DMARC did not pass',
    },
    {
      id: 'cisco-dkim',
      class: 'dkim-failed',
      when: { text: ['dkim unauthenticated mail'] },
      reason: 'DKIM did not pass',
    },
    {
      id: 'cisco-spf',
      class: 'spf-failed',
      when: { text: ['spf unauthorized mail'] },
      reason: 'SPF did not pass',
    },
    {
      id: 'cisco-unknown',
      class: 'address-unknown',
      when: {
        digit: 5,
        phases: ['rcpt'],
        status: ['1.0', '0.0'],
        text: ['address rejected'],
        unless: ['sender', 'from', 'policy', 'access denied', 'spam', 'ip address', 'blocked'],
      },
      reason: '"Address rejected" is its answer to a recipient outside the access table',
    },
  ],
}

const filters: RuleGroup = {
  source:
    'Proofpoint, Cloudmark, Barracuda, Trend Micro, Sophos, Fortinet, Symantec, Vade and amavis: help on refused mail',
  rules: [
    {
      id: 'gateway-address',
      class: 'spam-block',
      when: {
        text: [
          'ipcheck proofpoint com',
          'csi cloudmark com',
          'barracuda reputation',
          'barracudacentral',
          'barracudanetworks com reputation',
          'trend micro rbl*',
          'trend micro email reputation',
          'email reputation services',
          'mail abuse com',
          'fortiguard * ip|reputation',
          'sophos * reputation',
          'intrusion prevention',
          'karma',
          'excessive * unknown|unknowns|invalid|bad|nonexistent',
          'black|blacklisted|blocked|bad ip',
          'penalty box',
          'spamming ip|host|source|server|network',
          'spam|spams from your|this ip|server|host|network|address|ipv4',
        ],
      },
      reason: 'the filter looked at the sending address',
    },
    {
      id: 'proofpoint-local-policy',
      class: 'spam-block',
      when: { phases: ['connect', 'banner', 'ehlo', 'mail', 'rcpt'], text: ['local policy violation'] },
      reason: 'before the content was seen it is about the sending address',
    },
    {
      id: 'barracuda-rate',
      class: 'rate',
      when: { digit: 4, text: ['rate control'] },
      reason: 'Barracuda rate control',
    },
    {
      id: 'barracuda-blocked',
      class: 'content-refused',
      when: {
        digit: 5,
        phases: forContent,
        text: ['permanent failure for one or more recipients'],
        unless: ['unknown', 'no such', 'not exist|found', 'full', 'quota', 'rejected * address'],
      },
      reason: 'a filter of the gateway blocked the message',
    },
    {
      id: 'amavis-banned',
      class: 'attachment-refused',
      when: { phases: forContent, text: ['reject id * banned', 'id * banned'] },
      reason: 'amavis: a banned name or type of file',
    },
    {
      id: 'vade-spam',
      class: 'spam-content',
      when: { text: ['vade secure', 'vaderetro', 'spam * vade'] },
      reason: 'Vade took the message for spam',
    },
  ],
}

const lists: RuleGroup = {
  source: 'Spamhaus, SpamCop, SURBL, URIBL, SORBS, UCEPROTECT, PSBL, Mailspike: how their lists are used at SMTP time',
  rules: [
    {
      id: 'list-link',
      class: 'url-block',
      when: {
        phases: forContent,
        text: [
          'surbl',
          'uribl',
          'dbl spamhaus',
          'spamhaus dbl',
          'spam|spammy|spamvertised|phishing link|links|url|urls|uri',
          'url|urls|uri|link|links|domain * blocklist|blacklist|listed|blacklisted|blocklisted',
          'blacklisted|blocklisted|listed|malicious|bad|suspicious * url|urls|uri|link|links',
          'body * blacklist*|blocklist*',
        ],
      },
      reason: 'a domain in the message stands on a list',
    },
    {
      id: 'list-domain',
      class: 'domain-block',
      when: {
        text: [
          'dbl spamhaus',
          'spamhaus dbl',
          'surbl',
          'uribl',
          'rhsbl*',
          'sender * domain * blacklisted|blocklisted|listed',
          'domain * blacklisted|blocklisted|blacklist|blocklist',
          'domain @|is|has|been * banned|barred|blocked|prohibited',
          'domain is|was|are|currently listed|present|found in|on|at|by',
          'denied|banned|blocked|barred|blacklisted|prohibited domain|domains',
          'no access for|from this|your domain',
          'domain * banned|barred',
          'domain * reputation',
          'reputation of * domain',
        ],
      },
      reason: 'a list, or the receiver, names the sender domain',
    },
    {
      id: 'list-pbl',
      class: 'spam-block',
      when: {
        text: ['pbl', 'dynamic|residential|dialup|dhcp * address|addresses|ip|ips|range|space', 'dynamic ip', 'dul'],
      },
      reason: 'the address looks like that of a subscriber line',
    },
    {
      id: 'list-address',
      class: 'spam-block',
      when: {
        text: [
          'spamhaus',
          'spamcop',
          'sorbs',
          'uceprotect*',
          'mailspike',
          'psbl',
          'abuseat',
          'cbl',
          'senderscore',
          'spamrats',
          'invaluement',
          'dronebl',
          'nixspam',
          'manitu',
          'rbl|rbls|dnsbl|dnsbls|dnsrbl|drbl',
          'blacklist|blacklisted|blocklist|blocklisted|denylist|denylisted',
          'black|block|deny listed|list|lists',
          'blocked using',
          'listed in|on|at|by * list|org|net|com',
          'ip|address|host|server|network * listed',
          'not in * approved|allowed|white|allow list|whitelist|allowlist',
          'dynamically assigned',
          'ipv4 listed|on|in',
          'ipv4 * listed|blacklisted|blocklisted|blackholed',
        ],
        unless: ['file|extension|extensions|attachment', 'sender|mailfrom * not * list'],
      },
      reason: 'a block list names the sending address',
    },
    {
      id: 'list-reputation',
      class: 'spam-block',
      when: {
        text: [
          'poor|bad|low|negative|insufficient|mtas|ip|server|sender|host * reputation',
          'reputation * ip|server|host|address|poor|bad|low',
          'client|your|sending|connecting|remote|source|from * ip|ips * block|blocked|banned|denied|refused|reject|rejected|blocking',
          'ip|network|subnet * blocked|banned|barred|blocking',
          'blocked|banned|blocking|rejecting * ip|ips|network',
          'banned * ip|address|host',
          'client host * blocked|banned|refused',
          'ip|ipv4|server|host|client|mailserver|network is|has|was|are|been|temporarily|currently restricted|suspended|barred|disallowed|unwelcome|blocked|banned|filtered',
          'mass mail|mailing|mailer',
          'ipv4 blocked|banned|refused|rejected|denied|restricted',
          'ipv4 is|was|has|are|currently * blocked|banned|refused|rejected|denied',
          'blocked|banned|refused|rejected|denied|blocking|rejecting ipv4',
          'host|server|client|from|mta|connection ipv4 * blocked|banned|refused|denied',
          'client host rejected',
          'ip address rejected|refused|denied',
          'forbidden|denied|refused by your ip',
          'must register your ip|server|host',
          'not|dont accept|accepting|allow * from your|this ip|host|server|network|country',
          'no access for|from * ip|host|server|client',
          'country|countries',
          'not allowed|permitted|authorized to connect',
          'smtp server of your',
          'open proxy|relay',
          'looks suspiciously like',
          'ip in prison',
          'your|sending|connecting|this host|server|mailserver|mta|domain * blocked|banned|barred',
          'mail|messages|connections|connection|email|emails from your|this server|host|ip|network|system * blocked|refused|rejected|denied',
        ],
      },
      reason: 'the receiver blames the sending address',
    },
  ],
}

const sophos: RuleGroup = {
  source: 'Sophos Email and Sophos Firewall: SMTP messages',
  rules: [
    {
      id: 'gateway-recipient-verify',
      class: 'address-unknown',
      when: {
        phases: forRecipient,
        text: [
          'recipient verification failed',
          'recipient|user|rcpt verify|verification|validation|check * failed|failure|problem|error',
          'unverified address',
          'recipient unverified',
          'address verification * undeliverable',
          'undeliverable address',
        ],
        unless: ['sender address', 'sender', 'could not complete', 'callout', 'temporary|temporarily', 'timeout'],
      },
      reason: 'the gateway asked the server behind it for the recipient',
    },
  ],
}

export const gatewayRules: readonly RuleGroup[] = [mimecast, cisco, filters, sophos]
export const listRules: RuleGroup = lists
