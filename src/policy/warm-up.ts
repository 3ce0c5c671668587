/**
 * A warm-up goes on by itself: a cap for each day, the next one only after a day that was good and used. Pure.
 *
 * Trouble (too many deferrals, bounces or complaints among enough answers) pauses it: no more on that day, and from the
 * next on the cap before, until a good day ends the pause. Days are the calendar's of the configured time zone; a token
 * bucket would let the hours around midnight send two days' worth to a receiver that counts by day.
 */
import { dayAfter } from '../base/calendar.ts'
import type { CalendarDay } from '../mail/ids.ts'
import type { VolumeCounts } from '../mail/volume.ts'
import type { WarmUp, WarmUpChange, WarmUpRules, WarmUpTrouble } from '../mail/warm-up.ts'

export type DayCounts = Pick<VolumeCounts, 'delivered' | 'deferred' | 'bounced' | 'complained'>

export interface Review {
  readonly warmUp: WarmUp
  readonly changes: readonly WarmUpChange[]
}

/**
 * Most recipients on the day it stands at; null: as many as come. Before its start a domain isn't limited, and an address
 * isn't used: its pool has others, and receivers should not meet it unprepared.
 */
export function capOf(warmUp: WarmUp): number | null {
  const { state, day, kind, caps, step, pause, taken } = warmUp
  if (state === 'done') return null
  if (day === null) return kind === 'domain' ? null : 0
  if (pause === null) return caps[step]!
  if (pause.trouble !== null && pause.since === day) return taken
  return caps[Math.max(step - 1, 0)]!
}

/** How many of `wanted` may go today. */
export function placesFor(warmUp: WarmUp, wanted: number): number {
  const cap = capOf(warmUp)
  return cap === null ? wanted : Math.max(0, Math.min(wanted, cap - warmUp.taken))
}

/** `counts`: those of the day it stands at. The same facts twice change nothing. */
export function review(warmUp: WarmUp, counts: DayCounts, today: CalendarDay, rules: WarmUpRules): Review {
  const changes: WarmUpChange[] = []
  const become = (next: WarmUp, type: WarmUpChange['type'] | null) => {
    if (type !== null) changes.push({ type, warmUp: next })
    return next
  }
  if (warmUp.state === 'done' || today < warmUp.startsOn) return { warmUp, changes }
  if (warmUp.day === null) return { warmUp: become({ ...warmUp, day: today, taken: 0 }, 'started'), changes }
  if (stoodAhead(warmUp.day, today)) return { warmUp: { ...warmUp, day: today }, changes }
  const trouble = troubleOf(warmUp, counts, rules)
  let next = warmUp
  if (trouble !== null && isNews(warmUp)) {
    next = become({ ...warmUp, state: 'paused', pause: { since: warmUp.day, trouble } }, 'paused')
  }
  if (today > warmUp.day) next = become(...onNextDay(next, isGood(next, counts, trouble, rules), today))
  return { warmUp: next, changes }
}

/** The operator says that what happened today is no reason to wait. */
export function resumed(warmUp: WarmUp): WarmUp {
  return { ...warmUp, state: 'running', pause: null, trustedOn: warmUp.day }
}

/** By hand: it stays where it is, one cap lower, until it is resumed by hand. */
export function pausedByHand(warmUp: WarmUp, today: CalendarDay): WarmUp {
  return { ...warmUp, state: 'paused', pause: { since: today, trouble: null } }
}

/** The clock was wrong, or mail would wait for that day to come. Around midnight one thread may be a day behind another. */
function stoodAhead(day: CalendarDay, today: CalendarDay): boolean {
  return day > today && day > dayAfter(today, 1)
}

function troubleOf(warmUp: WarmUp, counts: DayCounts, rules: WarmUpRules): WarmUpTrouble | null {
  if (warmUp.trustedOn === warmUp.day) return null
  const { delivered, deferred, bounced, complained } = counts
  const of = delivered + deferred + bounced
  if (of < rules.sample) return null
  const share = (count: number) => count / of
  if (share(complained) > rules.complainedShare) return { kind: 'complained', share: share(complained), of }
  if (share(bounced) > rules.bouncedShare) return { kind: 'bounced', share: share(bounced), of }
  if (share(deferred) > rules.deferredShare) return { kind: 'deferred', share: share(deferred), of }
  return null
}

function isNews({ pause, day }: WarmUp): boolean {
  return pause === null || (pause.trouble !== null && pause.since !== day)
}

/** Used as well: a day on which hardly anything was sent proves nothing. */
function isGood(warmUp: WarmUp, counts: DayCounts, trouble: WarmUpTrouble | null, rules: WarmUpRules): boolean {
  const cap = capOf(warmUp) ?? 0
  const isUsed = counts.delivered > 0 && warmUp.taken >= cap * rules.minimumUse
  return trouble === null && isUsed && warmUp.trustedOn !== warmUp.day && warmUp.pause?.since !== warmUp.day
}

function onNextDay(warmUp: WarmUp, isGood: boolean, today: CalendarDay): [WarmUp, WarmUpChange['type'] | null] {
  const next = { ...warmUp, day: today, taken: 0 }
  if (!isGood) return [next, null]
  if (warmUp.pause !== null)
    return warmUp.pause.trouble === null ? [next, null] : [{ ...next, state: 'running', pause: null }, 'resumed']
  if (warmUp.step + 1 >= warmUp.caps.length) return [{ ...next, state: 'done' }, 'finished']
  return [{ ...next, step: warmUp.step + 1 }, 'advanced']
}
