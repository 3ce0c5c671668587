/**
 * The sending modes on the wire: reverse-path, signature, route, and what log and API say about them (design section 4).
 */
import assert from 'node:assert/strict'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { type Json, type LoggedLine, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, type SinkMessage, startSink } from '../support/sink.ts'

const relayDomain = 'relay.example.jp'
const bounceHost = 'bounce.relay.example.jp'
const login = { username: 'acme', password: 'correct horse' }
const graceMs = 600_000

/** From what is published to what goes out. `D` is the sender's domain, `verp` the relay's bounce host. */
const modes = `
domain            published   mode          reverse-path   signed by          reason
both.example      spf,dkim    spf-dkim      as-submitted   D                  ^spf and dkim are published$
spf.example       spf         spf           as-submitted   ${relayDomain}     ^spf is published but dkim is not$
dkim.example      dkim        sender-only   verp           D                  ^dkim is published but spf is not: signed by dkim.example, travels as sender-only$
bare.example      -           sender-only   verp           ${relayDomain}     ^neither spf nor dkim is published$
mail.example      -           sender-only   verp           ${relayDomain}     ^mail.example is not a registered sender domain$
`
const rows = modes
  .trim()
  .split('\n')
  .slice(1)
  .map(row => {
    const [domain = '', published = '', mode = '', reversePath = '', signer = '', ...reason] = row.split(/\s+/)
    return {
      domain,
      published: published.split(','),
      mode,
      reversePath,
      signer: signer === 'D' ? domain : signer,
      reason: new RegExp(reason.join(' ')),
    }
  })
const registered = rows.map(({ domain }) => domain).filter(domain => domain !== 'mail.example')

