/**
 * Takes a recipient's address out of finished messages and their events, so that nobody can tell who it was.
 *
 * Counts, outcomes and the other recipients stay. Entries that are still queued keep theirs, or they could not be
 * delivered; the search index holds hashes only, and a hash that leads to another address is no match.
 */
import type { Mailbox, MessageId } from '../../mail/ids.ts'
import type { Message } from '../../mail/message.ts'
import { type Erasure, erasedAddress } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

interface MessageRow {
  readonly seq: number
  readonly states: string
  readonly facts: string
}

interface EventRow {
  readonly seq: number
  readonly recipient: string | null
  readonly data: string
}

export function openErase(db: Connection) {
  const messageById: Statement<MessageRow> = db.prepare('select seq, states, facts from message where id = ?')
  const eventsOf: Statement<EventRow> = db.prepare('select seq, recipient, data from event where message = ?')
  const writeFacts = db.prepare('update message set facts = ? where seq = ?')
  const writeEvent = db.prepare('update event set recipient = ?, data = ? where seq = ?')

  function eraseEvents(seq: number, erase: (text: string) => string): number {
    let events = 0
    for (const event of eventsOf.all(seq)) {
      const [recipient, data] = [event.recipient === null ? null : erase(event.recipient), erase(event.data)]
      if (recipient === event.recipient && data === event.data) continue
      writeEvent.run(recipient, data, event.seq)
      events++
    }
    return events
  }

  return {
    eraseRecipient(_tx: Transaction, address: Mailbox, messages: readonly MessageId[]): Erasure {
      const erase = eraserOf(address)
      const erased = { messages: 0, events: 0, queued: 0 }
      for (const id of messages) {
        const row = messageById.get(id)
        if (row === undefined) continue
        if (isQueued(row, address)) {
          erased.queued++
          continue
        }
        const facts = erase(row.facts)
        if (facts === row.facts) continue
        writeFacts.run(facts, row.seq)
        erased.messages++
        erased.events += eraseEvents(row.seq, erase)
      }
      return erased
    },
  }
}

function isQueued({ states, facts }: MessageRow, address: Mailbox): boolean {
  const { envelope } = JSON.parse(facts) as Message
  const wanted = address.toLowerCase()
  return envelope.recipients.some((recipient, n) => recipient.address.toLowerCase() === wanted && states[n] === 'q')
}

/** In whatever case it stands there, also as xtext (RFC 3461 §4) and in the texts of replies. Within JSON, as JSON. */
function eraserOf(address: Mailbox): (text: string) => string {
  const xtext = address.replace(/[+=]/g, character => `+${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [...new Set([address, xtext])].map(form => escaped(JSON.stringify(form).slice(1, -1)))
  // Not in the middle of a longer address.
  const pattern = new RegExp(`(?<![\\w.+%-])(?:${forms.join('|')})(?![\\w-]|\\.\\w)`, 'gi')
  return text => text.replace(pattern, erasedAddress)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
