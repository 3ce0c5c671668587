/**
 * Detours, and orders to many entries: small tables, read whole.
 */
import type { Detour, DetourId } from '../../mail/detour.ts'
import type { QueueOperation } from '../../mail/queue-operation.ts'
import type { QueueFilter } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

/** Ended orders that are remembered. */
const keptOperations = 100

export function openDetours(db: Connection) {
  const insert = db.prepare('insert into detour (id, data) values (?, ?)')
  const remove: Statement<string> = db.prepare('delete from detour where id = ? returning data')
  remove.pluck()
  return {
    addDetour(tx: Transaction, detour: Detour): void {
      insert.run(detour.id, JSON.stringify(detour))
      tx.changes.push({ kind: 'detour' })
    },
    removeDetour(tx: Transaction, id: DetourId): Detour | null {
      const data = remove.get(id)
      if (data === undefined) return null
      tx.changes.push({ kind: 'detour' })
      return JSON.parse(data) as Detour
    },
  }
}

export function openDetoursReader(db: Connection) {
  const all: Statement<string> = db.prepare('select data from detour order by id')
  all.pluck()
  return { detours: (): Detour[] => all.all().map(data => JSON.parse(data) as Detour) }
}

export function openQueueOperations(db: Connection) {
  const save = db.prepare('insert or replace into queue_operation (id, data) values (?, ?)')
  const forget = db.prepare(`
    delete from queue_operation where id in (
      select id from queue_operation where json_extract(data, '$.state') <> 'running' order by id desc limit -1 offset ?)`)
  return {
    saveQueueOperation(_tx: Transaction, operation: QueueOperation<QueueFilter>): void {
      save.run(operation.id, JSON.stringify(operation))
      forget.run(keptOperations)
    },
  }
}

export function openQueueOperationsReader(db: Connection) {
  const one: Statement<string> = db.prepare('select data from queue_operation where id = ?')
  const all: Statement<string> = db.prepare('select data from queue_operation order by id desc')
  for (const statement of [one, all]) statement.pluck()
  const parse = (data: string) => JSON.parse(data) as QueueOperation<QueueFilter>
  return {
    queueOperation(id: string): QueueOperation<QueueFilter> | null {
      const data = one.get(id)
      return data === undefined ? null : parse(data)
    },
    queueOperations: (): QueueOperation<QueueFilter>[] => all.all().map(parse),
  }
}
