import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { startJanitor } from '../../src/queue/janitor.ts'
import { manualClock } from '../support/manual-clock.ts'

const minute = 60_000
const day = 24 * 60 * minute

interface Change {
  readonly writable?: () => boolean
  readonly lost?: number
  readonly purge?: () => Promise<number>
  readonly suppressions?: () => number
}

function janitorOver(change: Change = {}) {
  const clock = manualClock()
  const calls: string[] = []
  const store = {
    health: async () => ({ acceptsMail: true, writable: change.writable?.() ?? true, freeBytes: 0, reason: null }),
    async reclaim(of: { readonly owner: string } | { readonly expiredBefore: number }) {
      calls.push(`reclaim ${'owner' in of ? of.owner : of.expiredBefore - clock.now()}`)
      return change.lost ?? 0
    },
    async purge(before: number, limit: number) {
      calls.push(`purge ${(clock.now() - before) / day} ${limit}`)
      return change.purge?.() ?? 0
    },
    async purgeSuppressions(now: number, limit: number) {
      calls.push(`suppressions ${now - clock.now()} ${limit}`)
      return change.suppressions?.() ?? 0
    },
  }
  const reclaimed: number[] = []
  const janitor = startJanitor({
    ...{ store, clock, log: silentLog, leaseMs: 2 * minute, keepHistoryMs: 30 * day },
    onReclaimed: entries => void reclaimed.push(entries),
  })
  return { clock, calls, reclaimed, janitor }
}

function reclaims(calls: readonly string[]): string[] {
  return calls.filter(call => call.startsWith('reclaim'))
}

describe('the janitor', () => {
  it('reclaims leases that ran out, once a worker of before had time to renew', async () => {
    const { clock, calls, janitor } = janitorOver()
    await clock.advance(minute)
    assert.deepEqual(reclaims(calls), [])
    await clock.advance(2 * minute)
    assert.deepEqual(reclaims(calls), ['reclaim 0', 'reclaim 0'])
    await janitor.stop()
    assert.equal(clock.waiting, 0)
  })

  it('takes no lease for run out because the clock was set, until those that are alive are renewed', async () => {
    const { clock, calls, janitor } = janitorOver()
    await clock.advance(3 * minute)
    calls.length = 0
    clock.set(3 * 60 * minute)
    await clock.advance(2 * minute)
    assert.deepEqual(reclaims(calls), [])
    await clock.advance(minute)
    assert.deepEqual(reclaims(calls), ['reclaim 0'])
    await janitor.stop()
  })

  it('tells how many entries wait again, and nothing when none do', async () => {
    const none = janitorOver()
    const some = janitorOver({ lost: 3 })
    for (const { clock, janitor } of [none, some]) {
      await clock.advance(3 * minute)
      await janitor.stop()
    }
    assert.deepEqual([none.reclaimed, some.reclaimed], [[], [3, 3]])
  })

  it('takes nothing from anybody until the store has been writable for a whole lease', async () => {
    let writable = false
    const { clock, calls, janitor } = janitorOver({ writable: () => writable })
    await clock.advance(9 * minute)
    writable = true
    await clock.advance(2 * minute)
    assert.deepEqual(reclaims(calls), [])
    await clock.advance(minute)
    assert.deepEqual(reclaims(calls), ['reclaim 0'])
    await janitor.stop()
  })

  it('purges history until nothing old is left', async () => {
    const left = [100, 200, 20]
    const { clock, calls, janitor } = janitorOver({ purge: async () => left.shift() ?? 0 })
    await clock.advance(minute)
    assert.deepEqual(
      calls.filter(call => call.startsWith('purge')),
      ['purge 30 100', 'purge 30 200', 'purge 30 400'],
    )
    await janitor.stop()
  })

  it('purges suppressions whose time is over until none is left', async () => {
    const left = [100, 3]
    const { clock, calls, janitor } = janitorOver({ suppressions: () => left.shift() ?? 0 })
    await clock.advance(minute)
    assert.deepEqual(
      calls.filter(call => call.startsWith('suppressions')),
      ['suppressions 0 100', 'suppressions 0 200'],
    )
    await janitor.stop()
  })

  it('goes on after a round that failed', async () => {
    let fail = true
    const purge = () => (fail ? Promise.reject(new Error('locked')) : Promise.resolve(0))
    const { clock, calls, janitor } = janitorOver({ purge })
    await clock.advance(minute)
    fail = false
    await clock.advance(minute)
    assert.equal(calls.filter(call => call.startsWith('purge')).length, 2)
    await janitor.stop()
  })
})
