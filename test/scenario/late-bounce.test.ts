/**
 * Mail that was delivered and comes back: told beside the delivery, wherever one looks; and what pretends to come back.
 */
import assert from 'node:assert/strict'
import { Dialogue } from '../support/dialogue.ts'
import { samplesOf, sumOf } from '../support/exposition.ts'
import { seededRandom } from '../support/random.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const bounceHost = 'bounce.relay.example.jp'

function startWorld(sink: Sink, settings: Readonly<Record<string, string>> = {}): Promise<TestRelay> {
  return startRelay({
    zone: sink.zone('sink.example', 'ours.example', 'ops.example'),
    mxPort: sink.port,
    // Nothing is published, so that reverse-paths are the relay's own.
    registered: ['ours.example'],
    settings: {
      KITTE_FEEDBACK_LISTENERS: '[{ host: 127.0.0.1, port: 0, tls: starttls }]',
      KITTE_FEEDBACK_MESSAGES_PER_MINUTE: '10000',
      ...settings,
    },
  })
}

async function sendOne(relay: TestRelay, sink: Sink, to: string): Promise<{ id: string; path: string }> {
  const before = sink.messages.length
  const id = await relay.submit({ from: 'a@ours.example', to: [to] })
  await relay.until(() => sink.messages.length > before, 'an arrival')
  await relay.settled()
  return { id, path: sink.messages.findLast(({ recipients }) => recipients.includes(to))!.reversePath! }
}

const report = (to: string, status = '5.1.1', reply = '550 5.1.1 user unknown', action = 'failed') =>
  `From: MAILER-DAEMON@mx.sink.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=p

--p
Content-Type: text/plain

Sorry.

--p
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sink.example

Final-Recipient: rfc822; ${to}
Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; ${reply}

--p--
`.replaceAll('\n', '\r\n')

async function handIn(relay: TestRelay, to: string, content: string, rcpt = /^250 /): Promise<void> {
  await using client = await Dialogue.greeted({ port: relay.relay.bouncePorts[0]! })
  await client.say('EHLO mx.sink.example', /^250-/)
  await client.startTls()
  await client.say('EHLO mx.sink.example', /^250-/)
  await client.say('MAIL FROM:<>', /^250 /)
  const reply = await client.say(`RCPT TO:<${to}>`, rcpt)
  if (reply.startsWith('250')) await client.content(content, /^250 2\.0\.0 /)
  await client.say('QUIT', /^221 /)
}

