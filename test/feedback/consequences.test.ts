/**
 * What follows from what came back: one report to the sender, a suppression and a count, written with it or not at all.
 */
import assert from 'node:assert/strict'
import type { Message } from '../../src/mail/message.ts'
import { erasedAddress } from '../../src/store/store.ts'
import { account, outcome } from '../store/fixtures.ts'
import { reportBounce, textBounce } from './bounces/shape.ts'
import { bounceHost, type FeedbackWorld, openFeedbackWorld, type Sent } from './world.ts'

const you = 'you@theirs.example'
const other = 'other@theirs.example'

interface Told {
  readonly status?: string
  readonly diagnostic?: string
  readonly action?: string
  readonly remote?: string
}

function bounceOf(to: readonly string[], told: Told = {}, original?: string): string {
  const raw = reportBounce({
    ...{
      from: 'MAILER-DAEMON@mx.theirs.example',
      subject: 'Undelivered Mail',
      text: 'Sorry.',
      mta: 'mx.theirs.example',
    },
    ...(original !== undefined && { returned: null }),
    recipients: to.map(final => ({ final, status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 user unknown', ...told })),
  })
  if (original === undefined) return raw
  const [, boundary] = /boundary="?([^"\s;]+)/.exec(raw)!
  return raw.replace(
    `--${boundary}--`,
    `--${boundary}\nContent-Type: text/rfc822-headers\n\n${original}\n--${boundary}--\n`,
  )
}

/** Reports to senders that wait in the queue, as they will be sent. */
async function reportsIn({ store }: FeedbackWorld): Promise<{ message: Message; text: string; human: string }[]> {
  const rows = await store.listQueue({}, { limit: 100 })
  return Promise.all(
    rows
      .filter(({ message }) => message.origin === 'dsn')
      .map(async ({ message }) => {
        const content = await store.content(message.id)
        const text = content?.kind === 'inline' ? Buffer.from(content.bytes).toString() : ''
        const [, base64 = ''] = /base64\r\nContent-Language: ja, en\r\n\r\n([\s\S]*?)\r\n--/.exec(text) ?? []
        return { message, text, human: Buffer.from(base64, 'base64').toString() }
      }),
  )
}

const asked = (envelope: Partial<Message['envelope']>, to: readonly string[] = [you]): Partial<Message> => ({
  envelope: {
    ...{ reversePath: 'a@ours.example', recipients: to.map(address => ({ address })), body: '8BITMIME' },
    ...{ smtpUtf8: false, ...envelope },
  },
})

describe('the report to the sender of what bounced later', () => {
  it('says what the next host said, in the fields of RFC 3464 and in both languages', async () => {
    await using world = await openFeedbackWorld()
    const recipients = [{ address: you, orcpt: 'rfc822;You@theirs.example' }]
    const sent = await world.send([you], 'delivered', asked({ recipients, envid: 'order-42' }))
    await world.receive(sent.paths[0]!, bounceOf([you], { remote: 'store.theirs.example' }))
    const [{ message, text, human }, ...more] = (await reportsIn(world)) as [Awaited<ReturnType<typeof reportsIn>>[0]]
    assert.deepEqual(more, [])
    assert.deepEqual(
      [message.envelope.reversePath, message.envelope.recipients, message.account, message.origin],
      [null, [{ address: 'a@ours.example', notify: ['NEVER'] }], 'acme', 'dsn'],
    )
    const status = text.slice(text.indexOf('Content-Type: message/delivery-status'))
    for (const line of [
      'Original-Envelope-Id: order-42',
      'Reporting-MTA: dns; mx.theirs.example',
      'Received-From-MTA: dns; relay.example.jp',
      'Original-Recipient: rfc822;You@theirs.example',
      `Final-Recipient: rfc822;${you}`,
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; store.theirs.example',
      'Diagnostic-Code: smtp; 550 5.1.1 user unknown',
    ])
      assert.ok(status.includes(`${line}\r\n`), line)
    assert.doesNotMatch(status, /DSN-Gateway|Arrival-Date|X-Actual-Recipient/)
    assert.match(human, /いったん受け取りましたが[\s\S]*宛先: you@theirs\.example[\s\S]*had taken your message/)
    assert.match(human, /理由: 宛先の[\s\S]*対応が必要な方: [\s\S]*Who must act: /)
    assert.deepEqual(
      world.lines.map(({ event, report, original }) => [event, report, original]),
      [
        ['bounced-later', undefined, undefined],
        ['reported', 'failure', sent.message.id],
      ],
    )
  })

  it('names the relay where the bounce was prose, and the address that a recipient forwards to', async () => {
    await using world = await openFeedbackWorld()
    const [prose, forwarded] = [await world.send([you]), await world.send([you])]
    const text = `Hi. This is the qmail-send program at mx.theirs.example.\n\n<${you}>:\nSorry, no mailbox here by that name. (#5.1.1)\n`
    await world.receive(prose.paths[0]!, textBounce({ from: 'MAILER-DAEMON@x', subject: 'failure notice', text }))
    await world.receive(forwarded.paths[0]!, bounceOf(['private@third.example']))
    const [ofProse, ofForwarded] = await reportsIn(world)
    assert.match(ofProse!.text, /Reporting-MTA: dns; relay\.example\.jp\r\nDSN-Gateway: dns; relay\.example\.jp\r\n/)
    assert.match(ofProse!.text, /Diagnostic-Code: smtp; 550 5\.1\.1 .*no mailbox here/)
    assert.match(
      ofForwarded!.text,
      /Final-Recipient: rfc822;you@theirs\.example\r\nX-Actual-Recipient: rfc822;private@third\.example\r\n/,
    )
    assert.match(ofForwarded!.human, /転送先: private@third\.example[\s\S]*Forwarded there to: private@third\.example/)
  })

  it('returns the header as the bounce has it, if it is the message’s own, and only what people know it by', async () => {
    await using world = await openFeedbackWorld()
    const header = (id: string) =>
      `From: phish@evil.example\nTo: You <${you}>\nSubject: Your =?utf-8?B?5rOo5paH?= order\nDate: Thu, 15 Jan 2026 12:00:00 +0900\nMessage-ID: <${id}>\nX-Evil: yes\n`
    const [own, strange] = [await world.send([you]), await world.send([you])]
    await world.receive(own.paths[0]!, bounceOf([you], {}, header(own.message.messageIdHeader)))
    await world.receive(strange.paths[0]!, bounceOf([you], {}, header('1@elsewhere.example')))
    const [withHeader, without] = await reportsIn(world)
    const returned = withHeader!.text.split('Content-Type: text/rfc822-headers\r\n')[1]!
    assert.match(returned, /^From: a@ours\.example\r\nTo: You <you@theirs\.example>\r\nSubject: Your =\?utf-8\?B\?/m)
    assert.doesNotMatch(returned, /evil/i)
    assert.doesNotMatch(without!.text, /rfc822-headers|evil/i)
  })

  it('is owed as after a refusal at once, and of nothing but a bounce', async () => {
    await using world = await openFeedbackWorld()
    const notify = (...words: ('NEVER' | 'FAILURE' | 'SUCCESS' | 'DELAY')[]) =>
      asked({ recipients: [{ address: you, notify: words }] })
    const table: readonly [change: Partial<Message>, owed: number][] = [
      [{}, 1],
      [notify('FAILURE'), 1],
      [notify('SUCCESS', 'FAILURE'), 1],
      [notify('NEVER'), 0],
      [notify('SUCCESS'), 0],
      [notify('DELAY'), 0],
      [asked({ reversePath: null }), 0],
      [asked({ reversePath: erasedAddress }), 0],
      [{ origin: 'dsn' }, 0],
    ]
    let expected = 0
    for (const [change, owed] of table) {
      const sent = await world.send([you], 'delivered', change)
      assert.deepEqual(await world.receive(sent.paths[0]!, bounceOf([you])), ['bounce'])
      expected += owed
      assert.equal((await reportsIn(world)).length, expected, JSON.stringify(change))
    }
    const sent = await world.send([you])
    await world.receive(
      sent.paths[0]!,
      bounceOf([you], { action: 'delayed', status: '4.4.1', diagnostic: 'smtp; 451' }),
    )
    await world.receive(sent.paths[0]!, textBounce({ from: you, subject: 'Out of office', text: 'Back on Monday.' }))
    await world.receive(`fbl@${bounceHost}`, complaintAbout(sent))
    assert.equal((await reportsIn(world)).length, expected)
  })

  it('comes once for a recipient, however many bounces come, at once too', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send([you])
    const [path] = sent.paths
    const another = bounceOf([you], { status: '5.2.1', diagnostic: 'smtp; 550 5.2.1 disabled' })
    const raws = [bounceOf([you]), another, bounceOf([you]), another]
    const taken = (await Promise.all(raws.map(raw => world.receive(path!, raw)))).flatMap(one => one!)
    assert.deepEqual(taken.toSorted(), ['bounce', 'repeated', 'repeated', 'repeated'])
    await world.receive(sent.sharedPath, bounceOf([you]))
    assert.equal((await reportsIn(world)).length, 1)
    const refused = await world.send([you], 'bounced')
    assert.deepEqual(await world.receive(refused.paths[0]!, bounceOf([you])), ['not-sent'])
    assert.equal((await reportsIn(world)).length, 1)
  })

  it('is one for all recipients of a bounce, without those who were told of before', async () => {
    await using world = await openFeedbackWorld()
    const third = 'third@theirs.example'
    const sent = await world.send([you, other, third])
    assert.deepEqual(await world.receive(sent.paths[1]!, bounceOf([other])), ['bounce'])
    assert.deepEqual(await world.receive(sent.sharedPath, bounceOf([you, other, third])), [
      'repeated',
      'bounce',
      'bounce',
    ])
    const finals = (await reportsIn(world)).map(({ text }) =>
      [...text.matchAll(/^Final-Recipient: rfc822;(.*)\r$/gm)].map(([, address]) => address),
    )
    assert.deepEqual(finals, [[other], [you, third]])
  })
})

