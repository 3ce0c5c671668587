/**
 * Looks after what goes by days: brings warm-ups to today, so that trouble pauses them while it happens and midnight passes
 * for those without mail too, and forgets old counts. On the main thread; a round that fails is logged and comes again.
 */
import { type Calendar, dayAfter } from '../base/calendar.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { WarmUpRules } from '../mail/warm-up.ts'
import type { Store } from '../store/store.ts'
import { warmUpChanged } from './delivery-log.ts'

export interface DailyRoundParts {
  readonly store: Pick<Store, 'reviewWarmUps' | 'purgeVolume'>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly rules: WarmUpRules
  readonly log: Log
}

export interface DailyRound {
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>
}

const everyMs = 60_000
/** Two months of comparison, at 100 bytes a day for each domain and receiver. */
export const keepDays = 60
const purgeAtOnce = 2000

export function startDailyRound({ store, clock, calendar, rules, log }: DailyRoundParts): DailyRound {
  let underWay: Promise<void> | null = null

  async function round(): Promise<void> {
    const at = clock.now()
    const today = calendar.dayOf(at)
    for (const change of await store.reviewWarmUps({ today, at, rules })) warmUpChanged(log, change)
    await store.purgeVolume(dayAfter(today, -keepDays), purgeAtOnce)
  }

  const cancel = clock.every(everyMs, () => {
    underWay ??= round()
      .catch(error => log.warn({ err: error }, 'warm-ups could not be looked after'))
      .finally(() => {
        underWay = null
      })
  })
  return {
    async stop() {
      cancel()
      await underWay
    },
  }
}
