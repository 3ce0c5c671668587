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
const cancelAgainMs = 1000

export function queueVerbs({ store, settler, clock, log, leaseMs }: QueueVerbsParts): Verbs {
  const cancelling = { store, settler, clock, owner: `${hostname()}/main`, leaseMs }
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
    const inFlight = marked > 0 ? await stillInHand(filter, mark) : []
    const changed = await cancelEntries(cancelling, filter, reason, goOn)
    if (inFlight.length > 0) void cancelLater(inFlight, reason)
    return { changed, inFlight: inFlight.length }
  }

  /** Those that are being sent: what was recalled is back by then. */
  async function stillInHand(filter: QueueFilter, reason: string): Promise<EntryId[]> {
    const until = clock.monotonic() + recallMs
    for (;;) {
      const leased = await store.listQueue({ ...filter, state: 'leased' }, { limit: 1000 })
      const ours = leased.filter(({ entry }) => entry.heldReason === reason).map(({ entry }) => entry.id)
      if (ours.length === 0 || clock.monotonic() >= until) return ours
      await clock.sleep(lookAgainMs)
    }
  }

  /** What is not delivered by its attempt. A stop of the relay leaves them held, with the reason. */
  async function cancelLater(entries: readonly EntryId[], reason: string): Promise<void> {
    try {
      for (let left = entries; left.length > 0; ) {
        await clock.sleep(cancelAgainMs)
        const waiting: EntryId[] = []
        for (const entry of left) {
          await cancelEntries(cancelling, { entry, state: 'held' }, reason)
          if ((await store.countQueue({ entry })).leased > 0) waiting.push(entry)
        }
        left = waiting
      }
    } catch (error) {
      log.warn(
        { err: error, entries: entries.length },
        'entries that were being sent could not be cancelled; they stay held',
      )
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
  }
}

/** A recipient domain is told as the site. */
function sliceOf({ message, account, senderDomain, recipient, domain, site = domain }: QueueFilter) {
  return { message, account, senderDomain, recipient, site }
}
