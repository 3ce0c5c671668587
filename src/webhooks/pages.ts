/**
 * Reads what a webhook is to be told next, from the events of the store.
 *
 * A bounded number of rows at a time: a webhook that wants few of many events must not hold up the thread while it
 * passes over the others.
 */
import type { Event } from '../mail/event.ts'
import type { Instant } from '../mail/ids.ts'
import type { Webhook } from '../mail/webhook.ts'
import type { EventStore } from '../store/store.ts'
import { typeCondition } from './event-filter.ts'

export type Page =
  /** Events were deleted that it never got. */
  | { readonly gap: { readonly after: number; readonly through: number } }
  /** Events to send; without any, everything through this seq is nothing it wants. */
  | { readonly events: readonly Event[]; readonly through: number }

/** Some 3 ms of reading. */
const rowsAtOnce = 2000

/** Null: nothing is left. */
export async function nextPage(store: EventStore, webhook: Webhook): Promise<Page | null> {
  const { account, batch, progress } = webhook
  const { cursor, gapTold } = progress
  const { newest, purgedThrough } = await store.eventRange()
  if (purgedThrough > Math.max(cursor, gapTold)) return { gap: { after: cursor, through: purgedThrough } }
  // Past the hole that deleted events left.
  const [first] = await store.events({ after: cursor }, 1)
  if (!first) return null
  const end = Math.min(first.seq - 1 + rowsAtOnce, newest)
  const types = typeCondition(webhook)
  const filter = { after: cursor, through: end, ...(types && { types }), ...(account !== null && { account }) }
  const events = await store.events(filter, batch)
  return { events, through: events.length < batch ? end : events.at(-1)!.seq }
}

/** The seq of the first event that happened at that time or later. Events stand in the order of time, all but exactly. */
export async function firstSince(store: EventStore, since: Instant): Promise<number> {
  let [low, high] = [1, (await store.eventRange()).newest + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [event] = await store.events({ after: middle - 1 }, 1)
    if (event && event.at < since) low = event.seq + 1
    else high = middle
  }
  return low
}
