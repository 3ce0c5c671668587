import type { DomainName, Instant } from '../mail/ids.ts'
import type { TlsCount, TlsDay, TlsReport, UtcDay } from '../mail/tls-report.ts'
import type { Page } from './queue-store.ts'

/** Counts of TLS sessions and the reports made of them (RFC 8460). */
export interface TlsReportStore {
  /** Adds to what is there. Beyond some hundreds of different failures a domain and day, hosts are no longer told apart. */
  addTlsCounts(counts: readonly TlsCount[]): Promise<void>
  tlsCounts(domain: DomainName, day: UtcDay): Promise<readonly TlsCount[]>
  /** Newest day first, domains backwards; `page.after`: `day/domain`. */
  listTlsDays(filter: { readonly domain?: DomainName }, page: Page): Promise<readonly TlsDay[]>
  /** Days before this one that have counts and no report yet, oldest first. */
  tlsReportsOwed(
    before: UtcDay,
    limit: number,
  ): Promise<readonly { readonly day: UtcDay; readonly domain: DomainName }[]>
  /** In place of the one of that domain and day, if there is one. */
  saveTlsReport(report: TlsReport): Promise<void>
  /** To be sent or tried again by now, the earliest first. */
  dueTlsReports(now: Instant, limit: number): Promise<readonly TlsReport[]>
  /** When the next is due; null: none waits. */
  nextTlsReportAt(): Promise<Instant | null>
  /** Counts and reports of days before this one; answers how many days of domains. */
  purgeTlsReports(before: UtcDay): Promise<number>
}
