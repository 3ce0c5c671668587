/**
 * Recipients that are not tried again: from the hard bounce to the mail that arrives once it is undone.
 */
import assert from 'node:assert/strict'
import { Dialogue } from '../support/dialogue.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type Json, startRelay, type TestRelay, type TestRelayOptions } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const from = 'a@ours.example'
/** Refused the first time, taken ever after. */
const once = 'once-550-5.1.1@sink.example'
const day = 86_400_000

function worldOf(sink: Sink, options: Partial<TestRelayOptions> = {}): TestRelayOptions {
  return {
    zone: sink.zone('sink.example', 'ours.example', 'others.example'),
    mxPort: sink.port,
    ...options,
    settings: { KITTE_SUPPRESSIONS_HARD_BOUNCES: 'true', ...options.settings },
  }
}

async function send(relay: TestRelay, to: readonly string[], sender = from): Promise<Json> {
  const id = await relay.submit({ from: sender, to })
  await relay.settled()
  return (await relay.api('GET', `/v1/messages/${id}`)).body
}

/** Per recipient: how it ended, and why. */
function endsOf(message: Json): Record<string, string> {
  return Object.fromEntries(
    message.entries.map((entry: Json) => [entry.recipient, `${entry.state} ${entry.attempts.at(-1)?.class}`]),
  )
}

const arrivedAt = (sink: Sink, address: string) =>
  sink.messages.filter(({ recipients }) => recipients.includes(address)).length

