/**
 * Keys behind CNAMEs over a real store: their selectors, the zone they are published in, when they take over.
 */
import assert from 'node:assert/strict'
import type { Authority, Witness } from '../../src/dns/authority.ts'
import { type DkimZone, masterFile } from '../../src/domains/dkim-zone.ts'
import { DomainInvalid, type DomainView } from '../../src/domains/service.ts'
import { openWorld } from './world.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const ours = { name: 'ours.example', account: 'a1', dkimForm: 'cname' } as const
const keys = (view: DomainView) => view.keys.map(key => `${key.selector}:${key.state}`)

async function openWith(change: object = {}) {
  const world = await openWorld()
  const { domains } = world.config
  const signing = { ...world.config.signing, rotateAfter: 30 * day }
  Object.assign(world.config, { signing, domains: { ...domains, ...change } })
  return {
    ...world,
    /** The customer, once. */
    async publishAliases(view: DomainView) {
      for (const { type, name, value } of view.records)
        world.resolver.set(name, type === 'CNAME' ? { CNAME: value } : { TXT: [value] })
    },
    /** The operator. */
    async publishZone(): Promise<DkimZone> {
      const zone = await world.domains.dkimZone()
      for (const { name, value } of zone.records) world.resolver.set(name, { TXT: [value] })
      return zone
    },
    nextCheckIn: async () => (await world.store.domain('ours.example'))!.nextCheckAt - world.clock.now(),
  }
}

async function openSigning() {
  const world = await openWith()
  await world.publishAliases(await world.domains.register(ours))
  await world.publishZone()
  await world.domains.verify('ours.example')
  return world
}

