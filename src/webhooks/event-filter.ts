/**
 * Which events a webhook wants: exact types or prefixes, and on request only what ends a recipient's story.
 */
import { type EventType, eventTypes } from '../mail/event.ts'
import type { Webhook } from '../mail/webhook.ts'

/** Outcomes after which a recipient has no queue entry any more, and what came back afterwards. */
const terminal: ReadonlySet<EventType> = new Set([
  'message.delivered',
  'message.bounced',
  'message.cancelled',
  'message.bounced_later',
  'message.complained',
])

/** `message.bounced`, `domain.*` or `*`, where it fits an event there is. */
export function isTypePattern(pattern: string): boolean {
  return eventTypes.some(type => fits(type, pattern))
}

export function wantedTypes({ types, terminalOnly }: Pick<Webhook, 'types' | 'terminalOnly'>): readonly EventType[] {
  return eventTypes.filter(type => {
    if (!types.some(pattern => fits(type, pattern))) return false
    return !terminalOnly || !type.startsWith('message.') || terminal.has(type)
  })
}

/** Null: all there are, so that nothing needs to be compared. */
export function typeCondition(webhook: Pick<Webhook, 'types' | 'terminalOnly'>): readonly EventType[] | null {
  const wanted = wantedTypes(webhook)
  return wanted.length === eventTypes.length ? null : wanted
}

function fits(type: EventType, pattern: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}
