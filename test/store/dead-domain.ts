/**
 * A queue with very many entries for one dead domain.
 */
import { readFileSync } from 'node:fs'
import type { Connection } from '../../src/store/sqlite/connection.ts'
import { openReading, openWriting } from '../../src/store/sqlite/connection.ts'

/** Copies the one waiting entry many times, straight into the tables: what matters is how many there are. */
export function multiplyEntry(file: string, count: number): void {
  const db = openWriting(file)
  const columns = columnsOf(db).filter(name => name !== 'n')
  db.exec(`
    with recursive number(n) as (select 1 union all select n + 1 from number where n < ${count})
    insert into entry (n, ${columns.join(', ')}) select number.n, ${columns.map(name => `one.${name}`).join(', ')}
      from number cross join (select * from entry limit 1) as one;
    update backlog_slot set count = count + ${count};`)
  db.close()
}

function columnsOf(db: Connection): string[] {
  return db
    .prepare<[], { name: string }>(`select name from pragma_table_info('entry')`)
    .all()
    .map(row => row.name)
}

export function planOf(db: Connection, sql: string, values: readonly unknown[]): string {
  const rows = db.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...values)
  return rows.map(row => row.detail).join('; ')
}

/** What this process has read from files so far (proc(5)): SQLite reads its pages one by one. */
export function bytesRead(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))![1])
}

/** What reading all entries costs, to compare with. */
export function bytesOfWalk(file: string): number {
  const before = bytesRead()
  const db = openReading(file)
  db.prepare('select sum(attempts) from entry').get()
  db.close()
  return bytesRead() - before
}
