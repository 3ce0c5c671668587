import assert from 'node:assert/strict'
import type { Authority, Said, Testimony, Witness } from '../../src/dns/authority.ts'
import { lookEverywhere } from '../../src/domains/look-everywhere.ts'
import { lookingNow } from '../../src/domains/looking-now.ts'
import { spf } from '../../src/domains/records/spf.ts'
import { openWorld, spfValue } from './world.ts'

const ttl = 300

/** An authority that says per server and name what a test wants; null: that server is dead. */
function scripted(says: (server: string, name: string) => string | null): Authority {
  const witness = (server: string, name: string): Witness => {
    const text = says(server, name)
    const said: Said =
      text === null
        ? { kind: 'fault', fault: 'timeout' }
        : {
            kind: 'answer',
            alias: null,
            answer: { status: text ? 'found' : 'nodata', records: text ? [text] : [], ttl },
          }
    return { server, address: '192.0.2.1', name, said }
  }
  const ask = async (name: string): Promise<Testimony> => {
    const witnesses = ['ns1.example', 'ns2.example'].map(server => witness(server, name))
    return { witnesses, fault: witnesses.every(({ said }) => said.kind === 'fault') ? 'none-answers' : null }
  }
  return { ask, close() {} }
}

const minute = 60_000

describe('a sender domain whose name servers are asked', () => {
  it('is judged once by each different answer, however many of them say it', async () => {
    const spoken = (server: string, name: string) =>
      server === 'ns1.example' ? 'v=spf1 -all' : `v=spf1 a:${name} -all`
    const same = scripted(() => 'v=spf1 -all')
    for (const [authority, expected] of [
      [same, 2],
      [scripted(spoken), 3],
    ] as const) {
      let judged = 0
      const kind = {
        ...spf,
        judge: (...given: Parameters<typeof spf.judge>) => {
          judged++
          return spf.judge(...given)
        },
      }
      await using world = await openWorld({ 'ours.example': { TXT: ['v=spf1 -all'] } })
      await world.domains.register({ name: 'ours.example', account: 'a1' })
      const domain = (await world.store.domain('ours.example'))!
      const [record] = spf.expected(domain, world.config)
      using now = lookingNow({ ...world.parts, authority }, world.clock.now())
      await lookEverywhere({ ...now, domain, kind, record: record!, before: null, config: world.config })
      assert.equal(judged, expected, 'by the resolvers together, and by each answer')
    }
  })

  it('keeps the beginning of what each of them says, and publishes on the whole of it', async () => {
    const terms = Array.from({ length: 500 }, (_, at) => `ip4:10.0.${at >> 8}.${at & 255}`)
    const long = `v=spf1 ${terms.join(' ')} -all`
    const zone = { 'ours.example': { TXT: [long] } }
    const spoken = (_: string, name: string) => (name === 'ours.example' ? long : '')
    await using world = await openWorld(zone, { authority: scripted(spoken) })
    await world.domains.register({ name: 'ours.example', account: 'a1' })
    const { checks } = (await world.store.domain('ours.example'))!
    const spf = checks.find(({ purpose }) => purpose === 'spf')!
    assert.deepEqual(spf.found, [long])
    const said = [...spf.servers!, ...spf.resolvers!]
    assert.equal(said.length, 3)
    for (const { found } of said) assert.deepEqual(found, [`${long.slice(0, 1000)}…`])
  })

  it('signs with a new key only when all of them show it, and never without the old one before that', async () => {
    let published: (server: string, name: string) => string | null = () => ''
    await using world = await openWorld({}, { authority: scripted((server, name) => published(server, name)) })
    const { domains, resolver, clock } = world
    let view = await domains.register({ name: 'ours.example', account: 'a1' })
    const all = new Map<string, string>()
    const publish = () => {
      for (const { name, value } of view.records) all.set(name, value)
      world.publish(view)
    }
    published = (_, name) => all.get(name) ?? ''
    publish()
    view = await domains.verify('ours.example')
    assert.deepEqual([view.spf, view.dkim, view.keys[0]!.state], ['published', 'published', 'active'])

    view = await domains.issueKey('ours.example', { selector: 'next' })
    published = (server, name) => (server === 'ns2.example' && name.startsWith('next.') ? '' : (all.get(name) ?? ''))
    publish()
    await clock.advance(5 * minute)
    view = await domains.verify('ours.example')
    assert.deepEqual(
      view.keys.map(({ state }) => state),
      ['active', 'pending'],
    )
    const waiting = view.records.find(({ name }) => name.startsWith('next.'))!
    assert.equal(waiting.reason, 'not-everywhere')
    assert.equal(waiting.visibleAt, clock.now() + ttl * 1000)
    // The resolver, asked alone, would have let it sign.
    assert.equal((await resolver.txt('next._domainkey.ours.example')).status, 'found')

    published = (_, name) => all.get(name) ?? ''
    view = await domains.verify('ours.example')
    assert.deepEqual(
      view.keys.map(({ state }) => state),
      ['retiring', 'active'],
    )
  })

  it('is looked at again when caches have forgotten what was there before', async () => {
    const at = (_: string, name: string) => (name === 'ours.example' ? spfValue : '')
    await using world = await openWorld(
      { 'ours.example': { TXT: ['v=spf1 -all'], ttl: 120 } },
      { authority: scripted(at) },
    )
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const spf = view.records.find(({ purpose }) => purpose === 'spf')!
    const now = world.clock.now()
    assert.deepEqual([spf.state, spf.reason, spf.visibleAt], ['not-published', 'not-yet-visible', now + 120_000])
    // What is there already is what is to be published: nothing must be changed while it spreads.
    assert.equal(spf.value, spfValue)
    assert.equal((await world.store.domain('ours.example'))!.nextCheckAt, now + 120_000)
    assert.match(
      spf.message.ja,
      /^未設定: SPF レコードはすべてのネームサーバーに登録されました.*2026-01-15 12:02 \(Asia\/Tokyo\)/,
    )
    assert.match(spf.message.en, /by 2026-01-15 12:02 \(Asia\/Tokyo\) at the latest/)
    await world.clock.advance(120_000)
    world.resolver.set('ours.example', { TXT: [spfValue] })
    assert.equal((await world.domains.verify('ours.example')).spf, 'published')
  })

  it('keeps its DMARC policy where one server does not have it yet', async () => {
    const own = 'v=DMARC1; p=reject'
    const says = (server: string, name: string) => (name.startsWith('_dmarc.') && server === 'ns1.example' ? own : '')
    await using world = await openWorld({}, { authority: scripted(says) })
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const dmarc = view.records.find(({ purpose }) => purpose === 'dmarc')!
    assert.deepEqual([dmarc.reason, dmarc.value], ['not-everywhere', own])
  })

  it('is judged by its resolvers when they are dead, and says so', async () => {
    await using world = await openWorld({ 'ours.example': { TXT: [spfValue] } }, { authority: scripted(() => null) })
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const spf = view.records.find(({ purpose }) => purpose === 'spf')!
    assert.equal(spf.state, 'published')
    assert.deepEqual(
      spf.servers.map(({ server, state, reason, message }) => [server, state, reason, message.en]),
      ['ns1.example', 'ns2.example'].map(server => [server, 'dns-error', 'timeout', 'It did not answer in time.']),
    )
    assert.match(spf.asked!.en, /^Only the answers of the resolvers counted/)
  })

  it('is checked in bounded time, whatever they do', async () => {
    const asked = Promise.withResolvers<void>()
    const ask: Authority['ask'] = (_name, _type, _fresh, signal) => {
      asked.resolve()
      return new Promise(resolve =>
        signal.addEventListener('abort', () => resolve({ witnesses: [], fault: 'none-answers' }), { once: true }),
      )
    }
    await using world = await openWorld({ 'ours.example': { TXT: [spfValue] } }, { authority: { ask, close() {} } })
    const registering = world.domains.register({ name: 'ours.example', account: 'a1' })
    await asked.promise
    await world.clock.advance(10_000)
    assert.equal((await registering).spf, 'published')
  })
})
