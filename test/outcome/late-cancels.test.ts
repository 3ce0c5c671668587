/**
 * Late cancels: what was being sent when it was cancelled, over a stop of the process too.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { LateCancels, lateCancelsSetting } from '../../src/outcome/late-cancels.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'

/** A store that outlives those who use it. */
function world() {
  const states = new Map<string, 'leased' | 'held'>()
  const settings = new Map<string, string>()
  const cancelled: string[] = []
  const store = {
    setting: async (name: string) => settings.get(name) ?? null,
    setSetting: async (name: string, value: string) => void settings.set(name, value),
    countQueue: async ({ entry = '' }: { readonly entry?: string }) => {
      const [leased, held] = (['leased', 'held'] as const).map(state => (states.get(entry) === state ? 1 : 0))
      return { total: leased! + held!, due: 0, waiting: 0, leased: leased!, held: held!, oldestReceivedAt: null }
    },
  }
  function start(overrides: Partial<typeof store> = {}) {
    const clock = manualClock()
    const cancel = async ({ entry = '' }: { readonly entry?: string }, reason: string) => {
      if (states.get(entry) === 'held' && states.delete(entry)) cancelled.push(`${entry}: ${reason}`)
    }
    const late = new LateCancels({ store: { ...store, ...overrides }, cancel, clock, log: silentLog })
    return { late, clock }
  }
  return { states, cancelled, start, kept: () => settings.get(lateCancelsSetting) }
}

describe('what is being sent when it is cancelled', () => {
  it('is cancelled once its attempt has failed, and forgotten once it was delivered', async () => {
    const { states, cancelled, start, kept } = world()
    for (const entry of ['a.0', 'b.0']) states.set(entry, 'leased')
    const { late, clock } = start()
    await late.add(['a.0', 'b.0'], 'wrong list')
    await clock.advance(5000)
    assert.deepEqual(cancelled, [])
    states.set('a.0', 'held')
    states.delete('b.0')
    await clock.advance(1000)
    assert.deepEqual(cancelled, ['a.0: wrong list'])
    assert.equal(kept(), '[]')
    assert.equal(clock.waiting, 0)
  })

  it('is cancelled by the next life of a process that was stopped', async () => {
    const { states, cancelled, start, kept } = world()
    states.set('a.0', 'leased')
    await start().late.add(['a.0'], 'wrong list')
    states.set('a.0', 'held')
    const { late, clock } = start()
    await late.resume()
    await clock.advance(1000)
    assert.deepEqual([cancelled, kept()], [['a.0: wrong list'], '[]'])
  })

  it('stays held while the store fails, until the next order or start', async () => {
    const { states, cancelled, start } = world()
    states.set('a.0', 'held')
    let isBroken = true
    const countQueue = async () => {
      if (isBroken) throw new StoreUnavailable('locked')
      return { total: 1, due: 0, waiting: 0, leased: 0, held: 1, oldestReceivedAt: null }
    }
    const { late, clock } = start({ countQueue })
    await late.add(['a.0'], 'wrong list')
    await clock.advance(3000)
    assert.deepEqual(cancelled, [])
    isBroken = false
    await late.add(['c.0'], 'another')
    await clock.advance(1000)
    assert.deepEqual(cancelled, ['a.0: wrong list'])
  })
})
