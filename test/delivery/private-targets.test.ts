/**
 * Nothing that a customer or a stranger writes leads a connection inside: neither own-smtp settings nor MX records, however
 * the address is wrapped, and also when a name has another address the second time it is asked for.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSeal } from '../../src/base/seal.ts'
import type { Decision } from '../../src/delivery/decision.ts'
import { Destinations } from '../../src/delivery/destinations.ts'
import { openOwnServerTester } from '../../src/delivery/own-server-test.ts'
import {
  findRoute,
  findRoutes,
  hostSpecs,
  ownSmtpPurpose,
  type Routed,
  type Unrouted,
} from '../../src/delivery/route.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import type { HostSpec, Transport } from '../../src/delivery/transport.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import type { ZoneEntry } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { manualClock } from '../support/manual-clock.ts'

/** Every way to say 127.0.0.1, 10.0.0.1, 192.168.0.1 or the metadata service, and what is nobody's. */
const inside: Readonly<Record<string, ZoneEntry>> = {
  loopback: { A: ['127.0.0.1'] },
  'other loopback': { A: ['127.8.9.10'] },
  private: { A: ['10.0.0.1', '172.16.0.1', '192.168.0.1'] },
  'carrier-grade NAT': { A: ['100.64.0.1'] },
  'link-local, the metadata service of clouds': { A: ['169.254.169.254'] },
  unspecified: { A: ['0.0.0.0'] },
  broadcast: { A: ['255.255.255.255'] },
  multicast: { A: ['224.0.0.1'], AAAA: ['ff02::1'] },
  'IPv6 loopback': { AAAA: ['::1'] },
  'IPv6 unspecified': { AAAA: ['::'] },
  'unique local': { AAAA: ['fd00::1'] },
  'IPv6 link-local': { AAAA: ['fe80::1'] },
  'IPv4-mapped': { AAAA: ['::ffff:127.0.0.1', '::ffff:a00:1'] },
  'IPv4-compatible': { AAAA: ['::127.0.0.1'] },
  NAT64: { AAAA: ['64:ff9b::7f00:1', '64:ff9b::a00:1'] },
  'local-use NAT64': { AAAA: ['64:ff9b:1::7f00:1'] },
  '6to4': { AAAA: ['2002:7f00:1::', '2002:a00:1::1'] },
  Teredo: { AAAA: ['2001:0:7f00:1:0:0:80ff:fffe'] },
}
const outside = '1.2.3.4'
const login = { username: 'u', password: 'secret word' }
const sender = 'a@ours.example'
const seal = createSeal(Buffer.alloc(32, 1))
const config = loadConfig([], { KITTE_OWN_SMTP_TEST_TIMEOUT: '100ms', KITTE_OWN_SMTP_TESTS_PER_HOUR: '1000' })
const byMx: Decision = {
  mode: 'sender-only',
  reason: '',
  dkim: 'relay',
  reversePath: 'verp',
  records: { spf: false, dkim: false },
  domain: null,
  own: null,
}

function ownServer(host: string): Decision {
  const sealedPassword = seal.seal(login.password, ownSmtpPurpose(sender))
  const smtp = { host, port: 587, tls: 'required', username: login.username, sealedPassword } as const
  return { ...byMx, mode: 'own-smtp', own: { smtp, sender } }
}

function partsFor(resolver: Resolver) {
  const destinations = new Destinations(resolver, config.delivery, systemClock)
  return { resolver, clock: systemClock, lookup: config.delivery, seal, config, destinations }
}

/** Where a message would be taken to: the addresses that would be connected to, or the failure. */
async function addressesFor(resolver: Resolver, decision: Decision): Promise<string[] | string> {
  const leased = [makeLeased(makeMessage(), { address: 'you@evil.example' }, { id: 'x.0' })]
  const parts = partsFor(resolver)
  const routed =
    decision.own === null ? await findRoute(leased, parts) : await firstRoute(findRoutes(leased, decision, parts))
  if ('failure' in routed) return routed.failure.kind
  const places = routed.route.hosts.flatMap(({ host, addresses }) => addresses.map(address => ({ host, address })))
  return [...hostSpecs(routed.route, places, config, seal)].map(({ address }) => address)
}

async function firstRoute(routes: AsyncIterable<readonly (Routed | Unrouted)[]>): Promise<Routed | Unrouted> {
  for await (const [first] of routes) return first!
  throw new Error('there is no route')
}

/** A transport that goes nowhere and tells where it was sent. */
function recording(dialled: HostSpec[]): Transport {
  return {
    async open(spec) {
      dialled.push(spec)
      return {
        failure: { phase: 'connect', kind: 'refused', detail: 'ECONNREFUSED', inDoubt: false },
        tlsFailed: false,
      }
    },
  }
}

