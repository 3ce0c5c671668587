/**
 * What came back, matched with what was sent: written down once, told once, and only where a signature leads to it.
 */
import assert from 'node:assert/strict'
import type { Returned } from '../../src/mail/returned.ts'
import { reportBounce, textBounce } from './bounces/shape.ts'
import { bounceHost, openFeedbackWorld, type Sent } from './world.ts'

const failed = (to: string, more: { action?: string; status?: string; diagnostic?: string; original?: string } = {}) =>
  reportBounce({
    ...{
      from: 'MAILER-DAEMON@mx.theirs.example',
      subject: 'Undelivered Mail',
      text: 'Sorry.',
      mta: 'mx.theirs.example',
    },
    recipients: [{ final: to, status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 user unknown', ...more }],
  })

const complaint = (fields: string, header: string) => `From: fbl@provider.example
Subject: abuse
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=p

--p
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1
Version: 1
${fields}
--p
Content-Type: message/rfc822

${header}
--p--
`
const traceOf = ({ message }: Sent) =>
  `Received: from crm.example.jp ([192.0.2.10])\n\tby relay.example.jp with ESMTPSA id ${message.id};\n\tThu, 15 Jan 2026 12:00:00 +0900\nFrom: a@ours.example\nTo: undisclosed\nSubject: Quote\n`

describe('a bounce that comes back for a delivered recipient', () => {
  it('is written down, told in the log, and leaves the outcome as it was', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    const before = await world.store.totals()
    assert.deepEqual(await world.receive(sent.paths[0]!, failed('you@theirs.example')), ['bounce'])
    const [event] = await world.store.events({ type: 'message.bounced_later' }, 10)
    const data = event!.data as Returned
    assert.deepEqual(
      [event!.message, event!.recipient, event!.account, data.class, data.permanent, data.reply, data.reportingMta],
      [
        ...[sent.message.id, 'you@theirs.example', 'acme', 'address-unknown', true],
        { code: 550, detail: '1.1', text: 'user unknown', from: 'remote' },
        'mx.theirs.example',
      ],
    )
    const { accepted, ...ends } = await world.store.totals()
    // The report to the sender comes on top.
    assert.deepEqual({ ...ends, queued: 0, accepted: accepted - 1 }, before)
    assert.deepEqual(
      world.notices.map(({ recipient, kind, evidence }) => [recipient, kind, evidence]),
      [['you@theirs.example', 'hard-bounce', data]],
    )
    const [line] = world.lines
    assert.deepEqual(
      [line!.event, line!.recipient, line!.reply, line!.class, line!.reportFormat],
      ['bounced-later', 'you@theirs.example', '550 5.1.1 user unknown', 'address-unknown', 'rfc3464'],
    )
  })

  it('counts once, however often it comes', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    const raw = failed('you@theirs.example')
    const taken = []
    for (let i = 0; i < 3; i++) taken.push(...(await world.receive(sent.paths[0]!, raw))!)
    assert.deepEqual(taken, ['bounce', 'repeated', 'repeated'])
    assert.equal((await world.store.events({ type: 'message.bounced_later' }, 10)).length, 1)
    assert.equal(world.notices.length, 1)
  })

  it('is the recipient of the signed address, whatever other address it names: mail is forwarded', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example', 'other@theirs.example'])
    await world.receive(sent.paths[0]!, failed('elsewhere@third.example', { original: 'other@theirs.example' }))
    const [notice] = world.notices
    assert.deepEqual(
      [notice!.recipient, notice!.evidence.finalRecipient],
      ['you@theirs.example', 'elsewhere@third.example'],
    )
  })

  it('must name a recipient where the address stands for several', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example', 'Other@theirs.example'])
    assert.deepEqual(await world.receive(sent.sharedPath, failed('stranger@theirs.example')), ['no-such-recipient'])
    assert.deepEqual(await world.receive(sent.sharedPath, failed('other@THEIRS.example')), ['bounce'])
    assert.deepEqual(
      world.notices.map(({ recipient }) => recipient),
      ['Other@theirs.example'],
    )
  })

  it('of a mailbox that was full is no statement about the address', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    await world.receive(
      sent.paths[0]!,
      failed('you@theirs.example', { status: '5.2.2', diagnostic: 'smtp; 552 5.2.2 over quota' }),
    )
    assert.deepEqual([world.notices[0]!.kind, world.notices[0]!.evidence.class], ['soft-bounce', 'mailbox-full'])
  })

  it('is read in prose too', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    const text = `Hi. This is the qmail-send program at mx.theirs.example.\n\n<you@theirs.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n`
    assert.deepEqual(
      await world.receive(sent.paths[0]!, textBounce({ from: 'MAILER-DAEMON@x', subject: 'failure notice', text })),
      ['bounce'],
    )
    assert.deepEqual([world.notices[0]!.evidence.system, world.notices[0]!.kind], ['qmail', 'hard-bounce'])
  })

  it('waits for our own outcome when it is faster', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'], 'leased')
    const taken = world.receive(sent.paths[0]!, failed('you@theirs.example'))!
    while (world.clock.waiting === 0) await new Promise(resolve => setImmediate(resolve))
    await world.settle(sent, 'delivered')
    await world.clock.advance(60_000)
    assert.deepEqual(await taken, ['bounce'])
    const types = (await world.store.events({ message: sent.message.id }, 10)).map(({ type }) => type)
    assert.deepEqual(types, ['message.bounced_later'])
  })

  it('counts even if our own outcome never came: the host took what it bounces', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'], 'deferred')
    const taken = world.receive(sent.paths[0]!, failed('you@theirs.example'))!
    for (let i = 0; i < 5; i++) {
      while (world.clock.waiting === 0 && world.notices.length === 0)
        await new Promise(resolve => setImmediate(resolve))
      await world.clock.advance(10_000)
    }
    assert.deepEqual(await taken, ['bounce'])
    // Itself, and the report on it.
    assert.equal((await world.store.totals()).queued, 2)
  })
})

