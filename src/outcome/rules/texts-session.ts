/**
 * Rules by the words of servers about the session: rate, and the name of the client.
 */
import { beforeMail, type RuleGroup } from './rule.ts'
import { softwareSource } from './software-source.ts'

export const rateTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'rate-session',
      class: 'rate',
      when: {
        digit: 5,
        phases: [...beforeMail, 'mail'],
        text: ['per session|connection', 'too many|much sessions|connections', 'open|use a new session|connection'],
      },
      reason: 'a limit of this session: the next one may have more',
    },
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
          'per hour|minute|second|day|connection|session|1h|24h|1m|60m|1d',
          'only send|accept|take * per|every',
          'slow down',
          'maximum|max * connections|messages|sessions',
          'receiving mail',
          'tarpit*',
          'flood*',
          'try again * slower',
          'temporarily deferred',
          'user complaints',
          'too many',
          'queue quota',
          'recipients|messages * exceed|exceeds|exceeded',
          'reduce * rate|volume|number|connections',
        ],
        unless: ['too many recipients|recipient|rcpts|rcpt|addresses|hops|received', 'unresolvable', 'time limit'],
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
          'exceeded * per hour|minute|day',
          'max|maximum emails|mails|messages per',
          'too fast|quickly|frequent|frequently|often',
          'too many same|similar|identical|duplicate',
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
          'valid|working reverse',
          'reverse lookups|records|record|resolves',
          'cannot|cant find your * hostname|host|name|reverse',
          'could not find your * hostname|host|name|reverse',
          'helo command rejected',
          'helo*|ehlo* * invalid|rejected|refused|bad|resolve|required|qualified|mismatch|hostname|error|failed|forged|denied',
          'invalid|bad|forged|bogus|wrong|incorrect|unknown helo|ehlo',
          'unresolvable|generic|dynamic hostname|rdns|ptr',
          'ip|ipv4|client|host|hostname * must resolve|have|match',
          'ip|ipv4|client|host|hostname must resolve|have|match',
          'ip name lookup failed',
          'ip name possibly forged',
          'hostname * does not resolve|match',
          'fcrdns',
          'domain|name|host|hostname * mismatch|mismatches|mismatched * ip|ipv4|client|address',
          'unverifyable|unverifiable * ip|ips',
          'dns look up|lookup * sending|your|host',
        ],
      },
      reason: 'the name of the sending server',
    },
    {
      id: 'name-at-connect',
      class: 'no-ptr',
      when: {
        phases: beforeMail,
        text: [
          'dns look|lookup|resolution|failure|failed|error|record|entry',
          'in|of|with|no dns',
          'host|hostname|name|client cant|cannot|not|must|could be resolve|resolved',
          'host|hostname cant|cannot resolve',
          'tld',
          'reserved domain',
          'hostname|name lookup|resolution',
        ],
        unless: ['rbl', 'dnsbl', 'listed|blocked|blacklisted'],
      },
      reason: 'before MAIL there is no other name to look up than ours',
    },
  ],
}
