import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Failure, type Phase, phases } from '../../src/mail/attempt-result.ts'
import type { Actor, OutcomeClass } from '../../src/mail/outcome.ts'
import { formatReply, parseReply } from '../../src/mail/reply.ts'
import { actors, classes } from '../../src/outcome/classes.ts'
import { classify } from '../../src/outcome/classify.ts'

type Row = readonly [Phase, string, 'delivered' | 'deferred' | 'bounced', OutcomeClass, Actor?]

/** Replies as they are seen in the field, and what they come to. */
const replies: readonly Row[] = [
  // Taken.
  ['dot', '250 2.0.0 Ok: queued as 4Wn', 'delivered', 'none', 'nobody'],
  ['dot', '250 ok', 'delivered', 'none', 'nobody'],
  ['dot', '250', 'delivered', 'none'],
  ['dot', '251 2.1.5 forwarded', 'delivered', 'none'],
  ['dot', '250-first\n250 2.6.0 second', 'delivered', 'none'],
  // Out of step: never success.
  ['rcpt', '250 2.1.5 ok', 'deferred', 'protocol'],
  ['data', '250 2.0.0 ok', 'deferred', 'protocol'],
  ['dot', '354 go on', 'deferred', 'protocol'],
  ['data', '221 bye', 'deferred', 'protocol'],
  // No such address.
  [
    'rcpt',
    '550 5.1.1 <b@example.com>: Recipient address rejected: User unknown',
    'bounced',
    'address-unknown',
    'recipient',
  ],
  [
    'rcpt',
    '550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 gsmtp',
    'bounced',
    'address-unknown',
  ],
  ['rcpt', '550 Unknown user b@docomo.ne.jp', 'bounced', 'address-unknown'],
  ['rcpt', '550 <b@ezweb.ne.jp>: User unknown', 'bounced', 'address-unknown'],
  ['rcpt', '550 Invalid recipient: <b@softbank.ne.jp>', 'bounced', 'address-unknown'],
  ['rcpt', '550 5.5.0 Requested action not taken: mailbox unavailable', 'bounced', 'mailbox-unavailable'],
  ['rcpt', '550 No such user here', 'bounced', 'address-unknown'],
  ['rcpt', '554 delivery error: This user does not have a yahoo.co.jp account', 'bounced', 'address-unknown'],
  [
    'dot',
    "554 delivery error: dd This user doesn't have a yahoo.com account (b@yahoo.com)",
    'bounced',
    'address-unknown',
  ],
  ['rcpt', '550 5.4.1 Recipient address rejected: Access denied. AS(201806281)', 'bounced', 'address-unknown'],
  [
    'rcpt',
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    'bounced',
    'address-unknown',
  ],
  ['rcpt', '551 User not local; please try <c@example.net>', 'bounced', 'address-unknown'],
  ['rcpt', '553 sorry, no mailbox here by that name', 'bounced', 'address-unknown'],
  ['rcpt', '550 5.1.6 Recipient no longer on server', 'bounced', 'address-unknown'],
  ['rcpt', '450 4.1.1 <b@example.com>: Recipient address rejected: unverified address', 'deferred', 'address-unknown'],
  [
    'rcpt',
    '450 <b@example.com>: Recipient address rejected: User unknown in local recipient table',
    'deferred',
    'address-unknown',
  ],
  // There, but not taking mail.
  [
    'rcpt',
    '550 5.2.1 The email account that you tried to reach is disabled.',
    'bounced',
    'mailbox-unavailable',
    'recipient',
  ],
  ['rcpt', '550 5.2.1 This mailbox is inactive', 'bounced', 'mailbox-unavailable'],
  ['rcpt', '550 Account suspended', 'bounced', 'mailbox-unavailable'],
  ['rcpt', '550', 'bounced', 'mailbox-unavailable'],
  ['rcpt', '450 4.2.0 mailbox busy', 'deferred', 'mailbox-unavailable'],
  ['rcpt', '552 5.2.2 Mailbox full', 'bounced', 'mailbox-full', 'recipient'],
  ['rcpt', '452 4.2.2 The email account that you tried to reach is over quota.', 'deferred', 'mailbox-full'],
  ['rcpt', '552 Requested mail action aborted: exceeded storage allocation', 'bounced', 'mailbox-full'],
  ['dot', "554 5.2.2 recipient's mailbox is full", 'bounced', 'mailbox-full'],
  ['rcpt', '550 user quota exceeded', 'bounced', 'mailbox-full'],
  // The domain, the host.
  ['rcpt', '550 5.1.2 Host unknown', 'bounced', 'domain-unknown'],
  ['rcpt', '554 5.7.1 <b@example.com>: Relay access denied', 'bounced', 'relay-denied', 'recipient'],
  ['rcpt', '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain', 'bounced', 'relay-denied'],
  ['rcpt', '550 relaying denied', 'bounced', 'relay-denied'],
  ['banner', '521 mx.example.com does not accept mail', 'bounced', 'no-mail-accepted'],
  ['rcpt', '556 5.1.10 recipient domain has a null MX', 'bounced', 'no-mail-accepted'],
  ['rcpt', '550 5.3.2 system not accepting network messages', 'bounced', 'no-mail-accepted'],
  // Size.
  ['mail', '552 5.3.4 Message size exceeds fixed limit', 'bounced', 'message-too-large', 'sender-content'],
  ['dot', '552 5.2.3 Message exceeds maximum size', 'bounced', 'message-too-large'],
  ['dot', '552 message too large', 'bounced', 'message-too-large'],
  [
    'dot',
    '550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient',
    'bounced',
    'message-too-large',
  ],
  ['mail', '552 too big for me', 'bounced', 'message-too-large'],
  // Content.
  ['dot', '554 5.7.1 Spam message rejected', 'bounced', 'spam-content', 'sender-content'],
  [
    'dot',
    '552-5.7.0 This message was blocked because its content presents a potential\n552 5.7.0 security issue.',
    'bounced',
    'attachment-refused',
  ],
  ['dot', '554 5.6.0 Message contains a virus', 'bounced', 'attachment-refused'],
  ['dot', '550 5.7.1 Our system has detected that this message is likely unsolicited mail.', 'bounced', 'spam-content'],
  ['dot', '554 transaction failed', 'bounced', 'content-refused'],
  ['dot', '554 5.7.7 message integrity failure', 'bounced', 'content-refused'],
  ['dot', '451 4.7.1 message looks like spam, deferred', 'deferred', 'spam-content'],
  // The sender domain's records.
  [
    'dot',
    '550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n550 5.7.26 DKIM = did not pass',
    'bounced',
    'authentication',
    'customer-dns',
  ],
  [
    'dot',
    '550 5.7.1 Unauthenticated email from example.co.jp is not accepted due to domain DMARC policy',
    'bounced',
    'dmarc-failed',
    'customer-dns',
  ],
  [
    'rcpt',
    '550 5.7.23 The message was rejected because of Sender Policy Framework violation',
    'bounced',
    'spf-failed',
    'customer-dns',
  ],
  ['rcpt', '550 SPF check failed', 'bounced', 'spf-failed', 'customer-dns'],
  ['dot', '550 5.7.20 No passing DKIM signature found', 'bounced', 'dkim-failed', 'customer-dns'],
  [
    'dot',
    '550 5.7.515 Access denied, sending domain does not meet the required authentication level',
    'bounced',
    'authentication',
    'customer-dns',
  ],
  [
    'dot',
    '550 5.7.509 Access denied, sending domain does not pass DMARC verification',
    'bounced',
    'dmarc-failed',
    'customer-dns',
  ],
  [
    'mail',
    '553 5.1.8 <a@example.co.jp>: Sender address rejected: Domain not found',
    'bounced',
    'sender-domain',
    'customer-dns',
  ],
  [
    'mail',
    '450 4.1.8 <a@example.co.jp>: Sender address rejected: Domain not found',
    'deferred',
    'sender-domain',
    'customer-dns',
  ],
  ['dot', '421 4.7.26 This mail is unauthenticated', 'deferred', 'authentication', 'customer-dns'],
  // Our own address.
  [
    'rcpt',
    '554 5.7.1 Service unavailable; Client host [210.198.21.20] blocked using zen.spamhaus.org',
    'bounced',
    'spam-block',
    'own-ip',
  ],
  ['rcpt', '550 5.7.606 Access denied, banned sending IP [210.198.21.20]', 'bounced', 'spam-block', 'own-ip'],
  [
    'mail',
    "550 5.7.1 Unfortunately, messages from [210.198.21.20] weren't sent. part of their network is on our block list (S3150).",
    'deferred',
    'spam-block',
    'own-ip',
  ],
  ['mail', '553 5.7.1 [BL21] Connections will not be accepted, your IP is listed', 'deferred', 'spam-block', 'own-ip'],
  ['rcpt', '550 5.7.25 reverse DNS validation failed', 'bounced', 'no-ptr', 'own-ip'],
  ['ehlo', '550 5.7.1 Client host rejected: cannot find your reverse hostname', 'deferred', 'no-ptr', 'own-ip'],
  ['banner', '554 mx.example.com ESMTP not accepting messages', 'deferred', 'spam-block', 'own-ip'],
  [
    'banner',
    '554 5.7.1 Your access to this mail system has been rejected due to poor reputation',
    'deferred',
    'spam-block',
    'own-ip',
  ],
  ['banner', '521 your IP is blocked by RBL', 'deferred', 'spam-block', 'own-ip'],
  // Too much, too fast.
  [
    'mail',
    '421 4.7.0 [TSS04] Messages from 210.198.21.20 temporarily deferred due to unexpected volume',
    'deferred',
    'rate',
    'nobody',
  ],
  [
    'rcpt',
    '450 4.2.1 The user you are trying to contact is receiving mail at a rate too high. too many messages',
    'deferred',
    'rate',
  ],
  [
    'dot',
    '421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address',
    'deferred',
    'rate',
  ],
  ['connect', '421 too many connections from your host', 'deferred', 'rate'],
  ['mail', '451 4.7.500 Server busy. Please try again later', 'deferred', 'rate'],
  ['mail', '451 4.7.650 The mail server has been temporarily rate limited due to IP reputation', 'deferred', 'rate'],
  ['rcpt', '452 4.5.3 Too many recipients', 'deferred', 'too-many-recipients'],
  ['rcpt', '552 Too many recipients', 'deferred', 'too-many-recipients'],
  ['rcpt', '550 5.5.3 Too many recipients', 'deferred', 'too-many-recipients'],
  // Greylisting.
  ['rcpt', '450 4.2.0 <b@example.com>: Recipient address rejected: Greylisted', 'deferred', 'greylisted', 'nobody'],
  ['rcpt', '451 4.7.1 Greylisting in action, please come back later', 'deferred', 'greylisted'],
  ['rcpt', '450 4.7.1 Please try again later', 'deferred', 'greylisted'],
  ['dot', '451 Temporarily greylisted, try again in 300 seconds', 'deferred', 'greylisted'],
  // Trouble over there.
  ['banner', '421 mx.example.com Service not available', 'deferred', 'remote-trouble', 'remote'],
  ['dot', '451 4.3.0 Error: queue file write error', 'deferred', 'remote-trouble'],
  ['mail', '452 4.3.1 Insufficient system storage', 'deferred', 'remote-trouble'],
  ['dot', '421 4.4.2 timeout exceeded', 'deferred', 'network'],
  ['rcpt', '451 4.4.3 temporary lookup failure', 'deferred', 'dns-trouble'],
  ['rcpt', '450 4.4.0 routing trouble', 'deferred', 'remote-trouble'],
  ['dot', '554 5.4.6 too many hops', 'bounced', 'loop'],
  ['dot', '554 5.3.0 mailer error', 'bounced', 'remote-trouble'],
  ['idle', '421 4.4.2 idle timeout', 'deferred', 'network'],
  ['idle', '554 go away', 'deferred', 'other'],
  // Rules of the other side, and of the protocol.
  ['rcpt', '550 5.7.1 Message rejected by recipient policy', 'bounced', 'blocked-by-recipient', 'recipient'],
  ['rcpt', '550 5.7.129 you must be in the organization to send to this recipient', 'bounced', 'blocked-by-recipient'],
  ['mail', '550 5.1.7 sender address refused', 'bounced', 'sender-refused'],
  ['mail', '530 5.7.0 Must issue a STARTTLS command first', 'bounced', 'tls-required'],
  ['rcpt', '550 5.7.10 encryption needed', 'bounced', 'tls-required'],
  ['rcpt', '503 5.5.1 bad sequence of commands', 'bounced', 'protocol', 'remote'],
  ['mail', '501 syntax error', 'bounced', 'protocol'],
  ['rcpt', '553 5.6.7 SMTPUTF8 is not supported here', 'bounced', 'protocol'],
  ['starttls', '454 4.7.0 TLS not available', 'deferred', 'tls'],
  ['rcpt', '559 who knows', 'bounced', 'other', 'remote'],
  ['rcpt', '459 who knows', 'deferred', 'remote-trouble'],
]

