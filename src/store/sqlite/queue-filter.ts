/**
 * A QueueFilter as SQL, for the reader's lists and the writer's orders alike: over backlogs, and over entries.
 *
 * Who names a message, an entry or a recipient means few entries: they are reached by their key. Every other filter
 * fits whole backlogs (backlog.ts), which are few, and the leased entries, which are few too; so no filter makes anybody
 * read the queue. A recipient is found through the search index first and compared afterwards: its address stands in the
 * envelope only.
 */
import { domainOf } from '../../mail/address.ts'
import type { Instant } from '../../mail/ids.ts'
import { priorities } from '../../mail/priority.ts'
import type { QueueFilter } from '../store.ts'
import type { Value } from './connection.ts'
import { splitEntryId } from './rows.ts'
import { type TraceReader, traceHash } from './trace.ts'

export interface Condition {
  /** Without `where`; `1` when everything matches. */
  readonly sql: string
  readonly values: readonly Value[]
}

/** Rows of `entry e`, with the index that reaches them. */
export interface Source extends Condition {
  readonly from: string
}

export const stateSql = `case when e.lease_until is not null then 'leased' when e.held_reason is not null then 'held'
  when e.next_attempt_at <= ? then 'due' else 'waiting' end`

const isLeased = 'e.lease_until is not null'

/**
 * Recipient domains with the site that serves them, as far as entries in the queue were tried: behind a closed site wait
 * many that were not. A sender's own server (`smtp:host:port`) says nothing about a domain.
 */
export const knownSites = `select domain, max(site) as site from (
    select domain, site from backlog where site <> ''
    union all select e.domain, e.last_site from entry e indexed by entry_leased where ${isLeased}
  ) where site not like 'smtp:%' group by domain`

const claimable = 'e.lease_until is null and e.held_reason is null'
const addressSql = `lower(json_extract(m.facts, '$.envelope.recipients[' || e.n || '].address'))`

function priorityName(alias: string): string {
  return `case ${alias}.priority ${priorities.map((name, rank) => `when ${rank} then '${name}'`).join(' ')} end`
}

/** What a backlog has in common, and where it stands in a backlog and in an entry with its message. */
const ofBacklog = {
  domain: 'b.domain',
  account: 'b.account',
  senderDomain: 'b.sender_domain',
  class: `case b.class when '' then 'none' else b.class end`,
  site: `nullif(b.site, '')`,
  priority: priorityName('b'),
}
const ofEntry: Names = {
  domain: 'e.domain',
  account: `coalesce(m.account, '')`,
  senderDomain: 'm.sender_domain',
  class: `coalesce(e.last_class, 'none')`,
  site: 'e.last_site',
  priority: priorityName('m'),
}
export type Names = Readonly<Record<keyof typeof ofBacklog, string>>
export const names: { readonly backlog: Names; readonly entry: Names } = { backlog: ofBacklog, entry: ofEntry }

/** Names few entries, whatever is queued. */
export function isNarrow({ message, entry, recipient }: QueueFilter): boolean {
  return message !== undefined || entry !== undefined || recipient !== undefined
}

/** Over `backlog b`. Whether something is due is not in it. */
export function backlogCondition(filter: QueueFilter): Condition {
  const list = conditions()
  addCommon(list.add, filter, ofBacklog)
  if (filter.scheduled !== undefined) list.add(`b.scheduled = ${filter.scheduled ? 1 : 0}`)
  if (filter.state === 'held') list.add('b.held = 1')
  else if (filter.state !== undefined) list.add('b.held = 0')
  return list.all()
}

/** Over `entry e join message m`. */
export function entryCondition(trace: TraceReader, filter: QueueFilter, now: Instant): Condition {
  const list = conditions()
  if (filter.message !== undefined) list.add('e.message = (select seq from message where id = ?)', filter.message)
  if (filter.entry !== undefined) addEntry(list.add, filter.entry)
  addCommon(list.add, filter, ofEntry)
  if (filter.scheduled !== undefined) list.add(`e.paced ${filter.scheduled ? '=' : '<>'} 3`)
  if (filter.recipient !== undefined) addRecipient(trace, list.add, filter.recipient)
  if (filter.state !== undefined) {
    const state = stateCondition(filter.state, now)
    list.add(state.sql, ...state.values)
  }
  return list.all()
}

/** Where all that matches is found, in no order: each part through an index, whatever is queued. */
export function sourcesOf(
  trace: TraceReader,
  filter: QueueFilter,
  now: Instant,
  held?: boolean,
  waiting = true,
): Source[] {
  if (isNarrow(filter)) return [{ from: 'entry e', ...entryCondition(trace, filter, now) }]
  const sources: Source[] = []
  if (filter.state === undefined || filter.state === 'leased') sources.push(leasedSource(trace, filter, now))
  if (waiting && filter.state !== 'leased') sources.push(waitingSource(filter, now, held))
  return sources
}

const turnOf = `t.id from backlog b join turn t on t.domain = b.domain and t.account = b.account
  and t.sender_domain = b.sender_domain and t.priority = b.priority`

