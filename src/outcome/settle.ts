/**
 * Writes outcomes down: judged, with the reports and events they owe, then told in the log.
 *
 * What comes in while one batch is written becomes the next (group commit on our side too). While the store can't be
 * written the outcomes stay in memory and are tried again until they stand: `unsettled` says how many, and nothing may be
 * sent meanwhile, or the same mail would go out again and again. At most what was in flight is kept. An outcome that the
 * store refuses for another reason is a bug of ours: it is logged, its promise rejects, and the others are written. One
 * that comes too late, because the entry was taken back meanwhile and is another's now, does not count and is not told.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { NewEvent } from '../mail/event.ts'
import type { EntryId, Instant } from '../mail/ids.ts'
import type { AutomaticSuppression } from '../mail/suppression.ts'
import type { LeasedEntry, SettleBatch, Store } from '../store/store.ts'
import { type Classify, classify } from './classify.ts'
import { deliveryPaused, deliveryResumed, reported, settled } from './delivery-log.ts'
import type { ReportSettings } from './dsn.ts'
import type { Meter } from './meter.ts'
import type { OriginalReader } from './original.ts'
import { composeReports, type OwedReport, type ReportsRequest } from './reports.ts'
import type { SettledAttempt } from './settled-attempt.ts'
import { type SuppressionRules, suppressionOfOutcome } from './suppress.ts'
import { type RetryRules, type Verdict, verdictsOf } from './verdict.ts'
import type { VolumeNotes } from './volume-notes.ts'

export interface SettlerOptions {
  readonly store: Pick<Store, 'settle'>
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
  readonly dsn: ReportSettings & { readonly original: OriginalReader } & Pick<ReportsRequest, 'toldLater'>
  readonly retry: RetryRules
  /** With the rules of the configuration; absent: without. */
  readonly classify?: Classify
  /** For the counts per day; absent: nothing is counted. */
  readonly volume?: Pick<VolumeNotes, 'noteOf'>
  /** Absent: no outcome suppresses. */
  readonly suppressions?: SuppressionRules
}

export interface Settler {
  /** Resolves when the outcomes are written and synced. Rejects only for a bug, or when stopped before that. */
  settle(attempts: readonly SettledAttempt[]): Promise<void>
  /** Ends that come without an attempt: expired, cancelled. */
  finish(verdicts: readonly Verdict[]): Promise<void>
  /** Delay notices owed for these entries. */
  notifyDelay(late: readonly LeasedEntry[]): Promise<void>
  /** Outcomes that could not be written so far; 0 while the store works. */
  readonly unsettled: number
  /** Told after a commit when something it left in the queue is due: a deferral, a report. */
  onDue(listener: (at: Instant) => void): void
  /** Writes what is there; a store that still refuses is given up, and its outcomes are in doubt. */
  stop(): Promise<void>
}

