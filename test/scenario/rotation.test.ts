/**
 * Rotating DKIM keys while mail flows: every arrival is verified against the zone as it then is, through a receiver's cache.
 *
 * The whole relay on loopback; zone and clock are ours. The receiver remembers answers as long as their TTL allows, so a key
 * that signs before the world can see it, or goes while mail signed with it may come, would show.
 */
import assert from 'node:assert/strict'
import { cachedResolver } from '../../src/dns/cached-resolver.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import { verifyArrival } from '../../src/sandbox/verify-arrival.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { type Json, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const hour = 3_600_000
const day = 24 * hour
const queueLife = 4 * hour
/** The rechecker's round, and how late what time alone brings may be. */
const round = 15_000
const onTime = 2 * round
const ours = 'ours.example'

describe('rotating a key while mail flows', () => {
  let clock: ManualClock
  let sink: Sink
  let relay: TestRelay
  let receiver: Resolver
  /** Selector of each arrival, in order. */
  let selectors: string[]

  beforeEach(async () => {
    clock = manualClock()
    sink = await startSink()
    selectors = []
    relay = await startRelay({
      zone: sink.zone('sink.example', ours),
      mxPort: sink.port,
      clock,
      settings: {
        KITTE_QUEUE_EXPIRE_AFTER: `${queueLife}ms`,
        KITTE_QUEUE_DELAY_NOTICE_AFTER: '3h',
        KITTE_QUEUE_RETRY_JITTER: '0',
        KITTE_SIGNING_ROTATE_AFTER: '2d',
      },
    })
    receiver = cachedResolver(relay.zone, { entries: 1000, maxAgeMs: hour, clock })
  })

  afterEach(async () => {
    await relay?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  it('changes the key without an unsigned mail, though the first new record is wrong, and releases the old in time', async () => {
    await register({})
    await publish(['TXT'])
    await flow(hour)
    assert.deepEqual(seen(), ['20260115'])
    await flow(day)
    const issued = await call('POST', '/dkim', 201)
    assert.deepEqual(statesOf(issued), { '20260115': 'active', '20260116': 'pending' })
    const [, fresh] = dkimRecords(issued)

    relay.zone.set(fresh.name, { TXT: [fresh.value.slice(0, 255)] })
    await flow(3 * hour)
    const broken = await call('GET')
    assert.deepEqual(statesOf(broken), { '20260115': 'active', '20260116': 'pending' })
    assert.equal(dkimRecords(broken)[1].reason, 'truncated')
    assert.deepEqual([broken.dkim, broken.mode], ['published', 'spf-dkim'])
    assert.deepEqual(seen(), ['20260115'], 'a bad new record interrupts nothing')

    const waiting = await deferred()
    relay.zone.set(fresh.name, { TXT: [fresh.value] })
    await flow(day / 2)
    assert.deepEqual(seen(), ['20260115', '20260116'])
    assert.equal(relay.actions()[waiting], 'delivered', 'signed anew for its second attempt')
    await releasedAfter('20260115', '20260116')
    assert.deepEqual(statesOf(await call('GET')), { '20260115': 'retired', '20260116': 'active' })

    relay.zone.remove(`20260115._domainkey.${ours}`)
    await flow(day)
    assert.deepEqual(seen(), ['20260115', '20260116'])
  })

  it('changes keys behind CNAMEs by itself, time and again, without a change of the customer', async () => {
    const made = await register({ dkimForm: 'cname' })
    assert.deepEqual(
      dkimRecords(made).map(({ type, name }) => [type, name]),
      ['kitte1', 'kitte2'].map(selector => ['CNAME', `${selector}._domainkey.${ours}`]),
    )
    await publish(['TXT', 'CNAME'])
    await operate()
    await call('POST', '/verify')
    await flow(7 * day, operate)
    assert.deepEqual(seen(), ['kitte1', 'kitte2', 'kitte1', 'kitte2'])
    const changes = await events('domain.key_state')
    const signing = changes.filter(({ data }) => data.to === 'active')
    const signedFor = signing.slice(1).map(({ at }, i) => Date.parse(at) - Date.parse(signing[i]!.at))
    for (const ms of signedFor) assert.ok(ms >= 2 * day && ms <= 2 * day + 3 * hour, `${ms / hour} hours`)
    for (const { at, data } of changes.filter(({ data }) => data.to === 'retired')) {
      const began = changes.find(
        ({ at: then, data: { selector, to } }) =>
          selector === data.selector && to === 'retiring' && Date.parse(at) - Date.parse(then) <= 2 * queueLife,
      )
      const late = Date.parse(at) - Date.parse(began!.at) - queueLife
      assert.ok(late >= 0 && late <= onTime, `released ${late} ms after the queue life`)
      assert.deepEqual([data.canBeDeleted, data.record], [false, `${data.selector}._domainkey.${ours}`])
      assert.match(data.advice.ja, /CNAME は次の鍵で使うため、残してください/)
    }
    const { keys, dkim, mode } = await call('GET')
    assert.deepEqual([keys.length, dkim, mode], [2, 'published', 'spf-dkim'])
  })

  it('goes on with the old key while the zone of the relay is not brought up to date, or a CNAME is gone', async () => {
    await register({ dkimForm: 'cname' })
    const aliases = await publish(['TXT', 'CNAME'])
    await operate()
    await call('POST', '/verify')
    await flow(3 * day)
    const stuck = await call('GET')
    assert.deepEqual(statesOf(stuck), { kitte1: 'active', kitte2: 'pending' })
    assert.deepEqual(
      dkimRecords(stuck).map(({ reason }) => reason),
      ['ok', 'target-absent'],
    )
    assert.match(dkimRecords(stuck)[1].fix.en, /operator of the relay/)
    assert.deepEqual([stuck.mode, seen()], ['spf-dkim', ['kitte1']])

    const second = aliases.find(({ name }) => name.startsWith('kitte2'))!
    relay.zone.set(second.name, { CNAME: 'keys.elsewhere.example' })
    await flow(day, operate)
    assert.equal(dkimRecords(await call('GET'))[1].reason, 'cname-elsewhere')
    assert.deepEqual(seen(), ['kitte1'])

    relay.zone.set(second.name, { CNAME: second.value, ttl: 3000 })
    await flow(day, operate)
    assert.deepEqual(seen(), ['kitte1', 'kitte2'])
  })

  it('moves from TXT to CNAMEs and back', async () => {
    await register({})
    await publish(['TXT'])
    await flow(hour)
    const moving = await call('PATCH', '', 200, { dkimForm: 'cname' })
    assert.deepEqual(statesOf(moving), { '20260115': 'active', kitte1: 'pending' })
    await flow(hour, operate)
    assert.deepEqual(seen(), ['20260115'])
    await publish(['CNAME'])
    await flow(day, operate)
    assert.deepEqual(seen(), ['20260115', 'kitte1'])
    assert.deepEqual(statesOf(await call('GET')), { '20260115': 'retired', kitte1: 'active' })

    const back = await call('PATCH', '', 200, { dkimForm: 'txt' })
    assert.deepEqual(statesOf(back), { '20260115': 'retired', '20260116': 'pending', kitte1: 'active' })
    await publish(['TXT'])
    await flow(day, operate)
    assert.deepEqual(seen(), ['20260115', 'kitte1', '20260116'])
    assert.deepEqual((await relay.api('GET', '/v1/relay/dkim-zone')).body.records, [])
  })

  it('keeps keys through deletion and restoring, and their zone as long as they can be restored', async () => {
    await register({ dkimForm: 'cname' })
    await publish(['TXT', 'CNAME'])
    await operate()
    await call('POST', '/verify')
    await flow(hour, operate)
    assert.equal((await relay.api('DELETE', `/v1/domains/${ours}`)).status, 204)
    await clock.leap(29 * day)
    await operate()
    assert.equal((await relay.api('GET', '/v1/relay/dkim-zone')).body.records.length, 1)
    const restored = await call('POST', '/restore')
    assert.deepEqual([statesOf(restored).kitte1, restored.mode], ['active', 'spf-dkim'])
    await flow(hour, operate)
    assert.deepEqual(seen(), ['kitte1'])
    assert.equal((await relay.api('DELETE', `/v1/domains/${ours}`)).status, 204)
    await clock.leap(31 * day)
    await relay.until(
      async () => (await relay.api('GET', '/v1/relay/dkim-zone')).body.records.length === 0,
      'the keys to go with the domain',
    )
  })

  // ── Words of this file ──

  async function register(options: object): Promise<Json> {
    const { status, body } = await relay.api('POST', '/v1/domains', { name: ours, account: relay.account, ...options })
    assert.equal(status, 201, JSON.stringify(body))
    return body
  }

  async function call(method: string, rest = '', status = 200, body?: unknown): Promise<Json> {
    const answer = await relay.api(method, `/v1/domains/${ours}${rest}`, body)
    assert.equal(answer.status, status, JSON.stringify(answer.body))
    return answer.body
  }

  /** The customer, who publishes what is asked for with TTLs of nearly an hour. */
  async function publish(types: readonly string[]): Promise<Json[]> {
    const { records } = await call('GET')
    const chosen = (records as Json[]).filter(({ type }) => types.includes(type))
    for (const { type, name, value } of chosen) {
      const mx = name === ours ? { MX: [[10, `mx.${ours}`] as const] } : {}
      relay.zone.set(name, { ...mx, ttl: 3000, ...(type === 'TXT' ? { TXT: [value] } : { CNAME: value }) })
    }
    await call('POST', '/verify')
    return chosen
  }

  let exported: readonly string[] = []
  /** The operator's cron: brings the zone of the relay up to date. */
  async function operate(): Promise<void> {
    const { body } = await relay.api('GET', '/v1/relay/dkim-zone')
    const names = body.records.map(({ name }: Json) => name)
    for (const gone of exported.filter(name => !names.includes(name))) relay.zone.remove(gone)
    for (const { name, value } of body.records) relay.zone.set(name, { TXT: [value], ttl: 3000 })
    exported = names
  }

  /** Lets so much time go by, with mail all the while: each is signed by ours and verifies when it arrives. */
  async function flow(ms: number, cron?: () => Promise<void>): Promise<void> {
    const until = clock.now() + ms
    while (clock.now() < until) {
      await clock.leap(Math.max(1, Math.min(await nextCheckAt(), until, clock.now() + 3 * hour) - clock.now()))
      await cron?.()
      await send()
      if (await checksDone()) await send()
    }
  }

  /** Checks that are due run on real turns of the loop, which the clock must not outrun. False: none was. */
  async function checksDone(): Promise<boolean> {
    const before = await nextCheckAt()
    if (before > clock.now()) return false
    await clock.advance(round)
    await relay.until(async () => (await nextCheckAt()) > clock.now(), 'the check that is due')
    return true
  }

  async function nextCheckAt(): Promise<number> {
    return (await relay.relay.store.domain(ours))!.nextCheckAt
  }

  async function send(): Promise<void> {
    const before = sink.messages.length
    await relay.submit({ from: `a@${ours}`, to: ['r@sink.example'] })
    await relay.until(() => sink.messages.length > before, 'an arrival')
    await arrivedAfter(before)
  }

  async function arrivedAfter(count: number): Promise<void> {
    for (const { content, reversePath, ehlo } of sink.messages.slice(count)) {
      const transaction = { ip: '127.0.0.1', helo: ehlo, reversePath: reversePath ?? '' }
      const { dkim, dmarc } = await verifyArrival(content, transaction, receiver, 'mx.sink.example')
      const own = dkim.filter(({ domain }) => domain === ours)
      const at = new Date(clock.now()).toISOString()
      assert.deepEqual([own.length, own[0]?.result, dmarc.domain], [1, 'pass', ours], `${at} ${JSON.stringify(dkim)}`)
      selectors.push(own[0]!.selector)
    }
  }

  /** Handed in now, taken at the second attempt only; its recipient. */
  async function deferred(): Promise<string> {
    const recipient = 'once-451-4.3.0@sink.example'
    const id = await relay.submit({ from: `a@${ours}`, to: [recipient] })
    await relay.until(() => relay.logged('deferred').some(({ message }) => message === id), 'its deferral')
    return recipient
  }

  /** The selectors that signed, each time another took over. */
  function seen(): string[] {
    return selectors.filter((selector, i) => selector !== selectors[i - 1])
  }

  async function releasedAfter(old: string, fresh: string): Promise<void> {
    const states = await events('domain.key_state')
    const at = (selector: string, to: string) =>
      Date.parse(states.find(({ data }) => data.selector === selector && data.to === to)!.at)
    assert.ok(at(old, 'retiring') >= at(fresh, 'active'))
    const late = at(old, 'retired') - at(old, 'retiring') - queueLife
    assert.ok(late >= 0 && late <= onTime, `${late} ms after the queue life`)
    const { data } = states.find(event => event.data.selector === old && event.data.to === 'retired')!
    assert.deepEqual([data.canBeDeleted, data.record], [true, `${old}._domainkey.${ours}`])
    const { keys } = await call('GET')
    const { canBeDeleted, advice } = keys.find(({ selector }: Json) => selector === old)
    assert.deepEqual([canBeDeleted, advice], [true, data.advice])
    assert.match(advice.ja, /レコードは削除できます/)
    assert.match(advice.en, /can be deleted/)
  }

  async function events(type: string): Promise<Json[]> {
    return (await relay.api('GET', `/v1/events?domain=${ours}&type=${type}&limit=1000`)).body.events
  }
})

function statesOf({ keys }: Json): Record<string, string> {
  return Object.fromEntries(keys.map(({ selector, state }: Json) => [selector, state]))
}

function dkimRecords({ records }: Json): Json[] {
  return records.filter(({ purpose }: Json) => purpose === 'dkim')
}
