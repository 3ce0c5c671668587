/**
 * Rules by the words of servers about the session: relaying, loops, TLS, the name of the client, rate, trouble.
 */
import { beforeMail, forRecipient, type RuleGroup } from './rule.ts'
import { softwareSource } from './software-source.ts'

/** Before exact statuses: what a status is misused for most. */
export const earlyTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'mailbox-count',
      class: 'mailbox-full',
      when: { phases: forRecipient, text: ['too many messages|mails|emails in|on * mailbox|inbox|folder'] },
      reason: 'the mailbox holds as many messages as it may',
    },
    {
      id: 'recipient-list',
      class: 'blocked-by-recipient',
      when: {
        phases: forRecipient,
        text: ['recipients * block|blocked|black|blacklist|blocklist', 'does not|doesnt want your mail|email|message'],
      },
      reason: "a list of the recipient's own",
    },
    {
      id: 'rate-count',
      class: 'rate',
      when: { digit: 4, text: ['too many mails|emails|messages from|in|mail|per', 'too many mails|emails'] },
      reason: 'names a count before it names a wait',
    },
    {
      id: 'greylist',
      class: 'greylisted',
      when: {
        digit: 4,
        text: [
          'greylist*',
          'graylist*',
          'grey|gray list|listed|listing',
          'postgrey',
          'first attempt',
          'new sender|triplet|host * try|retry|come',
          'try again in * seconds|minutes|sec|min|s',
          'deferred * seconds|minutes',
          'being deferred',
        ],
      },
      reason: 'says so, or how many seconds to wait',
    },
    {
      id: 'relay-denied',
      class: 'relay-denied',
      when: {
        digit: 5,
        text: [
          'relay|relaying * denied|prohibited|disallowed|forbidden',
          'relay|relaying not permitted|allowed|authorized',
          'relay access',
          'not accept|handle|accepting|handling mail|email|messages for',
          'dont|doesnt accept|handle mail|email|messages for',
          'unable|cannot|cant|not * relay',
          'not a relay',
          'we do not relay',
          'not in my list of allowed',
          'isnt in my list of allowed',
          'rcpthosts',
          'domain not hosted|handled|local',
          'not a local domain',
          'no such domain at this location',
          'mail for that domain|host',
        ],
      },
      reason: 'the server does not serve that domain',
    },
    {
      id: 'session-block',
      class: 'spam-block',
      when: {
        digit: 5,
        phases: beforeMail,
        text: [
          'rbl',
          'blacklist*',
          'blocklist*',
          'block list',
          'reputation',
          'blocked',
          'banned',
          'spam',
          'listed',
          'spamhaus',
          'denied',
        ],
      },
      reason: 'turned away at the door because of our address',
    },
    {
      id: 'session-spam',
      class: 'spam-block',
      when: { digit: 4, phases: beforeMail, text: ['spam', 'blacklisted|blocklisted|blocked|banned'] },
      reason: 'turned away for now, and called a source of spam',
    },
    {
      id: 'code-521',
      class: 'no-mail-accepted',
      when: { codes: [521], phases: beforeMail },
      reason: '521: a host that never accepts mail (RFC 7504 §3)',
    },
    {
      id: 'loop',
      class: 'loop',
      when: {
        text: [
          'too many hops',
          'mail loop',
          'mail loops',
          'loops back to myself',
          'routing loop',
          'hop count exceeded',
          'too many received',
          'maximum hop count',
          'message * looping',
          'forwarding loop',
        ],
      },
      reason: 'the message went round in circles',
    },
    {
      id: 'tls-first',
      class: 'tls-required',
      when: {
        text: [
          'must issue * starttls',
          'starttls * first|required',
          'tls required',
          'requires tls|encryption|starttls',
          'encryption required',
          'encryption needed',
          'tls|encryption * mandatory',
          'session|connection * encrypted|encryption * required',
          'must use tls',
        ],
      },
      reason: 'the server takes mail over TLS only',
    },
    {
      id: 'tls-trouble',
      class: 'tls',
      when: { phases: ['starttls'], codes: [450, 451, 452, 454] },
      reason: 'TLS is not available just now (RFC 3207 §4); 421 is a farewell whatever the command was',
    },
    {
      id: 'spf-failed-status',
      class: 'spf-failed',
      when: { status: ['1.7', '1.8', '7.1'], text: ['spf', 'sender policy framework'] },
      reason: 'SPF is named',
    },
  ],
}

