import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { createSecureContext } from 'node:tls'
import { silentLog } from '../../src/base/log.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { type ZoneResolver, zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { StsPolicy } from '../../src/mail/sts-policy.ts'
import { StsPolicies } from '../../src/tls/sts-policies.ts'
import { startStsRefresher } from '../../src/tls/sts-refresher.ts'
import type { TlsResult } from '../../src/tls/tls-result.ts'
import { sqliteFactory, type TestStore } from '../store/factory.ts'
import { testAuthority } from '../support/authority.ts'
import { patienceMs } from '../support/patience.ts'
import { type PolicyHosts, policyText, sendPolicy, startPolicyHosts } from '../support/policy-host.ts'

const domain = 'a.example'
const day = 86_400_000
const timeoutMs = 5000
const authority = testAuthority('known authority')
const good = authority.issue({ names: [`mta-sts.${domain}`] })
const untrusted = testAuthority('unknown authority').issue({ names: [`mta-sts.${domain}`] })
const otherName = authority.issue({ names: [domain] })
const enforce = policyText('enforce', ['mx.a.example'], 604_800)

interface World extends AsyncDisposable {
  readonly t: TestStore
  readonly zone: ZoneResolver
  readonly hosts: PolicyHosts
  readonly notes: TlsResult[]
  /** What the policy host does. */
  answer: (response: ServerResponse) => void
  certificate: { readonly key: string; readonly cert: string }
  /** Another worker's, or the same one after a restart. */
  open(change?: { readonly resolver?: Resolver; readonly allowPrivateAddresses?: boolean }): StsPolicies
  announce(id: string): void
}

