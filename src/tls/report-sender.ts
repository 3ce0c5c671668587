/**
 * Sends the reports of days that are over (RFC 8460 §4.1, §5).
 *
 * Once a UTC day has ended, each domain with counts gets a moment of its own within `tlsReports.maxDelay`; then its record
 * is read and the report made and sent to each destination. What failed is tried again for a day. All of it stands in the
 * store, so that a restart forgets nothing; a crash at the wrong moment may send one twice, with the same id. Runs in one thread only; rounds don't overlap, and
 * one that fails is logged and comes again. Never throws.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Instant } from '../mail/ids.ts'
import { type TlsCount, type TlsReport, type TlsReportDestination, type UtcDay, utcDayOf } from '../mail/tls-report.ts'
import { type TlsReportFacts, tlsReported, tlsReportFailed } from '../outcome/delivery-log.ts'
import type { Store } from '../store/store.ts'
import { reportBody } from './report-body.ts'
import { contactOf, type DeliveryParts, deliverReport, type ReportContent } from './report-delivery.ts'
import { findDestinations } from './report-record.ts'

export interface ReportSenderParts extends Omit<DeliveryParts, 'signal'> {
  readonly store: DeliveryParts['store'] &
    Pick<Store, 'tlsCounts' | 'tlsReportsOwed' | 'saveTlsReport' | 'dueTlsReports' | 'purgeTlsReports'>
  readonly log: Log
  /** 0 ≤ x < 1. */
  readonly random?: () => number
}

export interface ReportSender {
  stop(): Promise<void>
}

const everyMs = 60_000
/** After midnight, for the last counts of the day to be written. */
const countsSettleMs = 5 * 60_000
const planAtOnce = 500
/** An https receiver may take its time; mail takes none. */
const sendAtOnce = 10
const compress = promisify(gzip)

export function startReportSender(parts: ReportSenderParts): ReportSender {
  return new DailySender(parts)
}

class DailySender implements ReportSender {
  readonly #parts: ReportSenderParts
  readonly #stopping = new AbortController()
  readonly #cancel: () => void
  #running: Promise<void> | null = null
  /** Every day before it is planned. */
  #plannedBefore: UtcDay = ''

