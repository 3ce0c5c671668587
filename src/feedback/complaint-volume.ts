/**
 * Counts complaints among what goes out by day (mail/volume.ts), where warm-ups look for trouble.
 *
 * Under the day the complaint came, the receiver and the source address of the delivery it is about; a delivery whose
 * event is gone counts for nothing. Fails with StoreUnavailable.
 */
import type { Calendar } from '../base/calendar.ts'
import { domainOf } from '../mail/address.ts'
import type { AttemptFacts, Outcome } from '../mail/outcome.ts'
import type { Returned } from '../mail/returned.ts'
import type { Volume, VolumeScope } from '../mail/volume.ts'
import { receiverOf } from '../policy/receivers.ts'
import type { Store } from '../store/store.ts'

/** A message has a thousand recipients at most, and each one delivery. */
const mostDeliveries = 1000
const nothing = { delivered: 0, deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }

export async function countComplaint(
  store: Pick<Store, 'events' | 'addVolume'>,
  calendar: Calendar,
  { message, entry, recipient, at }: Returned,
): Promise<void> {
  const deliveries = await store.events({ message, type: 'message.delivered' }, mostDeliveries)
  const delivery = deliveries.find(event => event.entry === entry)
  const facts = (delivery?.data as Outcome | undefined)?.facts
  if (!facts || delivery?.domain === undefined) return
  const day = calendar.dayOf(at)
  const of = (scope: VolumeScope, name: string, receiver: string): Volume => ({
    ...nothing,
    ...{ scope, name, receiver, day, complained: 1 },
  })
  const source = sourceOf(facts)
  await store.addVolume([
    of('domain', delivery.domain, receiverOf(facts.site, domainOf(recipient))),
    ...(source === null ? [] : [of('source', source, '')]),
  ])
}

/** What a sender's own server sends from is none of our addresses. */
function sourceOf({ mode, sourceIp }: AttemptFacts): string | null {
  return mode === 'own-smtp' ? null : sourceIp
}
