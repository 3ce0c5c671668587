/**
 * What a late bounce or a complaint counts for by day (mail/volume.ts), where warm-ups and pauses look for trouble.
 *
 * Under the day it came, the receiver and the source address of the delivery it is about; a delivery whose event is gone
 * counts for nothing, and so does a bounce while our own outcome isn't known, which is counted when it is. Fails with
 * StoreUnavailable.
 */
import type { Calendar } from '../base/calendar.ts'
import { domainOf } from '../mail/address.ts'
import type { Event } from '../mail/event.ts'
import type { AttemptFacts, Outcome } from '../mail/outcome.ts'
import { isOptOut, type Returned } from '../mail/returned.ts'
import type { Volume, VolumeScope } from '../mail/volume.ts'
import { receiverOf } from '../policy/receivers.ts'
import type { Store } from '../store/store.ts'

/** A message has a thousand recipients at most, and each one delivery. */
const mostDeliveries = 1000
const nothing = { delivered: 0, deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }

/** `returned`: of one message. */
export async function volumeOf(
  store: Pick<Store, 'events'>,
  calendar: Calendar,
  returned: readonly Returned[],
): Promise<Volume[]> {
  const counting = returned.filter(found => found.kind !== 'delay' && !isOptOut(found))
  if (counting.length === 0) return []
  const { message } = counting[0]!
  const deliveries = await store.events({ message, type: 'message.delivered' }, mostDeliveries)
  return counting.flatMap(found =>
    volumesOf(
      found,
      deliveries.find(event => event.entry === found.entry),
      calendar,
    ),
  )
}

function volumesOf({ kind, recipient, at }: Returned, delivery: Event | undefined, calendar: Calendar): Volume[] {
  const facts = (delivery?.data as Outcome | undefined)?.facts
  if (!facts || delivery?.domain === undefined) return []
  const counts = { ...nothing, ...(kind === 'bounce' ? { bounced: 1 } : { complained: 1 }), day: calendar.dayOf(at) }
  const of = (scope: VolumeScope, name: string, receiver: string): Volume => ({ ...counts, scope, name, receiver })
  const source = sourceOf(facts)
  return [
    of('domain', delivery.domain, receiverOf(facts.site, domainOf(recipient))),
    ...(source === null ? [] : [of('source', source, '')]),
  ]
}

/** What a sender's own server sends from is none of our addresses. */
function sourceOf({ mode, sourceIp }: AttemptFacts): string | null {
  return mode === 'own-smtp' ? null : sourceIp
}
