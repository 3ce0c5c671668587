import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Resolver } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { DomainInvalid, type DomainView } from '../../src/domains/service.ts'
import { newDkimKey } from '../../src/signing/key-factory.ts'
import { Conflict, NotFound } from '../../src/store/store.ts'
import { openWorld, spfValue } from './world.ts'

const day = 86_400_000
type Signal = PromiseWithResolvers<void>
type Signals = [Signal, Signal, Signal]
const ours = { name: 'ours.example', account: 'a1' }
const states = (view: DomainView) => view.records.map(record => `${record.purpose}:${record.state}:${record.reason}`)
const keys = (view: DomainView) => view.keys.map(key => `${key.selector}:${key.state}`)

describe('registering a sender domain', () => {
  it('issues its records under the selector of the day and looks what is there', async () => {
    await using world = await openWorld({ 'ours.example': { TXT: ['v=spf1 mx ~all'] } })
    const view = await world.domains.register(ours)
    assert.deepEqual(
      view.records.map(({ purpose, type, name }) => [purpose, type, name]),
      [
        ['spf', 'TXT', 'ours.example'],
        ['dkim', 'TXT', '20260115._domainkey.ours.example'],
        ['dmarc', 'TXT', '_dmarc.ours.example'],
      ],
    )
    assert.deepEqual(states(view), [
      'spf:not-published:mechanism-missing',
      'dkim:not-published:absent',
      'dmarc:not-published:absent',
    ])
    assert.equal(view.records[0]!.value, 'v=spf1 mx ip4:210.198.21.20 include:m01-ahd-sys.net ~all')
    assert.match(view.records[1]!.value, /^v=DKIM1; k=rsa; p=MI/)
    assert.equal(
      view.records[0]!.message.ja,
      '未設定: SPF レコードに ip4:210.198.21.20 include:m01-ahd-sys.net が含まれていません。',
    )
    assert.deepEqual(keys(view), ['20260115:pending'])
    assert.deepEqual(
      { ...view, records: [], keys: [] },
      {
        ...{ name: 'ours.example', account: 'a1', createdAt: world.clock.now(), archivedAt: null, limits: {} },
        ...{ spf: 'not-published', dkim: 'not-published', keyFailure: null, records: [], keys: [] },
        ...{ mode: 'sender-only', modeReason: 'neither spf nor dkim is published' },
        ...{ dkimForm: 'txt', returnPath: false, tracking: false },
        ...{ zone: null, pool: null, nameServers: [], provider: null },
      },
    )
  })

  it('takes names in any spelling', async () => {
    await using world = await openWorld()
    assert.equal((await world.domains.register({ ...ours, name: ' OURS.Example. ' })).name, 'ours.example')
    assert.equal((await world.domains.register({ ...ours, name: '例え.jp' })).name, 'xn--r8jz45g.jp')
    assert.equal((await world.domains.view('OURS.example')).name, 'ours.example')
    assert.equal((await world.domains.view('例え.jp')).name, 'xn--r8jz45g.jp')
  })

  it('refuses what is no domain, or nobody can own', async () => {
    await using world = await openWorld()
    for (const name of [
      '',
      'jp',
      'a b.jp',
      'co.jp',
      'com',
      'tokyo.jp',
      'github.io',
      '192.0.2.1',
      'user@ours.example',
      '-x.example',
    ])
      await assert.rejects(world.domains.register({ ...ours, name }), DomainInvalid, name)
    await assert.rejects(world.domains.register({ ...ours, name: 'co.jp' }), /co\.jp is a public suffix/)
    await assert.rejects(world.domains.register({ ...ours, selector: 'a.b' }), DomainInvalid)
  })

  it('refuses one that is registered, naming the holder', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    const refusal = await world.domains.register({ ...ours, account: 'a2' }).catch((error: unknown) => error)
    assert.ok(refusal instanceof Conflict)
    assert.equal(refusal.holder, 'a1')
    assert.match(refusal.message, /a1/)
  })

  it('takes a selector and a key length on request, and marks a short key', async () => {
    await using world = await openWorld()
    const view = await world.domains.register({ ...ours, selector: 'kitte', bits: 1024 })
    const record = 'kitte._domainkey.ours.example'
    assert.deepEqual(view.keys, [
      {
        ...{ selector: 'kitte', algorithm: 'rsa', form: 'txt', bits: 1024, state: 'pending', weak: true },
        ...{ stateSince: world.clock.now(), record, keepUntil: null, canBeDeleted: false },
        advice: {
          ja: `${record} のレコードが確認され次第、この鍵で署名を始めます。`,
          en: `Begins to sign when the record at ${record} is seen.`,
        },
      },
    ])
    const strong = await world.domains.register({ name: 'strong.example', account: 'a1', bits: 2048 })
    assert.equal(strong.keys[0]!.weak, false)
  })

  it('leaves the domain standing when no key can be made, until one is issued', async () => {
    let broken = true
    const { newDkimKey } = await import('../../src/signing/key-factory.ts')
    await using world = await openWorld(
      {},
      {
        makeKey: spec => (broken ? Promise.reject(new Error('no entropy')) : newDkimKey(spec)),
      },
    )
    const view = await world.domains.register(ours)
    assert.equal(view.keyFailure, 'no DKIM key could be made: no entropy')
    assert.deepEqual(states(view), ['spf:not-published:no-domain', 'dmarc:not-published:absent'])
    assert.equal(view.dkim, 'not-published')
    broken = false
    const issued = await world.domains.issueKey('ours.example', {})
    assert.equal(issued.keyFailure, null)
    assert.deepEqual(keys(issued), ['20260115:pending'])
  })

  it('says dns-error while nobody can say', async () => {
    await using world = await openWorld()
    world.resolver.fail('ours.example')
    world.resolver.fail('20260115._domainkey.ours.example')
    const view = await world.domains.register(ours)
    assert.deepEqual([view.spf, view.dkim], ['dns-error', 'dns-error'])
    assert.match(view.records[0]!.message.en, /SERVFAIL/)
  })
})