describe('a sending mode', () => {
  let clock: ManualClock
  let sink: Sink
  let smarthost: Sink
  let relay: TestRelay
  const authorities = getCACertificates()

  before(async () => {
    clock = manualClock()
    sink = await startSink()
    smarthost = await startSink({ tls: 'starttls', auth: login })
    setDefaultCACertificates([...authorities, smarthost.certificate])
    relay = await startRelay({
      zone: {
        ...sink.zone('sink.example', ...registered, 'mail.example'),
        'smtp.mail.example': { A: ['127.0.0.1'] },
      },
      mxPort: sink.port,
      registered,
      clock,
      settings: {
        KITTE_DOMAINS_LOST_GRACE: `${graceMs}ms`,
        KITTE_DOMAINS_CHECK_PUBLISHED: '1m',
        KITTE_DOMAINS_CHECK_FIRST: '1m',
        KITTE_DOMAINS_CHECK_SLOWEST: '2m',
        KITTE_QUEUE_EXPIRE_AFTER: '1h',
        KITTE_QUEUE_DELAY_NOTICE_AFTER: '50m',
        KITTE_QUEUE_RETRY_JITTER: '0',
      },
    })
    await created('/v1/senders', { address: 'a@mail.example', account: relay.account })
    for (const { domain, published } of rows.filter(row => row.published[0] !== '-')) await publish(domain, published)
  })

  after(async () => {
    setDefaultCACertificates(authorities)
    await relay?.[Symbol.asyncDispose]()
    await smarthost?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  for (const { domain, mode, reversePath, signer, reason } of rows) {
    it(`is ${mode} for ${domain}, signed by ${signer}, with the reverse-path ${reversePath}`, async () => {
      const { message, line, api } = await send(`a@${domain}`)
      const expected = reversePath === 'verp' ? verpOf(String(line.message), '0') : /^a@\S+$/
      assert.match(message.reversePath!, expected)
      assert.deepEqual(signersOf(message), [signer])
      assert.deepEqual([line.mode, line.reversePath, line.site], [mode, message.reversePath, 'mx.sink.example'])
      assert.match(String(line.modeReason), reason)
      checkApi(api, line)
    })
  }

  it('is the same in the view of the domain', async () => {
    for (const { domain, mode, reason } of rows.filter(row => row.domain !== 'mail.example')) {
      const { body } = await relay.api('GET', `/v1/domains/${domain}`)
      assert.equal(body.mode, mode)
      assert.match(body.modeReason, reason)
    }
  })

  it('leaves the null reverse-path as it is', async () => {
    const { message } = await send('a@bare.example', { reversePath: null })
    assert.equal(message.reversePath, null)
  })

  it('gives several recipients of one transaction one reverse-path that names the message', async () => {
    const { message, line } = await send('a@bare.example', { recipients: 2 })
    assert.match(message.reversePath!, verpOf(String(line.message), 'x'))
  })

  // ── The sender's own server ──

  it('is own-smtp for an address with a server: login, verified TLS, reverse-path as submitted, unsigned', async () => {
    await setServer('a@mail.example', {})
    const { message, line, api } = await send('a@mail.example', { at: smarthost })
    assert.deepEqual([message.user, message.reversePath], [login.username, 'a@mail.example'])
    assert.deepEqual(signersOf(message), [])
    assert.match(String(line.tls), /^TLSv1\.3 \S+ verified$/)
    assert.deepEqual([line.mode, line.site], ['own-smtp', `smtp:mx.sink.example:${smarthost.port}`])
    assert.equal(line.modeReason, 'a@mail.example has its own SMTP server mx.sink.example')
    checkApi(api, line)
  })

  it('is own-smtp signed by the domain where its key is published', async () => {
    await created('/v1/senders', { address: 'own@both.example', account: relay.account })
    await setServer('own@both.example', {})
    const { message, line } = await send('own@both.example', { at: smarthost })
    assert.deepEqual(signersOf(message), ['both.example'])
    assert.match(String(line.modeReason), /, signed by both\.example$/)
    assert.equal((await send('a@both.example')).line.mode, 'spf-dkim', 'another address at that domain')
  })

  it('keeps the mail when the server refuses the login, tells the sender, and goes on with the new password', async () => {
    await setServer('a@mail.example', { password: 'wrong' })
    const { line, id } = await deferred('a@mail.example')
    assert.deepEqual([line.class, line.actor, line.mode], ['own-smtp-login', 'own-smtp', 'own-smtp'])
    assert.match(String(line.reply), /^535 5\.7\.8 /)
    assert.equal(relay.logged('site-closed').at(-1)!.site, `smtp:mx.sink.example:${smarthost.port}`)
    assert.equal(
      (await send('own@both.example', { at: smarthost })).line.mode,
      'own-smtp',
      'another login of that server',
    )
    await setServer('a@mail.example', {})
    await deliveredAfterAll(id)
  })

  for (const [what, change, found, reply] of [
    ['whose certificate is for another name', { host: 'smtp.mail.example' }, 'tls', /^451 4\.7\.5 .*ALTNAME/],
    ['that does not know its own name any more', { host: 'gone.mail.example' }, 'network', /^451 4\.4\.4 /],
    ['that nobody listens at', { port: 1 }, 'network', /^451 4\.4\.1 /],
  ] as const) {
    it(`tells no password to a server ${what}, and keeps the mail`, async () => {
      const commands = smarthost.commands.length
      await setServer('a@mail.example', change)
      const { line, id } = await deferred('a@mail.example')
      assert.deepEqual([line.class, line.actor], [found, 'own-smtp'])
      assert.match(String(line.reply), reply)
      assert.deepEqual(
        smarthost.commands.slice(commands).filter(command => command.startsWith('AUTH')),
        [],
      )
      await setServer('a@mail.example', {})
      await deliveredAfterAll(id)
    })
  }

  it('tells no password in plain text where TLS is required, but does where its owner chose so', async () => {
    await using plain = await startSink({ auth: login })
    await setServer('a@mail.example', { port: plain.port })
    const { line, id } = await deferred('a@mail.example')
    assert.deepEqual([line.class, line.actor], ['tls', 'own-smtp'])
    assert.deepEqual(
      plain.commands.filter(command => command.startsWith('AUTH')),
      [],
    )
    await setServer('a@mail.example', { port: plain.port, tls: 'opportunistic' })
    await deliveredAfterAll(id)
    assert.deepEqual([plain.messages[0]!.user, plain.messages[0]!.tls], [login.username, null])
  })

  it('is by MX again when the server is taken away', async () => {
    await relay.api('PATCH', '/v1/senders/a@mail.example', { smtp: null })
    assert.equal((await send('a@mail.example')).line.mode, 'sender-only')
  })

  // ── Unaligned mail ──

  it('that does not align is refused with the record to publish, or sent with a warning, as the account wishes', async () => {
    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { unaligned: 'refuse' })
    await assert.rejects(send('a@bare.example'), /550[ -]5\.7\.26 .*20260115\._domainkey\.bare\.example/s)
    await assert.rejects(send('a@mail.example'), /550[ -]5\.7\.26 /)
    for (const domain of ['both.example', 'spf.example', 'dkim.example']) await send(`a@${domain}`)

    // SPF alone aligns by the reverse-path: not with that of another domain, nor with the null one.
    const key = /550[ -]5\.7\.26 .*20260115\._domainkey\.spf\.example/s
    await assert.rejects(submit('a@spf.example', ['ok@sink.example'], 'a@both.example'), key)
    await assert.rejects(send('a@spf.example', { reversePath: null }), key)
    await send('a@dkim.example', { reversePath: null })

    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { unaligned: 'warn' })
    const { line } = await send('a@bare.example')
    const [warning] = relay.logged('warned').filter(({ message }) => message === line.message)
    assert.match(String(warning?.reason), /not aligned for DMARC: publish the TXT record .*; no DMARC policy is known$/)
    for (const policy of ['none', 'quarantine', 'reject']) {
      relay.zone.set('_dmarc.bare.example', { TXT: [`v=DMARC1; p=${policy}`] })
      await relay.api('POST', '/v1/domains/bare.example/verify')
      const { line: told } = await send('a@bare.example')
      const [one] = relay.logged('warned').filter(({ message }) => message === told.message)
      assert.match(String(one?.reason), new RegExp(`\\(p=${policy}\\)$`))
    }
    const { body } = await relay.api('GET', `/v1/events?type=message.warned&message=${line.message}`)
    assert.equal(body.events.length, 1)
    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { unaligned: 'send' })
  })

  // ── Records that come and go ──

  it('holds for a grace time when a record disappears, falls back, and returns with it', async () => {
    relay.zone.set('both.example', { MX: [[10, 'mx.both.example']] })
    await turn(90_000)
    const { line: lost } = await send('a@both.example')
    assert.equal(lost.mode, 'spf-dkim')
    assert.match(String(lost.modeReason), /the spf record was lost and still counts for a while/)

    await turn(graceMs)
    const { line: fallen, message } = await send('a@both.example')
    assert.equal(fallen.mode, 'sender-only')
    assert.match(message.reversePath!, verpOf(String(fallen.message), '0'))
    assert.deepEqual(signersOf(message), ['both.example'])

    await publish('both.example', ['spf'])
    assert.equal((await send('a@both.example')).line.mode, 'spf-dkim')
    const told = (await events('domain.check_changed')).filter(({ data }) => data.purpose === 'spf')
    assert.deepEqual(
      told.slice(-2).map(({ data }) => [data.to.state, data.to.reason]),
      [
        ['not-published', 'absent'],
        ['published', 'ok'],
      ],
    )
    const [loss] = await events('domain.record_lost')
    assert.equal(loss.data.countsUntil, Date.parse(loss.at) + graceMs)
  })

  it('signs with a new key once its record is seen, also what was accepted before', async () => {
    assert.deepEqual(selectorsOf((await send('a@dkim.example')).message), ['20260115'])
    const { status, body: issued } = await relay.api('POST', '/v1/domains/dkim.example/dkim', {})
    assert.equal(status, 201)
    assert.deepEqual(statesOf(issued), { '20260115': 'active', '20260115-2': 'pending' })
    assert.deepEqual(selectorsOf((await send('a@dkim.example')).message), ['20260115'])

    const { id } = await deferred('a@dkim.example', 'once-451-4.3.0')
    await publish('dkim.example', ['dkim'])
    const { body: rotated } = await relay.api('GET', '/v1/domains/dkim.example')
    assert.deepEqual(statesOf(rotated), { '20260115': 'retiring', '20260115-2': 'active' })
    assert.deepEqual(selectorsOf((await send('a@dkim.example')).message), ['20260115-2'])
    await deliveredAfterAll(id)
    assert.deepEqual(selectorsOf(sink.messages.at(-1)!), ['20260115-2'])
  })

  it('lets the old key go when no mail can be under way with it', async () => {
    const { body: early } = await relay.api('GET', '/v1/domains/dkim.example')
    assert.equal(statesOf(early)['20260115'], 'retiring')
    await turn(3_700_000)
    const { body: late } = await relay.api('GET', '/v1/domains/dkim.example')
    assert.deepEqual(statesOf(late), { '20260115': 'retired', '20260115-2': 'active' })
    assert.deepEqual(selectorsOf((await send('a@dkim.example')).message), ['20260115-2'])
  })

  // ── Words of this file ──

  async function created(path: string, body: unknown): Promise<Json> {
    const answer = await relay.api('POST', path, body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  }

  /** Publishes the records of these purposes, and has them checked. */
  async function publish(domain: string, purposes: readonly string[]): Promise<void> {
    const { body } = await relay.api('GET', `/v1/domains/${domain}`)
    for (const { purpose, type, name, value } of body.records as Json[]) {
      const mx = name === domain ? { MX: [[10, `mx.${domain}`] as const] } : {}
      if (purposes.includes(purpose) && type === 'TXT') relay.zone.set(name, { ...mx, TXT: [value] })
    }
    await relay.api('POST', `/v1/domains/${domain}/verify`)
  }

  async function events(type: string): Promise<Json[]> {
    return (await relay.api('GET', `/v1/events?domain=both.example&type=${type}`)).body.events
  }

  async function setServer(address: string, change: object): Promise<void> {
    const smtp = { host: 'mx.sink.example', port: smarthost.port, ...login, ...change }
    const { status, body } = await relay.api('PATCH', `/v1/senders/${address}`, { smtp })
    assert.equal(status, 200, JSON.stringify(body))
  }

  async function submit(from: string, to: readonly string[], reversePath: string | null = from): Promise<string> {
    const raw = `From: ${from}\r\nTo: ${to[0]}\r\nSubject: hello\r\n\r\nhello\r\n`
    return relay.submit({ from: reversePath ?? '', to, raw })
  }

  /** Submits, and answers what arrived with what log and API say of it. */
  async function send(
    from: string,
    options: { readonly at?: Sink; readonly recipients?: number; readonly reversePath?: null } = {},
  ): Promise<{ message: SinkMessage; line: LoggedLine; api: Json }> {
    const { at = sink, recipients = 1 } = options
    const to = Array.from({ length: recipients }, (_, n) => `r${n}@sink.example`)
    const before = at.messages.length
    const id = await submit(from, to, options.reversePath)
    await relay.until(() => linesOf(id, 'delivered').length === recipients, `the delivery of ${id}`)
    const { body: api } = await relay.api('GET', `/v1/messages/${id}`)
    return { message: at.messages[before]!, line: linesOf(id, 'delivered')[0]!, api }
  }

  async function deferred(from: string, localPart = 'ok'): Promise<{ line: LoggedLine; id: string }> {
    const id = await submit(from, [`${localPart}@sink.example`])
    await relay.until(() => linesOf(id, 'deferred').length > 0, `the deferral of ${id}`)
    return { line: linesOf(id, 'deferred')[0]!, id }
  }

  async function deliveredAfterAll(id: string): Promise<void> {
    await relay.until(async () => {
      await clock.advance(10_000)
      return linesOf(id, 'delivered').length > 0
    }, `the delivery of ${id}`)
  }

  /** Lets so much time go by, with what is due in it. */
  async function turn(ms: number): Promise<void> {
    const until = clock.monotonic() + ms
    while (clock.monotonic() < until) await clock.advance(Math.min(15_000, until - clock.monotonic()))
  }

  function linesOf(id: string, event: string): LoggedLine[] {
    return relay.logged(event).filter(({ message }) => message === id)
  }
})

