/**
 * Counts of TLS sessions and the reports made of them (RFC 8460).
 *
 * One row for each way things went at a domain on a day. Strangers decide how many hosts a domain has, so that beyond a
 * bound failures are counted without saying where.
 */
import type { DomainName, Instant } from '../../mail/ids.ts'
import type { TlsCount, TlsDay, TlsFailureDetail, TlsPolicyFound, TlsReport, UtcDay } from '../../mail/tls-report.ts'
import type { Page } from '../queue-store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

/** Of a domain and day: more different failures than an honest set of hosts has, and a report of some 100 kB. */
const maxRows = 400

export function openTlsReports(db: Connection) {
  const add = db.prepare(
    'update tls_count set sessions = sessions + ? where day = ? and domain = ? and policy = ? and failure = ?',
  )
  const put = db.prepare(
    `insert into tls_count (day, domain, policy, failure, sessions) values (?, ?, ?, ?, ?)
     on conflict do update set sessions = sessions + excluded.sessions`,
  )
  const rows: Statement<number> = db.prepare('select count(*) from tls_count where day = ? and domain = ?')
  rows.pluck()
  const save = db.prepare('insert or replace into tls_report (day, domain, next_attempt_at, data) values (?, ?, ?, ?)')
  const dropCounts = db.prepare('delete from tls_count where day < ?')
  const dropReports = db.prepare('delete from tls_report where day < ?')

  function addOne({ day, domain, policy, failure, sessions }: TlsCount): void {
    const key = JSON.stringify(policy)
    const detail = failure === null ? '' : JSON.stringify(failure)
    if (add.run(sessions, day, domain, key, detail).changes > 0) return
    const isCrowded = failure !== null && rows.get(day, domain)! >= maxRows
    put.run(day, domain, key, isCrowded ? JSON.stringify(anywhere(failure)) : detail, sessions)
  }

  return {
    addTlsCounts(_tx: Transaction, counts: readonly TlsCount[]): void {
      for (const count of counts) addOne(count)
    },

    saveTlsReport(_tx: Transaction, report: TlsReport): void {
      save.run(report.day, report.domain, report.nextAttemptAt, JSON.stringify(report))
    },

    purgeTlsReports(_tx: Transaction, before: UtcDay): number {
      dropReports.run(before)
      return dropCounts.run(before).changes
    },
  }
}

function anywhere({ resultType }: TlsFailureDetail): TlsFailureDetail {
  return { resultType, receivingMx: null, receivingIp: null, sendingIp: null, additional: null }
}

interface CountRow {
  readonly day: UtcDay
  readonly domain: DomainName
  readonly policy: string
  readonly failure: string
  readonly sessions: number
}

interface DayRow {
  readonly day: UtcDay
  readonly domain: DomainName
  readonly successful: number
  readonly failed: number
  readonly data: string | null
}

const dayColumns = `c.day, c.domain, sum(iif(c.failure = '', c.sessions, 0)) as successful,
  sum(iif(c.failure = '', 0, c.sessions)) as failed, r.data`
const days = `from tls_count c left join tls_report r on r.day = c.day and r.domain = c.domain`
/** Backwards along the primary key, so that a page costs what it shows. */
const behind = '(c.day, c.domain) < (?, ?)'
const order = 'group by c.day, c.domain order by c.day desc, c.domain desc limit ?'

export function openTlsReportsReader(db: Connection) {
  const counts: Statement<CountRow> = db.prepare(
    'select * from tls_count where day = ? and domain = ? order by sessions desc, policy, failure',
  )
  const list: Statement<DayRow> = db.prepare(`select ${dayColumns} ${days} where ${behind} ${order}`)
  const listOf: Statement<DayRow> = db.prepare(`select ${dayColumns} ${days} where c.domain = ? and ${behind} ${order}`)
  const owed: Statement<{ readonly day: UtcDay; readonly domain: DomainName }> = db.prepare(
    `select distinct day, domain from tls_count c where day < ?
     and not exists (select 1 from tls_report r where r.day = c.day and r.domain = c.domain) order by day, domain limit ?`,
  )
  const due: Statement<string> = db.prepare(
    'select data from tls_report where next_attempt_at <= ? order by next_attempt_at limit ?',
  )
  due.pluck()
  const next: Statement<Instant | null> = db.prepare(
    'select min(next_attempt_at) from tls_report where next_attempt_at is not null',
  )
  next.pluck()
  return {
    tlsCounts: (domain: DomainName, day: UtcDay): TlsCount[] => counts.all(day, domain).map(countOf),

    listTlsDays({ domain }: { readonly domain?: DomainName }, { limit, after }: Page): TlsDay[] {
      const [day, name] = after === undefined ? ['~', ''] : [after.slice(0, 10), after.slice(11)]
      const position = [day, name, limit] as const
      return (domain === undefined ? list.all(...position) : listOf.all(domain, ...position)).map(dayOf)
    },

    tlsReportsOwed: (before: UtcDay, limit: number) => owed.all(before, limit),
    dueTlsReports: (now: Instant, limit: number) => due.all(now, limit).map(data => JSON.parse(data) as TlsReport),
    nextTlsReportAt: (): Instant | null => next.get() ?? null,
  }
}

function countOf({ policy, failure, ...row }: CountRow): TlsCount {
  return {
    ...row,
    policy: JSON.parse(policy) as TlsPolicyFound,
    failure: failure === '' ? null : (JSON.parse(failure) as TlsFailureDetail),
  }
}

function dayOf({ data, ...row }: DayRow): TlsDay {
  return { ...row, report: data === null ? null : (JSON.parse(data) as TlsReport) }
}