describe('a sender domain', () => {
  it('sends in its own name once its records are seen', async () => {
    await using world = await openWorld()
    const view = await world.domains.register(ours)
    world.resolver.set('ours.example', { TXT: [spfValue] })
    const half = await world.domains.verify('ours.example')
    assert.deepEqual([half.spf, half.dkim, half.mode], ['published', 'not-published', 'spf'])
    world.publish(view)
    const whole = await world.domains.verify('ours.example')
    assert.deepEqual([whole.spf, whole.dkim, whole.mode], ['published', 'published', 'spf-dkim'])
    assert.deepEqual(keys(whole), ['20260115:active'])
    const types = await world.eventTypes('ours.example')
    assert.deepEqual(types.slice(0, 2), ['domain.registered', 'domain.key_issued'])
    assert.equal(types.filter(type => type === 'domain.published').length, 1)
    assert.ok(types.includes('domain.key_state'))
  })

  it('signs but travels as sender-only with its key alone', async () => {
    await using world = await openWorld()
    const view = await world.domains.register(ours)
    const { name, value } = view.records[1]!
    world.resolver.set(name, { TXT: [value] })
    const after = await world.domains.verify('ours.example')
    assert.deepEqual([after.dkim, after.mode], ['published', 'sender-only'])
    assert.match(after.modeReason, /signed by ours\.example/)
  })

  it('is told of a lost record, and still counts for a day', async () => {
    await using world = await openWorld()
    world.publish(await world.domains.register(ours))
    await world.domains.verify('ours.example')
    world.resolver.remove('ours.example')
    await world.clock.advance(2 * day)
    const lost = await world.domains.verify('ours.example')
    assert.deepEqual([lost.spf, lost.mode], ['not-published', 'spf-dkim'])
    assert.match(lost.modeReason, /the spf record was lost/)
    assert.ok((await world.eventTypes('ours.example')).includes('domain.record_lost'))
    await world.clock.advance(day - 1)
    assert.equal((await world.domains.verify('ours.example')).mode, 'spf-dkim')
    await world.clock.advance(1)
    assert.equal((await world.domains.view('ours.example')).mode, 'sender-only')
    const [event] = await world.store.events({ domain: 'ours.example', type: 'domain.record_lost' }, 10)
    assert.deepEqual(event?.data, {
      ...{ purpose: 'spf', name: 'ours.example', reason: 'absent', detail: {} },
      countsUntil: world.clock.now(),
    })
  })

  it('is told of a record that was lost behind DNS trouble too', async () => {
    await using world = await openWorld()
    world.publish(await world.domains.register(ours))
    await world.domains.verify('ours.example')
    world.resolver.fail('ours.example')
    const unknown = await world.domains.verify('ours.example')
    assert.deepEqual([unknown.spf, unknown.mode], ['dns-error', 'spf-dkim'])
    assert.deepEqual(unknown.records[0]!.found, [spfValue])
    assert.equal((await world.eventTypes('ours.example')).includes('domain.record_lost'), false)
    world.resolver.remove('ours.example')
    await world.domains.verify('ours.example')
    assert.ok((await world.eventTypes('ours.example')).includes('domain.record_lost'))
  })

  it('keeps the history of its checks', async () => {
    await using world = await openWorld()
    const view = await world.domains.register(ours)
    await world.clock.advance(1000)
    await world.domains.verify('ours.example')
    await world.clock.advance(1000)
    world.publish(view)
    await world.domains.verify('ours.example')
    const history = await world.store.checkHistory('ours.example', { limit: 100 })
    assert.equal(history.filter(check => check.purpose === 'spf').length, 2)
  })

  it('is verified once for all who ask at the same time', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    world.resolver.set('ours.example', { TXT: [spfValue] })
    await Promise.all([1, 2, 3].map(() => world.domains.verify('ours.example')))
    const changes = (await world.eventTypes('ours.example')).filter(type => type === 'domain.check_changed')
    assert.equal(changes.length, 4)
  })

  it('is looked at anew when it changes hands while it is verified', async () => {
    const [reached, goOn, asked] = [0, 1, 2].map(() => Promise.withResolvers<void>()) as Signals
    const zone = zoneResolver({ 'm01-ahd-sys.net': { TXT: ['v=spf1 -all'] } })
    let isHeld = false
    const resolver: Resolver = {
      ...zone,
      async txt(name) {
        if (name.startsWith('_kitte-challenge.')) asked.resolve()
        if (isHeld && name === 'ours.example') {
          reached.resolve()
          await goOn.promise
        }
        return zone.txt(name)
      },
    }
    const key = newDkimKey({ algorithm: 'rsa', bits: 1024 })
    await using world = await openWorld({}, { resolver, makeKey: () => key })
    const { domains, store } = world
    const { records } = await domains.register(ours)
    for (const { name, value } of records) zone.set(name, { TXT: [value] })
    const { record } = await domains.claim('ours.example', 'a2')
    zone.set(record.name, { TXT: [record.value] })
    isHeld = true
    const verifying = domains.verify('ours.example').catch(() => {})
    await reached.promise
    isHeld = false
    const proving = domains.proveClaim('ours.example', 'a2')
    await asked.promise
    // Enough for the move, if it did not wait.
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    goOn.resolve()
    await verifying
    const { proof, domain } = await proving
    assert.deepEqual([proof.state, domain.account], ['moved', 'a2'])
    assert.deepEqual(domain.keys.map(({ state }) => state).toSorted(), ['pending', 'retired'])
    assert.equal(domain.dkim, 'not-published')
    const told = await store.events({ account: 'a1', domain: 'ours.example' }, 100)
    assert.equal(told.at(-1)!.type, 'domain.claimed', 'the former holder hears nothing more')
  })

  it('is listed by account', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    await world.domains.register({ name: 'theirs.example', account: 'a2' })
    const names = async (filter: object) => (await world.domains.list(filter, { limit: 10 })).map(view => view.name)
    assert.deepEqual(await names({}), ['ours.example', 'theirs.example'])
    assert.deepEqual(await names({ account: 'a2' }), ['theirs.example'])
  })

  it('has limits of its own', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    assert.deepEqual((await world.domains.setLimits('ours.example', { perMinute: 60 })).limits, { perMinute: 60 })
    assert.deepEqual((await world.domains.view('ours.example')).limits, { perMinute: 60 })
  })

  it('that is not there is not found by any call', async () => {
    await using world = await openWorld()
    const { domains } = world
    for (const call of [domains.view, domains.verify, domains.remove, domains.restore])
      await assert.rejects(call('gone.example'), NotFound)
    await assert.rejects(domains.issueKey('gone.example', {}), NotFound)
    await assert.rejects(domains.setLimits('gone.example', {}), NotFound)
    await assert.rejects(domains.view('no domain at all'), NotFound)
  })
})