function complaintAbout({ paths }: Sent, type = 'abuse'): string {
  return `From: fbl@provider.example
Content-Type: multipart/report; report-type=feedback-report; boundary=p

--p
Content-Type: message/feedback-report

Feedback-Type: ${type}
User-Agent: Provider/1
Version: 1

--p
Content-Type: message/rfc822

Return-Path: <${paths[0]}>
From: a@ours.example
To: redacted@provider.example

--p--
`
}

/** Delivered with an event that says by which way, as settling writes it. */
async function deliverFromSource(world: FeedbackWorld, to = 'you@gmail.com'): Promise<Sent> {
  const sent = await world.send([to], 'leased')
  const at = world.clock.now()
  const facts = { site: 'gmail-smtp-in.l.google.com', sourceIp: '192.0.2.1', mode: 'spf-dkim' } as never
  const delivered = outcome(`${sent.message.id}.0`, 'delivered', at, { facts })
  const about = { account: 'acme', message: sent.message.id, entry: delivered.entry, domain: 'ours.example' }
  const event = { type: 'message.delivered', at, ...about, data: delivered } as const
  await world.store.settle({ outcomes: [delivered], reports: [], events: [event] })
  return sent
}

async function countedOf({ store }: FeedbackWorld, scope: 'domain' | 'source', name: string) {
  const rows = await store.volume(scope, name, '2026-01-01')
  return rows.map(({ receiver, bounced, complained }) => ({ receiver, bounced, complained }))
}

