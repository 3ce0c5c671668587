/**
 * What the next slice of an order is about: found at the same price however many entries and backlogs there are.
 *
 * The backlogs that fit are listed once for an order and then taken one after the other, so that no slice looks at all of
 * them again; when the list is through it is made anew, for what came meanwhile. Fewer than `limit` means none is left.
 * A list is a hint only: entries are read as they are now, and what a rolled back slice had taken is in the next list.
 */
import type { Instant } from '../../mail/ids.ts'
import type { QueueFilter } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import { backlogsOf, entriesOfBacklog, isNarrow, type Source, sourcesOf } from './queue-filter.ts'
import type { TraceReader } from './trace.ts'

export interface OrderSlice {
  /** Slices of the same verb and filter go on where the last one ended. */
  readonly verb: string
  readonly columns: string
  readonly filter: QueueFilter
  /** Only such, or only others, have anything left to do. */
  readonly held?: boolean
  readonly extra: string
  /** Rows as arrays. */
  readonly raw?: boolean
}

interface Listed {
  readonly id: number
  readonly turn: number | null
}

/** Orders that stopped halfway leave theirs behind. */
const mostLists = 8

export function openOrderSlices(db: Connection, trace: TraceReader) {
  /** The next one last. */
  const lists = new Map<string, Listed[]>()

  function prepare<Row>({ columns, extra, raw = false }: OrderSlice, from: string, sql: string): Statement<Row> {
    const statement = db.prepare<Value[], Row>(
      `select ${columns} from ${from} join message m on m.seq = e.message where ${sql} and ${extra} limit ?`,
    )
    return (raw ? statement.raw() : statement) as Statement<Row>
  }

  function fresh({ filter, held }: OrderSlice): Listed[] {
    const { from, sql, values } = backlogsOf(filter, held)
    return db.prepare<Value[], Listed>(`select ${from} where ${sql} order by b.id desc`).all(...values)
  }

  function waiting<Row>(order: OrderSlice, now: Instant, limit: number): Row[] {
    const { filter, held, verb } = order
    const key = `${verb} ${JSON.stringify(filter)}`
    const { from, sql, values } = entriesOfBacklog(filter, now, held)
    const read = prepare<Row>(order, from, sql)
    const rows: Row[] = []
    const done = new Set<number>()
    const take = (list: Listed[]): Listed[] => {
      for (let next = list.at(-1); next !== undefined && rows.length < limit; next = list.at(-1)) {
        const { id, turn } = next
        if (!done.has(id)) rows.push(...read.all(...values(id, turn), limit - rows.length))
        if (rows.length >= limit) break
        done.add(id)
        list.pop()
      }
      return list
    }
    let left = take(lists.get(key) ?? [])
    if (rows.length < limit) left = take(fresh(order))
    lists.delete(key)
    if (rows.length >= limit) remember(key, left)
    return rows
  }

  function remember(key: string, list: Listed[]): void {
    if (lists.size >= mostLists) lists.delete(lists.keys().next().value!)
    lists.set(key, list)
  }

  return function slice<Row>(order: OrderSlice, now: Instant, limit: number): Row[] {
    const { filter, held } = order
    const read = ({ from, sql, values }: Source, most: number) => prepare<Row>(order, from, sql).all(...values, most)
    const rows = sourcesOf(trace, filter, now, held, false)
      .flatMap(source => read(source, limit))
      .slice(0, limit)
    if (isNarrow(filter) || filter.state === 'leased' || rows.length >= limit) return rows
    return [...rows, ...waiting<Row>(order, now, limit - rows.length)]
  }
}
