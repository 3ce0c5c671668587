/**
 * Where the entries of a page stand, in the order of acceptance: merged from backlogs, each read from its place on.
 *
 * Where each backlog goes on is asked in one statement. Those that begin first come first and are asked for no more than
 * the page still has room for, until the others begin behind the page's last place; so a page costs a look per backlog,
 * not a walk through the queue. A backlog that is partly due is read in order when it is
 * small or what is wanted is met soon (one in 50). Else it is the biggest of its turn, as a rule, and what is
 * wanted is found through `entry_due` and sorted: that index knows the turn's other backlogs too.
 */
import type { Instant } from '../../mail/ids.ts'
import type { QueueRow } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import { type BacklogTally, countIn, turnOfSql } from './queue-tally.ts'

/** Row number of the message, and the recipient's number. */
export type Place = readonly [message: number, n: number]

const sparse = 5000
const oneIn = 50
const furthest: Place = [Number.MAX_SAFE_INTEGER, 0]

const inOrder = 'from entry indexed by entry_backlog where lease_until is null and backlog = ?'
const between = 'and (message, n) > (?, ?) and message <= ?'
const byTime = `from entry indexed by entry_due where turn = (${turnOfSql}) and lease_until is null and held_reason is null`
export const pageSql = `select message, n ${inOrder} ${between} order by message, n limit ?`
const partOfPage = (comparison: string) => `select message, n ${inOrder} ${between}
  and next_attempt_at ${comparison} ? order by message, n limit ?`
const rareOfPage = (comparison: string) => `select message, n ${byTime} and next_attempt_at ${comparison} ?
  and backlog = ? ${between} order by message, n limit ?`

const firstsSql = (condition = '') => `select c.value, (select message from entry indexed by entry_backlog
  where lease_until is null and backlog = c.value and (message, n) > (?, ?) ${condition}
  order by message, n limit 1) from json_each(?) c`

export function openQueuePages(db: Connection) {
  const places = (sql: string): Statement<Place> => db.prepare<unknown[], Place>(sql).raw() as Statement<Place>
  const all = places(pageSql)
  const ofMany = (condition?: string) =>
    db.prepare(firstsSql(condition)).raw() as Statement<readonly [backlog: number, message: number | null]>
  const firsts = ofMany()
  const firstsOfPart = { due: ofMany('and next_attempt_at <= ?'), waiting: ofMany('and next_attempt_at > ?') }
  const part = { due: places(partOfPage('<=')), waiting: places(partOfPage('>')) }
  const rare = { due: places(rareOfPage('<=')), waiting: places(rareOfPage('>')) }

  /** The first places of one backlog behind `after`, up to the message `last`. */
  function placesOf(
    backlog: BacklogTally,
    state: QueueRow['state'] | undefined,
    now: Instant,
    after: Place,
    last: number,
    limit: number,
  ): Place[] {
    const { id, count } = backlog
    const wanted = state === undefined ? count : countIn(backlog, state)
    if (wanted === 0) return []
    if (wanted === count || (state !== 'due' && state !== 'waiting')) return all.all(id, ...after, last, limit)
    const soon = count <= sparse || wanted * oneIn >= count
    return soon ? part[state].all(id, ...after, last, now, limit) : rare[state].all(id, now, id, ...after, last, limit)
  }

  /** Of each backlog the first message behind `after`; of one where what is wanted is rare whatever its state. */
  function firstsOf(
    backlogs: readonly BacklogTally[],
    state: QueueRow['state'] | undefined,
    now: Instant,
    after: Place,
  ): Map<number, number | null> {
    if (state !== 'due' && state !== 'waiting') return new Map(firsts.all(...after, idsOf(backlogs)))
    const isMixed = (one: BacklogTally) => countIn(one, state) < one.count && isSoon(one, state)
    const { mixed = [], others = [] } = Object.groupBy(backlogs, one => (isMixed(one) ? 'mixed' : 'others'))
    const found = firstsOfPart[state].all(...after, now, idsOf(mixed))
    return new Map([...found, ...firsts.all(...after, idsOf(others))])
  }

  return {
    first: (backlog: BacklogTally, state: QueueRow['state'], now: Instant): Place | undefined =>
      placesOf(backlog, state, now, [0, -1], furthest[0], 1)[0],

    /** `places`: those found elsewhere, in order, at most `limit`. */
    page(
      places: readonly Place[],
      backlogs: readonly BacklogTally[],
      state: QueueRow['state'] | undefined,
      now: Instant,
      after: Place,
      limit: number,
    ): readonly Place[] {
      let page = places
      const having = state === undefined ? backlogs : backlogs.filter(backlog => countIn(backlog, state) > 0)
      const from = firstsOf(having, state, now, after)
      const first = ({ id }: BacklogTally) => from.get(id) ?? Number.POSITIVE_INFINITY
      for (const backlog of having.toSorted((a, b) => first(a) - first(b))) {
        const [last] = page.length < limit ? furthest : page.at(-1)!
        if (first(backlog) > last) break
        const found = placesOf(backlog, state, now, after, last, limit)
        if (found.length > 0) page = [...page, ...found].sort(compare).slice(0, limit)
      }
      return page
    },
  }
}

/** Read in order, something in that state is met before long. */
function isSoon(backlog: BacklogTally, state: QueueRow['state']): boolean {
  return backlog.count <= sparse || countIn(backlog, state) * oneIn >= backlog.count
}

function idsOf(backlogs: readonly BacklogTally[]): string {
  return JSON.stringify(backlogs.map(({ id }) => id))
}

function compare([message, n]: Place, [otherMessage, otherN]: Place): number {
  return message - otherMessage || n - otherN
}
