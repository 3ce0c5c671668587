/**
 * Brings one report to one destination, by mail or by HTTPS, and says what came of it. Never rejects.
 */
import type { Config } from '../base/config.ts'
import type { Mailbox } from '../mail/ids.ts'
import type { TlsReport, TlsReportDestination } from '../mail/tls-report.ts'
import type { Store } from '../store/store.ts'
import { composeReportMail } from './report-mail.ts'
import { type PostParts, postReport } from './report-post.ts'
import { readDestination } from './report-record.ts'

export interface DeliveryParts extends PostParts {
  readonly store: Pick<Store, 'accept'>
  readonly config: Pick<Config, 'hostname' | 'relayDomain' | 'delivery' | 'tlsReports'>
}

export interface ReportContent {
  /** gzip (RFC 1952). */
  readonly compressed: Buffer
  readonly successful: number
  readonly failed: number
}

type Tried = Pick<TlsReportDestination, 'uri' | 'attempts' | 'at'>

/** `waiting` when it failed: whether it is tried again is the caller's to say. */
export async function deliverReport(
  report: TlsReport,
  { uri, attempts }: TlsReportDestination,
  content: ReportContent,
  parts: DeliveryParts,
): Promise<TlsReportDestination> {
  const tried = { uri, attempts: attempts + 1, at: parts.clock.now() }
  const destination = readDestination(uri, parts.config.delivery.allowPrivateAddresses)
  if (destination === null) return { ...tried, state: 'failed', problem: 'not an address to report to' }
  if (destination.kind === 'mailto') return mail(report, tried, destination.address, content, parts)
  const posted = await postReport(destination.url, content.compressed, parts)
  return { ...tried, state: 'problem' in posted ? 'waiting' : 'sent', ...posted }
}

/** Sent as far as this goes: what becomes of the mail is told as of any other. */
async function mail(
  report: TlsReport,
  tried: Tried,
  to: Mailbox,
  content: ReportContent,
  { store, clock, config }: DeliveryParts,
): Promise<TlsReportDestination> {
  const { hostname, relayDomain, tlsReports } = config
  const expireAfterMs = tlsReports.retryAfter.reduce((sum, wait) => sum + wait, 0)
  const settings = { hostname, relayDomain: relayDomain.name, contact: contactOf(config), expireAfterMs }
  const composed = composeReportMail({ to, report, ...content, now: clock.now(), settings })
  try {
    await store.accept(composed)
    return { ...tried, state: 'sent', message: composed.message.id }
  } catch (error) {
    return { ...tried, state: 'waiting', problem: (error as Error).message }
  }
}

export function contactOf({ relayDomain, tlsReports }: Pick<Config, 'relayDomain' | 'tlsReports'>): string {
  return tlsReports.contact ?? `postmaster@${relayDomain.name}`
}