describe('a key behind a CNAME', () => {
  it('is issued under a fixed selector at registration, and signs once it is seen through the alias', async () => {
    await using world = await openWith()
    const made = await world.domains.register(ours)
    assert.deepEqual([made.dkimForm, keys(made)], ['cname', ['kitte1:pending']])
    assert.equal(made.keys[0]!.form, 'cname')
    await world.publishAliases(made)
    const waiting = await world.domains.verify('ours.example')
    assert.deepEqual([keys(waiting), waiting.records[1]!.reason], [['kitte1:pending'], 'target-absent'])
    await world.publishZone()
    const signing = await world.domains.verify('ours.example')
    assert.deepEqual([keys(signing), signing.dkim, signing.mode], [['kitte1:active'], 'published', 'spf-dkim'])
  })

  it('takes over an hour after it was first seen, at a check planned for then; the one before retires on time', async () => {
    await using world = await openSigning()
    await world.domains.issueKey('ours.example', {})
    await world.publishZone()
    const seen = await world.domains.verify('ours.example')
    assert.deepEqual([keys(seen), seen.records[2]!.reason], [['kitte1:active', 'kitte2:pending'], 'ok'])
    assert.equal(await world.nextCheckIn(), hour)
    await world.clock.advance(hour - 1)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:active', 'kitte2:pending'])
    await world.clock.advance(1)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:retiring', 'kitte2:active'])
    const { keepUntil, canBeDeleted, advice } = (await world.domains.view('ours.example')).keys[0]!
    assert.deepEqual([keepUntil, canBeDeleted], [world.clock.now() + 4 * day, false])
    assert.match(advice.en, /^Does not sign any more\. Keep the CNAME at kitte1\._domainkey\.ours\.example/)
    await world.clock.advance(3.5 * day)
    await world.domains.verify('ours.example')
    assert.equal(await world.nextCheckIn(), day / 2)
    await world.clock.advance(day / 2)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:retired', 'kitte2:active'])
  })

  it('waits again when what is seen through the alias changes', async () => {
    await using world = await openSigning()
    await world.domains.issueKey('ours.example', {})
    const [, fresh] = (await world.publishZone()).records.toSorted((a, b) => (a.selector < b.selector ? -1 : 1))
    await world.domains.verify('ours.example')
    await world.clock.advance(hour / 2)
    world.resolver.remove(fresh!.name)
    await world.domains.verify('ours.example')
    world.resolver.set(fresh!.name, { TXT: [fresh!.value] })
    await world.domains.verify('ours.example')
    await world.clock.advance(hour / 2)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:active', 'kitte2:pending'])
    await world.clock.advance(hour / 2)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:retiring', 'kitte2:active'])
  })

  it('is issued by itself when the one before has signed for long enough, and not earlier', async () => {
    await using world = await openSigning()
    await world.clock.advance(30 * day - 1)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:active'])
    assert.equal(await world.nextCheckIn(), 1)
    await world.clock.advance(1)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:active', 'kitte2:pending'])
    await world.clock.advance(30 * day)
    assert.deepEqual(
      keys(await world.domains.verify('ours.example')),
      ['kitte1:active', 'kitte2:pending'],
      'one at a time',
    )
  })

  it('of the next turn takes the place of one that waits or is retired, but not of one in use', async () => {
    await using world = await openSigning()
    await world.domains.issueKey('ours.example', {})
    const before = (await world.store.domain('ours.example'))!.keys[1]!
    const again = await world.domains.issueKey('ours.example', { bits: 1024 })
    assert.deepEqual(keys(again), ['kitte1:active', 'kitte2:pending'])
    assert.notEqual((await world.store.domain('ours.example'))!.keys[1]!.publicKey, before.publicKey)
    await world.publishZone()
    await world.domains.verify('ours.example')
    await world.clock.advance(hour)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:retiring', 'kitte2:active'])
    await assert.rejects(world.domains.issueKey('ours.example', {}), /kitte1 and kitte2 are both in use/)
    await world.clock.advance(4 * day)
    await world.domains.verify('ours.example')
    assert.deepEqual(keys(await world.domains.issueKey('ours.example', {})), ['kitte1:pending', 'kitte2:active'])
  })

  it('does not sign for what a check saw of the one before under its selector', async () => {
    await using world = await openSigning()
    await world.domains.issueKey('ours.example', {})
    await world.publishZone()
    await world.domains.verify('ours.example')
    await world.clock.advance(hour)
    const newest = async () => (await world.store.domain('ours.example'))!.keys[1]!
    const before = await newest()
    const gate = Promise.withResolvers<void>()
    const { txt } = world.resolver
    Object.assign(world.resolver, { txt: (name: string) => gate.promise.then(() => txt(name)) })
    const checking = world.domains.verify('ours.example')
    const issuing = world.domains.issueKey('ours.example', {}).catch((error: unknown) => error)
    // Long enough for a key that would not wait for the check.
    for (let turn = 0; turn < 2000 && (await newest()).publicKey === before.publicKey; turn++)
      await new Promise(resolve => setImmediate(resolve))
    gate.resolve()
    await checking
    assert.match(String(await issuing), /both in use/)
    const { publicKey, state } = await newest()
    assert.deepEqual([publicKey, state], [before.publicKey, 'active'])
  })

  it('can be an Ed25519 key too, in a pair of its own', async () => {
    await using world = await openSigning()
    const issued = await world.domains.issueKey('ours.example', { algorithm: 'ed25519' })
    assert.deepEqual(keys(issued), ['kitte1:active', 'kitte1-ed25519:pending'])
    assert.deepEqual(
      issued.records.filter(({ purpose }) => purpose === 'dkim').map(({ name }) => name.split('.')[0]),
      ['kitte1', 'kitte2', 'kitte1-ed25519', 'kitte2-ed25519'],
    )
    await world.publishAliases(issued)
    await world.publishZone()
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['kitte1:active', 'kitte1-ed25519:active'])
  })

  it('has a selector that nobody chooses', async () => {
    await using world = await openWith()
    await assert.rejects(world.domains.register({ ...ours, selector: 'mine' }), /are fixed \(kitte1, kitte2\)/)
    const txt = { name: 'txt.example', account: 'a1' }
    await assert.rejects(world.domains.register({ ...txt, selector: 'kitte1' }), /is kept for keys .* as CNAMEs/)
    await world.domains.register(ours)
    await assert.rejects(world.domains.issueKey('ours.example', { selector: 'mine' }), DomainInvalid)
  })

  it("of a domain registered anew is not under the deleted one's selector, nor behind another account's aliases", async () => {
    await using world = await openSigning()
    const before = await world.domains.view('ours.example')
    await world.domains.remove('ours.example')
    const same = await world.domains.register(ours)
    assert.deepEqual(keys(same), ['kitte2:pending'])
    const targets = ({ records }: DomainView) => records.flatMap(({ type, value }) => (type === 'CNAME' ? [value] : []))
    assert.deepEqual(targets(same), targets(before), 'the customer has nothing to change')
    await world.domains.remove('ours.example')
    const other = await world.domains.register({ ...ours, account: 'a2' })
    await world.publishZone()
    const { records } = await world.domains.verify('ours.example')
    assert.deepEqual(
      records.filter(({ purpose }) => purpose === 'dkim').map(({ reason }) => reason),
      ['cname-elsewhere', 'cname-elsewhere'],
    )
    assert.equal(
      targets(other).some(target => targets(before).includes(target)),
      false,
    )
  })
})

