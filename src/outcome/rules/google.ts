/**
 * Rules from what Google says of Gmail's and Google Workspace's replies.
 */
import { forContent, forRecipient, type RuleGroup } from './rule.ts'

const google = ['google.com', 'googlemail.com', 'gmail.com']

export const googleRules: RuleGroup = {
  source: 'Google Workspace Admin Help: Gmail SMTP errors and codes; Email sender guidelines',
  rules: [
    {
      id: 'google-ptr',
      class: 'no-ptr',
      when: { status: ['7.23', '7.25'], text: ['ptr', 'reverse dns'] },
      reason: 'Google uses X.7.23 and X.7.25 for the PTR record, RFC 7372 X.7.23 for SPF',
    },
    {
      id: 'google-tls',
      class: 'tls-required',
      when: { sites: google, status: ['7.29'] },
      reason: 'Google uses X.7.29 for mail without TLS, RFC 7372 for an ARC failure',
    },
    {
      id: 'google-tls-domain',
      class: 'tls-required',
      when: { text: ['tls required for rcpt domain'] },
      reason: 'the recipient domain has a TLS compliance setting',
    },
    {
      id: 'google-spf-hard-fail',
      class: 'spf-failed',
      when: { status: ['7.26'], text: ['spf record with a hard fail', 'fails to pass spf'] },
      reason: 'the SPF record ends in -all and does not cover the sending address',
    },
    {
      id: 'google-dmarc-policy',
      class: 'dmarc-failed',
      when: { status: ['7.26'], text: ['dmarc policy', 'policy * dmarc', 'domains dmarc'] },
      reason: 'the DMARC policy of the From domain asks to reject',
    },
    {
      id: 'google-unauthenticated',
      class: 'authentication',
      when: { sites: google, status: ['7.26'] },
      reason: 'neither SPF nor DKIM passed',
    },
    {
      id: 'google-spf',
      class: 'spf-failed',
      when: { sites: google, status: ['7.24', '7.27'] },
      reason: 'the SPF check did not pass',
    },
    {
      id: 'google-dkim',
      class: 'dkim-failed',
      when: { sites: google, status: ['7.30'] },
      reason: 'the DKIM check did not pass',
    },
    {
      id: 'google-dmarc',
      class: 'dmarc-failed',
      when: { sites: google, status: ['7.31', '7.32', '7.40'] },
      reason: 'no DMARC record, or the From domain is aligned with neither SPF nor DKIM',
    },
    {
      id: 'google-ip-reputation',
      class: 'spam-block',
      when: { text: ['low reputation of the sending ip'] },
      reason: 'Gmail names the reputation of the address',
    },
    {
      id: 'google-url-rate',
      class: 'url-block',
      when: { digit: 5, text: ['one of your url domains'] },
      reason: 'a domain in links of the message is in too much unwanted mail',
    },
    {
      id: 'google-domain-reputation',
      class: 'domain-block',
      when: { text: ['low reputation of the sending domain', 'reputation of * domain'] },
      reason: 'Gmail names the reputation of the domain',
    },
    {
      id: 'google-ip-not-authorized',
      class: 'spam-block',
      when: { text: ['not authorized to * email|mail directly to our servers'] },
      reason: 'the address stands on a list of dynamic addresses',
    },
    {
      id: 'google-recipient-rate',
      class: 'rate',
      when: { text: ['user * receiving mail too quickly', 'user * receiving mail at a rate'] },
      reason: 'the mailbox gets more mail than Gmail takes for one user',
    },
    {
      id: 'google-sender-rate',
      class: 'rate',
      actor: 'sender-content',
      when: { digit: 4, status: ['7.28'], text: ['from your dkim domain', 'from your spf domain', 'your url domains'] },
      reason: 'Gmail slows down one domain with too much unwanted mail',
    },
    {
      id: 'google-rate',
      class: 'rate',
      when: {
        digit: 4,
        status: ['7.28', '7.0'],
        text: ['unusual rate', 'unusual * rate|amount|volume', 'rate limited'],
      },
      reason: 'Gmail slows down an address, domain or link with too much unwanted mail',
    },
    {
      id: 'google-allow-list',
      class: 'blocked-by-recipient',
      when: { text: ['ip not in whitelist for rcpt domain', 'ip not in allowlist for rcpt domain'] },
      reason: 'the recipient domain takes mail from listed addresses only',
    },
    {
      id: 'google-domain-policy',
      class: 'policy',
      when: { text: ['gcdp'] },
      reason: 'a rule of the recipient organisation (gcdp)',
    },
    {
      id: 'google-attachment',
      class: 'attachment-refused',
      when: {
        phases: forContent,
        text: ['content presents a potential security issue', 'illegal attachment', 'blockedmessage'],
      },
      reason: 'Gmail blocks some file types, also in archives',
    },
    {
      id: 'google-unsolicited',
      class: 'spam-content',
      when: { phases: forContent, text: ['likely unsolicited mail', 'likely suspicious', 'unsolicitedmessageerror'] },
      reason: 'Gmail took the message for spam',
    },
    {
      id: 'google-header',
      class: 'message-malformed',
      when: {
        text: [
          'messages missing a valid',
          'messages with multiple * from|addresses',
          'not rfc 5322 compliant',
          'rfc 5322',
          'rfc5322',
          'duplicate headers',
          'header size limit',
        ],
      },
      reason: 'header fields are missing, doubled or too long',
    },
    {
      id: 'google-disabled',
      class: 'mailbox-unavailable',
      when: { phases: forRecipient, text: ['disableduser', 'account * disabled', 'account * inactive'] },
      reason: 'the account was disabled',
    },
  ],
}