/** The first answer for a name's addresses, and what it is from then on. */
function rebinding(first: string, then: string): Resolver {
  const answers = [first]
  const resolver = zoneResolver({ 'evil.example': { MX: [[10, 'evil.example']] } })
  return { ...resolver, a: async () => ({ status: 'ok', records: [answers.shift() ?? then], ttl: 0 }) as never }
}

describe('an address inside', () => {
  for (const [what, entry] of Object.entries(inside))
    it(`(${what}) is connected to for no MX record, no own server and no test of one`, async () => {
      const resolver = zoneResolver({
        'evil.example': { MX: [[10, 'mx.evil.example']] },
        'mx.evil.example': entry,
      })
      assert.equal(await addressesFor(resolver, byMx), 'private-address')
      assert.equal(await addressesFor(resolver, ownServer('mx.evil.example')), 'private-address')
      const dialled: HostSpec[] = []
      const tester = openOwnServerTester({
        resolver,
        clock: systemClock,
        log: silentLog,
        config,
        transport: recording(dialled),
      })
      const settings = { host: 'mx.evil.example', port: 587, tls: 'required', username: 'u' } as const
      assert.equal(await tester.test('acme', settings, 'p'), 'no-server')
      for (const address of [...(entry.A ?? []), ...(entry.AAAA ?? [])])
        assert.equal(await tester.test('acme', { ...settings, host: address }, 'p'), 'no-server')
      assert.deepEqual(dialled, [])
    })

  it('beside one outside is left out', async () => {
    const resolver = zoneResolver({
      'evil.example': { MX: [[10, 'mx.evil.example']] },
      'mx.evil.example': { A: ['127.0.0.1', outside], AAAA: ['::1'] },
    })
    assert.deepEqual(await addressesFor(resolver, byMx), [outside])
    assert.deepEqual(await addressesFor(resolver, ownServer('mx.evil.example')), [outside])
  })

  it('is not reached by a name that had another address when its settings were saved', async () => {
    const resolver = rebinding(outside, '127.0.0.1')
    const dialled: HostSpec[] = []
    const tester = openOwnServerTester({
      resolver,
      clock: systemClock,
      log: silentLog,
      config,
      transport: recording(dialled),
    })
    const settings = { host: 'evil.example', port: 587, tls: 'required', username: 'u' } as const
    await tester.test('acme', settings, 'p')
    assert.deepEqual(
      dialled.map(({ address }) => address),
      [outside],
      'what was judged is what is connected to',
    )
    assert.equal(await addressesFor(resolver, ownServer('evil.example')), 'private-address')
    assert.equal(await addressesFor(rebinding('127.0.0.1', outside), byMx), 'private-address')
  })
})

describe('a test of settings', () => {
  let closed: number
  let silent: Server
  let talks: Server

  before(async () => {
    const listen = (server: Server) => new Promise<Server>(done => server.listen(0, '127.0.0.1', () => done(server)))
    silent = await listen(createServer(() => {}))
    talks = await listen(
      createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\nServer: secret-version\r\n\r\n')),
    )
    const gone = await listen(createServer())
    closed = portOf(gone)
    await new Promise(done => gone.close(done))
  })

  after(() => {
    for (const server of [silent, talks]) server.close()
  })

  it('tells a closed port, silence and another protocol neither by its words nor by its time', async () => {
    // The judgement of addresses is tested above; here the address in its place leads to loopback.
    const real = createSmtpTransport({ clock: systemClock, log: silentLog })
    const resolver = zoneResolver({ 'evil.example': { A: [outside] } })
    for (const port of [closed, portOf(silent), portOf(talks)]) {
      const clock = manualClock()
      const tried = Promise.withResolvers<void>()
      const transport: Transport = {
        open: async (spec, limits) => {
          const opened = await real.open({ ...spec, address: '127.0.0.1' }, limits)
          tried.resolve()
          return opened
        },
      }
      const tester = openOwnServerTester({ resolver, clock, log: silentLog, config, transport })
      const settings = { host: 'evil.example', port, tls: 'opportunistic', username: 'u' } as const
      let finding = ''
      const test = tester.test('acme', settings, 'p').then(found => {
        finding = found
      })
      await tried.promise
      await clock.advance(99)
      assert.equal(finding, '', 'not before its whole time is over')
      await clock.advance(1)
      await test
      assert.equal(finding, 'no-server')
    }
  })

  it('is refused beyond so many in an hour, to that account only', async () => {
    const few = { ...config, ownSmtp: { ...config.ownSmtp, testsPerHour: 2 } }
    const tester = openOwnServerTester({ resolver: zoneResolver({}), clock: systemClock, log: silentLog, config: few })
    const settings = { host: 'gone.example', port: 587, tls: 'required', username: 'u' } as const
    const findings: string[] = []
    for (const account of ['a', 'a', 'a', 'b']) findings.push(await tester.test(account, settings, 'p'))
    assert.deepEqual(findings, ['no-server', 'no-server', 'not-tested', 'no-server'])
  })
})

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' ? address!.port : 0
}
