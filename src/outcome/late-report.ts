/**
 * Reports (DSN) on mail that was delivered and came back: what a bounce to our reverse-path says, for the sender's own.
 *
 * Where the reverse-path is one of ours, the next host's bounce ends here and the sender would never learn of it. Owed as
 * after a refusal at once (NOTIFY, never on a report, never to the null reverse-path); the Reporting-MTA is the host that
 * gave up, for it is that host's word that is passed on (RFC 3464 §2.2.2). Never throws: a report that can't be made is a
 * bug, logged, and what came back stands without it.
 *
 * Nothing but bounces is passed on. A notice that the next host is still trying asks nothing of anybody, and would come
 * from two places. Away notes would be strangers' words signed by the relay; most responders answer the From or Reply-To
 * field anyway, which is the sender's own.
 */
import type { Log } from '../base/log.ts'
import type { Instant } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Returned } from '../mail/returned.ts'
import { bytesWanted, composeReport, type ReportSettings } from './dsn.ts'
import type { OriginalReader } from './original.ts'
import { caseOfReturned, lateReportOwed } from './report-case.ts'
import type { OwedReport } from './reports.ts'

export interface LateReportsRequest {
  readonly message: Message
  /** From one mail that came back. */
  readonly returned: readonly Returned[]
  /** Fields of the original as that mail returned them, when it is the message's own; null: it returned none. */
  readonly header: Buffer | null
  readonly settings: ReportSettings
  /** Of what is stored, which is there as long as another recipient waits. */
  readonly original: OriginalReader
  readonly now: Instant
  readonly log: Log
}

/** One for every so many recipients. */
export async function composeLateReports(request: LateReportsRequest): Promise<OwedReport[]> {
  const { message, settings } = request
  const owed = request.returned.filter(found => lateReportOwed(found, message))
  const reports: OwedReport[] = []
  for (let from = 0; from < owed.length; from += settings.maxRecipients) {
    const report = await compose(owed.slice(from, from + settings.maxRecipients), request)
    if (report !== null) reports.push(report)
  }
  return reports
}

async function compose(returned: readonly Returned[], request: LateReportsRequest): Promise<OwedReport | null> {
  const { message, header, settings, now, log } = request
  const [{ reportingMta, format }] = returned as readonly [Returned, ...Returned[]]
  try {
    const report = composeReport({
      ...{ kind: 'failure', message, now, settings },
      cases: returned.map(found => caseOfReturned(found, message)),
      original: (await request.original(message, bytesWanted)) ?? header,
      later: { reportingMta, isTranslated: format === 'text' },
    })
    const about = returned.map(({ entry }) => entry)
    return { report, about, kind: 'failure', original: message.id }
  } catch (error) {
    log.error({ err: error, message: message.id }, 'no report could be made on what came back')
    return null
  }
}
