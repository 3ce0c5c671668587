/**
 * Checks of sender domains against real name servers (Debian's nsd) that agree, lag behind, are lame, slow, dead or
 * broken, seen through a resolver that caches: what the API says of each, and when the record will be visible.
 */
import assert from 'node:assert/strict'
import { AUTHORITATIVE_ANSWER } from 'dns-packet'
import { systemClock } from '../../src/base/clock.ts'
import { askServer } from '../../src/dns/ask-server.ts'
import type { RecordType } from '../../src/dns/wire.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { startDnsServer } from '../dns/dns-server.ts'
import { type CachingResolver, startCachingResolver } from '../support/real/caching-resolver.ts'
import { type Nsd, startNsd } from '../support/real/nsd.ts'
import { freePort, needProgram, run } from '../support/real/program.ts'
import { type RelayProcess, startRelayProcess } from '../support/real/relay-process.ts'

interface ServerAnswer {
  readonly server: string
  readonly state: string
  readonly reason: string
  readonly ttl: number
  readonly found: readonly string[]
}

interface RecordAnswer {
  readonly purpose: string
  readonly type: 'TXT'
  readonly name: string
  readonly value: string
  readonly state: string
  readonly reason: string
  readonly message: { readonly ja: string; readonly en: string }
  readonly servers: readonly ServerAnswer[]
  readonly resolvers: readonly ServerAnswer[]
  readonly asked: { readonly en: string }
  readonly checkedAt: string
  readonly visibleAt: string | null
  readonly visibleWithin: number | null
}

interface DomainAnswer {
  readonly spf: string
  readonly dkim: string
  readonly keys: readonly { readonly state: string }[]
  readonly records: readonly RecordAnswer[]
}

/** Name server → address. All on one port, as the real ones are on 53. */
const hosts = {
  'good.hosts.example': '127.0.0.21',
  'lagging.hosts.example': '127.0.0.22',
  'lame.hosts.example': '127.0.0.23',
  'slow.hosts.example': '127.0.0.24',
  'asleep.hosts.example': '127.0.0.25',
  'broken.hosts.example': '127.0.0.26',
  'dead.hosts.example': '127.0.0.27',
} as const
type Host = keyof typeof hosts
const [good, lagging, lame, slow, asleep, broken, dead] = Object.keys(hosts) as [
  Host,
  Host,
  Host,
  Host,
  Host,
  Host,
  Host,
]

/** What each domain's zone is delegated to. */
const delegations = {
  'agreeing.example': [good, lagging],
  'behind.example': [good, lagging],
  'half-lame.example': [good, lame],
  'slowly.example': [good, slow],
  'half-asleep.example': [good, asleep],
  'half-broken.example': [good, broken],
  'half-dead.example': [good, dead],
  'long.example': [good, lagging],
  'cached.example': [good, lagging],
  'hopeless.example': [lame, broken, dead],
  'delegating.example': [good],
  'aliased.example': [good],
} as const satisfies Record<string, readonly Host[]>
const domains = Object.keys(delegations) as (keyof typeof delegations)[]
type Domain = (typeof domains)[number]

const ttl = 600
const minimum = 900
/** The zones that the second server has as the first one does; of others it has only an empty one. */
const caughtUp: readonly Domain[] = ['agreeing.example', 'long.example', 'cached.example']

