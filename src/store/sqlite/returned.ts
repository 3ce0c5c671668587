/**
 * Writes down what came back for recipients: an event each, once per recipient and kind, with the reports, suppressions
 * and counts that follow from it, in one transaction.
 *
 * The state of a recipient stays what it is (mail/returned.ts). What was never sent, or ended here already, can't come
 * back. While one of a batch can't be written, none is: a report names them all, and whoever composed it tries again with
 * fewer. Looks through the events of one message, which an index leads to.
 */
import type { Returned } from '../../mail/returned.ts'
import { returnedEvents } from '../../mail/returned.ts'
import type { RecordedReturn, ReturnBatch } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import { type AcceptRow, type EventRow, splitEntryId } from './rows.ts'
import type { Suppress } from './suppressions.ts'
import type { Transaction } from './transaction.ts'
import type { VolumeTable } from './volume.ts'

export type ReturnRow = Omit<ReturnBatch, 'reports'> & { readonly reports: readonly AcceptRow[] }

interface ReturnedParts {
  readonly db: Connection
  readonly events: Events
  readonly volume: VolumeTable
  readonly accept: (tx: Transaction, row: AcceptRow) => unknown
  readonly suppress: Suppress
}

interface MessageRow {
  readonly seq: number
  readonly account: string | null
  readonly senderDomain: string
  readonly states: string
}

export function openReturned({ db, events, volume, accept, suppress }: ReturnedParts) {
  const messageById: Statement<MessageRow> = db.prepare(
    'select seq, account, sender_domain as senderDomain, states from message where id = ?',
  )
  const wasTold: Statement<number> = db.prepare('select 1 from event where message = ? and type = ? and n = ? limit 1')
  const wasTried: Statement<number> = db.prepare(
    'select 1 from entry where message = ? and n = ? and (attempts > 0 or lease_until is not null)',
  )
  for (const statement of [wasTold, wasTried]) statement.pluck()

  function judge({ message: id, entry, kind }: Returned, unsettled: boolean): RecordedReturn {
    const { n } = splitEntryId(entry)
    const message = messageById.get(id)
    const state = message?.states[n]
    if (message === undefined || state === undefined || state === '-') return 'unknown'
    const isWaiting = state === 'q' && wasTried.get(message.seq, n) !== undefined
    if (!isWaiting && state !== 'd') return 'not-sent'
    if (isWaiting && !unsettled) return 'unsettled'
    return wasTold.get(message.seq, returnedEvents[kind], n) ? 'repeated' : 'recorded'
  }

  function rowOf(returned: Returned): EventRow {
    const { kind, at, message: id, entry, recipient } = returned
    const { account, senderDomain } = messageById.get(id)!
    const { n } = splitEntryId(entry)
    return [returnedEvents[kind], at, account, id, n, recipient, senderDomain, JSON.stringify(returned)]
  }

  return {
    recordReturned(tx: Transaction, batch: ReturnRow): RecordedReturn[] {
      const { returned, unsettled, reports, suppressions, volume: counts } = batch
      const results = returned.map(one => judge(one, unsettled))
      if (results.some(result => result !== 'recorded')) return results
      events.write(returned.map(rowOf))
      for (const one of suppressions) suppress(tx, one)
      volume.addVolume(tx, counts)
      for (const report of reports) accept(tx, report)
      if (reports.length > 0) tx.tellQueue()
      return results
    },
  }
}
