/**
 * Rules by the words of servers about the sender: its domain, its authentication, its address.
 */
import { forRecipient, forSender, type RuleGroup } from './rule.ts'
import { softwareSource } from './software-source.ts'

export const senderTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'sender-domain',
      class: 'sender-domain',
      when: {
        text: [
          'sender address rejected * domain not found',
          'sender address rejected * malformed dns',
          'sender|from|mail|originating|return|envelope * domain * does not exist|resolve',
          'sender|from|mail|originating|return|envelope * domain * not exist|found|resolve|resolvable|valid|verify',
          'sender|from|mail * domain * doesnt exist|resolve',
          'domain of sender * not|doesnt',
          'domain of sender address',
          'sender * domain|address must resolve|exist',
          'requires valid sender domain',
          'valid sender domain',
          'unresolvable|unroutable|unrouteable|invalid|nonexistent|bogus sender|domain * sender|domain|address',
          'sender * no mx|valid',
          'sender domain * mx',
          'valid mx * sending|sender|domain',
          'no mx|dns * sender|domain|from',
          'unrouteable sender|mail domain',
        ],
        phases: forSender,
      },
      reason: "the sender's domain can not be found or answered to",
    },
    {
      id: 'domain-at-mail',
      class: 'sender-domain',
      when: {
        phases: ['mail'],
        text: [
          'domain * not exist|found|resolve|resolvable|registered',
          'domain * doesnt exist|resolve',
          'domain * no mx|dns|a',
          'domain * invalid|unknown|nonexistent|unresolvable',
          'unknown|invalid|nonexistent|nonexisting|unresolvable domain|domains',
          'no mx for|record|records|found',
        ],
        unless: ['dkim', 'spf', 'dmarc', 'ptr', 'reverse', 'helo', 'ehlo', 'hostname'],
      },
      reason: 'a domain that does not exist, said when only the sender was known',
    },
    {
      id: 'dmarc',
      class: 'dmarc-failed',
      when: { text: ['dmarc'] },
      reason: 'DMARC is named',
    },
    {
      id: 'spf-and-dkim',
      class: 'authentication',
      when: { text: ['spf * dkim', 'dkim * spf'] },
      reason: 'SPF and DKIM are both named',
    },
    {
      id: 'spf-text',
      class: 'spf-failed',
      when: {
        text: [
          'spf',
          'sender policy framework',
          'openspf',
          'not * permitted sender',
          'not a|designated permitted|designated sender',
          'not * authorized|authorised|permitted|allowed to send * domain|from|for|behalf',
        ],
      },
      reason: 'SPF is named',
    },
    {
      id: 'dkim-text',
      class: 'dkim-failed',
      when: { text: ['dkim', 'domainkeys', 'bad|invalid|missing signature'] },
      reason: 'DKIM is named',
    },
    {
      id: 'authentication',
      class: 'authentication',
      when: {
        text: [
          'unauthenticated',
          'authentication checks|check|results|requirements|level|failure|failed',
          'email|mail|message|sender|domain * not authenticated',
          'fails|failed|fail * authentication',
          'does not pass authentication',
          'sender id',
          'spoofed',
          'spoofing|spoof',
        ],
      },
      reason: 'authentication of the sender domain',
    },
    {
      id: 'sender-listed',
      class: 'blocked-by-recipient',
      when: {
        text: [
          'sender * blocked|blacklisted by|in recipient|user',
          'recipient * blocked|rejected|refuses|refused|rejects|blocks * sender|you|mail|messages|your',
          'recipient * not accepting|accept * from',
          'recipient|user|mailbox|list|group * only accepts|receives|allows',
          'only * members|subscribers|internal|authorized|authenticated * post|send|users|senders',
          'not * accepting mail|email|messages * from',
          'does not accept mail|email|messages * from',
          'doesnt accept mail|email|messages * from',
          'refuses|refused|rejects * mail|messages|email * from you|this',
          'challenge response',
          'you are not allowed to post|send',
          'not a member',
          'non member|members|subscriber|subscribers',
          'members only',
          'not subscribed',
          'closed list|group',
          'sender * not * allowed|approved|whitelist|allowlist',
        ],
        phases: forRecipient,
      },
      reason: 'the recipient or their organisation chose so',
    },
    {
      id: 'sender-access',
      class: 'sender-refused',
      when: { phases: ['mail'], digit: 5, text: ['access denied'] },
      reason: 'said to MAIL, of the address in it',
    },
    {
      id: 'sender-refused',
      class: 'sender-refused',
      when: {
        phases: forSender,
        text: [
          'sender address rejected|refused|denied|invalid|blocked|unknown',
          'sender rejected|refused|denied|blocked|invalid|unknown',
          'sender * rejected|refused|denied|blocked|unknown|unverified',
          'invalid sender|return|from',
          'bad|fake|forged sender|return|reverse',
          'rejected|refused|denied|rejects|refuses mail|sender|envelope from|address',
          'return path|address',
          'mail from * rejected|refused|denied|invalid|blocked',
          'envelope sender|from',
        ],
      },
      reason: 'the sender address is blamed',
    },
  ],
}