describe('what a reply means', () => {
  it('is known for at least 80 replies of the field', () => assert.ok(replies.length >= 80, `${replies.length}`))

  for (const [phase, raw, action, expected, actor] of replies) {
    it(`${phase}: ${raw.replaceAll('\n', ' / ')} → ${action}, ${expected}`, () => {
      const judged = judge(phase, raw)
      assert.deepEqual([judged.action, judged.class], [action, expected])
      if (actor) assert.equal(judged.actor, actor)
    })
  }

  it('keeps the reply itself, so that log and report show what was said', () => {
    assert.equal(formatReply(judge('rcpt', '550 5.1.1 no such user').reply), '550 5.1.1 no such user')
  })

  it('closes the site for 421, and for whatever is said before the first message', () => {
    const closing: [Phase, string][] = [
      ['banner', '554 go away'],
      ['banner', '421 busy'],
      ['ehlo', '550 no'],
      ['rcpt', '421 4.3.2 shutting down'],
      ['dot', '421 bye'],
      ['mail', '450 4.7.1 too many messages'],
      ['mail', '550 5.7.1 your IP is blocked by our blacklist'],
    ]
    for (const [phase, raw] of closing) assert.equal(judge(phase, raw).closesSite, true, raw)
  })

  it('leaves the site open for what concerns one message or recipient', () => {
    const single: [Phase, string][] = [
      ['dot', '250 ok'],
      ['rcpt', '550 5.1.1 no such user'],
      ['rcpt', '450 4.2.0 greylisted'],
      ['dot', '451 4.3.0 try later'],
      ['mail', '552 5.3.4 too large'],
      ['idle', '421 idle for too long'],
      ['banner', '521 does not accept mail'],
    ]
    for (const [phase, raw] of single) assert.equal(judge(phase, raw).closesSite, false, raw)
  })

  it('is in doubt only where the message may have been taken', () => {
    assert.equal(judge('dot', '354 more').inDoubt, true)
    assert.equal(judge('dot', '451 no').inDoubt, false)
    assert.equal(judge('rcpt', '250 ok').inDoubt, false)
  })
})

