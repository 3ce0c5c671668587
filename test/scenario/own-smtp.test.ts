/**
 * A sender's own SMTP server that refuses the login, can't do TLS, limits the rate or dies midway: the mail waits, whoever
 * set it up hears of it once, the recipient is not blamed, and mended settings let everything go.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { type Json, type LoggedLine, startRelay, type TestRelay } from '../support/relay.ts'
import { startScriptedHost } from '../support/sending.ts'
import { type Fault, type Sink, startSink } from '../support/sink.ts'

const login = { username: 'acme', password: 'correct horse' }
const from = 'a@mail.example'
const path = `/v1/senders/${from}`

describe("a sender's own SMTP server", () => {
  let clock: ManualClock
  let server: Sink
  /** By MX: of reports to senders. */
  let receiver: Sink
  let relay: TestRelay
  const authorities = getCACertificates()

  beforeEach(async () => {
    clock = manualClock()
    server = await startSink({ tls: 'starttls', auth: login })
    setDefaultCACertificates([...authorities, server.certificate])
    receiver = await startSink()
    relay = await startRelay({
      zone: server.zone('sink.example', 'mail.example'),
      mxPort: receiver.port,
      clock,
      settings: { KITTE_QUEUE_RETRY_JITTER: '0', KITTE_QUEUE_RETRY_AFTER: '[1h]', KITTE_SIGNING_RSA_BITS: '1024' },
    })
    const { status } = await relay.api('POST', '/v1/senders', { address: from, account: relay.account })
    assert.equal(status, 201)
  })

  afterEach(async () => {
    setDefaultCACertificates(authorities)
    await relay?.[Symbol.asyncDispose]()
    await receiver?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  it('that refuses the login keeps the mail, says so once, and gets it when the password is mended', async () => {
    await set({ password: 'not that one' })
    const first = await deferred()
    assert.deepEqual([first.class, first.actor], ['own-smtp-login', 'own-smtp'])
    await turn(61 * 60_000)
    assert.equal(linesOf(String(first.message), 'bounced').length, 0)
    const { trouble } = (await relay.api('GET', path)).body.smtp
    assert.deepEqual([trouble.class, trouble.reply], ['own-smtp-login', '535 5.7.8 wrong password'])
    assert.match(trouble.message.ja, /ログイン/)
    const [failed, ...more] = await events('sender.smtp_failed')
    assert.deepEqual(more, [])
    assert.deepEqual([failed.account, failed.domain], [relay.account, 'mail.example'])
    assert.deepEqual(
      [failed.data.address, failed.data.host, failed.data.port, failed.data.class],
      [from, 'mx.sink.example', server.port, 'own-smtp-login'],
    )

    // Without waiting for the next attempt, which is an hour away.
    await set({})
    await relay.settled()
    assert.equal(server.messages.length, 1)
    assert.equal((await relay.api('GET', path)).body.smtp.trouble, null)
  })

  it('gets what it kept waiting untried as soon as its settings are mended, and so tells who asks why it waits', async () => {
    const waiting = await untriedBehindRefusedLogin()
    const { waitReason, waitMessage } = (await relay.api('GET', `/v1/messages/${waiting}`)).body.entries[0]
    assert.equal(waitReason, 'noted')
    assert.match(waitMessage.en, /SMTP server registered for a@mail\.example/)
    assert.match(waitMessage.ja, /a@mail\.example に登録されたSMTPサーバー/)
    await set({})
    await soonSettled()
    assert.equal(server.messages.length, 2)
  })

  it('keeps nothing waiting once the sender address is deleted', async () => {
    await untriedBehindRefusedLogin()
    assert.equal((await relay.api('DELETE', path)).status, 204)
    await soonSettled()
    const arrived = receiver.messages.filter(({ recipients }) => recipients.includes('ok@sink.example'))
    assert.deepEqual([arrived.length, server.messages.length], [2, 0])
  })

  it('that works again by itself is told to do so', async () => {
    await set({})
    server.setFault({ phase: 'auth', kind: '5xx' })
    await deferred()
    server.setFault(null)
    await turn(61 * 60_000)
    await relay.settled()
    await relay.until(async () => (await events('sender.smtp_works')).length > 0, 'the event')
    const [works, ...more] = await events('sender.smtp_works')
    assert.deepEqual([works.data.address, more], [from, []])
    const [failed] = await events('sender.smtp_failed')
    assert.equal(works.data.since, failed.data.since)
    assert.equal((await relay.api('GET', path)).body.smtp.trouble, null)
  })

  for (const [what, fault, found, reply] of [
    ['closes after AUTH', { phase: 'auth', kind: 'close' }, 'own-smtp-login', /^451 4\.4\.2 /],
    ['closes at MAIL', { phase: 'mail', kind: 'close' }, 'network', /^451 4\.4\.2 connection lost at MAIL/],
    ['closes after DATA', { phase: 'data', kind: 'close' }, 'network', /^451 4\.4\.2 connection lost at DATA/],
    ['closes after the final dot', { phase: 'dot', kind: 'close' }, 'network', /^451 4\.4\.2 .*the final dot/],
    ['fails in the TLS handshake', { phase: 'handshake', kind: 'garbage' }, 'tls', /^451 4\.7\.5 /],
    ['says 421 at once', { phase: 'banner', kind: '421' }, null, /^421 4\.3\.2 /],
  ] satisfies readonly (readonly [string, Fault, string | null, RegExp])[])
    it(`that ${what} keeps the mail, and it is that server's to act on`, async () => {
      await set({})
      server.setFault(fault)
      const line = await deferred()
      if (found !== null) assert.equal(line.class, found)
      assert.equal(line.actor, 'own-smtp')
      assert.match(String(line.reply), reply)
      assert.equal(line.inDoubt ?? false, fault.phase === 'dot')
      server.setFault(null)
      await turn(61 * 60_000)
      await relay.settled()
      assert.equal(server.messages.length, 1)
    })

  it('that lacks TLS where TLS is required hears no password', async () => {
    await using plain = await startSink({ auth: login })
    const { test } = await set({ port: plain.port })
    assert.deepEqual([test.finding, test.works], ['no-tls', false])
    const line = await deferred()
    assert.deepEqual([line.class, line.actor], ['tls', 'own-smtp'])
    assert.deepEqual(
      plain.commands.filter(command => command.startsWith('AUTH')),
      [],
    )
  })

  it('that repeats the password in its refusal does not make us tell it', async () => {
    await using parrot = await startScriptedHost(repeatCredentials)
    await set({ port: parrot.port, tls: 'opportunistic', password: 'correct horse' })
    const line = await deferred()
    assert.equal(line.class, 'own-smtp-login')
    assert.match(String(line.reply), /^535 5\.7\.8 \[credentials\] is wrong/)
    const told = JSON.stringify([relay.lines, (await relay.api('GET', path)).body, await events('sender.smtp_failed')])
    for (const secret of ['correct horse', btoa('correct horse'), btoa('\0acme\0correct horse')])
      assert.ok(!told.includes(secret), secret)
  })

  it('is judged by its word on a recipient like any other', async () => {
    await set({})
    const message = await submit('550-5.1.1@sink.example')
    await relay.until(() => linesOf(message, 'bounced').length > 0, 'the bounce')
    const [line] = linesOf(message, 'bounced')
    assert.deepEqual([line!.class, line!.actor], ['address-unknown', 'recipient'])
    assert.deepEqual(await events('sender.smtp_failed'), [])
  })

  it('gets no more at once, on a connection and per minute than its limits say', async () => {
    await set({ limits: { connections: 1, messagesPerConnection: 2, perMinute: 60 } })
    const { limits } = (await relay.api('GET', path)).body.smtp
    assert.deepEqual(limits, { connections: 1, messagesPerConnection: 2, perMinute: 60 })
    const tested = server.connections
    const before = clock.monotonic()
    for (let n = 0; n < 5; n++) await submit(`r${n}@sink.example`)
    await relay.until(async () => {
      await clock.advance(100)
      return server.messages.length === 5
    }, 'all of them')
    assert.ok(clock.monotonic() - before >= 4000, 'a second between each')
    assert.deepEqual(server.messagesPerConnection.slice(tested), [2, 2, 1])
  })

  // ── Saving ──

  it('is tried when it is saved, and saved only if it works where that is asked for', async () => {
    assert.equal((await set({ test: 'skip' })).test, undefined)
    assert.equal(server.connections, 0)
    const { test } = await set({})
    assert.deepEqual([test.finding, test.works], ['works', true])
    assert.deepEqual(
      server.commands.filter(command => /^(?:MAIL|RCPT|DATA)/.test(command)),
      [],
    )
    for (const [change, finding] of [
      [{ password: 'not that one' }, 'login-refused'],
      [{ port: 1 }, 'no-server'],
      [{ host: 'gone.example' }, 'no-server'],
      [{ host: 'mx.mail.example' }, 'certificate'],
    ] as const) {
      const refused = await patch({ ...change, test: 'require' })
      assert.deepEqual(
        [refused.status, refused.body.type, refused.body.finding],
        [422, '/problems/smtp-test-failed', finding],
      )
      assert.match(refused.body.message.ja, /[ぁ-ん]/)
    }
    assert.equal((await relay.api('GET', path)).body.smtp.host, 'mx.sink.example')
    const tested = await relay.api('POST', `${path}/test`)
    assert.deepEqual([tested.status, tested.body.finding], [200, 'works'])
  })

  it('keeps its password through a change of the rest, but for no other server', async () => {
    await set({ limits: { connections: 2 } })
    const { smtp } = (
      await relay.api('PATCH', path, { smtp: { host: 'mx.sink.example', username: 'acme', port: server.port } })
    ).body
    assert.equal(smtp.limits.connections, 2)
    await submit('ok@sink.example')
    await relay.settled()
    assert.equal(server.messages[0]!.user, 'acme')
    const elsewhere = await relay.api('PATCH', path, { smtp: { host: 'mx.mail.example', username: 'acme' } })
    assert.deepEqual([elsewhere.status, elsewhere.body.errors[0].field], [422, 'smtp.password'])
  })

  // ── Words of this file ──

  async function patch({ test, ...change }: Json): Promise<{ status: number; body: Json }> {
    const smtp = { host: 'mx.sink.example', port: server.port, ...login, ...change }
    return relay.api('PATCH', path, { smtp, ...(test === undefined ? {} : { test }) })
  }

  async function set(change: Json): Promise<Json> {
    const { status, body } = await patch(change)
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }

  function submit(to: string): Promise<string> {
    return relay.submit({ from, to: [to] })
  }

  async function deferred(): Promise<LoggedLine> {
    const id = await submit('ok@sink.example')
    await relay.until(() => linesOf(id, 'deferred').length > 0, `the deferral of ${id}`)
    return linesOf(id, 'deferred')[0]!
  }

  /** The first mail was refused the login and waits an hour; this one was not tried, for the server is left alone. */
  async function untriedBehindRefusedLogin(): Promise<string> {
    await set({ password: 'not that one' })
    await deferred()
    const untried = await submit('ok@sink.example')
    await relay.until(
      async () => (await relay.api('GET', '/v1/queue?state=waiting')).body.counts.total === 2,
      'the second mail to be put off',
    )
    return untried
  }

  /** Long before the server would be tried again, which is left alone for a minute. */
  async function soonSettled(): Promise<void> {
    await turn(5000)
    await relay.settled()
  }

  async function events(type: string): Promise<Json[]> {
    return (await relay.api('GET', `/v1/events?type=${type}`)).body.events
  }

  function linesOf(id: string, event: string): LoggedLine[] {
    return relay.logged(event).filter(({ message }) => message === id)
  }

  async function turn(ms: number): Promise<void> {
    const until = clock.monotonic() + ms
    while (clock.monotonic() < until) await clock.advance(Math.min(60_000, until - clock.monotonic()))
  }
})

/** Answers AUTH with what it was sent, as it came and decoded. */
function repeatCredentials(socket: Socket): void {
  socket.write('220 parrot ESMTP\r\n')
  socket.on('data', chunk => {
    const [verb, mechanism, initial = ''] = chunk.toString().trim().split(' ')
    if (verb === 'EHLO') socket.write('250-parrot\r\n250 AUTH PLAIN\r\n')
    else if (mechanism === 'PLAIN') {
      const password = Buffer.from(initial, 'base64').toString().split('\0')[2]
      socket.write(`535 5.7.8 ${password} is wrong, so is ${initial}\r\n`)
    }
  })
}