function verpOf(message: string, number: string): RegExp {
  return new RegExp(`^b-${message}-${number}-[0-9a-z]{16}@${bounceHost.replaceAll('.', '\\.')}$`)
}

function signatures({ content }: SinkMessage): string[] {
  const header = content
    .toString('latin1')
    .split('\r\n\r\n', 1)[0]!
    .replace(/\r\n[ \t]+/g, ' ')
  return header.split('\r\n').filter(field => /^DKIM-Signature:/i.test(field))
}

function signersOf(message: SinkMessage): string[] {
  return signatures(message).map(field => /[;\s]d=([^;\s]+)/.exec(field)![1]!)
}

function selectorsOf(message: SinkMessage): string[] {
  return signatures(message).map(field => /[;\s]s=([^;\s]+)/.exec(field)![1]!)
}

function statesOf(domain: Json): Record<string, string> {
  return Object.fromEntries(domain.keys.map(({ selector, state }: Json) => [selector, state]))
}

function checkApi(message: Json, line: LoggedLine): void {
  const [attempt] = message.entries[0].attempts
  assert.deepEqual(
    [message.mode, message.entries[0].mode, message.entries[0].state],
    [line.mode, line.mode, 'delivered'],
  )
  assert.deepEqual(
    [attempt.mode, attempt.modeReason, attempt.signatures, attempt.reversePath, attempt.site, attempt.tls],
    [line.mode, line.modeReason, line.signatures, line.reversePath, line.site, line.tls],
  )
}
