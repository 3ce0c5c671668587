/**
 * Rules by enhanced status and by code: what the standards say each means, for replies whose text says nothing better.
 */
import { beforeMail, forRecipient, type RuleGroup } from './rule.ts'

/** Statuses that say exactly one thing: before any text. */
export const exactStatuses: RuleGroup = {
  source:
    'IANA registry of enhanced status codes; RFC 3463, RFC 7372 (authentication), RFC 7505 (null MX), RFC 7504 (521, 556)',
  rules: [
    {
      id: 'null-mx',
      class: 'no-mail-accepted',
      when: { digit: 5, status: ['1.10'] },
      reason: 'the domain has a null MX',
    },
    {
      id: 'code-556',
      class: 'no-mail-accepted',
      when: { codes: [556], unless: ['spf', 'ip', 'ipv4', 'too many'] },
      reason: '556: the domain does not accept mail',
    },
    {
      id: 'mailbox-full',
      class: 'mailbox-full',
      when: { status: ['2.2'], unless: ['blocking', 'blocked', 'policy', 'spam'] },
      reason: 'X.2.2: mailbox full',
    },
    {
      id: 'rate-final',
      class: 'rate',
      actor: 'own-ip',
      when: { digit: 5, status: ['7.28'] },
      reason: 'X.7.28: mail flood, for good',
    },
    { id: 'rate', class: 'rate', when: { status: ['7.28'] }, reason: 'X.7.28: mail flood detected' },
    { id: 'reverse-dns', class: 'no-ptr', when: { status: ['7.25'] }, reason: 'X.7.25: reverse DNS validation failed' },
    {
      id: 'dkim',
      class: 'dkim-failed',
      when: { status: ['7.20', '7.21', '7.22'] },
      reason: 'X.7.20 to 22: no passing DKIM signature',
    },
    { id: 'spf', class: 'spf-failed', when: { status: ['7.23', '7.24'] }, reason: 'X.7.23, 24: SPF' },
    {
      id: 'many-auth',
      class: 'authentication',
      when: {
        status: ['7.26', '7.27', '7.29', '7.31', '7.32'],
        unless: ['dmarc failure|failed|fails|fail|check|verification'],
      },
      reason: 'X.7.26: several authentication checks failed',
    },
    {
      id: 'message-size',
      class: 'message-too-large',
      when: { status: ['2.3', '3.4'], unless: ['policy', 'mailpolicy'] },
      reason: 'X.2.3, X.3.4: too large',
    },
    {
      id: 'no-such-domain',
      class: 'domain-unknown',
      when: {
        digit: 5,
        status: ['1.2'],
        unless: [
          'user|mailbox|account',
          'relay|relaying',
          'recipient|address does|is|unknown|not',
          'sender',
          'not a valid',
        ],
      },
      reason: 'X.1.2: bad destination system',
    },
    {
      id: 'too-many-recipients',
      class: 'too-many-recipients',
      when: { status: ['5.3'], unless: ['rate|frequency|messages'] },
      reason: 'X.5.3: too many recipients',
    },
    {
      id: 'status-expired',
      class: 'expired',
      when: { digit: 5, status: ['4.7'] },
      reason: 'X.4.7: delivery time expired',
    },
    { id: 'routing-loop', class: 'loop', when: { status: ['4.6'] }, reason: 'X.4.6: routing loop' },
    { id: 'encryption', class: 'tls-required', when: { status: ['7.10'] }, reason: 'X.7.10: encryption needed' },
  ],
}