describe('a recipient after a hard bounce', () => {
  it('is not tried again by its account, across a restart, until that is undone', async () => {
    await using sink = await startSink()
    await using first = await startRelay(worldOf(sink, { verified: ['ours.example'] }))
    assert.deepEqual(endsOf(await send(first, [once])), { [once]: 'bounced address-unknown' })
    const path = `/v1/suppressions/${once}?account=${first.account}`
    const { body: made } = await first.api('GET', path)
    assert.deepEqual(
      [made.reason, made.evidence.class, made.evidence.from],
      ['hard-bounce', 'address-unknown', 'outcome'],
    )
    assert.equal(Date.parse(made.expiresAt) - Date.parse(made.createdAt), 90 * day)

    const suppressed = await send(first, [
      'ok@sink.example',
      once.toUpperCase().replace('SINK.EXAMPLE', 'sink.example'),
    ])
    assert.deepEqual(Object.values(endsOf(suppressed)), ['delivered none', 'bounced suppressed'])
    await using second = await startRelay(worldOf(sink, { dataDir: await first.stop() }))
    await second.publish('ours.example')
    Object.assign(second, { credential: first.credential })
    const again = await send(second, [once])
    assert.deepEqual(endsOf(again), { [once]: 'bounced suppressed' })
    const { reply } = again.entries[0].attempts.at(-1)
    assert.match(
      reply,
      /^550 5\.7\.1 not sent: this recipient is suppressed since \S+, reason hard-bounce \(550 5\.1\.1 /,
    )
    assert.match(sink.lastReportTo(from), /^Status: 5\.7\.1$/m)

    assert.equal((await second.api('DELETE', path)).status, 204)
    assert.deepEqual(endsOf(await send(second, [once])), { [once]: 'delivered none' })
    assert.equal(arrivedAt(sink, once), 1)
    const { body } = await second.api('GET', `/v1/events?type=suppression.removed`)
    assert.deepEqual(
      body.events.map((event: Json) => [event.recipient, event.account]),
      [[once, first.account]],
    )
  })
})

describe('a suppression', () => {
  it('of one account is nothing to another, and one of all accounts is for both', async () => {
    await using sink = await startSink()
    await using relay = await startRelay(worldOf(sink, { verified: ['ours.example'] }))
    await send(relay, [once])
    const other = (await relay.api('POST', '/v1/accounts', { name: 'other' })).body.id
    await relay.api('POST', '/v1/domains', { name: 'others.example', account: other })
    const ours = relay.credential
    const theirs = (await relay.api('POST', '/v1/credentials', { account: other })).body
    Object.assign(relay, { credential: theirs })
    assert.deepEqual(endsOf(await send(relay, [once], 'b@others.example')), { [once]: 'delivered none' })
    const everybodys = { address: 'no@sink.example', account: null, note: 'a trap' }
    assert.equal((await relay.api('POST', '/v1/suppressions', everybodys)).status, 201)
    for (const [credential, sender] of [
      [ours, from],
      [theirs, 'b@others.example'],
    ] as const) {
      Object.assign(relay, { credential })
      assert.deepEqual(endsOf(await send(relay, ['no@sink.example'], sender)), {
        'no@sink.example': 'bounced suppressed',
      })
    }
    assert.equal(arrivedAt(sink, 'no@sink.example'), 0)
    const { accepted, delivered, bounced, queued } = await relay.relay.store.totals()
    assert.equal(accepted, delivered + bounced + queued)
  })

  it('ends what was queued when its turn comes', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    await using relay = await startRelay(worldOf(sink, { verified: ['ours.example'], clock }))
    const to = 'once-451-4.7.1@sink.example'
    const id = await relay.submit({ from, to: [to] })
    await relay.until(() => relay.logged('deferred').length === 1, 'a deferral')
    await relay.api('POST', '/v1/suppressions', { address: to, account: relay.account, reason: 'unsubscribed' })
    await clock.advance(10 * 60_000)
    await relay.settled()
    const { body } = await relay.api('GET', `/v1/messages/${id}`)
    assert.deepEqual(endsOf(body), { [to]: 'bounced suppressed' })
    assert.equal(arrivedAt(sink, to), 0)
  })

  it('is refused at RCPT where the configuration says so, and brings no report where it says that', async () => {
    await using sink = await startSink()
    const settings = { KITTE_SUPPRESSIONS_REPORT: 'false' }
    await using relay = await startRelay(worldOf(sink, { verified: ['ours.example'], settings }))
    await relay.api('POST', '/v1/suppressions', { address: 'no@sink.example', account: relay.account })
    await send(relay, ['no@sink.example'])
    assert.deepEqual([relay.logged('bounced').length, relay.logged('reported').length], [1, 0])
    const asked = { from, to: ['no@sink.example'], dsn: { notify: 'FAILURE' } }
    await relay.submit(asked)
    await relay.until(() => relay.logged('reported').length === 1, 'the report that was asked for')
    const dataDir = await relay.stop()
    const strict = { KITTE_SUPPRESSIONS_AT: 'rcpt' }
    await using second = await startRelay(worldOf(sink, { dataDir, settings: strict }))
    Object.assign(second, { credential: relay.credential })
    await assert.rejects(second.submit({ from, to: ['NO@sink.example'] }), /550 5\.7\.1 .*this recipient is suppressed/)
    const message = await send(second, ['ok@sink.example', 'no@sink.example'])
    assert.deepEqual(endsOf(message), { 'ok@sink.example': 'delivered none' })
  })

  it('is told after DATA where only From decides the account, and at RCPT when it is suppressed for all', async () => {
    await using sink = await startSink()
    const settings = { KITTE_SUPPRESSIONS_AT: 'rcpt' }
    await using relay = await startRelay(worldOf(sink, { verified: ['ours.example'], settings }))
    await relay.api('POST', '/v1/suppressions', { address: 'no@sink.example', account: relay.account })
    await relay.api('POST', '/v1/suppressions', { address: 'never@sink.example', account: null })
    const { body: crm } = await relay.api('POST', '/v1/credentials', { scope: 'all' })
    Object.assign(relay, { credential: { username: crm.username, password: crm.password } })
    const message = await send(relay, ['ok@sink.example', 'no@sink.example', 'never@sink.example'])
    assert.deepEqual(endsOf(message), { 'ok@sink.example': 'delivered none', 'no@sink.example': 'bounced suppressed' })
    assert.equal(arrivedAt(sink, 'no@sink.example'), 0)
    const [told] = message.events.filter(({ type }: Json) => type === 'message.bounced')
    assert.deepEqual([told.recipient, told.data.class, told.data.actor], ['no@sink.example', 'suppressed', 'recipient'])
    const [refused] = relay.logged('refused')
    assert.deepEqual([refused?.recipient, refused?.class ?? null], ['never@sink.example', null])
    assert.match(String(refused?.reply), /^550 5\.7\.1 /)
  })

  it('comes from a bounce and a complaint that arrive later, and from no other failure', async () => {
    await using sink = await startSink()
    const settings = { KITTE_FEEDBACK_LISTENERS: '[{ host: 127.0.0.1, port: 0, tls: none }]' }
    await using relay = await startRelay(worldOf(sink, { registered: ['ours.example'], settings }))
    const come = async (to: string, content: string) => {
      await send(relay, [to])
      const { reversePath } = sink.messages.findLast(({ recipients }) => recipients.includes(to))!
      await handIn(relay, reversePath!, content)
    }
    await come('gone@sink.example', report('gone@sink.example', '5.1.1', '550 5.1.1 user unknown'))
    await come('full@sink.example', report('full@sink.example', '5.2.2', '552 5.2.2 mailbox full'))
    await come('angry@sink.example', complaint)
    const { body } = await relay.api('GET', `/v1/suppressions?account=${relay.account}`)
    assert.deepEqual(
      body.suppressions.map((one: Json) => [one.address, one.reason, one.evidence.from, one.expiresAt === null]),
      [
        ['angry@sink.example', 'complaint', 'report', true],
        ['gone@sink.example', 'hard-bounce', 'report', false],
      ],
    )
    const line = { event: 'suppressed', account: relay.account }
    assert.deepEqual(
      relay
        .logged('suppressed')
        .map(({ event, account, recipient, reason, reply }) => ({ event, account, recipient, reason, reply })),
      [
        { ...line, recipient: 'gone@sink.example', reason: 'hard-bounce', reply: '550 5.1.1 user unknown' },
        { ...line, recipient: 'angry@sink.example', reason: 'complaint', reply: undefined },
      ],
    )
    const all = ['gone@sink.example', 'full@sink.example', 'angry@sink.example']
    assert.deepEqual(Object.values(endsOf(await send(relay, all))), [
      'bounced suppressed',
      'delivered none',
      'bounced suppressed',
    ])
  })

  it('is made by no account that does not want it', async () => {
    await using sink = await startSink()
    await using relay = await startRelay(worldOf(sink, { verified: ['ours.example'] }))
    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { autoSuppress: false })
    await send(relay, [once])
    assert.deepEqual(endsOf(await send(relay, [once])), { [once]: 'delivered none' })
  })
})