describe('the name servers of a sender domain', () => {
  const running = new AsyncDisposableStack()
  const wanted = new Map<Domain, readonly RecordAnswer[]>()
  const verified = new Map<Domain, DomainAnswer>()
  let port: number
  let relay: RelayProcess
  let resolver: CachingResolver
  let second: Nsd

  before(async function () {
    port = await freePort(...Object.values(hosts))
    const zones = ['hosts.example', 'provider.example', ...domains]
    const first = running.use(
      await startNsd(this, { host: hosts[good], port, zones, zone: emptyZones(), ttl, minimum }),
    )
    const served = [...domains, '_domainkey.delegating.example']
    second = running.use(
      await startNsd(this, { host: hosts[lagging], port, zones: served, zone: emptyZones(), ttl, minimum }),
    )
    const other = { host: hosts[lame], port, zones: ['hosts.example'], zone: emptyZones() }
    running.use(await startNsd(this, other))
    const failing = { host: hosts[broken], port, zones: ['hosts.example'], zone: emptyZones() }
    running.use(await startNsd(this, { ...failing, broken: ['half-broken.example', 'hopeless.example'] }))
    running.use(await startRelayed(port, hosts[slow], 2000))
    running.use(await startDnsServer(() => null, { host: hosts[asleep], port }))
    resolver = running.use(
      await startCachingResolver(port, name =>
        name.endsWith('_domainkey.delegating.example') ? hosts[lagging] : hosts[good],
      ),
    )
    const dns = { allowPrivateAuthorities: true, authorityPort: port }
    relay = running.use(await startRelayProcess({ dnsPort: resolver.port, mxPort: 9, dns }))
    const registered = await Promise.all(domains.map(register))
    for (const [index, name] of domains.entries()) wanted.set(name, registered[index]!)
    resolver.forget()
    // Only this one is left in the cache as it was: without records.
    await verify('cached.example')
    resolver.age(60)
    await first.publish({ ...emptyZones(), ...publishedZone(good, domains) })
    await second.publish({ ...emptyZones(), ...publishedZone(lagging, caughtUp) })
    const answers = await Promise.all(domains.map(verify))
    for (const [index, name] of domains.entries()) verified.set(name, answers[index]!)
  })

  after(() => running.disposeAsync())

  async function register(name: Domain): Promise<readonly RecordAnswer[]> {
    const account = await relay.api<{ id: string }>('POST', '/v1/accounts', { name })
    const { records } = await relay.api<DomainAnswer>('POST', '/v1/domains', { name, account: account.id })
    return records
  }

  function verify(name: Domain): Promise<DomainAnswer> {
    return relay.api('POST', `/v1/domains/${name}/verify`)
  }

  function publishedZone(host: typeof good | typeof lagging, shown: readonly Domain[]): Zone {
    const texts = shown.flatMap(name =>
      wanted.get(name)!.map(({ name: owner, purpose, value }) => {
        if (purpose === 'dkim' && (name === 'delegating.example' || name === 'aliased.example')) return [owner, {}]
        return [owner, { ...emptyZones()[owner], TXT: [value, ...(owner === 'long.example' ? padding : [])] }] as const
      }),
    )
    const dkimOf = (name: Domain) => wanted.get(name)!.find(({ purpose }) => purpose === 'dkim')!
    const delegated = dkimOf('delegating.example')
    const aliased = dkimOf('aliased.example')
    const extra: Zone =
      host === good
        ? {
            '_domainkey.delegating.example': { NS: [lagging] },
            [aliased.name]: { CNAME: 'key.provider.example' },
            'key.provider.example': { TXT: [aliased.value] },
          }
        : { '_domainkey.delegating.example': { NS: [lagging] }, [delegated.name]: { TXT: [delegated.value] } }
    return { ...Object.fromEntries(texts), ...extra }
  }

  function recordOf(name: Domain, purpose: 'spf' | 'dkim'): RecordAnswer {
    return verified.get(name)!.records.find(record => record.purpose === purpose)!
  }

  /** `server reason ttl`, in the order of names. */
  function said({ servers }: RecordAnswer): string[] {
    return servers.map(({ server, reason, ttl }) => `${server.split('.')[0]} ${reason} ${ttl}`).toSorted()
  }

  function waitOf({ checkedAt, visibleAt }: RecordAnswer): number | null {
    return visibleAt === null ? null : (Date.parse(visibleAt) - Date.parse(checkedAt)) / 1000
  }

  it('that have nothing yet: absent, and how long the absence will be remembered', () => {
    const record = wanted.get('agreeing.example')!.find(({ purpose }) => purpose === 'spf')!
    assert.deepEqual([record.state, record.reason, record.visibleAt], ['not-published', 'absent', null])
    assert.deepEqual(said(record), [`good absent ${minimum}`, `lagging absent ${minimum}`])
    assert.equal(record.visibleWithin, minimum)
  })

  it('that agree: 設定済, and the key signs', () => {
    const { spf, dkim, keys } = verified.get('agreeing.example')!
    assert.deepEqual([spf, dkim, keys.map(({ state }) => state)], ['published', 'published', ['active']])
    for (const purpose of ['spf', 'dkim'] as const) {
      const record = recordOf('agreeing.example', purpose)
      assert.deepEqual(said(record), [`good ok ${ttl}`, `lagging ok ${ttl}`])
      assert.deepEqual(
        record.resolvers.map(({ reason }) => reason),
        ['ok'],
      )
      assert.equal(record.visibleAt, null)
      assert.equal(record.asked.en, 'Each of 2 name servers was asked, and the resolvers.')
    }
  })

  it('of which one lags behind: 未設定 not-everywhere, who lacks it, and the SOA minimum as the wait', () => {
    const record = recordOf('behind.example', 'spf')
    assert.deepEqual([record.state, record.reason], ['not-published', 'not-everywhere'])
    assert.deepEqual(said(record), [`good ok ${ttl}`, `lagging absent ${minimum}`])
    assert.equal(waitOf(record), minimum)
    assert.match(record.message.en, /is at good\S+ \(127\.0\.0\.21\), but not yet at lagging\S+ \(127\.0\.0\.22\)/)
    assert.match(record.message.ja, /^未設定: SPF レコードは good/)
    // The resolver asks the good one: it alone would have called this published.
    assert.deepEqual(
      record.resolvers.map(({ reason }) => reason),
      ['ok'],
    )
    assert.deepEqual(
      verified.get('behind.example')!.keys.map(({ state }) => state),
      ['pending'],
    )
  })

  const tolerated: Partial<Record<Domain, string>> = {
    'half-lame.example': 'lame lame 0',
    'half-asleep.example': 'asleep timeout 0',
    'half-broken.example': 'broken servfail 0',
    'half-dead.example': 'dead unreachable 0',
  }
  for (const [name, fault] of Object.entries(tolerated) as [Domain, string][])
    it(`of which one does not count (${fault.split(' ')[1]}): 設定済 by the other, with a remark`, () => {
      const record = recordOf(name, 'spf')
      assert.equal(record.state, 'published')
      assert.deepEqual(said(record), [fault, `good ok ${ttl}`].toSorted())
      assert.match(record.message.en, /gave no valid answer/)
      assert.deepEqual(
        verified.get(name)!.keys.map(({ state }) => state),
        ['active'],
      )
    })

  it('of which one answers late, but in time: it counts', () => {
    const record = recordOf('slowly.example', 'spf')
    assert.equal(record.state, 'published')
    assert.deepEqual(said(record), [`good ok ${ttl}`, `slow ok ${ttl}`])
  })

  it('that answer more than fits a datagram: asked by TCP', async function () {
    const asked = ['@127.0.0.21', '-p', String(port), '+ignore', '+bufsize=1232', 'TXT', 'long.example']
    assert.match((await run(needProgram(this, 'dig'), asked)).stdout, /flags: qr aa tc/)
    const record = recordOf('long.example', 'spf')
    assert.equal(record.state, 'published')
    assert.deepEqual(said(record), [`good ok ${ttl}`, `lagging ok ${ttl}`])
  })

  it('that agree while a resolver remembers the absence: SPF waits for the cache, the key signs', () => {
    const record = recordOf('cached.example', 'spf')
    assert.deepEqual([record.state, record.reason], ['not-published', 'not-yet-visible'])
    assert.deepEqual(
      record.resolvers.map(({ reason, ttl }) => [reason, ttl]),
      [['absent', minimum - 60]],
    )
    assert.equal(waitOf(record), minimum - 60)
    const dkim = recordOf('cached.example', 'dkim')
    assert.deepEqual([dkim.state, waitOf(dkim)], ['published', minimum - 60])
    assert.deepEqual(
      verified.get('cached.example')!.keys.map(({ state }) => state),
      ['active'],
    )
  })

  it('of which none answers: the resolvers decide, and it says so', () => {
    const record = recordOf('hopeless.example', 'spf')
    assert.equal(record.state, 'published')
    assert.deepEqual(said(record), ['broken servfail 0', 'dead unreachable 0', 'lame lame 0'])
    assert.match(record.asked.en, /^Only the answers of the resolvers counted/)
  })

  it('of a zone cut below the domain are asked for the key', () => {
    assert.deepEqual(said(recordOf('delegating.example', 'spf')), [`good ok ${ttl}`])
    const record = recordOf('delegating.example', 'dkim')
    assert.equal(record.state, 'published')
    assert.deepEqual(said(record), [`lagging ok ${ttl}`])
  })

  it('of the target are asked behind a CNAME', () => {
    const record = recordOf('aliased.example', 'dkim')
    assert.equal(record.state, 'published')
    assert.deepEqual(
      record.servers.map(({ found }) => found[0]!.slice(0, 20)),
      ['key.provider.example', 'v=DKIM1; k=rsa; p=MII'.slice(0, 20)],
    )
  })

  it('that have caught up: 設定済, the key signs, and caches that forgot see it', async () => {
    await second.publish({ ...emptyZones(), ...publishedZone(lagging, domains) })
    resolver.age(minimum)
    for (const name of ['behind.example', 'cached.example'] as const) {
      const { spf, dkim, keys, records } = await verify(name)
      assert.deepEqual([spf, dkim, keys.map(({ state }) => state)], ['published', 'published', ['active']], name)
      assert.deepEqual(
        records.map(({ visibleAt }) => visibleAt),
        [null, null, null],
      )
    }
  })
})

const padding = Array.from({ length: 12 }, (_, index) => `verification-${index}=${'x'.repeat(200)}`)

function emptyZones(): Zone {
  return {
    'hosts.example': { NS: [good] },
    'provider.example': { NS: [good] },
    ...Object.fromEntries(Object.entries(hosts).map(([host, address]) => [host, { A: [address] }])),
    ...Object.fromEntries(Object.entries(delegations).map(([name, servers]) => [name, { NS: servers }])),
    '_domainkey.delegating.example': { NS: [lagging] },
  }
}

/** A server that is slow to answer, but then says what the good one says. */
function startRelayed(port: number, host: string, delayMs: number) {
  const signal = new AbortController().signal
  return startDnsServer(
    async ({ name, type }) => {
      const asking = { timeoutMs: 5000, clock: systemClock, signal, recursion: false }
      const { rcode, answers, authorities } = await askServer(
        { address: hosts[good], port },
        name,
        type as RecordType,
        asking,
      )
      await systemClock.sleep(delayMs)
      return { flags: AUTHORITATIVE_ANSWER | (rcode === 'NXDOMAIN' ? 3 : 0), answers, authorities }
    },
    { host, port },
  )
}
