/**
 * What an operator can order entries to do, each told in the log. Wiring only.
 */
import { hostname } from 'node:os'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { Verbs } from './outcome/bulk-orders.ts'
import { held, type QueueCommand, released, retried } from './outcome/delivery-log.ts'
import { cancelEntries } from './outcome/expiry.ts'
import type { Settler } from './outcome/settle.ts'
import type { QueueFilter, Store } from './store/store.ts'

export interface QueueVerbsParts {
  readonly store: Store
  readonly settler: Pick<Settler, 'finish'>
  readonly clock: Clock
  readonly log: Log
  readonly leaseMs: number
}

/** Entries under way can't be called back: they are leased to an attempt. */
export function queueVerbs({ store, settler, clock, log, leaseMs }: QueueVerbsParts): Verbs {
  const cancelling = { store, settler, clock, owner: `${hostname()}/main`, leaseMs }
  const told = async (
    tell: (log: Log, command: QueueCommand) => void,
    order: Promise<number>,
    filter: QueueFilter,
    reason?: string,
  ) => {
    const entries = await order
    tell(log, { entries, ...sliceOf(filter), ...(reason !== undefined && { reason }) })
    return entries
  }
  return {
    hold: (filter, reason, goOn) => told(held, store.hold(filter, reason, clock.now(), goOn), filter, reason),
    release: (filter, _reason, goOn) => told(released, store.unhold(filter, clock.now(), goOn), filter),
    retry: (filter, _reason, goOn) => told(retried, store.retryNow(filter, clock.now(), goOn), filter),
    cancel: (filter, reason, goOn) => cancelEntries(cancelling, filter, reason, goOn),
  }
}

/** A recipient domain is told as the site. */
function sliceOf({ message, account, senderDomain, recipient, domain, site = domain }: QueueFilter) {
  return { message, account, senderDomain, recipient, site }
}
