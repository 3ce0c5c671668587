import assert from 'node:assert/strict'
import { AUTHORITATIVE_ANSWER, type DecodedPacket, type Packet, TRUNCATED_RESPONSE } from 'dns-packet'
import { openAuthority, type Testimony } from '../../src/dns/authority.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { manualClock } from '../support/manual-clock.ts'
import { steadyClock } from '../support/steady-clock.ts'
import { type DnsServer, type Reply, startDnsServer } from './dns-server.ts'

const formerr = 1
const servfail = 2
const nxdomain = 3
const notimp = 4
const refused = 5

type Behaviour = (question: { name: string; type: string }, by: 'udp' | 'tcp', query: DecodedPacket) => Reply

const text =
  (value: string, ttl = 300): Behaviour =>
  ({ name }) => ({ flags: AUTHORITATIVE_ANSWER, answers: [{ type: 'TXT', name, ttl, data: [value] }] })
const soa = (ttl: number, minimum: number) => ({
  type: 'SOA',
  name: 'ours.example',
  ttl,
  data: { mname: 'ns.example', rname: 'h.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
})
const absent =
  (rcode: number, ttl: number, minimum: number): Behaviour =>
  () => ({ flags: AUTHORITATIVE_ANSWER | rcode, authorities: [soa(ttl, minimum)] })
const says =
  (packet: Packet): Behaviour =>
  () =>
    packet

/** Servers on 127.0.0.11, 127.0.0.12 … of the zone ours.example; `extra` is what the resolver knows besides. */
async function worldOf(behaviours: readonly Behaviour[], extra: Zone = {}) {
  const running = new AsyncDisposableStack()
  const servers: DnsServer[] = []
  for (const [index, behaviour] of behaviours.entries()) {
    const port = servers[0]?.port ?? 0
    servers.push(running.use(await startDnsServer(behaviour, { host: `127.0.0.${11 + index}`, port })))
  }
  const hosts = behaviours.map((_, index) => `ns${index + 1}.example`)
  const zone = {
    'ours.example': { NS: hosts },
    ...Object.fromEntries(hosts.map((host, index) => [host, { A: [`127.0.0.${11 + index}`] }])),
    ...extra,
  }
  const resolver = zoneResolver(zone)
  const options = {
    resolver,
    clock: steadyClock,
    allowPrivate: true,
    port: servers[0]?.port ?? 53,
    triesMs: [200, 200],
  }
  const authority = openAuthority(options)
  running.defer(() => authority.close())
  return {
    ...{ servers, resolver, options, authority },
    ask: (name = 'ours.example') => authority.ask(name, 'TXT', resolver, new AbortController().signal),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** `ns1 ours.example: what it said`. */
function told({ witnesses }: Testimony): string[] {
  return witnesses
    .map(({ server, name, said }) => {
      if (said.kind === 'fault') return `${server} ${name}: ${said.fault}`
      if (said.kind === 'alias') return `${server} ${name}: CNAME ${said.target} ${said.ttl}`
      return `${server} ${name}: ${said.answer.status} ${said.answer.records.join('|')} ${said.answer.ttl}`
    })
    .toSorted()
}

describe('the authoritative servers of a name', () => {
  it('are each asked without recursion, and each answer stands beside the others', async () => {
    const queries: DecodedPacket[] = []
    const watched: Behaviour = (question, by, query) => {
      queries.push(query)
      return text('new')(question, by, query)
    }
    await using world = await worldOf([watched, text('old', 60), absent(0, 900, 120), absent(nxdomain, 30, 120)])
    const testimony = await world.ask()
    assert.equal(testimony.fault, null)
    assert.deepEqual(told(testimony), [
      'ns1.example ours.example: found new 300',
      'ns2.example ours.example: found old 60',
      // RFC 2308 §5: the smaller of the SOA's TTL and its MINIMUM.
      'ns3.example ours.example: nodata  120',
      'ns4.example ours.example: nxdomain  30',
    ])
    assert.deepEqual(
      queries.map(query => query.flag_rd),
      [false],
    )
  })

  it('are not asked for a name that is too long to be one', async () => {
    await using world = await worldOf([text('all')])
    const testimony = await world.ask(`${'label.'.repeat(45)}ours.example`)
    assert.deepEqual(testimony, { witnesses: [], fault: 'no-name-servers' })
    assert.equal(world.servers[0]!.asked.length, 0)
  })

  it('stand in an answer a few times at most, however many addresses they have', async () => {
    const refusedAddresses = Array.from({ length: 900 }, (_, at) => `224.0.${at >> 8}.${at & 255}`)
    await using world = await worldOf([text('yes')], {
      'ours.example': { NS: ['ns1.example', 'many.example'] },
      'many.example': { A: refusedAddresses },
    })
    const { witnesses } = await world.ask()
    assert.deepEqual(witnesses.map(({ server }) => server).toSorted(), ['many.example', 'many.example', 'ns1.example'])
  })

  it('are found at the zone cut above the name, wherever it is', async () => {
    await using world = await worldOf([text('apex'), text('child')], {
      'ours.example': { NS: ['ns1.example'] },
      '_domainkey.ours.example': { NS: ['ns2.example'] },
    })
    assert.deepEqual(told(await world.ask('a.b.ours.example')), ['ns1.example a.b.ours.example: found apex 300'])
    assert.deepEqual(told(await world.ask('s._domainkey.ours.example')), [
      'ns2.example s._domainkey.ours.example: found child 300',
    ])
  })

  const faults: Record<string, [Behaviour, string, questions: number]> = {
    'answers without the AA bit': [says({ answers: [] }), 'lame', 1],
    'answers from a cache': [
      ({ name }) => ({ answers: [{ type: 'TXT', name, ttl: 60, data: ['cached'] }] }),
      'lame',
      1,
    ],
    'refuses the question': [says({ flags: refused }), 'lame', 1],
    'refers to other servers': [
      says({ authorities: [{ type: 'NS', name: 'example', ttl: 60, data: 'ns.elsewhere.example' }] }),
      'lame',
      1,
    ],
    'fails, twice': [says({ flags: servfail }), 'servfail', 2],
    'does not answer': [says(null as unknown as Packet), 'timeout', 2],
    'knows nothing of the question, with and without EDNS': [says({ flags: formerr }), 'servfail', 2],
    'cuts its answer over TCP too': [says({ flags: AUTHORITATIVE_ANSWER | TRUNCATED_RESPONSE }), 'malformed', 2],
  }
  for (const [what, [behaviour, fault, questions]] of Object.entries(faults))
    it(`do not count when one ${what}: ${fault}`, async () => {
      await using world = await worldOf([behaviour, text('here')])
      const testimony = await world.ask()
      assert.deepEqual(told(testimony), [
        `ns1.example ours.example: ${fault}`,
        'ns2.example ours.example: found here 300',
      ])
      assert.equal(testimony.fault, null)
      assert.equal(world.servers[0]!.asked.length, questions)
    })

  it('are told apart from none: when not one answers, nobody could be asked', async () => {
    await using world = await worldOf([says({ flags: refused }), says({ flags: servfail })])
    const testimony = await world.ask()
    assert.equal(testimony.fault, 'none-answers')
    assert.deepEqual(told(testimony), ['ns1.example ours.example: lame', 'ns2.example ours.example: servfail'])
  })

  it('are unreachable where nobody listens, and have no address where nobody says so', async () => {
    await using world = await worldOf([text('here')], {
      'ours.example': { NS: ['ns1.example', 'dead.example', 'nowhere.example', 'bad name.example'] },
      'dead.example': { A: ['127.0.0.99'] },
    })
    assert.deepEqual(told(await world.ask()), [
      'dead.example ours.example: unreachable',
      'nowhere.example ours.example: no-address',
      'ns1.example ours.example: found here 300',
    ])
  })

  it('are asked by TCP when the answer does not fit', async () => {
    const long = 'x'.repeat(250)
    const data = Array.from({ length: 20 }, () => long)
    await using world = await worldOf([
      ({ name }, by) =>
        by === 'udp'
          ? { flags: AUTHORITATIVE_ANSWER | TRUNCATED_RESPONSE }
          : { flags: AUTHORITATIVE_ANSWER, answers: [{ type: 'TXT', name, ttl: 60, data }] },
    ])
    assert.deepEqual(told(await world.ask()), [`ns1.example ours.example: found ${data.join('')} 60`])
    assert.deepEqual(world.servers[0]!.asked, ['udp TXT ours.example', 'tcp TXT ours.example'])
  })

  it('get a second chance after a lost datagram, and without EDNS where they do not know it', async () => {
    let lost = 1
    const losing: Behaviour = (question, by, query) => (lost-- > 0 ? null : text('late')(question, by, query))
    const old: Behaviour = (question, by, query) =>
      query.additionals.length > 0 ? { flags: notimp } : text('plain')(question, by, query)
    await using world = await worldOf([losing, old])
    assert.deepEqual(told(await world.ask()), [
      'ns1.example ours.example: found late 300',
      'ns2.example ours.example: found plain 300',
    ])
  })

  it('are not asked at private addresses, and nothing is sent there', async () => {
    await using world = await worldOf([text('here')])
    const strict = openAuthority({ ...world.options, allowPrivate: false })
    const testimony = await strict.ask('ours.example', 'TXT', world.resolver, new AbortController().signal)
    assert.deepEqual(told(testimony), ['ns1.example ours.example: refused-address'])
    assert.equal(testimony.fault, 'private-addresses')
    assert.deepEqual(world.servers[0]!.asked, [])
  })

  it('are unknown when no zone but a top level domain names servers, or nobody can say', async () => {
    await using world = await worldOf([text('here')], { example: { NS: ['ns1.example'] } })
    assert.deepEqual(await world.ask('theirs.example'), { witnesses: [], fault: 'no-name-servers' })
    world.resolver.fail('ours.example')
    assert.deepEqual(await world.ask(), { witnesses: [], fault: 'no-name-servers' })
    assert.deepEqual(world.servers[0]!.asked, [])
  })

  describe('behind a CNAME', () => {
    const alias =
      (target: string, rest: Packet['answers'] = []): Behaviour =>
      ({ name }) => ({
        flags: AUTHORITATIVE_ANSWER,
        answers: [{ type: 'CNAME', name, ttl: 30, data: target }, ...rest],
      })
    const otherZone = { 'theirs.example': { NS: ['ns2.example'] }, 'ours.example': { NS: ['ns1.example'] } }

    it('are those of its target, also when the first server claims to know it', async () => {
      const hearsay = { type: 'TXT', name: 'k.theirs.example', ttl: 9, data: ['hearsay'] }
      await using world = await worldOf([alias('k.theirs.example', [hearsay]), text('theirs')], otherZone)
      assert.deepEqual(told(await world.ask('s.ours.example')), [
        'ns1.example s.ours.example: CNAME k.theirs.example 30',
        'ns2.example k.theirs.example: found theirs 300',
      ])
    })

    it('are the same ones when the target is in the zone', async () => {
      const inside = { type: 'TXT', name: 'k.ours.example', ttl: 9, data: ['inside'] }
      await using world = await worldOf([alias('k.ours.example', [inside])])
      assert.deepEqual(told(await world.ask('s.ours.example')), ['ns1.example s.ours.example: found inside 9'])
    })

    it('are asked once in a loop', async () => {
      await using world = await worldOf(
        [
          ({ name }, ...rest) =>
            alias(name === 'a.ours.example' ? 'b.theirs.example' : 'a.ours.example')({ name, type: 'TXT' }, ...rest),
        ],
        { 'theirs.example': { NS: ['ns1.example'] } },
      )
      assert.deepEqual(told(await world.ask('a.ours.example')), [
        'ns1.example a.ours.example: CNAME b.theirs.example 30',
        'ns1.example b.theirs.example: CNAME a.ours.example 30',
      ])
    })

    it('are asked no further than 8 names deep', async () => {
      let n = 0
      await using world = await worldOf(
        [({ name }, ...rest) => alias(`${++n}.x${n}.example`)({ name, type: 'TXT' }, ...rest)],
        Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x${i + 1}.example`, { NS: ['ns1.example'] }])),
      )
      assert.equal((await world.ask()).witnesses.length, 8)
    })
  })

  it('are 16 at most', async () => {
    const hosts = Array.from({ length: 20 }, (_, i) => `ns${i + 10}.example`)
    await using world = await worldOf([text('here')], {
      'ours.example': { NS: hosts },
      ...Object.fromEntries(hosts.map(host => [host, { A: ['127.0.0.11', '127.0.0.11'] }])),
    })
    const { witnesses } = await world.ask()
    assert.equal(witnesses.length, 16)
    assert.equal(new Set(witnesses.map(({ server }) => server)).size, 13)
  })

  it('are not waited for while a resolver does not even tell who they are', async () => {
    await using world = await worldOf([text('here')])
    const silent = { ...world.resolver, a: () => new Promise<never>(() => {}) }
    const authority = openAuthority({ ...world.options, resolver: silent })
    const ending = new AbortController()
    const asked = authority.ask('ours.example', 'TXT', world.resolver, ending.signal)
    ending.abort()
    assert.deepEqual(await asked, { witnesses: [], fault: 'no-name-servers' })
  })

  it('are not waited for beyond the signal, nor when closed', async () => {
    const both = Promise.withResolvers<void>()
    let asked = 0
    await using world = await worldOf([
      () => {
        if (++asked === 2) both.resolve()
        return null
      },
    ])
    const clock = manualClock()
    const patient = openAuthority({ ...world.options, clock })
    const ending = new AbortController()
    const ended = patient.ask('ours.example', 'TXT', world.resolver, ending.signal)
    const closed = patient.ask('ours.example', 'TXT', world.resolver, new AbortController().signal)
    await both.promise
    ending.abort()
    assert.deepEqual(told(await ended), ['ns1.example ours.example: timeout'])
    patient.close()
    assert.deepEqual(told(await closed), ['ns1.example ours.example: timeout'])
    assert.equal(clock.waiting, 0)
  })
})