describe('deleting a sender domain', () => {
  it('takes it away, and restoring brings it back with its keys', async () => {
    await using world = await openWorld()
    world.publish(await world.domains.register(ours))
    await world.domains.verify('ours.example')
    await world.domains.remove('ours.example')
    await assert.rejects(world.domains.view('ours.example'), NotFound)
    assert.equal((await world.domains.list({ archived: true }, { limit: 10 }))[0]!.name, 'ours.example')
    const restored = await world.domains.restore('ours.example')
    assert.deepEqual([restored.mode, keys(restored)], ['spf-dkim', ['20260115:active']])
    await assert.rejects(world.domains.restore('ours.example'), Conflict)
  })

  it('gives a new registration another selector, also for another account', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    await world.domains.remove('ours.example')
    const again = await world.domains.register({ ...ours, account: 'a2' })
    assert.deepEqual([again.account, keys(again)], ['a2', ['20260115-2:pending']])
  })

  it('is final after the time it is kept', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    await world.domains.remove('ours.example')
    await world.clock.advance(30 * day)
    assert.equal(await world.domains.purgeArchived(), 0)
    await world.clock.advance(1)
    assert.equal(await world.domains.purgeArchived(), 1)
    await assert.rejects(world.domains.restore('ours.example'), NotFound)
  })
})

