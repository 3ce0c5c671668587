/**
 * Writes down what came back for a recipient: an event, once per recipient and kind.
 *
 * The state of the recipient stays what it is (mail/returned.ts). What was never sent, or ended here already, can't come
 * back; for such nothing is written. Looks through the events of one message, which an index leads to.
 */
import type { Returned } from '../../mail/returned.ts'
import { returnedEvents } from '../../mail/returned.ts'
import type { RecordedReturn } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import { splitEntryId } from './rows.ts'
import type { Transaction } from './transaction.ts'

interface MessageRow {
  readonly seq: number
  readonly account: string | null
  readonly senderDomain: string
  readonly states: string
}

export function openReturned(db: Connection, events: Events) {
  const messageById: Statement<MessageRow> = db.prepare(
    'select seq, account, sender_domain as senderDomain, states from message where id = ?',
  )
  const wasTold: Statement<number> = db.prepare('select 1 from event where message = ? and type = ? and n = ? limit 1')
  const wasTried: Statement<number> = db.prepare(
    'select 1 from entry where message = ? and n = ? and (attempts > 0 or lease_until is not null)',
  )
  for (const statement of [wasTold, wasTried]) statement.pluck()

  /** `unsettled`: also where our own outcome isn't written yet. */
  function refusal(message: MessageRow | undefined, n: number, unsettled: boolean): RecordedReturn['result'] | null {
    const state = message?.states[n]
    if (message === undefined || state === undefined || state === '-') return 'unknown'
    if (state === 'q') return !wasTried.get(message.seq, n) ? 'not-sent' : unsettled ? null : 'unsettled'
    return state === 'd' ? null : 'not-sent'
  }

  return {
    recordReturned(_tx: Transaction, returned: Returned, unsettled: boolean): RecordedReturn {
      const { n } = splitEntryId(returned.entry)
      const message = messageById.get(returned.message)
      const refused = refusal(message, n, unsettled)
      if (refused !== null || message === undefined) return { result: refused ?? 'unknown', account: null }
      const { seq, account, senderDomain } = message
      const type = returnedEvents[returned.kind]
      if (wasTold.get(seq, type, n)) return { result: 'repeated', account }
      const { at, recipient } = returned
      events.write([[type, at, account, returned.message, n, recipient, senderDomain, JSON.stringify(returned)]])
      return { result: 'recorded', account }
    },
  }
}
