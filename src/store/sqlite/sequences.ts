/**
 * Row numbers of messages and events, counted in memory: never used again, gaps after a rollback are harmless.
 *
 * At open they go on after the greatest that still stands; `purge` therefore always leaves the newest event, and the
 * search index remembers the newest message it saw.
 */
import type { Connection } from './connection.ts'

export interface Sequences {
  nextMessage(): number
  nextEvent(): number
}

export function openSequences(db: Connection): Sequences {
  const greatest = (sql: string) => db.prepare<[], number>(sql).pluck().get() ?? 0
  let message = Math.max(
    greatest('select coalesce(max(seq), 0) from message'),
    greatest('select coalesce(max(last), 0) from trace_part'),
  )
  let event = greatest('select coalesce(max(seq), 0) from event')
  return { nextMessage: () => ++message, nextEvent: () => ++event }
}