/** After the texts. */
export const statusRules: RuleGroup = {
  source: 'RFC 3463 §3, RFC 5248: enhanced status codes by subject',
  rules: [
    {
      id: 'owner-changed',
      class: 'mailbox-unavailable',
      when: { status: ['7.17', '7.18', '7.13'] },
      reason: 'X.7.13, 17, 18: disabled, or its owner changed',
    },
    {
      id: 'status-disabled',
      class: 'mailbox-unavailable',
      when: { status: ['2.0', '2.1', '2.4'] },
      reason: 'X.2.1: mailbox disabled',
    },
    {
      id: 'status-unknown',
      class: 'address-unknown',
      when: { status: ['1.0', '1.1', '1.3', '1.6'], phases: forRecipient },
      reason: 'X.1.1: bad destination mailbox',
    },
    {
      id: 'status-sender-domain',
      class: 'sender-domain',
      when: { status: ['1.8'] },
      reason: "X.1.8: bad sender's system",
    },
    { id: 'status-sender', class: 'sender-refused', when: { status: ['1.7'] }, reason: "X.1.7: bad sender's address" },
    {
      id: 'status-utf8',
      class: 'protocol',
      when: { digit: 5, status: ['6.7'] },
      reason: 'X.6.7: addresses in UTF-8 not supported',
    },
    {
      id: 'status-content',
      class: 'content-refused',
      when: { digit: 5, status: ['6.*'] },
      reason: 'X.6: content or media',
    },
    {
      id: 'status-system-temporary',
      class: 'remote-trouble',
      when: { digit: 4, status: ['3.*'] },
      reason: 'X.3: the mail system',
    },
    {
      id: 'status-not-accepting',
      class: 'no-mail-accepted',
      when: { digit: 5, status: ['3.2'] },
      reason: 'X.3.2: accepts no network messages',
    },
    { id: 'status-system', class: 'remote-trouble', when: { status: ['3.*'] }, reason: 'X.3: the mail system' },
    {
      id: 'status-network',
      class: 'network',
      when: { status: ['4.1', '4.2'] },
      reason: 'X.4.1, X.4.2: no answer, bad connection',
    },
    {
      id: 'status-dns',
      class: 'dns-trouble',
      when: { status: ['4.3', '4.4'] },
      reason: 'X.4.3, X.4.4: directory or routing',
    },
    { id: 'status-routing', class: 'remote-trouble', when: { status: ['4.*'] }, reason: 'X.4: network and routing' },
    { id: 'status-protocol', class: 'protocol', when: { status: ['5.*'] }, reason: 'X.5: the protocol' },
    {
      id: 'status-tls',
      class: 'tls',
      when: { status: ['7.4', '7.5', '7.11', '7.12'] },
      reason: 'X.7.4, 5, 11: encryption',
    },
    {
      id: 'status-integrity',
      class: 'content-refused',
      when: { status: ['7.7'] },
      reason: 'X.7.7: integrity',
    },
    {
      id: 'status-session-refused',
      class: 'spam-block',
      when: { digit: 5, status: ['7.*'], phases: beforeMail },
      reason: 'before MAIL a server knows but our address',
    },
    {
      id: 'status-session-policy',
      class: 'rate',
      actor: 'own-ip',
      when: { digit: 4, status: ['7.*'], phases: ['connect', 'banner', 'ehlo', 'mail'] },
      reason: 'a policy that turns the session away for now',
    },
    {
      id: 'status-greylist',
      class: 'greylisted',
      when: { codes: [450, 451], status: ['7.1'], phases: ['rcpt'] },
      reason: 'a temporary policy refusal of a recipient is nearly always greylisting',
    },
    {
      id: 'status-greylist-later',
      class: 'greylisted',
      when: { codes: [450, 451], status: ['7.1'], phases: ['data', 'dot'], text: ['try again', 'later', 'retry'] },
      reason: 'filters that see the whole message greylist behind it (rspamd)',
    },
    { id: 'status-policy', class: 'policy', when: { status: ['7.*'] }, reason: 'X.7: security or policy' },
    { id: 'status-mailbox', class: 'mailbox-unavailable', when: { status: ['2.*'] }, reason: 'X.2: the mailbox' },
    {
      id: 'status-address',
      class: 'address-unknown',
      when: { status: ['1.*'], phases: forRecipient },
      reason: 'X.1: the address',
    },
  ],
}

export const codeRules: RuleGroup = {
  source: 'RFC 5321 §4.2.3: reply codes in numeric order',
  rules: [
    {
      id: 'bare-refusal',
      class: 'policy',
      when: {
        digit: 5,
        phases: ['rcpt'],
        text: ['rejected|refused|denied|prohibited|forbidden', 'not allowed|permitted|accepted'],
      },
      reason: 'refused, without a word why',
    },
    {
      id: 'code-session',
      class: 'spam-block',
      when: { digit: 5, phases: beforeMail },
      reason: 'turned away before a message was known',
    },
    {
      id: 'code-trouble',
      class: 'remote-trouble',
      when: { codes: [421, 432, 451, 452] },
      reason: 'local trouble over there',
    },
    {
      id: 'code-busy',
      class: 'mailbox-unavailable',
      when: { codes: [450], phases: ['rcpt'] },
      reason: '450: mailbox unavailable for now',
    },
    {
      id: 'code-protocol',
      class: 'protocol',
      when: { codes: [500, 501, 502, 503, 504, 555] },
      reason: 'syntax, order or parameters',
    },
    {
      id: 'code-storage',
      class: 'mailbox-full',
      when: { codes: [552], phases: ['rcpt'] },
      reason: '552: exceeded storage allocation, said of a recipient',
    },
    { id: 'code-size', class: 'message-too-large', when: { codes: [552] }, reason: '552: exceeded storage allocation' },
    {
      id: 'code-elsewhere',
      class: 'address-unknown',
      when: { codes: [551, 553], phases: ['rcpt'] },
      reason: 'not local, or a name that is not allowed',
    },
    {
      id: 'code-unavailable',
      class: 'mailbox-unavailable',
      when: { codes: [550], phases: ['rcpt'] },
      reason: '550: mailbox unavailable',
    },
    {
      id: 'code-policy',
      class: 'policy',
      when: { codes: [550, 553, 554], phases: ['rcpt', 'data'] },
      reason: 'refused without a word why',
    },
    {
      id: 'code-content',
      class: 'content-refused',
      when: { codes: [550, 554], phases: ['dot'] },
      reason: 'refused once the content was known',
    },
    {
      id: 'code-any-mail',
      class: 'sender-refused',
      when: { digit: 5, phases: ['mail'] },
      reason: 'refused when the sender was named, without a word why',
    },
    {
      id: 'code-any-recipient',
      class: 'mailbox-unavailable',
      when: {
        codes: [510, 511, 512, 513, 521, 522, 523, 525, 540, 541, 542, 543, 557, 558, 570, 571],
        phases: ['rcpt'],
      },
      reason: 'refused when the recipient was named, without a word why',
    },
    {
      id: 'code-any-content',
      class: 'content-refused',
      when: { codes: [521, 540, 541, 542, 543, 551, 553, 557, 558, 570, 571], phases: ['data', 'dot'] },
      reason: 'refused once the message was known, without a word why',
    },
    { id: 'code-temporary', class: 'remote-trouble', when: { digit: 4 }, reason: 'temporary without a word why' },
  ],
}