  constructor(parts: ReportSenderParts) {
    this.#parts = parts
    this.#cancel = parts.clock.every(everyMs, () => {
      this.#running ??= this.#round()
        .catch(error => parts.log.warn({ err: error }, 'TLS reports could not be looked after'))
        .finally(() => {
          this.#running = null
        })
    })
  }

  async stop(): Promise<void> {
    this.#cancel()
    this.#stopping.abort()
    await this.#running
  }

  async #round(): Promise<void> {
    const { store, clock } = this.#parts
    await this.#plan()
    for (;;) {
      const due = await store.dueTlsReports(clock.now(), sendAtOnce)
      if (due.length === 0 || this.#stopping.signal.aborted) return
      await Promise.all(due.map(report => this.#send(report)))
    }
  }

  async #plan(): Promise<void> {
    const { store, clock, config, random = Math.random } = this.#parts
    const today = utcDayOf(clock.now() - countsSettleMs)
    if (today === this.#plannedBefore) return
    for (;;) {
      const owed = await store.tlsReportsOwed(today, planAtOnce)
      for (const { day, domain } of owed) {
        const reportId = `${newId(clock.now())}@${config.relayDomain.name}`
        const nextAttemptAt = clock.now() + Math.round(random() * config.tlsReports.maxDelay)
        await store.saveTlsReport({ day, domain, reportId, attempts: 0, nextAttemptAt, destinations: [] })
      }
      if (owed.length < planAtOnce || this.#stopping.signal.aborted) break
    }
    await store.purgeTlsReports(utcDayOf(clock.now() - config.tlsReports.keep))
    this.#plannedBefore = today
  }

  async #send(report: TlsReport): Promise<void> {
    const { store, clock } = this.#parts
    const attempts = report.attempts + 1
    const counts = await store.tlsCounts(report.domain, report.day)
    if (!counts.some(isSession)) return store.saveTlsReport({ ...report, attempts, nextAttemptAt: null })
    const destinations = await this.#destinationsOf(report)
    if (destinations === null) {
      await store.saveTlsReport({ ...report, attempts, nextAttemptAt: this.#nextAt(attempts) })
      return
    }
    const content = destinations.length === 0 ? null : await this.#contentOf(report, counts)
    const nextAttemptAt = this.#nextAt(attempts)
    const tried: TlsReportDestination[] = []
    for (const one of destinations) {
      const isOpen = one.state === 'waiting' && content !== null
      tried.push(isOpen ? await this.#tell(report, await this.#deliver(report, one, content), nextAttemptAt) : one)
    }
    // What a stop cut off was no attempt.
    if (this.#stopping.signal.aborted && tried.some(({ state }) => state === 'waiting')) {
      await store.saveTlsReport({ ...report, destinations: tried, nextAttemptAt: clock.now() })
      return
    }
    const isOver = tried.every(({ state }) => state !== 'waiting')
    await store.saveTlsReport({
      ...report,
      attempts,
      destinations: tried,
      nextAttemptAt: isOver ? null : nextAttemptAt,
    })
  }

  /** As the domain publishes them now, the first time; null: nobody could say. */
  async #destinationsOf({
    domain,
    day,
    attempts,
    destinations,
  }: TlsReport): Promise<readonly TlsReportDestination[] | null> {
    const { resolver, config, log } = this.#parts
    if (destinations.length > 0) return destinations
    const { maxDestinations } = config.tlsReports
    try {
      const found = await findDestinations(domain, { resolver, maxDestinations, anyPort: this.#anyPort })
      return found.map(({ uri }) => ({ uri, state: 'waiting', attempts: 0, at: null }))
    } catch (error) {
      const nextAttemptAt = this.#nextAt(attempts + 1)
      tlsReportFailed(log, { policyDomain: domain, day, reason: (error as Error).message, nextAttemptAt })
      return null
    }
  }

  get #anyPort(): boolean {
    return this.#parts.config.delivery.allowPrivateAddresses
  }

  async #contentOf({ day, domain, reportId }: TlsReport, counts: readonly TlsCount[]): Promise<ReportContent> {
    const { config } = this.#parts
    const { relayDomain, tlsReports } = config
    const organizationName = tlsReports.organizationName ?? relayDomain.name
    const body = reportBody({ day, domain, reportId, organizationName, contact: contactOf(config), counts })
    const sum = (those: readonly TlsCount[]) => those.reduce((total, { sessions }) => total + sessions, 0)
    return {
      compressed: await compress(JSON.stringify(body)),
      successful: sum(counts.filter(({ failure }) => failure === null)),
      failed: sum(counts.filter(({ failure }) => failure !== null)),
    }
  }

  #deliver(report: TlsReport, one: TlsReportDestination, content: ReportContent): Promise<TlsReportDestination> {
    return deliverReport(report, one, content, { ...this.#parts, signal: this.#stopping.signal })
  }

  async #tell({ day, domain }: TlsReport, one: TlsReportDestination, nextAttemptAt: Instant | null) {
    const recipient = shownUri(one.uri)
    if (one.state === 'waiting' && this.#stopping.signal.aborted) return one
    const facts: TlsReportFacts = { policyDomain: domain, day, recipient, message: one.message }
    if (one.state === 'sent') tlsReported(this.#parts.log, facts)
    else tlsReportFailed(this.#parts.log, { ...facts, reason: one.problem, nextAttemptAt })
    // Behind the last wait there is no other attempt.
    return one.state === 'waiting' && nextAttemptAt === null ? { ...one, state: 'failed' as const } : one
  }

  /** Null: it was the last. */
  #nextAt(attempts: number): Instant | null {
    const { clock, config } = this.#parts
    const wait = config.tlsReports.retryAfter[attempts - 1]
    return wait === undefined ? null : clock.now() + wait
  }
}

/**
 * A look for a policy that failed is none. A day of nothing else has no report: a report's own delivery looks for policies
 * too, and would be reported on every day.
 */
function isSession({ failure, policy }: TlsCount): boolean {
  return failure === null || failure.receivingMx !== null || policy.policyType === 'no-policy-found'
}

/** Without path and query: they may be secrets of the receiver. */
export function shownUri(uri: string): string {
  return /^https:/i.test(uri) && URL.canParse(uri)
    ? new URL(uri).origin
    : uri.replace(/^mailto:/i, '').replace(/\?.*$/s, '')
}