const report = (to: string, status: string, reply: string) =>
  mail(
    'delivery-status',
    `Reporting-MTA: dns; mx.sink.example\n\nFinal-Recipient: rfc822; ${to}\nAction: failed\nStatus: ${status}\nDiagnostic-Code: smtp; ${reply}`,
  )
const complaint = mail('feedback-report', 'Feedback-Type: abuse\nUser-Agent: There/1\nVersion: 1')

function mail(type: string, fields: string): string {
  const head = `From: MAILER-DAEMON@mx.sink.example\nSubject: report\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=${type}; boundary=p`
  const text = `${head}\n\n--p\nContent-Type: text/plain\n\nSorry.\n\n--p\nContent-Type: message/${type}\n\n${fields}\n\n--p--\n`
  return text.replaceAll('\n', '\r\n')
}

async function handIn(relay: TestRelay, to: string, content: string): Promise<void> {
  await using client = await Dialogue.greeted({ port: relay.relay.bouncePorts[0]! })
  await client.say('EHLO mx.sink.example', /^250-/)
  await client.say('MAIL FROM:<>', /^250 /)
  await client.say(`RCPT TO:<${to}>`, /^250 /)
  await client.content(content, /^250 2\.0\.0 /)
  await client.say('QUIT', /^221 /)
}
