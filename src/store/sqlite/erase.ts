/**
 * Takes a recipient's address out of finished messages, their events and ended orders, so that nobody can tell who it was.
 *
 * Counts, outcomes and the other recipients stay. Entries that are still queued keep theirs, or they could not be
 * delivered; the search index holds hashes only, and a hash that leads to another address is no match.
 */
import { parseMailbox } from '../../mail/address.ts'
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
  const ended: Statement<{ id: string; data: string }> = db.prepare(
    "select id, data from queue_operation where json_extract(data, '$.state') <> 'running'",
  )
  const writeOperation = db.prepare('update queue_operation set data = ? where id = ?')

  function eraseEvents(seq: number, erase: Eraser): number {
    let events = 0
    for (const event of eventsOf.all(seq)) {
      const recipient = event.recipient === null ? null : erase.inText(event.recipient)
      const data = erase.inJson(event.data)
      if (recipient === event.recipient && data === event.data) continue
      writeEvent.run(recipient, data, event.seq)
      events++
    }
    return events
  }

  /** Few are kept. What they were ordered by may be a recipient. */
  function eraseOperations(erase: Eraser): void {
    for (const { id, data } of ended.all()) {
      const after = erase.inJson(data)
      if (after !== data) writeOperation.run(after, id)
    }
  }

  return {
    eraseRecipient(_tx: Transaction, address: Mailbox, messages: readonly MessageId[]): Erasure {
      const erase = eraserOf(address)
      const erased = { messages: 0, events: 0, queued: 0 }
      eraseOperations(erase)
      for (const id of messages) {
        const row = messageById.get(id)
        if (row === undefined) continue
        if (isQueued(row, address)) {
          erased.queued++
          continue
        }
        const facts = erase.inJson(row.facts)
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

interface Eraser {
  /** Of a value that is an address, or a text that may hold some. */
  readonly inText: (text: string) => string
  readonly inJson: (json: string) => string
}

/**
 * In whatever case it stands there, also as xtext (RFC 3461 §4) and in the texts of replies. A whole value that is
 * somebody else's address stays: `o'brien@` may still be queued when `brien@` is erased.
 */
function eraserOf(address: Mailbox): Eraser {
  const xtext = address.replace(/[+=]/g, character => `+${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [...new Set([address, xtext])].map(escaped)
  // Not in the middle of a longer address; quotation marks, = and / stand before addresses in replies.
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_.+%&!#$*?^{|}~-]|[\\p{L}\\p{N}]')(?:${forms.join('|')})(?![\\w-]|\\.\\w)`,
    'giu',
  )
  function inText(text: string): string {
    const [, type = '', bare = ''] = /^((?:rfc822|utf-8);)?(.*)$/is.exec(text) ?? []
    if (parseMailbox(bare) === null) return text.replace(pattern, erasedAddress)
    return forms.some(form => new RegExp(`^${form}$`, 'iu').test(bare)) ? type + erasedAddress : text
  }
  const revive = (_name: string, value: unknown) => (typeof value === 'string' ? inText(value) : value)
  return { inText, inJson: json => JSON.stringify(JSON.parse(json, revive)) }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
