/**
 * Returns: what leaves this worker's hands can be claimed again at once, also when the claim is faster than the answer.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { Returns } from '../../src/delivery/returns.ts'
import { UnderWay } from '../../src/delivery/under-way.ts'
import { Leases } from '../../src/queue/leases.ts'
import type { LeasedEntry, Release } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'

const owner = 'node-1/0'
const leased = (id: string, nextAttemptAt = 0) =>
  ({ entry: { id, nextAttemptAt }, message: { account: null } }) as LeasedEntry

/** `claimed` comes while the store writes: before whoever gave the entry back knows that it is there. */
function world(claimed: () => void) {
  const clock = manualClock()
  const releases: string[] = []
  const leases = new Leases({ store: { renew: async () => {} }, clock, log: silentLog, owner, leaseMs: 120_000 })
  const write = async () => {
    await Promise.resolve()
    claimed()
    await Promise.resolve()
  }
  const store = {
    postpone: async () => {},
    wakeWaiting: async () => 0,
    async release(written: readonly Release[], by: string) {
      releases.push(...written.map(({ entry, nextAttemptAt }) => `${entry} at ${nextAttemptAt} by ${by}`))
      if (releases.length === 1) await write()
    },
  }
  const underWay = new UnderWay()
  const returns = new Returns({
    store,
    settler: { settle: write, finish: write },
    clock,
    log: silentLog,
    leases,
    owner,
    underWay,
    onRoom: () => {},
    giveBack: async () => {},
  })
  return { leases, returns, releases, idle: () => underWay.idleWithin(1000, clock) }
}

describe('an entry that is claimed again before the word has come that it left', () => {
  it('goes back once more when it was given back, and is free then', async () => {
    const again: boolean[] = []
    const { leases, returns, releases, idle } = world(() => again.push(leases.hold(leased('m.0', 5), 2)))
    leases.hold(leased('m.0'), 1)
    await returns.release([leased('m.0')], 5)
    await idle()
    assert.deepEqual(again, [false])
    assert.deepEqual(releases, [`m.0 at 5 by ${owner}`, `m.0 at 5 by ${owner}`])
    assert.equal(leases.hold(leased('m.0', 5), 3), true, 'nobody holds it any more')
    leases.stop()
  })

  it('goes back when its outcome was settled', async () => {
    const { leases, returns, releases, idle } = world(() => leases.hold(leased('m.0', 7), 2))
    leases.hold(leased('m.0'), 1)
    await returns.settle([{ results: [{ leased: leased('m.0') }] } as never])
    await idle()
    assert.deepEqual(releases, [`m.0 at 7 by ${owner}`], 'the store knows whether it is still queued')
    assert.equal(leases.size, 0)
    leases.stop()
  })

  it('costs nothing where none was', async () => {
    const { leases, returns, releases } = world(() => {})
    leases.hold(leased('m.0'), 1)
    await returns.settle([{ results: [{ leased: leased('m.0') }] } as never])
    assert.deepEqual([releases, leases.size], [[], 0])
    leases.stop()
  })
})
