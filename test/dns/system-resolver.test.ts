import assert from 'node:assert/strict'
import { TRUNCATED_RESPONSE } from 'dns-packet'
import type { Clock } from '../../src/base/clock.ts'
import { openResolver } from '../../src/dns/open.ts'
import { DnsTrouble } from '../../src/dns/resolver.ts'
import { parseServer, systemResolver } from '../../src/dns/system-resolver.ts'
import { manualClock } from '../support/manual-clock.ts'
import { steadyClock } from '../support/steady-clock.ts'
import { startDnsServer } from './dns-server.ts'

const soa = (ttl: number, minimum: number) => ({
  type: 'SOA',
  name: 'example',
  ttl,
  data: { mname: 'ns.example', rname: 'h.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
})
const nxdomain = 3
const servfail = 2
const refused = 5

function resolverAt(servers: string[], change: { timeoutMs?: number; clock?: Clock } = {}) {
  return systemResolver({ servers, timeoutMs: 2000, clock: steadyClock, ...change })
}

async function troubleOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('answered'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof DnsTrouble, String(error))
  return error.message
}

describe('the system resolver', () => {
  it('reads a reply of hundreds of records, and does not unfold one of thousands', async () => {
    let records = 500
    await using dns = await startDnsServer(({ name, type }, by) => {
      const one = { type, name, ttl: 60, data: { preference: 1, exchange: 'mail.example' } }
      return by === 'udp' ? { flags: TRUNCATED_RESPONSE } : { answers: Array.from({ length: records }, () => one) }
    })
    const resolver = resolverAt([dns.server])
    assert.equal((await resolver.mx('a.example')).records.length, 500)
    records = 1001
    assert.match(await troubleOf(resolver.mx('a.example')), /sent a reply that makes no sense/)
    resolver.close()
  })

  it('reads every type it offers', async () => {
    const data: Record<string, unknown> = {
      A: '192.0.2.1',
      AAAA: '2001:db8::1',
      MX: { preference: 10, exchange: 'Mail.Example' },
      TXT: ['v=spf1 ', '~all'],
      CNAME: 'Other.Example',
      NS: 'ns.example',
      PTR: 'host.example',
    }
    await using dns = await startDnsServer(({ name, type }) => ({
      answers: [{ type, name, ttl: 60, data: data[type] }],
    }))
    const resolver = resolverAt([dns.server])
    const found = <T>(record: T) => ({ status: 'found', records: [record], ttl: 60 })
    assert.deepEqual(await resolver.a('a.example'), found('192.0.2.1'))
    assert.deepEqual(await resolver.aaaa('a.example'), found('2001:db8::1'))
    assert.deepEqual(await resolver.mx('a.example'), found({ preference: 10, exchange: 'mail.example' }))
    assert.deepEqual(await resolver.txt('a.example'), found('v=spf1 ~all'))
    assert.deepEqual(await resolver.cname('a.example'), found('other.example'))
    assert.deepEqual(await resolver.ns('a.example'), found('ns.example'))
    assert.deepEqual(await resolver.ptr('192.0.2.1'), found('host.example'))
    assert.equal(dns.asked.at(-1), 'udp PTR 1.2.0.192.in-addr.arpa')
  })

  it('reads a null MX', async () => {
    await using dns = await startDnsServer(({ name, type }) => ({
      answers: [{ type, name, ttl: 60, data: { preference: 0, exchange: '.' } }],
    }))
    assert.deepEqual((await resolverAt([dns.server]).mx('a.example')).records, [{ preference: 0, exchange: '' }])
  })

  it('keeps NXDOMAIN apart from NODATA, for as long as the SOA says', async () => {
    await using dns = await startDnsServer(({ name }) => ({
      flags: name === 'gone.example' ? nxdomain : 0,
      authorities: [soa(900, 120)],
    }))
    const resolver = resolverAt([dns.server])
    assert.deepEqual(await resolver.txt('gone.example'), { status: 'nxdomain', records: [], ttl: 120 })
    assert.deepEqual(await resolver.txt('here.example'), { status: 'nodata', records: [], ttl: 120 })
  })

  it('follows a CNAME chain inside the reply, with the smallest TTL', async () => {
    await using dns = await startDnsServer(() => ({
      answers: [
        { type: 'CNAME', name: 'a.example', ttl: 30, data: 'B.example' },
        { type: 'CNAME', name: 'b.example', ttl: 90, data: 'c.example' },
        { type: 'TXT', name: 'c.example', ttl: 60, data: ['x'] },
        { type: 'TXT', name: 'stray.example', ttl: 1, data: ['y'] },
      ],
    }))
    assert.deepEqual(await resolverAt([dns.server]).txt('a.example'), { status: 'found', records: ['x'], ttl: 30 })
  })

  it('asks on where a reply ends in a CNAME', async () => {
    await using dns = await startDnsServer(({ name }) => ({
      answers: [
        name === 'a.example'
          ? { type: 'CNAME', name, ttl: 30, data: 'b.example' }
          : { type: 'A', name, ttl: 60, data: '192.0.2.1' },
      ],
    }))
    assert.deepEqual(await resolverAt([dns.server]).a('a.example'), {
      status: 'found',
      records: ['192.0.2.1'],
      ttl: 30,
    })
    assert.deepEqual(dns.asked, ['udp A a.example', 'udp A b.example'])
  })

  it('takes the absence at the end of a CNAME as the answer', async () => {
    await using dns = await startDnsServer(() => ({
      flags: nxdomain,
      answers: [{ type: 'CNAME', name: 'a.example', ttl: 30, data: 'b.example' }],
      authorities: [soa(60, 60)],
    }))
    assert.deepEqual(await resolverAt([dns.server]).a('a.example'), { status: 'nxdomain', records: [], ttl: 30 })
  })

  it('gives up on a CNAME loop', async () => {
    await using dns = await startDnsServer(({ name }) => ({
      answers: [{ type: 'CNAME', name, ttl: 30, data: name === 'a.example' ? 'b.example' : 'a.example' }],
    }))
    assert.match(await troubleOf(resolverAt([dns.server]).a('a.example')), /more than 16 CNAMEs/)
  })

  it('asks by TCP when a reply is truncated', async () => {
    const long = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(250, 'x'))
    await using dns = await startDnsServer(({ name, type }, by) =>
      by === 'udp' ? { flags: TRUNCATED_RESPONSE } : { answers: [{ type, name, ttl: 5, data: long }] },
    )
    assert.deepEqual((await resolverAt([dns.server]).txt('a.example')).records, [long.join('')])
    assert.deepEqual(dns.asked, ['udp TXT a.example', 'tcp TXT a.example'])
  })

  it('takes a reply that is cut over TCP too for trouble, not for absence', async () => {
    await using dns = await startDnsServer(() => ({ flags: TRUNCATED_RESPONSE }))
    assert.match(await troubleOf(resolverAt([dns.server]).mx('a.example')), /sent a reply that makes no sense/)
  })

  it('asks each server twice and tells what each did', async () => {
    await using broken = await startDnsServer(() => ({ flags: servfail }))
    await using closed = await startDnsServer(() => ({ flags: refused }))
    const resolver = resolverAt([broken.server, closed.server])
    assert.match(
      await troubleOf(resolver.mx('a.example')),
      /^DNS lookup of a\.example failed: SERVFAIL from 127\.0\.0\.1; REFUSED/,
    )
    assert.equal(broken.asked.length + closed.asked.length, 4)
  })

  it('takes the second server when the first has trouble', async () => {
    await using broken = await startDnsServer(() => ({ flags: servfail }))
    await using good = await startDnsServer(({ name, type }) => ({
      answers: [{ type, name, ttl: 5, data: '192.0.2.1' }],
    }))
    assert.equal((await resolverAt([broken.server, good.server]).a('a.example')).status, 'found')
  })

  it('does not take a referral for absence', async () => {
    await using dns = await startDnsServer(() => ({
      authorities: [{ type: 'NS', name: 'example', ttl: 5, data: 'ns.elsewhere.example' }],
    }))
    assert.match(await troubleOf(resolverAt([dns.server]).a('a.example')), /refers to other servers/)
  })

  it('ignores replies with another id or question, and bytes that are no DNS message', async () => {
    const noise: ((id: number) => object | Buffer)[] = [
      id => ({ id: (id + 1) % 65_536 }),
      () => ({ questions: [{ type: 'A', name: 'other.example' }] }),
      () => Buffer.from('nonsense'),
    ]
    for (const make of noise) {
      await using dns = await startDnsServer((_question, _by, query) => make(query.id) as never)
      assert.match(
        await troubleOf(resolverAt([dns.server], { timeoutMs: 30 }).a('a.example')),
        /did not answer within 30 ms/,
      )
    }
  })

  it('waits for a silent server no longer than its time', async () => {
    await using dns = await startDnsServer(() => null)
    const clock = manualClock()
    const trouble = troubleOf(resolverAt([dns.server], { clock, timeoutMs: 5000 }).a('a.example'))
    while (dns.asked.length < 1) await new Promise(setImmediate)
    await clock.advance(5000)
    while (dns.asked.length < 2) await new Promise(setImmediate)
    await clock.advance(5000)
    assert.match(await trouble, /did not answer within 5000 ms/)
    assert.equal(clock.waiting, 0)
  })

  it('hears at once that nobody listens', async () => {
    const dns = await startDnsServer(() => null)
    await dns[Symbol.asyncDispose]()
    assert.match(await troubleOf(resolverAt([dns.server]).a('a.example')), /refused the connection/)
  })

  it('ends what is under way when closed', async () => {
    await using dns = await startDnsServer(() => null)
    const resolver = resolverAt([dns.server])
    const trouble = troubleOf(resolver.a('a.example'))
    while (dns.asked.length < 1) await new Promise(setImmediate)
    resolver.close()
    assert.match(await trouble, /the resolver is closed/)
    assert.match(await troubleOf(resolver.a('b.example')), /the resolver is closed/)
  })

  it('knows without asking that an impossible name does not exist', async () => {
    await using dns = await startDnsServer(() => null)
    const resolver = resolverAt([dns.server])
    for (const name of [`${'x'.repeat(64)}.example`, 'a..example', `${'abcdefgh.'.repeat(30)}example`])
      assert.equal((await resolver.a(name)).status, 'nxdomain')
    assert.deepEqual(dns.asked, [])
  })

  it('opens at most 256 sockets, and answers everybody', async () => {
    await using dns = await startDnsServer(({ name, type }) => ({
      answers: [{ type, name, ttl: 5, data: '192.0.2.1' }],
    }))
    const resolver = resolverAt([dns.server])
    const names = Array.from({ length: 600 }, (_, i) => `n${i}.example`)
    const answers = await Promise.all(names.map(name => resolver.a(name)))
    assert.ok(answers.every(answer => answer.status === 'found'))
  })

  it('reads servers with and without port', () => {
    assert.deepEqual(parseServer('127.0.0.1'), { address: '127.0.0.1', port: 53 })
    assert.deepEqual(parseServer('127.0.0.1:5353'), { address: '127.0.0.1', port: 5353 })
    assert.deepEqual(parseServer('[::1]:5353'), { address: '::1', port: 5353 })
    assert.deepEqual(parseServer('[::1]'), { address: '::1', port: 53 })
    assert.deepEqual(parseServer('2001:db8::1'), { address: '2001:db8::1', port: 53 })
  })

  it('is opened with the configuration and caches', async () => {
    await using dns = await startDnsServer(({ name, type }) => ({
      answers: [{ type, name, ttl: 5, data: '192.0.2.1' }],
    }))
    const resolver = openResolver({
      servers: [dns.server],
      timeout: 2000,
      cacheEntries: 10,
      cacheMaxAge: 1000,
      clock: steadyClock,
    })
    await resolver.a('a.example')
    await resolver.a('A.example')
    assert.equal(dns.asked.length, 1)
    resolver.close()
  })
})