async function startWorld(): Promise<World> {
  const t = await sqliteFactory(true)()
  const zone = zoneResolver({ [`mta-sts.${domain}`]: { A: ['127.0.0.1'] } } satisfies Zone)
  const notes: TlsResult[] = []
  const opened: StsPolicies[] = []
  const hosts = await startPolicyHosts({
    certificateFor: () => world.certificate,
    answer: (_name, response) => world.answer(response),
  })
  const world: World = {
    ...{ t, zone, hosts, notes, certificate: good },
    answer: response => sendPolicy(response, enforce),
    open({ resolver = zone, allowPrivateAddresses = true } = {}) {
      const lookup = { ipv6: false, maxHosts: 5, maxAddressesPerHost: 4, allowPrivateAddresses }
      const policies = new StsPolicies({
        ...{ store: t.store, resolver, clock: t.clock, log: silentLog, lookup, timeoutMs, port: hosts.port },
        results: { note: result => void notes.push(result) },
        secureContext: () => createSecureContext({ ca: authority.certificate }),
      })
      opened.push(policies)
      return policies
    },
    announce: id => zone.set(`_mta-sts.${domain}`, { TXT: [`v=STSv1; id=${id};`] }),
    async [Symbol.asyncDispose]() {
      for (const policies of opened) policies.close()
      await hosts[Symbol.asyncDispose]()
      await t[Symbol.asyncDispose]()
    },
  }
  return world
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `waited in vain for ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

function asTold({ result, additional, receivingMx, policyType }: TlsResult): unknown[] {
  return [policyType, result, additional, receivingMx]
}

describe('the MTA-STS policy of a domain', () => {
  it('is fetched once however many ask, and kept over a restart', async () => {
    await using world = await startWorld()
    world.announce('1')
    const policies = world.open()
    const found = await Promise.all(Array.from({ length: 20 }, () => policies.find(domain)))
    const now = world.t.clock.now()
    const expected: StsPolicy = {
      ...{ domain, id: '1', mode: 'enforce', mx: ['mx.a.example'], lines: enforce.trim().split('\r\n') },
      ...{ fetchedAt: now, expiresAt: now + 604_800_000, usedAt: now },
    }
    for (const policy of found) assert.deepEqual(policy, expected)
    world.answer = response => void response.writeHead(500).end()
    assert.deepEqual(await world.open().find(domain), expected)
    assert.deepEqual(world.hosts.asked, [`mta-sts.${domain}/.well-known/mta-sts.txt`])
    assert.deepEqual(world.notes, [])
  })

  it('is none without a record, and then its host is not asked', async () => {
    await using world = await startWorld()
    assert.equal(await world.open().find(domain), null)
    assert.equal(await world.open().find('[127.0.0.1]'), null)
    assert.equal(world.hosts.connections, 0)
  })

  it('is none while its record can not be looked up, which is not tried again for a minute', async () => {
    await using world = await startWorld()
    const policies = world.open()
    world.zone.fail(`_mta-sts.${domain}`)
    assert.equal(policies.troubleWith(domain), null)
    assert.equal(await policies.find(domain), null)
    assert.match(policies.troubleWith(domain)!, /^SERVFAIL|_mta-sts/)
    world.announce('1')
    await world.t.clock.advance(59_999)
    assert.equal(await policies.find(domain), null)
    await world.t.clock.advance(1)
    assert.equal((await policies.find(domain))?.id, '1')
    assert.equal(policies.troubleWith(domain), null)
  })

  it('holds up nobody for longer than its time, and is there for who asks later', async () => {
    await using world = await startWorld()
    world.announce('1')
    const slow = Promise.withResolvers<void>()
    const { a } = world.zone
    const resolver: Resolver = { ...world.zone, a: name => slow.promise.then(() => a(name)) }
    const policies = world.open({ resolver })
    const first = policies.find(domain)
    await world.t.clock.advance(timeoutMs - 1)
    const second = policies.find(domain)
    await world.t.clock.advance(1)
    assert.equal(await first, null)
    assert.equal(policies.troubleWith(domain), 'it is not there yet')
    slow.resolve()
    assert.equal((await second)?.id, '1')
  })

  it('counts until a newer one was fetched, which nobody waits for', async () => {
    await using world = await startWorld()
    world.announce('1')
    const policies = world.open()
    await policies.find(domain)
    world.announce('2')
    world.answer = response => sendPolicy(response, policyText('none', []))
    assert.equal((await policies.find(domain))?.id, '1')
    await until(async () => (await policies.find(domain))?.id === '2')
    assert.equal((await policies.find(domain))?.mode, 'none')
    await until(async () => (await world.t.store.stsPolicy(domain))?.mode === 'none')
    assert.equal(world.hosts.asked.length, 2)
  })

  it('counts until it expires, whatever became of its record', async () => {
    await using world = await startWorld()
    world.announce('1')
    const policies = world.open()
    await policies.find(domain)
    world.zone.remove(`_mta-sts.${domain}`)
    await world.t.clock.advance(7 * day - 1)
    assert.equal((await policies.find(domain))?.id, '1')
    assert.equal((await world.open().find(domain))?.id, '1')
    await world.t.clock.advance(1)
    assert.equal(await policies.find(domain), null)
    assert.equal(await world.open().find(domain), null)
  })

  it('is asked for anew after a day', async () => {
    await using world = await startWorld()
    world.announce('1')
    const policies = world.open()
    await policies.find(domain)
    await world.t.clock.advance(day - 1)
    await policies.refresh(domain)
    assert.equal(world.hosts.asked.length, 1)
    await world.t.clock.advance(1)
    await policies.find(domain)
    await until(() => world.hosts.asked.length === 2)
    const renewed = world.t.clock.now() + 7 * day
    await until(async () => (await world.t.store.stsPolicy(domain))?.expiresAt === renewed)
  })

  it('that can not be fetched is not asked for again for five minutes, unless there is another', async () => {
    await using world = await startWorld()
    world.announce('1')
    world.answer = response => void response.writeHead(503).end()
    const policies = world.open()
    for (let i = 0; i < 3; i++) assert.equal(await policies.find(domain), null)
    assert.equal(world.hosts.asked.length, 1)
    world.announce('2')
    assert.equal(await policies.find(domain), null)
    assert.equal(world.hosts.asked.length, 2)
    assert.equal(policies.troubleWith(domain), 'HTTP status 503')
    await world.t.clock.advance(300_000)
    world.answer = response => sendPolicy(response, enforce)
    assert.equal((await policies.find(domain))?.id, '2')
    assert.deepEqual(world.notes.map(asTold), Array(2).fill(['sts', 'sts-policy-fetch-error', 'HTTP status 503', null]))
  })

  it('of another worker is taken from the store', async () => {
    await using world = await startWorld()
    world.announce('1')
    const [one, other] = [world.open(), world.open()]
    assert.equal(await other.find('b.example'), null)
    await one.find(domain)
    world.announce('2')
    await one.refresh(domain)
    assert.equal((await other.find(domain))?.id, '2')
    assert.equal(world.hosts.asked.length, 2)
  })

  it('is marked as used once a day, and not by being refreshed', async () => {
    await using world = await startWorld()
    world.announce('1')
    const policies = world.open()
    const first = world.t.clock.now()
    await policies.find(domain)
    await world.t.clock.advance(day)
    await policies.refresh(domain)
    assert.equal((await world.t.store.stsPolicy(domain))?.usedAt, first)
    await policies.find(domain)
    await until(async () => (await world.t.store.stsPolicy(domain))?.usedAt === first + day)
    await world.t.clock.advance(day / 2)
    await policies.find(domain)
    assert.equal((await world.t.store.stsPolicy(domain))?.usedAt, first + day)
  })

  it('without a length may be cut off, and is taken with its last line whole', async () => {
    for (const [text, maxAge] of [
      [enforce.slice(0, -4), null],
      [enforce, 604_800],
    ] as const) {
      await using world = await startWorld()
      world.announce('1')
      world.answer = response => {
        response.useChunkedEncodingByDefault = false
        response.shouldKeepAlive = false
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write(text)
        response.end()
      }
      const found = await world.open().find(domain)
      assert.equal(found && (found.expiresAt - found.fetchedAt) / 1000, maxAge)
    }
  })

  for (const [title, expected, change] of [
    ['an unknown authority', 'sts-webpki-invalid', { certificate: untrusted }],
    ['another name', 'sts-webpki-invalid', { certificate: otherName }],
    ['a redirect', 'sts-policy-fetch-error', { status: 301 }],
    ['no such file', 'sts-policy-fetch-error', { status: 404 }],
    ['HTML', 'sts-policy-invalid', { type: 'text/html' }],
    ['no content type', 'sts-policy-invalid', { type: '' }],
    ['too much', 'sts-policy-invalid', { text: enforce + 'x: y\r\n'.repeat(20_000) }],
    ['nonsense', 'sts-policy-invalid', { text: 'hello' }],
    ['half of it', 'sts-policy-fetch-error', { cut: true }],
  ] as const)
    it(`is not taken from a host with ${title}`, async () => {
      await using world = await startWorld()
      const given: { status?: number; type?: string; text?: string; cut?: boolean; certificate?: typeof good } = change
      world.certificate = given.certificate ?? good
      world.answer = response => {
        const type = given.type ?? 'text/plain; charset=utf-8'
        const location = { location: `https://mta-sts.${domain}:${world.hosts.port}/elsewhere` }
        const length = given.cut ? { 'content-length': '9999' } : {}
        response.writeHead(given.status ?? 200, { ...(type && { 'content-type': type }), ...location, ...length })
        if (given.cut) response.write(enforce, () => response.destroy())
        else response.end(given.text ?? enforce)
      }
      world.announce('1')
      const policies = world.open()
      assert.equal(await policies.find(domain), null)
      assert.equal(policies.troubleWith(domain) !== null, expected === 'sts-policy-fetch-error')
      assert.deepEqual(
        world.notes.map(({ result }) => result),
        [expected],
      )
      assert.ok(world.hosts.asked.length <= 1)
      assert.equal(await world.t.store.stsPolicy(domain), null)
    })

  it('is not asked for at a host that is silent for longer than its time', async () => {
    await using world = await startWorld()
    world.announce('1')
    world.answer = () => {}
    const found = world.open().find(domain)
    await until(() => world.hosts.asked.length === 1)
    await world.t.clock.advance(timeoutMs)
    assert.equal(await found, null)
    await until(() => world.notes.length === 1)
    assert.deepEqual(asTold(world.notes[0]!), ['sts', 'sts-policy-fetch-error', 'not sent within 5000 ms', null])
  })

  it('is not asked for at addresses that nobody may be sent to, even when they come second', async () => {
    await using world = await startWorld()
    world.announce('1')
    assert.equal(await world.open({ allowPrivateAddresses: false }).find(domain), null)
    assert.match(String(world.notes[0]?.additional), /127\.0\.0\.1/)
    let asked = 0
    const rebinding: Resolver = {
      ...world.zone,
      a: async name => ({ ...(await world.zone.a(name)), records: [asked++ === 0 ? '192.0.2.1' : '127.0.0.1'] }),
    }
    const found = world.open({ resolver: rebinding, allowPrivateAddresses: false }).find(domain)
    await until(() => asked === 1)
    await world.t.clock.advance(timeoutMs)
    assert.equal(await found, null)
    assert.deepEqual([asked, world.hosts.connections], [1, 0])
  })
})

