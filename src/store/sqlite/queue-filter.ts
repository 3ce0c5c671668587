/**
 * A QueueFilter as SQL over `entry e join message m`, for the reader's lists and the writer's orders alike.
 *
 * A recipient is found through the search index first and compared afterwards: its address stands in the envelope only.
 */
import { domainOf } from '../../mail/address.ts'
import type { Instant } from '../../mail/ids.ts'
import type { QueueFilter } from '../store.ts'
import type { Value } from './connection.ts'
import { splitEntryId } from './rows.ts'
import { type TraceReader, traceHash } from './trace.ts'

export interface Condition {
  /** Without `where`; `1` when everything matches. */
  readonly sql: string
  readonly values: readonly Value[]
}

export const stateSql = `case when e.lease_until is not null then 'leased' when e.held_reason is not null then 'held'
  when e.next_attempt_at <= ? then 'due' else 'waiting' end`

/**
 * Recipient domains with the site that serves them, as far as entries in the queue were tried: behind a closed site wait
 * many that were not. A sender's own server (`smtp:host:port`) says nothing about a domain.
 */
export const knownSites = `select domain, max(last_site) as site from entry where last_site not like 'smtp:%' group by domain`

const claimable = 'e.lease_until is null and e.held_reason is null'
const addressSql = `lower(json_extract(m.facts, '$.envelope.recipients[' || e.n || '].address'))`

export function queueCondition(trace: TraceReader, filter: QueueFilter, now: Instant): Condition {
  const parts: string[] = []
  const values: Value[] = []
  const add = (sql: string, ...more: Value[]) => {
    parts.push(sql)
    values.push(...more)
  }
  if (filter.message !== undefined) add('e.message = (select seq from message where id = ?)', filter.message)
  if (filter.entry !== undefined) addEntry(add, filter.entry)
  if (filter.account !== undefined) add('m.account = ?', filter.account)
  if (filter.senderDomain !== undefined) add('m.sender_domain = ?', filter.senderDomain)
  if (filter.domain !== undefined) add('e.domain = ?', filter.domain)
  if (filter.recipient !== undefined) addRecipient(trace, add, filter.recipient)
  if (filter.class !== undefined) add(`coalesce(e.last_class, 'none') = ?`, filter.class)
  if (filter.site !== undefined) addSite(add, filter.site)
  if (filter.state !== undefined) {
    const state = stateCondition(filter.state, now)
    add(state.sql, ...state.values)
  }
  return { sql: parts.join(' and ') || '1', values }
}

type Add = (sql: string, ...values: Value[]) => void

function addEntry(add: Add, entry: string): void {
  const { message, n } = splitEntryId(entry)
  add('e.message = (select seq from message where id = ?) and e.n = ?', message, n)
}

function addSite(add: Add, site: string): void {
  if (site === 'none') add(`e.last_site is null and e.domain not in (select domain from (${knownSites}))`)
  else {
    const served = `select domain from (${knownSites}) where site = ?`
    add(`(e.last_site = ? or (e.last_site is null and e.domain in (${served})))`, site, site)
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
      return { sql: 'e.lease_until is not null', values: [] }
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
