/**
 * Ends what waited too long and tells senders what is late; ends what an operator cancels.
 *
 * Entries that are never attempted (closed site, throttled, held back by limits) expire here, the others at their last
 * attempt (`verdict.ts`). Rounds don't overlap; one that fails is logged and the next one tries again. A delay notice is
 * marked before it is queued: a crash in between loses a courtesy (RFC 3461 §4.1 leaves delays to us), never sends two.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { inSlices } from '../base/slices.ts'
import type { GoOn, QueueFilter, Store } from '../store/store.ts'
import type { Classify } from './classify.ts'
import type { Settler } from './settle.ts'
import { verdictOfCancel, verdictOfExpiry } from './verdict.ts'

export interface ExpiryOptions {
  readonly store: Pick<Store, 'claimExpired' | 'takeDelayed'>
  readonly settler: Pick<Settler, 'finish' | 'notifyDelay' | 'unsettled'>
  readonly clock: Clock
  readonly log: Log
  /** Holder of the leases: `<node>/<worker>`. */
  readonly owner: string
  /** `queue.lease` and `queue.delayNoticeAfter`, ms. */
  readonly leaseMs: number
  readonly delayNoticeAfterMs: number
  /** With the rules of the configuration; absent: without. */
  readonly classify?: Classify
}

export interface Expiry {
  /** No new round; resolves when the one under way has ended. */
  stop(): Promise<void>
}

const everyMs = 60_000
/** An entry's last attempt is due at its expiry: it gets this long to begin. */
const lastAttemptMs = 60_000

export function startExpiry(options: ExpiryOptions): Expiry {
  const { clock, log, settler } = options
  const stopping = new AbortController()
  let underWay: Promise<void> | null = null

  async function round() {
    await inWritableSlices(limit => expireSome(options, limit))
    await inWritableSlices(limit => noticeSome(options, limit))
  }

  /** While outcomes can be written. */
  async function inWritableSlices(slice: (limit: number) => Promise<number>) {
    const goOn = () => settler.unsettled === 0
    if (goOn()) await inSlices(slice, { clock, goOn, signal: stopping.signal })
  }

  const cancel = clock.every(everyMs, () => {
    underWay ??= round()
      .catch(error => log.warn({ err: error }, 'expired entries could not be ended'))
      .finally(() => {
        underWay = null
      })
  })
  return {
    async stop() {
      stopping.abort()
      cancel()
      await underWay
    },
  }
}

async function expireSome(
  { store, settler, clock, owner, leaseMs, classify }: ExpiryOptions,
  limit: number,
): Promise<number> {
  const now = clock.now()
  const lease = { owner, until: now + leaseMs }
  const expired = await store.claimExpired({ now: now - lastAttemptMs, lease, limit })
  await settler.finish(expired.map(leased => verdictOfExpiry(leased, clock.now(), classify)))
  return expired.length
}

async function noticeSome(
  { store, settler, clock, delayNoticeAfterMs }: ExpiryOptions,
  limit: number,
): Promise<number> {
  const now = clock.now()
  const late = await store.takeDelayed({ receivedBefore: now - delayNoticeAfterMs, limit, now })
  if (late.length > 0) await settler.notifyDelay(late)
  return late.length
}

export interface CancelOptions {
  readonly store: Pick<Store, 'claimForCancel'>
  readonly settler: Pick<Settler, 'finish'>
  readonly clock: Clock
  readonly owner: string
  readonly leaseMs: number
}

/** Takes all matching entries that aren't being attempted out of the queue; answers how many. */
export async function cancelEntries(
  options: CancelOptions,
  filter: QueueFilter,
  reason: string,
  goOn?: GoOn,
): Promise<number> {
  const { store, settler, clock, owner, leaseMs } = options
  const slice = async (limit: number) => {
    const now = clock.now()
    const claimed = await store.claimForCancel(filter, { owner, until: now + leaseMs }, limit)
    await settler.finish(claimed.map(leased => verdictOfCancel(leased, reason, now)))
    return claimed.length
  }
  return inSlices(slice, { clock, goOn })
}