describe('what came back', () => {
  it('counts on its day, once, for the sender domain, the receiver and the source address', async () => {
    await using world = await openFeedbackWorld()
    const [one, two] = [await deliverFromSource(world), await deliverFromSource(world)]
    for (let i = 0; i < 2; i++) {
      await world.receive(one.paths[0]!, bounceOf(['you@gmail.com']))
      await world.receive(`fbl@${bounceHost}`, complaintAbout(two))
    }
    // Counted when it was refused.
    const refused = await world.send(['you@gmail.com'], 'bounced')
    await world.receive(refused.paths[0]!, bounceOf(['you@gmail.com']))
    assert.deepEqual(await countedOf(world, 'domain', 'ours.example'), [
      { receiver: 'gmail', bounced: 1, complained: 1 },
    ])
    assert.deepEqual(await countedOf(world, 'source', '192.0.2.1'), [{ receiver: '', bounced: 1, complained: 1 }])
  })

  it('suppresses in the same transaction, and is told event by event in its order', async () => {
    await using world = await openFeedbackWorld()
    await world.store.createAccount(account('acme'))
    const sent = await world.send([you])
    const from = (await world.store.eventRange()).newest
    await world.receive(sent.paths[0]!, bounceOf([you]))
    const events = await world.store.events({ after: from }, 10)
    assert.deepEqual(
      events.map(({ type, recipient }) => [type, recipient]),
      [
        ['message.bounced_later', you],
        ['suppression.added', you],
        ['message.accepted', undefined],
      ],
    )
    const suppression = await world.store.suppression('acme', you)
    assert.deepEqual([suppression?.reason, suppression?.evidence?.from], ['hard-bounce', 'report'])
  })

  it('suppresses after a complaint; who opts out is counted as none, and is called unsubscribed', async () => {
    await using world = await openFeedbackWorld()
    await world.store.createAccount(account('acme'))
    const [one, two] = [
      await deliverFromSource(world, 'one@gmail.com'),
      await deliverFromSource(world, 'two@gmail.com'),
    ]
    await world.receive(`fbl@${bounceHost}`, complaintAbout(one))
    await world.receive(`fbl@${bounceHost}`, complaintAbout(two, 'opt-out'))
    const reasons = (await world.store.listSuppressions({}, { limit: 10 })).map(({ reason }) => reason)
    assert.deepEqual(reasons, ['complaint', 'unsubscribed'])
    assert.deepEqual(await countedOf(world, 'source', '192.0.2.1'), [{ receiver: '', bounced: 0, complained: 1 }])
  })

  it('is counted by kind and class, and what changed nothing by its reason', async () => {
    await using world = await openFeedbackWorld()
    const sent = await world.send([you])
    for (let i = 0; i < 2; i++) await world.receive(sent.paths[0]!, bounceOf([you]))
    await world.receive(sent.paths[0]!, complaintAbout(sent))
    await world.receive(sent.paths[0]!, textBounce({ from: you, subject: 'Out of office', text: 'Back on Monday.' }))
    const { returned, returnsIgnored } = world.meter.reading
    assert.deepEqual(returned, { 'bounce address-unknown': 1, 'complaint ': 1 })
    assert.deepEqual(returnsIgnored, { repeated: 1, 'auto-reply': 1 })
  })
})

describe('a redacted complaint', () => {
  it('is found by a Message-ID that Kitte made, not by one that can be guessed', async () => {
    await using world = await openFeedbackWorld()
    const made = await world.send([you])
    const complaint = (id: string) =>
      complaintAbout({ ...made, paths: ['redacted@provider.example'] }).replace(
        'From: a@ours',
        `Message-ID: <${id}>\nFrom: a@ours`,
      )
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, complaint(made.message.messageIdHeader)), ['no-token'])
    const elsewhere = `${made.message.id}@relay.elsewhere.example`
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, complaint(elsewhere)), ['no-token'])
    const ours = `${made.message.id}@relay.example.jp`
    assert.deepEqual(await world.receive(`fbl@${bounceHost}`, complaint(ours)), ['complaint'])
    assert.deepEqual(
      world.notices.map(({ recipient }) => recipient),
      [you],
    )
  })
})