describe('the upkeep of MTA-STS policies', () => {
  it('asks for those in use before they expire, and forgets those that did', async () => {
    await using world = await startWorld()
    const { store, clock } = world.t
    world.announce('1')
    const now = clock.now()
    const kept: StsPolicy = {
      ...{ domain, id: '1', mode: 'enforce', mx: ['mx.a.example'], lines: [] },
      ...{ fetchedAt: now, expiresAt: now + 60 * day, usedAt: now },
    }
    await store.putStsPolicy(kept)
    await store.putStsPolicy({ ...kept, domain: 'over.example', expiresAt: now + 1000 })
    await store.putStsPolicy({ ...kept, domain: 'unused.example', usedAt: now - 40 * day })
    const policies = world.open()
    const asked: string[] = []
    const refresh = (name: string) => {
      asked.push(name)
      return policies.refresh(name)
    }
    const refresher = startStsRefresher({ store, policies: { refresh }, clock, log: silentLog })
    await clock.advance(3_600_000)
    await refresher.idle
    assert.deepEqual(asked, [])
    assert.deepEqual(
      (await store.listStsPolicies({ limit: 9 })).map(one => one.domain),
      [domain, 'unused.example'],
    )
    await clock.advance(day - 3_600_000)
    await refresher.idle
    assert.deepEqual(asked, [domain])
    assert.equal((await store.stsPolicy(domain))?.fetchedAt, clock.now())
    refresher.stop()
    await clock.advance(10 * day)
    assert.deepEqual(asked, [domain])
  })
})