describe('whatever a server says', () => {
  const answered = phases.filter(phase => phase !== 'lookup')
  it('only 2xx to the final dot is a delivery, only 5xx is final, and doubt is temporary', () => {
    const anything = fc.tuple(
      fc.constantFrom(...answered),
      fc.integer({ min: 200, max: 599 }),
      fc.constantFrom('0.0', '1.1', '2.2', '7.1', '7.26', '4.7', '10.99'),
      fc.string({
        unit: fc.constantFrom('spam ', 'user ', 'unknown ', 'blocked ', 'full ', 'ip ', 'x', '\u0000', '太'),
      }),
      fc.constantFrom('mx' as const, 'own-smtp' as const),
    )
    fc.assert(
      fc.property(anything, ([phase, code, detail, text, route]) => {
        const reply = { code, detail, text, from: 'remote' as const }
        const judged = classify({ result: { address: 'b@example.com', reply, phase }, route })
        assert.equal(judged.action === 'delivered', phase === 'dot' && code < 300)
        if (judged.action === 'bounced') assert.ok(code >= 500)
        if (judged.inDoubt) assert.equal(judged.action, 'deferred')
      }),
      { numRuns: 3000 },
    )
  })
})

describe('an attempt that failed without a reply', () => {
  const table: readonly [Partial<Failure>, string, OutcomeClass, boolean][] = [
    [{ phase: 'connect', kind: 'refused' }, '451 4.4.1', 'network', true],
    [{ phase: 'connect', kind: 'timeout' }, '451 4.4.1', 'network', true],
    [{ phase: 'connect', kind: 'unreachable' }, '451 4.4.1', 'network', true],
    [{ phase: 'connect', kind: 'reset' }, '451 4.4.1', 'network', true],
    [{ phase: 'banner', kind: 'timeout' }, '451 4.4.2', 'network', true],
    [{ phase: 'ehlo', kind: 'closed' }, '451 4.4.2', 'network', true],
    [{ phase: 'starttls', kind: 'tls' }, '451 4.7.5', 'tls', true],
    [{ phase: 'starttls', kind: 'tls-policy' }, '451 4.7.5', 'tls-policy', false],
    [{ phase: 'starttls', kind: 'tls-policy', detail: 'dane: no STARTTLS: 502' }, '451 4.7.4', 'tls-policy', false],
    [{ phase: 'lookup', kind: 'tls-policy' }, '451 4.7.5', 'tls-policy', false],
    [{ phase: 'starttls', kind: 'unsupported', detail: 'STARTTLS' }, '451 4.7.4', 'tls', true],
    [{ phase: 'mail', kind: 'reset' }, '451 4.4.2', 'network', true],
    [{ phase: 'rcpt', kind: 'timeout' }, '451 4.4.2', 'network', false],
    [{ phase: 'data', kind: 'closed' }, '451 4.4.2', 'network', false],
    [{ phase: 'dot', kind: 'reset' }, '451 4.4.2', 'network', false],
    [{ phase: 'dot', kind: 'malformed-reply', detail: '25 ok' }, '451 4.5.0', 'protocol', false],
    [{ phase: 'banner', kind: 'malformed-reply', detail: 'HTTP/1.1 400' }, '451 4.5.0', 'protocol', true],
    [{ phase: 'mail', kind: 'unsupported', detail: '8BITMIME' }, '451 4.5.1', 'protocol', true],
  ]
  for (const [change, status, expected, closesSite] of table) {
    it(`${change.kind} at ${change.phase} is tried again as ${status}, ${expected}`, () => {
      const judged = judgeFailure(change)
      assert.equal(judged.action, 'deferred')
      assert.equal(judged.class, expected)
      assert.equal(judged.closesSite, closesSite)
      assert.ok(formatReply(judged.reply).startsWith(`${status} `), formatReply(judged.reply))
      assert.equal(judged.reply.from, 'relay')
    })
  }

  it('bounces what the host will never take: SMTPUTF8 addresses, larger than its SIZE', () => {
    const utf8 = judgeFailure({ phase: 'mail', kind: 'unsupported', detail: 'SMTPUTF8 is not offered' })
    assert.deepEqual([utf8.action, formatReply(utf8.reply).slice(0, 9)], ['bounced', '553 5.6.7'])
    const size = judgeFailure({ phase: 'mail', kind: 'unsupported', detail: 'SIZE 1000' })
    assert.deepEqual([size.action, size.class], ['bounced', 'message-too-large'])
  })

  it('believes what the transport says in the name of a host that announced what it lacks', () => {
    const judgeOurs = (code: number, detail: string, phase: Phase) => {
      const reply = { code, detail, text: 'not offered', from: 'relay' } as const
      const { action, class: found } = classify({ result: { address: 'b@example.com', reply, phase }, route: 'mx' })
      return [action, found]
    }
    assert.deepEqual(judgeOurs(550, '6.7', 'rcpt'), ['bounced', 'protocol'])
    assert.deepEqual(judgeOurs(550, '6.9', 'rcpt'), ['bounced', 'content-refused'])
    assert.deepEqual(judgeOurs(552, '3.4', 'mail'), ['bounced', 'message-too-large'])
    assert.deepEqual(judgeOurs(451, '3.0', 'lookup'), ['deferred', 'relay-trouble'])
    assert.deepEqual(judgeOurs(550, '7.30', 'ehlo'), ['bounced', 'tls'])
    assert.deepEqual(judgeOurs(550, '7.10', 'ehlo'), ['bounced', 'tls'])
    assert.deepEqual(judgeOurs(451, '7.10', 'ehlo'), ['deferred', 'tls'])
  })

  it('passes on that a duplicate is possible', () => {
    assert.equal(judgeFailure({ phase: 'dot', kind: 'timeout', inDoubt: true }).inDoubt, true)
    assert.equal(judgeFailure({ phase: 'rcpt', kind: 'timeout', inDoubt: false }).inDoubt, false)
  })
})

