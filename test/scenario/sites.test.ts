/**
 * How mail finds its hosts, and how sites are treated: closed and opened, connections, transactions, neighbours.
 */
import assert from 'node:assert/strict'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { skipAloud } from '../support/real/program.ts'
import { type Json, type LoggedLine, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'
import { type Sinks, startSinks } from '../support/sinks.ts'

const sender = 'a@ours.example'
/** Nobody listens there. */
const nobody = '127.0.250.1'
const minuteMs = 60_000

/** Domains whose MX is a sink of their own. */
const receivers = {
  'ours.example': {},
  'good.example': {},
  'busy.example': {},
  'again.example': {},
  'faulty.example': { fault: { phase: 'banner', kind: '5xx' } },
  'handshake.example': { tls: 'starttls', fault: { phase: 'handshake', kind: 'garbage' } },
  'silent.example': { fault: { phase: 'banner', kind: 'silence' } },
  'few.example': { maxMessages: 10 },
  'narrow.example': {},
  'many.example': {},
  'provider.example': {},
  'slow.example': {},
} as const

describe('a site', () => {
  let clock: ManualClock
  let sinks: Sinks<keyof typeof receivers>
  /** Null: this machine has no IPv6. */
  let ipv6: Sink | null
  let relay: TestRelay

  before(async () => {
    clock = manualClock()
    sinks = await startSinks(receivers)
    ipv6 = await startSink({ host: '::1', port: sinks.port }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return null
      throw error
    })
    const good = sinks.at['good.example'].address
    const mx = (...hosts: string[]) => ({ MX: hosts.map((host, n) => [10 * (n + 1), host] as const) })
    relay = await startRelay({
      zone: {
        ...sinks.zone,
        'mx.dead.example': { A: [nobody] },
        'half.example': mx('mx.dead.example', 'mx.good.example'),
        'rude.example': mx('mx.faulty.example', 'mx.good.example'),
        'final.example': mx('mx.again.example', 'mx.good.example'),
        'dead.example': mx('mx.dead.example'),
        'address.example': { A: [good] },
        'two.example': { A: [nobody, good] },
        'alias.example': { CNAME: 'good.example' },
        'six.example': mx('mx.six.example'),
        'mx.six.example': { AAAA: ['::1'] },
        'both.example': mx('mx.both.example'),
        'mx.both.example': { AAAA: ['::1'], A: [nobody] },
        'addresssix.example': { AAAA: ['::1'] },
        'null.example': { MX: [[0, '']] },
        'hostless.example': mx('mx.gone.example'),
        'empty.example': { TXT: ['no mail here'] },
        'trouble.example': mx('mx.good.example'),
        'late.example': mx('mx.trouble.example'),
        'mx.trouble.example': { A: [good] },
        'one.example': mx('mx.provider.example'),
        'other.example': mx('mx.provider.example'),
      },
      mxPort: sinks.port,
      verified: ['ours.example'],
      clock,
      settings: {
        KITTE_QUEUE_RETRY_AFTER: '[2m]',
        KITTE_QUEUE_RETRY_JITTER: '0',
        KITTE_DELIVERY_FIRST_CONNECTIONS: '20',
        KITTE_SITES: JSON.stringify([
          { suffix: 'narrow.example', connections: 2, messagesPerConnection: 5, perMinute: null },
          { suffix: 'slow.example', connections: 5, messagesPerConnection: 100, perMinute: 6 },
          { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null },
        ]),
      },
    })
    for (const name of ['trouble.example', 'mx.trouble.example']) relay.zone.fail(name)
  })

  after(async () => {
    await relay?.[Symbol.asyncDispose]()
    await ipv6?.[Symbol.asyncDispose]()
    await sinks?.[Symbol.asyncDispose]()
  })

  // ── Where mail goes ──

  for (const [what, domain, host, address] of [
    ['the next host when nobody answers at the first', 'half.example', 'mx.good.example', 'good'],
    ['the next host when the first turns everybody away', 'rude.example', 'mx.good.example', 'good'],
    ['the domain itself without MX', 'address.example', 'address.example', 'good'],
    ['the next address when nobody answers at the first', 'two.example', 'two.example', 'good'],
    ['the MX of the name an alias stands for', 'alias.example', 'mx.good.example', 'good'],
    ['a host that has IPv6 only', 'six.example', 'mx.six.example', '::1'],
    ['IPv6 where IPv4 is dead', 'both.example', 'mx.both.example', '::1'],
    ['the domain itself over IPv6', 'addresssix.example', 'addresssix.example', '::1'],
  ] as const) {
    it(`is reached at ${what}`, async function () {
      if (address === '::1' && ipv6 === null) skipAloud(this, 'there is no IPv6 here')
      const line = await ended(await submit(`ok@${domain}`), 'delivered')
      assert.equal(line.remoteMta, host)
      assert.equal(line.remoteIp, address === 'good' ? sinks.at['good.example'].address : address)
    })
  }

  it('is believed about a recipient: the next host is not asked', async () => {
    const taken = sinks.at['good.example'].messages.length
    const line = await ended(await submit('550-5.1.1@final.example'), 'bounced')
    assert.deepEqual([line.remoteMta, line.class], ['mx.again.example', 'address-unknown'])
    assert.equal(sinks.at['good.example'].messages.length, taken)
  })

  for (const [what, domain, reply, found] of [
    ['a null MX', 'null.example', /^556 5\.1\.10 /, 'no-mail-accepted'],
    ['a domain that does not exist', 'nowhere.example', /^550 5\.1\.2 /, 'domain-unknown'],
    ['an MX without address', 'hostless.example', /^550 5\.4\.4 /, 'no-mail-accepted'],
    ['a domain without MX and address', 'empty.example', /^550 5\.4\.4 /, 'no-mail-accepted'],
  ] as const) {
    it(`that can not be is told at once: ${what}`, async () => {
      const id = await submit(`ok@${domain}`)
      const line = await ended(id, 'bounced')
      assert.match(String(line.reply), reply)
      assert.deepEqual([line.class, line.actor, line.repliedBy], [found, 'recipient', 'relay'])
      assert.equal(relay.logged('reported').filter(({ original }) => original === id).length, 1)
    })
  }

  for (const [what, domain, name, entry] of [
    ['its MX', 'trouble.example', 'trouble.example', { MX: [[10, 'mx.good.example']] }],
    ['the address of its MX', 'late.example', 'mx.trouble.example', { A: ['good'] }],
  ] as const) {
    it(`waits while DNS can not say ${what}, and gets its mail when it can`, async () => {
      const id = await submit(`ok@${domain}`)
      const line = await ended(id, 'deferred')
      assert.match(String(line.reply), /^451 4\.4\.3 .*SERVFAIL/)
      assert.deepEqual([line.class, line.actor], ['dns-trouble', 'remote'])
      relay.zone.set(name, 'A' in entry ? { A: [sinks.at['good.example'].address] } : entry)
      await turn(2 * minuteMs)
      assert.equal((await ended(id, 'delivered')).attempt, 2)
    })
  }

  // ── TLS ──

  it('with a broken handshake gets its mail in plain text, and is not asked for TLS again for a while', async () => {
    const first = await ended(await submit('ok@handshake.example'), 'delivered')
    assert.equal(first.tls, null)
    assert.equal(relay.logged('tls-fallback').length, 1)
    const { commands } = sinks.at['handshake.example']
    const asked = () => commands.filter(command => command === 'STARTTLS').length
    assert.equal(asked(), 1)
    sinks.at['handshake.example'].dropConnections()
    await ended(await submit('ok@handshake.example'), 'delivered')
    assert.equal(asked(), 1)
  })

  // ── Closed and opened ──

  it('that says 421 is left alone for a minute, then for two, and told of when it works again', async () => {
    const sink = sinks.at['busy.example']
    const first = await submit('421-4.3.2@busy.example')
    assert.equal((await ended(first, 'deferred')).class, 'remote-trouble')
    const { reply, closedUntil } = relay.logged('site-closed').at(-1)!
    assert.deepEqual([reply, closedUntil], ['421 4.3.2 says the sink', inIso(minuteMs)])
    assert.deepEqual(await siteOf('mx.busy.example'), { closedUntil: inIso(minuteMs), running: 0 })

    await cancelled(first)

    const connections = sink.connections
    const waiting = await submit('ok@busy.example')
    assert.equal((await ended(await submit('ok@good.example'), 'delivered')).attempt, 1, 'others go on')
    await turn(0.9 * minuteMs)
    assert.equal(sink.connections, connections, 'nobody knocks at a closed door')
    sink.setFault({ phase: 'banner', kind: '421' })
    await turn(0.2 * minuteMs)
    await ended(waiting, 'deferred')
    assert.equal(sink.connections, connections + 1, 'one tries whether it is open')
    const second = relay.logged('site-closed').at(-1)!
    const twice = Date.parse(String(second.closedUntil)) - clock.now()
    assert.ok(twice > 1.8 * minuteMs && twice <= 2 * minuteMs, `${twice} ms`)

    sink.setFault(null)
    await turn(2.2 * minuteMs)
    assert.equal((await ended(waiting, 'delivered')).attempt, 2)
    assert.equal(relay.logged('site-opened').at(-1)!.site, 'mx.busy.example')
  })

  it('where nobody answers is closed, and its mail waits without an attempt', async () => {
    const id = await submit('ok@dead.example')
    assert.match(String((await ended(id, 'deferred')).reply), /^451 4\.4\.1 connection refused/)
    const later = await submit('ok@dead.example')
    await turn(0.5 * minuteMs)
    const { body } = await relay.api('GET', `/v1/messages/${later}`)
    assert.deepEqual([body.entries[0].state, body.entries[0].attempts], ['waiting', []])
    await cancelled(id)
    await cancelled(later)
  })

  it('that never answers delays nobody else', async () => {
    const stuck = await Promise.all(Array.from({ length: 30 }, (_, n) => submit(`r${n}@silent.example`)))
    await relay.until(() => sinks.at['silent.example'].open === 20, 'its connections')
    for (let n = 0; n < 20; n++) assert.equal((await ended(await submit(`r${n}@good.example`), 'delivered')).attempt, 1)
    assert.deepEqual(
      stuck.flatMap(id => linesOf(id, 'deferred')),
      [],
    )
    assert.equal(sinks.at['silent.example'].open, 20, 'no more than its connections')
    await turn(5.1 * minuteMs)
    await Promise.all(stuck.slice(0, 20).map(id => ended(id, 'deferred')))
    await Promise.all(stuck.map(cancelled))
  })

  // ── Connections and transactions ──

  it('gets one message after the other on one connection', async () => {
    for (let n = 0; n < 20; n++) await ended(await submit(`r${n}@again.example`), 'delivered')
    const counts = sinks.at['again.example'].messagesPerConnection
    assert.equal(Math.max(...counts), 20, counts.join())
  })

  it('gets many at once on no more connections than allowed, each with no more messages than allowed', async () => {
    const sink = sinks.at['narrow.example']
    let most = 0
    const ids = Array.from({ length: 40 }, (_, n) => submit(`r${n}@narrow.example`))
    await relay.until(() => {
      const quits = sink.commands.filter(command => command === 'QUIT').length
      most = Math.max(most, sink.connections - quits)
      return sink.messages.length === 40
    }, 'all of them')
    await Promise.all((await Promise.all(ids)).map(id => ended(id, 'delivered')))
    assert.ok(most <= 2, `${most} connections at once`)
    assert.ok(Math.max(...sink.messagesPerConnection) <= 5, sink.messagesPerConnection.join())
    assert.ok(sink.connections <= 12, `${sink.connections} connections`)
  })

  it('that ends its connections after ten messages gets all of them, and is not closed for that', async () => {
    for (let n = 0; n < 35; n++) await ended(await submit(`r${n}@few.example`), 'delivered')
    assert.deepEqual(
      relay.logged('site-closed').filter(({ site }) => site === 'mx.few.example'),
      [],
    )
    assert.deepEqual(sinks.at['few.example'].messagesPerConnection, [10, 10, 10, 5])
  })

  it('gets a message to 50 of its recipients in one transaction', async () => {
    await delivered(await submit(...addresses(50, 'many.example')), 50)
    assert.deepEqual(
      sinks.at['many.example'].messages.map(({ recipients }) => recipients),
      [addresses(50, 'many.example')],
    )
  })

  it('gets no more than 100 recipients at once', async () => {
    const before = sinks.at['many.example'].messages.length
    await delivered(await submit(...addresses(250, 'many.example')), 250)
    const sizes = sinks.at['many.example'].messages.slice(before).map(({ recipients }) => recipients.length)
    assert.deepEqual(
      sizes.toSorted((a, b) => b - a),
      [100, 100, 50],
    )
  })

  it('of several domains gets their recipients together', async () => {
    const to = ['a@one.example', 'b@other.example', 'c@one.example', 'd@provider.example']
    await delivered(await submit(...to), 4)
    assert.deepEqual(
      sinks.at['provider.example'].messages.map(({ recipients }) => recipients),
      [to],
    )
  })

  it('answers for each recipient of a transaction, and only what failed is tried again', async () => {
    const to = ['ok@many.example', '550-5.1.1@many.example', 'once-451-4.2.1@many.example']
    const id = await submit(...to)
    await ended(id, 'deferred')
    const ends = ['delivered', 'bounced', 'deferred'].flatMap(event =>
      linesOf(id, event).map(line => [line.recipient, event]),
    )
    assert.deepEqual(Object.fromEntries(ends), { [to[0]!]: 'delivered', [to[1]!]: 'bounced', [to[2]!]: 'deferred' })
    await turn(2 * minuteMs)
    await delivered(id, 2)
    assert.deepEqual(sinks.at['many.example'].messages.at(-1)!.recipients, [to[2]])
  })

  it('with a rate gets its mail evenly', async () => {
    const ids = await Promise.all(addresses(4, 'slow.example').map(address => submit(address)))
    const arrived = () => sinks.at['slow.example'].messages.length
    await relay.until(() => arrived() === 1, 'the first')
    for (const count of [2, 3, 4]) {
      await turn(9_000)
      assert.equal(arrived(), count - 1)
      await turn(1_000)
      await relay.until(() => arrived() === count, `number ${count}`)
    }
    await Promise.all(ids.map(id => ended(id, 'delivered')))
  })

  // ── Words of this file ──

  function submit(...to: string[]): Promise<string> {
    return relay.submit({ from: sender, to })
  }

  function linesOf(id: string, event: string): LoggedLine[] {
    return relay.logged(event).filter(({ message }) => message === id)
  }

  async function ended(id: string, event: string): Promise<LoggedLine> {
    await relay.until(() => linesOf(id, event).length > 0, `${event} of ${id}`)
    return linesOf(id, event).at(-1)!
  }

  function delivered(id: string, count: number): Promise<void> {
    return relay.until(() => linesOf(id, 'delivered').length === count, `${count} deliveries of ${id}`)
  }

  async function cancelled(id: string): Promise<void> {
    await relay.until(async () => {
      await relay.api('POST', '/v1/queue/cancel', { filter: { message: id } })
      return (await relay.api('GET', `/v1/messages/${id}`)).body.counts.queued === 0
    }, `the end of ${id}`)
  }

  async function siteOf(name: string): Promise<Json> {
    const { body } = await relay.api('GET', '/v1/queue')
    const { closedUntil, running } = body.sites.find(({ site }: Json) => site === name)
    return { closedUntil, running }
  }

  /** Lets so much time go by; what becomes due is attempted after each step. */
  async function turn(ms: number): Promise<void> {
    const until = clock.monotonic() + ms
    while (clock.monotonic() < until) await clock.advance(Math.min(5_000, until - clock.monotonic()))
    for (let step = 0; step < 5; step++) await clock.advance(25)
  }

  function inIso(ms: number): string {
    return new Date(clock.now() + ms).toISOString()
  }
})

function addresses(count: number, domain: string): string[] {
  return Array.from({ length: count }, (_, n) => `r${n}@${domain}`)
}