describe('a key behind a CNAME, asked for at the name servers', () => {
  it('is seen when those of the customer have the alias and those of the relay the key', async () => {
    const zone = new Map<string, string>()
    let lagging: string | null = null
    const atName = (server: string, name: string): Witness => {
      const target = server === lagging ? undefined : zone.get(name)
      const place = { server, address: '192.0.2.1', name }
      if (target && name.includes('_domainkey'))
        return { ...place, said: { kind: 'alias', alias: target, target, ttl: 300 } }
      const records = target ? [target] : []
      const answer = { status: target ? 'found' : 'nodata', records, ttl: 300 } as const
      return { ...place, said: { kind: 'answer', alias: null, answer } }
    }
    const authority: Authority = {
      async ask(name) {
        const own = ['ns1.ours.example', 'ns2.ours.example'].map(server => atName(server, name))
        const target = name.includes('_domainkey') ? zone.get(name) : undefined
        return { witnesses: [...own, ...(target ? [atName('ns.relay.example', target)] : [])], fault: null }
      },
      close() {},
    }
    await using world = await openWorld({}, { authority })
    const made = await world.domains.register(ours)
    const set = (name: string, value: string, entry: object) => {
      zone.set(name, value)
      world.resolver.set(name, entry)
    }
    for (const { type, name, value } of made.records)
      set(name, value, type === 'CNAME' ? { CNAME: value } : { TXT: [value] })
    const reasons = ({ records }: DomainView) =>
      records.filter(({ purpose }) => purpose === 'dkim').map(({ reason }) => reason)
    assert.deepEqual(reasons(await world.domains.verify('ours.example')), ['target-absent', 'ok'])
    for (const { name, value } of (await world.domains.dkimZone()).records) set(name, value, { TXT: [value] })
    lagging = 'ns2.ours.example'
    const half = await world.domains.verify('ours.example')
    assert.deepEqual([reasons(half), keys(half)], [['not-everywhere', 'not-everywhere'], ['kitte1:pending']])
    lagging = null
    const whole = await world.domains.verify('ours.example')
    assert.deepEqual([reasons(whole), keys(whole)], [['ok', 'ok'], ['kitte1:active']])
  })
})