describe('a recipient domain without hosts', () => {
  const table = [
    ['null-mx', 'bounced', '556 5.1.10', 'no-mail-accepted'],
    ['no-domain', 'bounced', '550 5.1.2', 'domain-unknown'],
    ['no-host', 'bounced', '550 5.4.4', 'no-mail-accepted'],
    ['private-address', 'bounced', '550 5.4.4', 'no-mail-accepted'],
    ['dns-trouble', 'deferred', '451 4.4.3', 'dns-trouble'],
  ] as const
  for (const [kind, action, status, expected] of table) {
    it(`${kind} is ${action} as ${status}`, () => {
      const judged = classify({ lookup: { kind, detail: 'why' } })
      assert.deepEqual([judged.action, formatReply(judged.reply), judged.class], [action, `${status} why`, expected])
    })
  }
})

describe("a sender's own SMTP server", () => {
  const own = (phase: Phase, raw: string) =>
    classify({ result: { address: 'b@example.com', reply: parseReply(raw)!, phase }, route: 'own-smtp' })

  it('that refuses the login keeps the mail until somebody mends the settings', () => {
    const replies: [Phase, string][] = [
      ['auth', '535 5.7.8 authentication failed'],
      ['auth', '454 4.7.0 temporary authentication failure'],
      ['banner', '554 no'],
      ['mail', '530 5.7.0 Authentication required'],
      ['rcpt', '530 login first'],
    ]
    for (const [phase, raw] of replies) {
      const judged = own(phase, raw)
      assert.deepEqual([judged.action, judged.class, judged.actor], ['deferred', 'own-smtp-login', 'own-smtp'], raw)
      assert.equal(judged.closesSite, true)
    }
  })

  it('that says no to the From address or to so much mail keeps it as well', () => {
    const replies: [Phase, string, OutcomeClass, boolean][] = [
      ['mail', '553 5.7.1 <a@ours.example>: Sender address rejected: not owned by user b', 'own-smtp-sender', false],
      ['rcpt', '553 5.7.1 <a@ours.example>: Sender address rejected: not owned by user b', 'own-smtp-sender', false],
      ['dot', '550 5.4.5 Daily user sending limit exceeded', 'own-smtp-limit', true],
      ['mail', '454 4.7.0 Too many login attempts', 'own-smtp-login', true],
    ]
    for (const [phase, raw, found, closesSite] of replies) {
      const judged = own(phase, raw)
      assert.deepEqual([judged.action, judged.class, judged.actor], ['deferred', found, 'own-smtp'], raw)
      assert.equal(judged.closesSite, closesSite, raw)
    }
  })

  it("is believed about a recipient, and its own policy is its owner's to change", () => {
    const unknown = own('rcpt', '550 5.1.1 no such user')
    assert.deepEqual([unknown.action, unknown.class, unknown.actor], ['bounced', 'address-unknown', 'recipient'])
    const relay = own('rcpt', '554 5.7.1 Relay access denied')
    assert.deepEqual([relay.action, relay.class, relay.actor], ['bounced', 'relay-denied', 'own-smtp'])
    assert.equal(own('dot', '250 ok').action, 'delivered')
  })

  it('that can not be found or reached is waited for', () => {
    for (const kind of ['no-domain', 'no-host', 'private-address', 'null-mx', 'dns-trouble'] as const) {
      const judged = classify({ lookup: { kind, detail: 'why' }, route: 'own-smtp' })
      assert.deepEqual([judged.action, judged.actor], ['deferred', 'own-smtp'])
    }
    const failure: Failure = { phase: 'auth', kind: 'unsupported', detail: 'AUTH', inDoubt: false }
    const judged = classify({ result: { address: 'b@example.com', failure }, route: 'own-smtp' })
    assert.deepEqual([judged.action, judged.class, judged.actor], ['deferred', 'own-smtp-login', 'own-smtp'])
  })
})

describe('the sentences of the classes', () => {
  it('stand in both languages for every class and actor', () => {
    for (const [name, { sentence, next, actor }] of Object.entries(classes)) {
      for (const { ja, en } of [sentence, next]) {
        assert.match(ja, /[\u3040-\u30ff\u4e00-\u9fff].*。$/u, name)
        assert.match(en, /^[A-Z].*\.$/, name)
      }
      assert.ok(actor in actors)
    }
    for (const { ja, en } of Object.values(actors)) assert.ok(ja !== '' && en !== '')
  })
})

function judge(phase: Phase, raw: string) {
  const reply = parseReply(raw)
  assert.ok(reply, `no well-formed reply: ${raw}`)
  return classify({ result: { address: 'b@example.com', reply, phase }, route: 'mx' })
}

function judgeFailure(change: Partial<Failure>) {
  const failure: Failure = { phase: 'connect', kind: 'refused', detail: 'seen', inDoubt: false, ...change }
  return classify({ result: { address: 'b@example.com', failure }, route: 'mx' })
}
