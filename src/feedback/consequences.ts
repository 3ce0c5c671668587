/**
 * What follows from what came back, written in the transaction that writes it down: the report to the sender, suppressions,
 * the counts of the day.
 *
 * Fails with StoreUnavailable.
 */
import type { Calendar } from '../base/calendar.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Message } from '../mail/message.ts'
import type { Returned } from '../mail/returned.ts'
import type { ReportSettings } from '../outcome/dsn.ts'
import { composeLateReports } from '../outcome/late-report.ts'
import type { OriginalReader } from '../outcome/original.ts'
import type { OwedReport } from '../outcome/reports.ts'
import { type SuppressionRules, suppressionOfReturned } from '../outcome/suppress.ts'
import type { ReturnBatch, Store } from '../store/store.ts'
import type { Fields } from './fields.ts'
import { returnedHeader } from './returned-header.ts'
import { volumeOf } from './volume.ts'

export interface ConsequenceParts {
  readonly store: Pick<Store, 'events'>
  readonly clock: Clock
  readonly log: Log
  readonly calendar: Calendar
  readonly suppressions: SuppressionRules
  readonly reports: ReportSettings
  readonly original: OriginalReader
}

export interface Consequences extends Pick<ReturnBatch, 'suppressions' | 'volume'> {
  readonly owed: readonly OwedReport[]
}

/** `original`: header of the message as the mail that came back has it. */
export type Conclude = (
  message: Message,
  returned: readonly Returned[],
  original: Fields | null,
) => Promise<Consequences>

export function createConclude(parts: ConsequenceParts): Conclude {
  const { store, clock, log, calendar, suppressions: rules, reports: settings, original } = parts
  return async (message, returned, quoted) => ({
    owed: await composeLateReports({
      ...{ message, returned, settings, original, log, now: clock.now() },
      header: quoted === null ? null : returnedHeader(quoted, message),
    }),
    suppressions: returned.flatMap(found => suppressionOfReturned(found, message.account, rules) ?? []),
    volume: await volumeOf(store, calendar, returned),
  })
}