async function metricsOf({ relay }: TestRelay): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${relay.httpPort}/metrics`)
  return response.text()
}

describe('a delivered mail that comes back', () => {
  it('stays delivered, with the bounce told beside it in API, log and events', async () => {
    await using sink = await startSink()
    await using relay = await startWorld(sink)
    const { id, path } = await sendOne(relay, sink, 'you@sink.example')
    await handIn(relay, path, report('you@sink.example', '4.4.1', '451 4.4.1 no answer', 'delayed'))
    for (let i = 0; i < 2; i++) await handIn(relay, path, report('you@sink.example'))
    const { body } = await relay.api('GET', `/v1/messages/${id}`)
    assert.deepEqual(body.counts, { queued: 0, delivered: 1, bounced: 0, cancelled: 0 })
    assert.equal(body.entries[0].state, 'delivered')
    const [delay, bounce, ...more] = body.entries[0].returned
    assert.deepEqual([delay.kind, bounce.kind, more], ['delay', 'bounce', []])
    assert.deepEqual(
      [bounce.reply, bounce.class, bounce.permanent, bounce.message.en, bounce.reportingMta],
      ['550 5.1.1 user unknown', 'address-unknown', true, 'The recipient address does not exist.', 'mx.sink.example'],
    )
    const { body: events } = await relay.api('GET', '/v1/events?type=message.bounced_later')
    assert.deepEqual(
      events.events.map((event: { message: string; data: { kind: string } }) => [event.message, event.data.kind]),
      [[id, 'bounce']],
    )
    assert.equal(relay.logged('bounced-later').length, 1)
    assert.deepEqual(
      relay.logged('return-ignored').map(({ reason }) => reason),
      ['repeated'],
    )
    const totals = await relay.relay.store.totals()
    assert.equal(totals.accepted, totals.delivered + totals.bounced + totals.cancelled + totals.queued)
  })

  it('is told to the sender in a report, to webhooks in order, and in the metrics, and the counts go on adding up', async () => {
    await using sink = await startSink()
    await using relay = await startWorld(sink, { KITTE_SUPPRESSIONS_HARD_BOUNCES: 'true' })
    const { id, path } = await sendOne(relay, sink, 'you@sink.example')
    const before = (await relay.api('GET', '/v1/events?limit=1000')).body.events.at(-1).seq
    const forged = path.replace(/-[0-9a-z]{16}@/, `-${'0'.repeat(16)}@`)
    await handIn(relay, forged, report('you@sink.example'), /^550 5\.1\.1 /)
    for (let i = 0; i < 2; i++) await handIn(relay, path, report('you@sink.example'))
    await relay.until(() => sink.messages.length === 2, 'the report to the sender')
    await relay.settled()
    const [, { reversePath, recipients, content }] = sink.messages as [unknown, (typeof sink.messages)[0]]
    assert.deepEqual([reversePath, recipients], [null, ['a@ours.example']])
    const text = content.toString()
    assert.match(text, /^DKIM-Signature: [\s\S]*?d=relay\.example\.jp/m)
    assert.match(
      text,
      /^Reporting-MTA: dns; mx\.sink\.example\r\n[\s\S]*^Diagnostic-Code: smtp; 550 5\.1\.1 user unknown\r$/m,
    )
    const { body } = await relay.api('GET', `/v1/events?after=${before}`)
    assert.deepEqual(
      body.events.map(({ type, message }: { type: string; message?: string }) => [type, message === id]),
      [
        ['message.bounced_later', true],
        ['suppression.added', false],
        ['message.accepted', false],
        ['message.delivered', false],
      ],
    )
    assert.deepEqual(
      relay.logged('reported').map(({ original, report }) => [original, report]),
      [[id, 'failure']],
    )
    const samples = samplesOf(await metricsOf(relay))
    const count = (name: string, labels?: Record<string, string>) => sumOf(samples, name, labels)
    assert.equal(count('kitte_returned_total', { kind: 'bounce', class: 'address-unknown' }), 1)
    assert.deepEqual(
      ['repeated', 'forged'].map(reason => count('kitte_returns_ignored_total', { reason })),
      [1, 1],
    )
    const ends = ['accepted', 'delivered', 'bounced'].map(action => count(`kitte_recipients_${action}_total`))
    assert.deepEqual([...ends, count('kitte_recipients_queued')], [2, 2, 0, 0])
  })

  it('is told of at the bounce host of the sender domain too', async () => {
    await using sink = await startSink()
    await using relay = await startWorld(sink)
    const { body } = await relay.api('PATCH', '/v1/domains/ours.example', { returnPath: true })
    const { name } = body.records.find(({ purpose }: { purpose: string }) => purpose === 'return-path')
    relay.zone.set(name, { MX: [[10, 'relay.example.jp']], TXT: ['v=spf1 ip4:127.0.0.1 -all'] })
    await relay.api('POST', '/v1/domains/ours.example/verify')
    const { path } = await sendOne(relay, sink, 'you@sink.example')
    assert.match(path, /@bounce\.ours\.example$/)
    await handIn(relay, path, report('you@sink.example'))
    assert.equal(relay.logged('bounced-later').length, 1)
  })
})

describe('a mail for the postmaster of the bounce host', () => {
  it('goes on to the operator, wrapped and signed by the relay, with the null reverse-path', async () => {
    await using sink = await startSink()
    await using relay = await startWorld(sink, { KITTE_FEEDBACK_POSTMASTER: 'me@ops.example' })
    const subject = 'お知らせ: 御社からの迷惑メール'
    await handIn(relay, `abuse@${bounceHost}`, `From: x@y.example\r\nSubject: ${subject}\r\n\r\nPlease stop.\r\n.\r\n`)
    await relay.until(() => sink.messages.length === 1, 'the mail for the operator')
    const [{ reversePath, recipients, content }] = sink.messages as [(typeof sink.messages)[0]]
    assert.deepEqual([reversePath, recipients], [null, ['me@ops.example']])
    const text = content.toString()
    assert.match(text, /^DKIM-Signature: [\s\S]*?d=relay\.example\.jp/m)
    assert.match(text, /^From: "postmaster \(Kitte\)" <postmaster@relay\.example\.jp>\r$/m)
    assert.match(text, /Content-Type: message\/rfc822[\s\S]*Please stop\./)
    assert.equal(relay.logged('return-forwarded').length, 1)
  })
})

describe('forged bounces at the socket of a running relay', () => {
  it('change nothing and send nothing', async () => {
    await using sink = await startSink()
    await using relay = await startWorld(sink)
    const { path } = await sendOne(relay, sink, 'you@sink.example')
    const events = (await relay.relay.store.events({}, 1000)).length
    const random = seededRandom(8)
    await using client = await Dialogue.greeted({ port: relay.relay.bouncePorts[0]! })
    await client.say('EHLO mx.sink.example', /^250-/)
    for (let i = 0; i < 500; i++) {
      await client.say('MAIL FROM:<>', /^250 /)
      const at = 2 + Math.floor(random() * (path.indexOf('@') - 2))
      const letter = path[at] === 'z' ? 'y' : 'z'
      if (i % 2 === 0) await client.say(`RCPT TO:<${path.slice(0, at)}${letter}${path.slice(at + 1)}>`, /^550 5\.1\.1 /)
      else {
        await client.say(`RCPT TO:<fbl@${bounceHost}>`, /^250 /)
        const noise = Buffer.from(Array.from({ length: 60 }, () => Math.floor(random() * 256)))
        await client.content(Buffer.concat([Buffer.from(report('you@sink.example')), noise]), /^250 /)
      }
      await client.say('RSET', /^250 /)
    }
    assert.equal((await relay.relay.store.events({}, 1000)).length, events)
    assert.equal(sink.messages.length, 1)
    assert.equal((await relay.relay.store.totals()).accepted, 1)
    assert.deepEqual(relay.logged('bounced-later'), [])
  })
})