describe('a notice that mail is late there', () => {
  it('is an event and no bounce', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    const late = failed('you@theirs.example', {
      action: 'delayed',
      status: '4.4.1',
      diagnostic: 'smtp; 451 4.4.1 no answer',
    })
    assert.deepEqual(await world.receive(sent.paths[0]!, late), ['delay'])
    assert.deepEqual(world.notices, [])
    assert.equal((await world.store.events({ type: 'message.delayed_later' }, 10)).length, 1)
    assert.deepEqual(await world.receive(sent.paths[0]!, failed('you@theirs.example')), ['bounce'])
  })
})

describe('what changes nothing', () => {
  const nothing = async (world: Awaited<ReturnType<typeof openFeedbackWorld>>) => {
    assert.deepEqual(world.notices, [])
    const types = ['message.bounced_later', 'message.delayed_later', 'message.complained'] as const
    assert.deepEqual(await world.store.events({ types }, 10), [])
  }

  it('is a report of success, an away note, a mail that nobody understands', async () => {
    await using world = await openFeedbackWorld()
    const [path] = (await world.send(['you@theirs.example'])).paths
    const success = failed('you@theirs.example', { action: 'delivered', status: '2.1.5', diagnostic: 'smtp; 250 ok' })
    const away = textBounce({ from: 'you@theirs.example', subject: 'Out of office', text: 'Back on Monday.' })
    const prose = textBounce({
      from: 'you@theirs.example',
      subject: 'Re: Quote',
      text: 'No such user: you. 550 5.1.1.',
    })
    assert.deepEqual(
      [await world.receive(path!, success), await world.receive(path!, away), await world.receive(path!, prose)],
      [['success'], ['auto-reply'], ['not-understood']],
    )
    await nothing(world)
    assert.deepEqual(
      world.lines.map(({ event, reason }) => [event, reason]),
      ['success', 'auto-reply', 'not-understood'].map(reason => ['return-ignored', reason]),
    )
  })

  it('is a bounce of what bounced here, was cancelled, or never left', async () => {
    await using world = await openFeedbackWorld()
    for (const end of ['bounced', 'cancelled', 'waiting'] as const) {
      const sent = await world.send(['you@theirs.example'], end)
      assert.deepEqual(await world.receive(sent.paths[0]!, failed('you@theirs.example')), ['not-sent'], end)
    }
    await nothing(world)
  })

  it('is a bounce after too long a time, or of a message that is forgotten', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    await world.clock.leap(14 * 86_400_000 + 1)
    assert.deepEqual(await world.receive(sent.paths[0]!, failed('you@theirs.example')), ['token-too-old'])
    await world.store.purge(world.clock.now(), 10)
    assert.deepEqual(await world.receive(sent.paths[0]!, failed('you@theirs.example')), ['unknown'])
    await nothing(world)
  })

  it('is a bounce to an address that somebody else signed, or for a recipient that the message does not have', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    const forged = world.pathOf(sent.message, 0, Buffer.alloc(32, 1))
    assert.equal(world.receive(forged, failed('you@theirs.example')), null)
    const beyond = world.pathOf(sent.message, 7)
    assert.deepEqual(await world.receive(beyond, failed('you@theirs.example')), ['no-such-recipient'])
    await nothing(world)
  })

  it('is a bounce that comes to the address for complaints', async () => {
    await using world = await openFeedbackWorld()
    await world.send(['you@theirs.example'])
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, failed('you@theirs.example')), ['no-token'])
    await nothing(world)
  })

  it('is a bounce for a recipient whose address was taken out', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    await world.store.eraseRecipient('you@theirs.example', [sent.message.id])
    assert.deepEqual(await world.receive(sent.paths[0]!, failed('you@theirs.example')), ['erased'])
    await nothing(world)
  })
})