/** One call: its outcomes stand or fall together. */
interface Piece {
  readonly verdicts: readonly Verdict[]
  readonly late: readonly LeasedEntry[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** One transaction; more would keep acceptance waiting for its commit. */
const outcomesAtOnce = 500
/** Between tries while the store refuses: it may take seconds to find room, and nothing is sent meanwhile. */
const tryAgainMs = 1000

export function createSettler(options: SettlerOptions): Settler {
  return new BatchingSettler(options)
}

class BatchingSettler implements Settler {
  readonly #options: SettlerOptions
  readonly #stopping = new AbortController()
  #gathered: Piece[] = []
  /** Entries whose outcome is under way: the same end told twice counts once. */
  readonly #underWay = new Set<EntryId>()
  #running: Promise<void> | null = null
  #failing = false
  #dueListener: (at: Instant) => void = () => {}

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  settle(attempts: readonly SettledAttempt[]): Promise<void> {
    const now = this.#options.clock.now()
    const { retry, classify: judging = classify } = this.#options
    return this.finish(attempts.flatMap(attempt => verdictsOf(attempt, now, retry, judging)))
  }

  finish(verdicts: readonly Verdict[]): Promise<void> {
    const fresh = verdicts.filter(({ leased }) => !this.#underWay.has(leased.entry.id))
    for (const { leased } of fresh) this.#underWay.add(leased.entry.id)
    return this.#gather(fresh, [])
  }

  notifyDelay(late: readonly LeasedEntry[]): Promise<void> {
    return this.#gather([], late)
  }

  get unsettled(): number {
    return this.#failing ? this.#underWay.size : 0
  }

  onDue(listener: (at: Instant) => void): void {
    this.#dueListener = listener
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  #gather(verdicts: readonly Verdict[], late: readonly LeasedEntry[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ verdicts, late, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** One batch after the other; the first waits a turn of the loop for what else ends in it. */
  async #run(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    while (this.#gathered.length > 0) {
      const pieces = this.#takeBatch()
      await this.#write(pieces)
      for (const { leased } of pieces.flatMap(piece => piece.verdicts)) this.#underWay.delete(leased.entry.id)
    }
    this.#running = null
  }

  #takeBatch(): Piece[] {
    let outcomes = 0
    const end = this.#gathered.findIndex(piece => {
      outcomes += piece.verdicts.length
      return outcomes > outcomesAtOnce
    })
    return this.#gathered.splice(0, end === -1 ? this.#gathered.length : Math.max(end, 1))
  }

  async #write(pieces: readonly Piece[]): Promise<void> {
    const owed = await this.#composeReports(pieces)
    let passedOver: readonly EntryId[]
    try {
      passedOver = await this.#untilWritten(batchOf(pieces, owed, this.#options))
    } catch (error) {
      if (pieces.length > 1 && !isUnavailable(error)) return this.#writeEach(pieces)
      this.#options.log.error({ err: error, entries: entriesOf(pieces) }, 'outcomes could not be written')
      for (const piece of pieces) piece.reject(error)
      return
    }
    this.#tell(pieces, owed, new Set(passedOver))
  }

  /** One of them is refused for itself: it must not take the others with it. */
  async #writeEach(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) await this.#write([piece])
  }

  #composeReports(pieces: readonly Piece[]): Promise<OwedReport[]> {
    const { dsn, clock, log, classify: judging = classify } = this.#options
    const verdicts = pieces.flatMap(piece => piece.verdicts)
    const late = pieces.flatMap(piece => piece.late)
    return composeReports({
      verdicts,
      late,
      settings: dsn,
      original: dsn.original,
      ...(dsn.toldLater && { toldLater: dsn.toldLater }),
      now: clock.now(),
      log,
      classify: judging,
    })
  }

  /** Answers the entries whose outcome did not count. */
  async #untilWritten(batch: SettleBatch): Promise<readonly EntryId[]> {
    const { store, clock } = this.#options
    if (batch.outcomes.length === 0 && batch.reports.length === 0) return []
    for (;;) {
      try {
        const passedOver = await store.settle(batch)
        this.#works()
        return passedOver
      } catch (error) {
        if (!isUnavailable(error) || this.#stopping.signal.aborted) throw error
        this.#fails(error)
        await clock.sleep(tryAgainMs, this.#stopping.signal)
      }
    }
  }

  #fails(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    deliveryPaused(this.#options.log, { reason: reasonOf(error), entries: this.#underWay.size })
  }

  #works(): void {
    if (!this.#failing) return
    this.#failing = false
    deliveryResumed(this.#options.log)
  }

  #tell(pieces: readonly Piece[], owed: readonly OwedReport[], passedOver: ReadonlySet<EntryId>): void {
    const { log, meter } = this.#options
    if (passedOver.size > 0)
      log.warn({ entries: [...passedOver] }, 'outcomes came too late: the entries had been taken back')
    const queued = owed.filter(({ about }) => about.length === 0 || about.some(entry => !passedOver.has(entry)))
    let due = queued.length > 0 ? queued[0]!.report.message.receivedAt : Number.POSITIVE_INFINITY
    for (const piece of pieces) {
      for (const { outcome, leased } of piece.verdicts) {
        if (passedOver.has(outcome.entry)) continue
        settled(log, outcome, leased.message)
        meter.settled(outcome, leased.message)
        if (outcome.action === 'deferred') due = Math.min(due, outcome.nextAttemptAt)
      }
      piece.resolve()
    }
    for (const { report, kind, original } of queued) reported(log, report.message, { original, report: kind })
    if (due !== Number.POSITIVE_INFINITY) this.#dueListener(due)
  }
}

function batchOf(
  pieces: readonly Piece[],
  owed: readonly OwedReport[],
  { volume, suppressions: rules }: Pick<SettlerOptions, 'volume' | 'suppressions'>,
): SettleBatch {
  const verdicts = pieces.flatMap(piece => piece.verdicts)
  const suppressions = rules === undefined ? [] : suppressionsOf(verdicts, rules)
  return {
    outcomes: verdicts.map(({ outcome }) => outcome),
    reports: owed.map(({ report, about }) => ({ report, about })),
    events: verdicts.map(eventOf),
    ...(volume && { volume: verdicts.map(({ outcome, leased }) => volume.noteOf(outcome, leased.message)) }),
    ...(suppressions.length > 0 && { suppressions }),
  }
}

function suppressionsOf(verdicts: readonly Verdict[], rules: SuppressionRules): AutomaticSuppression[] {
  const found: AutomaticSuppression[] = []
  for (const { outcome, leased } of verdicts) {
    if (outcome.action !== 'bounced') continue
    const suppression = suppressionOfOutcome(outcome, leased.message, rules)
    if (suppression !== null) found.push(suppression)
  }
  return found
}

function eventOf({ leased: { message }, outcome }: Verdict): NewEvent {
  return {
    type: `message.${outcome.action}`,
    at: outcome.at,
    account: message.account,
    message: message.id,
    entry: outcome.entry,
    recipient: outcome.recipient,
    domain: message.senderDomain,
    data: outcome,
  }
}

function entriesOf(pieces: readonly Piece[]): EntryId[] {
  return pieces.flatMap(piece => piece.verdicts.map(({ outcome }) => outcome.entry))
}

/** By code: the error may have crossed a thread, where classes are lost. */
function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'store-unavailable'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