describe('rotating a key', () => {
  it('waits for the new record, signs with it, and retires the old key after the queue life', async () => {
    await using world = await openWorld()
    world.publish(await world.domains.register(ours))
    await world.domains.verify('ours.example')
    await world.clock.advance(10 * day)
    const issued = await world.domains.issueKey('ours.example', {})
    assert.deepEqual(keys(issued), ['20260115:active', '20260125:pending'])
    assert.deepEqual([issued.dkim, issued.mode], ['published', 'spf-dkim'])
    world.publish(issued)
    const rotated = await world.domains.verify('ours.example')
    assert.deepEqual(keys(rotated), ['20260115:retiring', '20260125:active'])
    assert.deepEqual([rotated.dkim, rotated.mode], ['published', 'spf-dkim'])
    await world.clock.advance(4 * day - 1)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['20260115:retiring', '20260125:active'])
    await world.clock.advance(1)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['20260115:retired', '20260125:active'])
  })

  it('gives up a key that still waits for its record', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    const issued = await world.domains.issueKey('ours.example', {})
    assert.deepEqual(keys(issued), ['20260115:retired', '20260115-2:pending'])
    assert.equal(issued.records[1]!.name, '20260115-2._domainkey.ours.example')
  })

  it('takes an Ed25519 key beside the RSA key', async () => {
    await using world = await openWorld()
    world.publish(await world.domains.register(ours))
    await world.domains.verify('ours.example')
    const issued = await world.domains.issueKey('ours.example', { algorithm: 'ed25519', selector: 'ed' })
    const { selector, algorithm, bits, state, weak } = issued.keys[1]!
    assert.deepEqual(
      { selector, algorithm, bits, state, weak },
      {
        ...{ selector: 'ed', algorithm: 'ed25519', bits: 256, state: 'pending', weak: false },
      },
    )
    world.publish(issued)
    assert.deepEqual(keys(await world.domains.verify('ours.example')), ['20260115:active', 'ed:active'])
  })

  it('refuses a selector that was used before', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    await assert.rejects(world.domains.issueKey('ours.example', { selector: '20260115' }), DomainInvalid)
  })

  it('seals the private key', async () => {
    await using world = await openWorld()
    await world.domains.register(ours)
    const { keys: stored } = (await world.store.domain('ours.example'))!
    assert.doesNotMatch(JSON.stringify(stored), /PRIVATE KEY/)
  })
})
