/**
 * When the oldest of many tallies was received. There may be tens of thousands: one statement asks when the first entry of
 * each backlog came, whatever its state, and only those that are partly due and may hold the oldest are looked into.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { openQueuePages } from './queue-pages.ts'
import type { Tally } from './queue-tally.ts'

/** Null: there is none. */
export type OldestOf = (tallies: readonly Tally[]) => Instant | null

const firstsSql = `select c.value, (select e.received_at from entry e indexed by entry_backlog
  where e.lease_until is null and e.backlog = c.value order by e.message, e.n limit 1) from json_each(?) c`

export function openQueueOldest(db: Connection, pages: ReturnType<typeof openQueuePages>) {
  const firstsOf = db.prepare(firstsSql).raw() as Statement<readonly [backlog: number, at: Instant]>
  const receivedAt: Statement<Instant> = db.prepare('select received_at from entry where message = ? and n = ?')
  receivedAt.pluck()

  /** The one accepted first: entries stand in the order of acceptance. */
  function oldestIn({ backlog, state, oldest }: Tally, now: Instant): Instant | null {
    const place = backlog && pages.first(backlog, state, now)
    return place ? receivedAt.get(...place)! : oldest
  }

  return {
    /** For any of these, as long as the snapshot stands. */
    among(all: readonly Tally[], now: Instant): OldestOf {
      const backlogs = new Set(all.flatMap(({ backlog }) => (backlog === null ? [] : [backlog.id])))
      const firsts = new Map(backlogs.size === 0 ? [] : firstsOf.all(JSON.stringify([...backlogs])))
      const known = new Map<Tally, number>()
      const partsOldest = (part: Tally) => {
        const at = known.get(part) ?? oldestIn(part, now) ?? Number.POSITIVE_INFINITY
        known.set(part, at)
        return at
      }
      const first = ({ backlog, oldest }: Tally) => (backlog === null ? oldest! : firsts.get(backlog.id)!)
      return tallies => {
        let oldest = Number.POSITIVE_INFINITY
        const parts: Tally[] = []
        for (const tally of tallies)
          if (isPart(tally)) parts.push(tally)
          else oldest = Math.min(oldest, first(tally))
        for (const part of parts.sort((a, b) => first(a) - first(b))) {
          if (first(part) >= oldest) break
          oldest = Math.min(oldest, partsOldest(part))
        }
        return Number.isFinite(oldest) ? oldest : null
      }
    },
  }
}

/** Others of its backlog are in another state. */
function isPart({ backlog, count }: Tally): boolean {
  return backlog !== null && backlog.count !== count
}