describe('a complaint', () => {
  it('is found by the reverse-path that it quotes, in its fields or in the message', async () => {
    await using world = await openFeedbackWorld()
    const first = await world.send(['you@theirs.example'])
    const second = await world.send(['you@theirs.example'])
    const inFields = complaint(`Original-Mail-From: <${first.paths[0]}>\n`, 'From: a@ours.example\n')
    const inMessage = complaint('', `Return-Path: <${second.paths[0]}>\nFrom: a@ours.example\n`)
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, inFields), ['complaint'])
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, inMessage), ['complaint'])
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, inMessage), ['repeated'])
    assert.deepEqual(
      world.notices.map(({ kind, evidence }) => [kind, evidence.message, evidence.feedbackType]),
      [first, second].map(({ message }) => ['complaint', message.id, 'abuse']),
    )
  })

  it('is found by the id in our Received field, where the reverse-path was the sender’s own', async () => {
    await using world = await openFeedbackWorld()
    const sole = await world.send(['you@theirs.example'])
    const two = await world.send(['you@theirs.example', 'other@theirs.example'])
    const take = (raw: string) => world.receive(`FBL@${bounceHost}`, raw)
    assert.deepEqual(await take(complaint('', traceOf(sole))), ['complaint'])
    assert.deepEqual(await take(complaint('', traceOf(two))), ['no-such-recipient'])
    assert.deepEqual(await take(complaint('Original-Rcpt-To: other@theirs.example\n', traceOf(two))), ['complaint'])
    assert.deepEqual(
      world.notices.map(({ recipient }) => recipient),
      ['you@theirs.example', 'other@theirs.example'],
    )
  })

  it('leads nowhere with an id of another relay, or one that is made up', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send(['you@theirs.example'])
    const other = traceOf(sent).replace('by relay.example.jp', 'by relay.elsewhere.example')
    const madeUp = traceOf(sent).replace(sent.message.id, '0'.repeat(26))
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, complaint('', other)), ['no-token'])
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, complaint('', madeUp)), ['unknown'])
    assert.deepEqual(world.notices, [])
  })
})

describe('an address at the bounce host', () => {
  it('is taken at the bounce host of a domain of its own, in any case of letters', async () => {
    await using world = await openFeedbackWorld()
    const { message } = await world.send(['you@theirs.example'])
    const path = world.pathOf(message, 0, world.names.verpKey, 'bounce.xn--r8jz45g.jp')
    assert.deepEqual(
      await world.receive(path.replace('xn--r8jz45g', '例え').toUpperCase(), failed('you@theirs.example')),
      ['bounce'],
    )
  })
})
