/**
 * What is told when checks change: the events of one verification.
 */
import type { NewEvent } from '../mail/event.ts'
import type { Instant } from '../mail/ids.ts'
import type { Check, SenderDomain } from '../mail/sender-domain.ts'
import { diffFound } from './found-diff.ts'
import { releaseOf } from './key-advice.ts'
import type { KeyMove } from './key-states.ts'

export function domainEvent(
  domain: Pick<SenderDomain, 'name' | 'account'>,
  type: NewEvent['type'],
  at: Instant,
  data: unknown,
): NewEvent {
  return { type, at, account: domain.account, domain: domain.name, data }
}

export function keyMoveEvent(domain: SenderDomain, { key, to }: KeyMove, at: Instant): NewEvent {
  const release = to === 'retired' ? releaseOf(domain.name, key) : {}
  return domainEvent(domain, 'domain.key_state', at, { selector: key.selector, from: key.state, to, ...release })
}

export interface CheckChange {
  readonly before: Check | null
  readonly after: Check
}

/** `wasComplete`, `isComplete`: every record that matters is published. */
export function checkEvents(
  domain: SenderDomain,
  changes: readonly CheckChange[],
  completion: { readonly wasComplete: boolean; readonly isComplete: boolean },
  lostGraceMs: number,
  at: Instant,
): NewEvent[] {
  const events = changes.flatMap(change => changeEvents(domain, change, lostGraceMs, at))
  if (completion.isComplete && !completion.wasComplete) events.push(domainEvent(domain, 'domain.published', at, {}))
  return events
}

function changeEvents(
  domain: SenderDomain,
  { before, after }: CheckChange,
  lostGraceMs: number,
  at: Instant,
): NewEvent[] {
  const { purpose, name, reason, detail } = after
  const from = before && stand(before)
  const diff = diffFound(before?.found ?? [], after.found)
  const data = { purpose, name, from, to: stand(after), diff }
  const events = [domainEvent(domain, 'domain.check_changed', at, data)]
  const isLost =
    after.lastPublishedAt !== undefined && before?.state !== 'not-published' && after.state === 'not-published'
  if (isLost) {
    const countsUntil = after.lastPublishedAt! + lostGraceMs
    events.push(domainEvent(domain, 'domain.record_lost', at, { purpose, name, reason, detail, countsUntil }))
  }
  return events
}

function stand({ state, reason, found, detail }: Check) {
  return { state, reason, found, detail }
}
