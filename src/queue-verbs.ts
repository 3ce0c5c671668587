/**
 * What an operator can order entries to do, each told in the log. Wiring only.
 *
 * What a worker has in hand is called back first: only what is being sent when the order is answered may still go out, and
 * the answer says how many those are.
 */
import { hostname } from 'node:os'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { EntryId } from './mail/ids.ts'
import type { Ordered, Verbs } from './outcome/bulk-orders.ts'
import { held, type QueueCommand, released, retried } from './outcome/delivery-log.ts'
import { cancelEntries } from './outcome/expiry.ts'
import { LateCancels } from './outcome/late-cancels.ts'
import type { Settler } from './outcome/settle.ts'
import type { GoOn, QueueFilter, Store } from './store/store.ts'

export interface QueueVerbsParts {
  readonly store: Store
  readonly settler: Pick<Settler, 'finish'>
  readonly clock: Clock
  readonly log: Log
  readonly leaseMs: number
}

/** Workers give back what they are not sending within some milliseconds; attempts may go on for minutes. */
const recallMs = 500
const lookAgainMs = 20
/** What all workers have in hand, as a rule. */
const shownAtOnce = 1000

/** `resume`: cancels what a stop of the process kept from being cancelled. */
export function queueVerbs(parts: QueueVerbsParts): Verbs & { resume(): Promise<void> } {
  const { store, settler, clock, log, leaseMs } = parts
  const cancelling = { store, settler, clock, owner: `${hostname()}/main`, leaseMs }
  const late = new LateCancels({ ...parts, cancel: (filter, reason) => cancelEntries(cancelling, filter, reason) })
  const told = (
    tell: (log: Log, command: QueueCommand) => void,
    changed: number,
    filter: QueueFilter,
    reason?: string,
  ) => tell(log, { entries: changed, ...sliceOf(filter), ...(reason !== undefined && { reason }) })

  async function hold(filter: QueueFilter, reason: string, goOn?: GoOn): Promise<Ordered> {
    const changed = await store.hold(filter, reason, clock.now(), goOn)
    told(held, changed, filter, reason)
    return { changed, inFlight: (await stillInHand(filter, reason)).length }
  }

  /** Held while it is in hand, so that nobody sends what comes back before it is cancelled. */
  async function cancel(filter: QueueFilter, reason: string, goOn?: GoOn): Promise<Ordered> {
    const mark = `cancelled while it was in hand: ${reason}`
    const isInHand = filter.state === undefined || filter.state === 'leased'
    const marked = isInHand ? await store.hold({ ...filter, state: 'leased' }, mark, clock.now()) : 0
    if (marked > 0) await late.add(await inHand(filter, mark), reason)
    const inFlight = marked > 0 ? await stillInHand(filter, mark) : []
    const changed = await cancelEntries(cancelling, filter, reason, goOn)
    return { changed, inFlight: inFlight.length }
  }

  async function inHand(filter: QueueFilter, reason: string): Promise<EntryId[]> {
    const leased = await store.listQueue({ ...filter, state: 'leased' }, { limit: shownAtOnce })
    return leased.filter(({ entry }) => entry.heldReason === reason).map(({ entry }) => entry.id)
  }

  /** Those that are being sent: what was recalled is back by then. */
  async function stillInHand(filter: QueueFilter, reason: string): Promise<EntryId[]> {
    const until = clock.monotonic() + recallMs
    for (;;) {
      const ours = await inHand(filter, reason)
      if (ours.length === 0 || clock.monotonic() >= until) return ours
      await clock.sleep(lookAgainMs)
    }
  }

  return {
    hold,
    async release(filter, _reason, goOn) {
      const changed = await store.unhold(filter, clock.now(), goOn)
      told(released, changed, filter)
      return { changed, inFlight: 0 }
    },
    async retry(filter, _reason, goOn) {
      const changed = await store.retryNow(filter, clock.now(), goOn)
      told(retried, changed, filter)
      return { changed, inFlight: 0 }
    },
    cancel,
    resume: () => late.resume(),
  }
}

/** A recipient domain is told as the site. */
function sliceOf({ message, account, senderDomain, recipient, domain, site = domain }: QueueFilter) {
  return { message, account, senderDomain, recipient, site }
}
