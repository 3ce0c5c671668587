/**
 * Puts right what nobody waits for: leases that ran out come back into the queue; finished history goes, and suppressions
 * whose time is over.
 *
 * One janitor per node. After the store could not be written, workers may not have renewed the leases of attempts that
 * are alive; so nothing is taken from them until writing has worked for a whole lease, nor right after the clock was set (RFC: none; design section 2:
 * duplicates only from the in-doubt window). A round that fails is logged, and the next one tries again.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { inSlices } from '../base/slices.ts'
import type { Store } from '../store/store.ts'

export interface JanitorOptions {
  readonly store: Pick<Store, 'health' | 'reclaim' | 'purge' | 'purgeSuppressions'>
  readonly clock: Clock
  readonly log: Log
  /** `queue.lease` and `queue.keepHistory`, ms. */
  readonly leaseMs: number
  readonly keepHistoryMs: number
  /** Told how many entries wait again because their leases had run out. */
  readonly onReclaimed: (entries: number) => void
}

export interface Janitor {
  /** No new round; resolves when the one under way has ended. */
  stop(): Promise<void>
}

/** Often and a little at a time; without anything old it costs next to nothing. */
const purgeEveryMs = 60_000

export function startJanitor(options: JanitorOptions): Janitor {
  const { store, clock, log, leaseMs, keepHistoryMs, onReclaimed } = options
  let writableSince = clock.monotonic()
  let offset = clock.now() - clock.monotonic()
  const underWay = new Map<string, Promise<void>>()
  const stopping = new AbortController()

  /** Then leases of attempts that are alive may look as if they had run out, until they are renewed. */
  function wasClockSet(): boolean {
    const before = offset
    offset = clock.now() - clock.monotonic()
    return Math.abs(offset - before) > leaseMs / 8
  }

  async function reclaimLeases() {
    const { writable } = await store.health()
    if (!writable) writableSince = Number.POSITIVE_INFINITY
    else if (wasClockSet()) writableSince = clock.monotonic()
    else writableSince = Math.min(writableSince, clock.monotonic())
    if (clock.monotonic() - writableSince < leaseMs) return
    const count = await store.reclaim({ expiredBefore: clock.now() })
    if (count > 0) onReclaimed(count)
  }

  async function purgeHistory() {
    const before = clock.now() - keepHistoryMs
    await inSlices(limit => store.purge(before, limit), { clock, signal: stopping.signal })
  }

  async function purgeSuppressions() {
    await inSlices(limit => store.purgeSuppressions(clock.now(), limit), { clock, signal: stopping.signal })
  }

  /** Rounds of one kind don't overlap: a slow one makes the next ones skip. */
  function round(what: string, act: () => Promise<void>) {
    if (underWay.has(what)) return
    const done = act()
      .catch(error => log.error({ err: error }, `the janitor could not ${what}`))
      .finally(() => underWay.delete(what))
    underWay.set(what, done)
  }

  const cancels = [
    clock.every(leaseMs / 2, () => round('reclaim leases', reclaimLeases)),
    clock.every(purgeEveryMs, () => round('purge history', purgeHistory)),
    clock.every(purgeEveryMs, () => round('purge suppressions', purgeSuppressions)),
  ]
  return {
    async stop() {
      stopping.abort()
      for (const cancel of cancels) cancel()
      await Promise.all(underWay.values())
    },
  }
}
