/**
 * Which reports a batch of outcomes owes, composed: one per message and kind, naming all its recipients, up to a hundred.
 *
 * A bounce may come back while we still try, when nobody knows whether the host took the message; who was told of it then
 * is not told of the same recipient's end again. Never throws: a report that can't be made is a bug, logged, and the outcome stands without it; the mail going out again
 * and again would be worse.
 */
import type { Log } from '../base/log.ts'
import type { EntryId, Instant, MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { BatchReport, LeasedEntry, NewMessage } from '../store/store.ts'
import { type Classify, classify } from './classify.ts'
import { bytesWanted, composeReport, type ReportSettings } from './dsn.ts'
import type { OriginalReader } from './original.ts'
import { caseOfDelay, caseOfVerdict, delayOwed, type ReportCase, type ReportKind, reportOwed } from './report-case.ts'
import type { Verdict } from './verdict.ts'

export interface OwedReport extends BatchReport {
  readonly kind: ReportKind
  readonly original: MessageId
}

export interface ReportsRequest {
  readonly verdicts: readonly Verdict[]
  /** Entries whose delay notice is due. */
  readonly late: readonly LeasedEntry[]
  readonly settings: ReportSettings
  readonly original: OriginalReader
  readonly now: Instant
  readonly log: Log
  readonly classify?: Classify
  /** Recipients of a message whose bounce came back already. Absent: none. */
  readonly toldLater?: (message: MessageId) => Promise<ReadonlySet<EntryId>>
}

interface Group {
  readonly kind: ReportKind
  readonly message: Message
  readonly cases: ReportCase[]
}

export async function composeReports(request: ReportsRequest): Promise<OwedReport[]> {
  const owed: OwedReport[] = []
  let isFirst = true
  for (const group of groupsOf(request)) {
    if (!isFirst) await new Promise(resolve => setImmediate(resolve))
    isFirst = false
    const untold = await withoutTold(group, request)
    if (untold.cases.length === 0) continue
    const report = await compose(untold, request)
    if (report !== null) owed.push({ report, about: aboutOf(untold), kind: group.kind, original: group.message.id })
  }
  return owed
}

async function withoutTold(group: Group, { toldLater }: ReportsRequest): Promise<Group> {
  const told = group.kind === 'delay' ? undefined : await toldLater?.(group.message.id)
  return told === undefined || told.size === 0
    ? group
    : { ...group, cases: group.cases.filter(({ entry }) => !told.has(entry.id)) }
}

/** A delay is no outcome. */
function aboutOf({ kind, cases }: Group): EntryId[] {
  return kind === 'delay' ? [] : cases.map(({ entry }) => entry.id)
}

function groupsOf({ verdicts, late, settings, classify: judging = classify }: ReportsRequest): readonly Group[] {
  const groups: Group[] = []
  const latest = new Map<string, Group>()
  const add = (kind: ReportKind, message: Message, one: ReportCase) => {
    const key = `${kind} ${message.id}`
    const known = latest.get(key)
    if (known !== undefined && known.cases.length < settings.maxRecipients) return void known.cases.push(one)
    const group = { kind, message, cases: [one] }
    latest.set(key, group)
    groups.push(group)
  }
  for (const verdict of verdicts) {
    const kind = reportOwed(verdict, settings.suppressed)
    if (kind !== null) add(kind, verdict.leased.message, caseOfVerdict(verdict, judging))
  }
  for (const leased of late) if (delayOwed(leased)) add('delay', leased.message, caseOfDelay(leased, judging))
  return groups
}

async function compose(group: Group, { settings, original, now, log }: ReportsRequest): Promise<NewMessage | null> {
  try {
    return composeReport({ ...group, original: await original(group.message, bytesWanted), now, settings })
  } catch (error) {
    log.error({ err: error, message: group.message.id }, `no ${group.kind} report could be made`)
    return null
  }
}