describe('the options of a sender domain', () => {
  it('change the form of its keys, which signs only once it is seen, and take it back', async () => {
    await using world = await openWith()
    await world.publishAliases(await world.domains.register({ name: 'ours.example', account: 'a1' }))
    await world.domains.verify('ours.example')
    const moving = await world.domains.setOptions('ours.example', { dkimForm: 'cname' })
    assert.deepEqual([moving.dkimForm, keys(moving)], ['cname', ['20260115:active', 'kitte1:pending']])
    const back = await world.domains.setOptions('ours.example', { dkimForm: 'txt' })
    assert.deepEqual([back.dkimForm, keys(back)], ['txt', ['20260115:active', 'kitte1:retired']])
    const same = await world.domains.setOptions('ours.example', { dkimForm: 'txt' })
    assert.deepEqual(keys(same), keys(back))
  })

  it('ask for a bounce host and a tracking host, or no more', async () => {
    await using world = await openWith({ trackingTarget: 'track.relay.example' })
    const made = await world.domains.register({ name: 'ours.example', account: 'a1', returnPath: true })
    const purposes = ({ records }: DomainView) => records.map(({ purpose }) => purpose).slice(3)
    assert.deepEqual(purposes(made), ['return-path', 'return-path-spf'])
    const both = await world.domains.setOptions('ours.example', { tracking: true })
    assert.deepEqual(purposes(both), ['return-path', 'return-path-spf', 'tracking'])
    assert.deepEqual(purposes(await world.domains.setOptions('ours.example', { returnPath: false })), ['tracking'])
  })

  it('that wait for a record have it looked for as soon as one that matters', async () => {
    await using world = await openSigning()
    assert.equal(await world.nextCheckIn(), day)
    await world.domains.setOptions('ours.example', { returnPath: true })
    assert.equal(await world.nextCheckIn(), 5 * minute)
    assert.equal((await world.eventTypes('ours.example')).filter(type => type === 'domain.published').length, 1)
  })

  it('refuse a tracking host where the operator has none', async () => {
    await using world = await openWith()
    const refused = /sets domains\.trackingTarget/
    await assert.rejects(world.domains.register({ name: 'ours.example', account: 'a1', tracking: true }), refused)
    await world.domains.register({ name: 'ours.example', account: 'a1' })
    await assert.rejects(world.domains.setOptions('ours.example', { tracking: true }), refused)
    assert.equal((await world.domains.setOptions('ours.example', { tracking: false })).tracking, false)
  })
})

describe('the zone of the keys behind CNAMEs', () => {
  it('holds each key until no mail signed with it can be under way, whatever became of its domain', async () => {
    await using world = await openSigning()
    await world.domains.register({ ...ours, name: 'theirs.example', account: 'a2' })
    await world.domains.register({ name: 'txt.example', account: 'a1' })
    await world.domains.remove('theirs.example')
    const { origin, records } = await world.domains.dkimZone()
    assert.equal(origin, 'dkim.relay.example.jp')
    assert.deepEqual(records.map(({ domain, selector, state }) => [domain, selector, state]).sort(), [
      ['ours.example', 'kitte1', 'active'],
      ['theirs.example', 'kitte1', 'pending'],
    ])
    await world.domains.issueKey('ours.example', {})
    await world.publishZone()
    await world.domains.verify('ours.example')
    await world.clock.advance(hour)
    await world.domains.verify('ours.example')
    const states = async () => (await world.domains.dkimZone()).records.map(({ state }) => state).sort()
    assert.deepEqual(await states(), ['active', 'pending', 'retiring'])
    await world.clock.advance(4 * day)
    await world.domains.verify('ours.example')
    assert.deepEqual(await states(), ['active', 'pending'])
    await world.clock.advance(30 * day)
    await world.domains.purgeArchived()
    assert.deepEqual(await states(), ['active'])
  })

  it('is written as lines to include in a zone file, with strings of at most 255 octets', () => {
    const value = `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`
    const record = { type: 'TXT', value, domain: 'ours.example', selector: 'kitte1', state: 'active' } as const
    const text = masterFile({
      ...{ origin: 'dkim.relay.example', ttl: 300 },
      records: [{ ...record, name: 'abc.dkim.relay.example' }],
    })
    const [origin, ttl, line, rest] = text.split('\n')
    assert.deepEqual([origin, ttl, rest], ['$ORIGIN dkim.relay.example.', '$TTL 300', ''])
    const [, label, strings, comment] = /^(\S+) IN TXT (.*) ; (\S+)$/.exec(line!)!
    assert.deepEqual([label, comment], ['abc', 'kitte1._domainkey.ours.example'])
    const parts = [...strings!.matchAll(/"([^"]*)"/g)].map(([, part]) => part!)
    assert.deepEqual([parts.map(part => part.length), parts.join('')], [[255, value.length - 255], value])
  })
})