export const rateTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'rate-text',
      class: 'rate',
      when: {
        digit: 4,
        text: [
          'too many connections|concurrent|messages|mails|emails|sessions|requests|errors|connection|simultaneous|smtp|mail|attempts|unknown|invalid|bad|commands|new',
          'rate limit*',
          'ratelimit*',
          'rate * exceeded|high|limited|exceeds',
          'throttl*',
          'exceeded|exceeds|reached|exceed|exceeding|over * rate|limit|limits|threshold|maximum|max',
          'limit|limits|threshold * exceeded|reached|exceeds',
          'too fast|quickly|frequent|often|much',
          'unusual|unusually|unexpected|excessive|high|large * rate|volume|number|amount|traffic',
          'connection|connections rate|count|limit|limited',
          'messages per hour|minute|connection|session|day',
          'per hour|minute|day|connection|session',
          'slow down',
          'maximum|max * connections|messages|sessions',
          'receiving mail',
          'tarpit*',
          'flood*',
          'try again * slower',
          'temporarily deferred',
          'user complaints',
          'reduce * rate|volume|number|connections',
        ],
      },
      reason: 'too much or too fast',
    },
    {
      id: 'rate-final-text',
      class: 'rate',
      actor: 'own-ip',
      when: {
        digit: 5,
        text: [
          'too many connections|concurrent|messages|mails|emails|sessions|requests|errors|simultaneous|attempts|invalid|unknown',
          'rate limit*',
          'ratelimit*',
          'throttl*',
          'exceeded * rate|connections',
          'messages per hour|minute|connection|session|day',
          'rate|frequency * exceeded',
          'sent|sending too many|much|fast',
          'hourly|daily * limit|quota',
        ],
      },
      reason: 'too much or too fast, said for good',
    },
  ],
}

/** Before block lists: "client host rejected" stands before both. */
export const nameTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'ptr',
      class: 'no-ptr',
      when: {
        text: [
          'ptr',
          'rdns',
          'reverse dns|lookup|hostname|host|name|mapping|resolution',
          'reverse * dns',
          'cannot|cant find your * hostname|host|name|reverse',
          'could not find your * hostname|host|name|reverse',
          'helo command rejected',
          'helo|ehlo * invalid|rejected|bad|resolve|required|qualified|mismatch|hostname',
          'invalid|bad|forged|bogus helo|ehlo',
          'unresolvable|generic|dynamic hostname|rdns|ptr',
          'ip name lookup failed',
          'ip name possibly forged',
          'hostname * does not resolve|match',
          'fcrdns',
          'unverifyable|unverifiable * ip|ips',
          'dns look up|lookup * sending|your|host',
        ],
      },
      reason: 'the name of the sending server',
    },
  ],
}

/** For what nothing more telling was said. */
export const lateTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'table-trouble',
      class: 'remote-trouble',
      when: { digit: 4, status: ['3.*', '0.0', '1.0', '1.1'], text: ['temporary lookup failure'] },
      reason: 'Postfix could not read one of its tables',
    },
    {
      id: 'lookup-trouble',
      class: 'dns-trouble',
      when: {
        digit: 4,
        text: [
          'dns|lookup|resolver * failure|failed|error|timeout|timed|problem|trouble|servfail',
          'temporary|temporarily * lookup|dns|resolve',
          'cannot resolve',
          'could not resolve',
          'name server',
          'temporary domain failure',
        ],
      },
      reason: 'DNS over there',
    },
    {
      id: 'connection-trouble',
      class: 'network',
      when: {
        digit: 4,
        text: [
          'lost * connection',
          'connection|connect * refused|timed|lost|reset|failed|dropped|closed|terminated',
          'timeout|timed out',
          'time out',
          'no route to host',
          'unreachable',
          'network error|problem',
          'idle',
        ],
      },
      reason: 'a connection over there',
    },
    {
      id: 'content-scan-trouble',
      class: 'remote-trouble',
      when: {
        digit: 4,
        phases: ['dot'],
        text: ['service|server|system unavailable|busy|down', 'tempfailed', 'temporary failure'],
      },
      reason: 'what stands behind the server has trouble',
    },
    {
      id: 'server-trouble',
      class: 'remote-trouble',
      when: {
        digit: 4,
        text: [
          'server|system|service|mailserver * busy|unavailable|down|overloaded|overload|error|problem|failure|configuration|maintenance|available|shutting',
          'local|internal|temporary|temporarily|configuration|database|queue|backend|ldap * error|problem|failure|trouble|failed|unavailable|unreachable',
          'insufficient * storage|space|resources|memory|disk',
          'shutting down',
          'load|overload|overloaded',
          'out of memory|resources|disk',
          'try again|later',
          'please retry',
          'disk full',
          'maintenance',
          'not available|ready|responding',
          'unable to',
          'could not',
          'temporarily',
        ],
        status: ['0.0', '3.*', '7.0', '0.*', '2.0', '4.0', '5.0'],
      },
      reason: 'trouble over there',
    },
    {
      id: 'recipient-access',
      class: 'policy',
      when: {
        digit: 5,
        phases: forRecipient,
        status: ['0.0', '7.0', '7.1'],
        text: ['recipient address rejected', 'recipient rejected'],
      },
      reason: 'a rule about this recipient, not told which',
    },
    {
      id: 'spam-early',
      class: 'spam-block',
      when: {
        digit: 5,
        phases: ['connect', 'banner', 'ehlo', 'mail', 'rcpt'],
        text: ['spam*', 'access denied', 'denied', 'banned', 'blocked', 'abuse', 'not welcome'],
        status: ['0.0', '7.0', '7.1'],
      },
      reason: 'called spam before anything of it was seen: our address, or our name',
    },
    {
      id: 'policy-text',
      class: 'policy',
      when: {
        text: [
          'policy',
          'policies',
          'administratively',
          'prohibited',
          'security',
          'not authorized|permitted|allowed',
          'local rule|rules',
        ],
      },
      reason: 'a rule of the server, not told which',
    },
  ],
}