/** Needs `m` for accounts and sender domains. */
export function leasedSource(trace: TraceReader, filter: QueueFilter, now: Instant): Source {
  const { sql, values } = entryCondition(trace, filter, now)
  return { from: 'entry e indexed by entry_leased', sql: `${isLeased} and ${sql}`, values }
}

function waitingSource(filter: QueueFilter, now: Instant, held: boolean | undefined): Source {
  const { sql, values } = backlogCondition(filter)
  const those = (what: 'id' | 'turn') =>
    `select ${what === 'id' ? 'b.id from backlog b' : turnOf} where ${sql}${held === undefined ? '' : ` and b.held = ${held ? 1 : 0}`}`
  if (filter.state !== 'due' && filter.state !== 'waiting')
    return {
      // Of what suspensions hold there may be a million, and no order is about it.
      from: `entry e indexed by ${held === true ? 'entry_own_hold' : 'entry_backlog'}`,
      sql: `e.lease_until is null and e.backlog in (${those('id')})`,
      values,
    }
  const state = stateCondition(filter.state, now)
  return {
    from: 'entry e indexed by entry_due',
    sql: `e.turn in (${those('turn')}) and ${state.sql} and e.backlog in (${those('id')})`,
    values: [...values, ...state.values, ...values],
  }
}

/** The backlogs that may hold some that wait and match. Not for narrow filters; `select ${from} where ${sql}`. */
export function backlogsOf(filter: QueueFilter, held: boolean | undefined): Source {
  const { sql, values } = backlogCondition(filter)
  const from = isByTime(filter)
    ? `b.id, ${turnOf.replace('t.id', 't.id as turn')}`
    : 'b.id, null as turn from backlog b'
  return { from, sql: `${sql}${held === undefined ? '' : ` and b.held = ${held ? 1 : 0}`}`, values }
}

/** Those of one of these backlogs. */
export function entriesOfBacklog(filter: QueueFilter, now: Instant, held: boolean | undefined) {
  if (isByTime(filter)) {
    const { sql, values } = stateCondition(filter.state!, now)
    return {
      from: 'entry e indexed by entry_due',
      sql: `e.turn = ? and e.backlog = ? and ${sql}`,
      values: (backlog: number, turn: number | null): Value[] => [turn, backlog, ...values],
    }
  }
  return {
    // Of what suspensions hold there may be a million, and no order is about it.
    from: `entry e indexed by ${held === true ? 'entry_own_hold' : 'entry_backlog'}`,
    sql: 'e.lease_until is null and e.backlog = ?',
    values: (backlog: number): Value[] => [backlog],
  }
}

function isByTime({ state }: QueueFilter): boolean {
  return state === 'due' || state === 'waiting'
}

type Add = (sql: string, ...values: Value[]) => void

function conditions(): { readonly add: Add; all(): Condition } {
  const parts: string[] = []
  const values: Value[] = []
  return {
    add(sql, ...more) {
      parts.push(sql)
      values.push(...more)
    },
    all: () => ({ sql: parts.join(' and ') || '1', values }),
  }
}

function addCommon(add: Add, filter: QueueFilter, columns: Names): void {
  if (filter.account !== undefined) add(`${columns.account} = ?`, filter.account)
  if (filter.senderDomain !== undefined) add(`${columns.senderDomain} = ?`, filter.senderDomain)
  if (filter.domain !== undefined) add(`${columns.domain} = ?`, filter.domain)
  if (filter.priority !== undefined) add(`${columns.priority} = ?`, filter.priority)
  if (filter.class !== undefined) add(`${columns.class} = ?`, filter.class)
  if (filter.site !== undefined) addSite(add, filter.site, columns)
}

function addEntry(add: Add, entry: string): void {
  const { message, n } = splitEntryId(entry)
  add('e.message = (select seq from message where id = ?) and e.n = ?', message, n)
}

function addSite(add: Add, site: string, { site: own, domain }: Names): void {
  if (site === 'none') add(`${own} is null and ${domain} not in (select domain from (${knownSites}))`)
  else {
    const served = `select domain from (${knownSites}) where site = ?`
    add(`(${own} = ? or (${own} is null and ${domain} in (${served})))`, site, site)
  }
}

function addRecipient(trace: TraceReader, add: Add, recipient: string): void {
  const candidates = [...trace.candidates(traceHash('recipient', recipient))]
  add('e.domain = ?', domainOf(recipient))
  add('e.message in (select value from json_each(?))', JSON.stringify(candidates))
  add(`${addressSql} = ?`, recipient.toLowerCase())
}

function stateCondition(state: NonNullable<QueueFilter['state']>, now: Instant): Condition {
  switch (state) {
    case 'leased':
      return { sql: isLeased, values: [] }
    case 'held':
      return { sql: 'e.lease_until is null and e.held_reason is not null', values: [] }
    case 'due':
      return { sql: `${claimable} and e.next_attempt_at <= ?`, values: [now] }
    case 'waiting':
      return { sql: `${claimable} and e.next_attempt_at > ?`, values: [now] }
    default:
      return state satisfies never
  }
}
