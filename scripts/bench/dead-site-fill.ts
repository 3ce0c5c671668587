/**
 * Fills a store with entries for a dead site, as if each had been accepted by itself: through the store's own commands,
 * on its own connection, many to a transaction and without syncs. The relay must not run.
 */
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { newId } from '../../src/base/ids.ts'
import type { Message } from '../../src/mail/message.ts'
import { type OpenCommands, openCommands } from '../../src/store/sqlite/commands.ts'
import { type Connection, lockFolder, openWriting } from '../../src/store/sqlite/connection.ts'
import { databaseFile } from '../../src/store/sqlite/group-commit.ts'
import { migrate } from '../../src/store/sqlite/migrations/index.ts'
import { acceptRow } from '../../src/store/sqlite/rows.ts'
import { partSize } from '../../src/store/sqlite/trace.ts'
import { Transaction } from '../../src/store/sqlite/transaction.ts'
import type { NewMessage } from '../../src/store/store.ts'

export interface Fill {
  readonly dataDir: string
  readonly entries: number
  readonly from: string
  readonly senderDomain: string
  /** Recipient domain. */
  readonly domain: string
  readonly signal: AbortSignal
}

interface Owner {
  readonly account: string
  readonly credential: string
}

/** One message in so many milliseconds; the last one now. */
const apartMs = 1
const lifeMs = 4 * 86_400_000
const limits = { perHour: 100_000_000, perDay: 1_000_000_000 }
const lineOfBody = 'This site has been down since the morning.\r\n'

export async function fillStore(fill: Fill): Promise<void> {
  const lock = lockFolder(join(fill.dataDir, 'writer.lock'))
  const db = openWriting(join(fill.dataDir, databaseFile))
  try {
    migrate(db)
    db.pragma('synchronous = OFF')
    const open = openCommands(db)
    for (let done = 0; done < fill.entries; done += partSize) {
      acceptSome(db, open, fill, done)
      fill.signal.throwIfAborted()
      await turn()
    }
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
    lock.close()
  }
}

/** As many as one part of the search index, which is written along. */
function acceptSome(db: Connection, { commands, flush, trace }: OpenCommands, fill: Fill, done: number): void {
  const owner = db
    .prepare<[], Owner>('select account, id as credential from credential where account is not null limit 1')
    .get()!
  const now = Date.now()
  const tx = new Transaction(now)
  db.transaction(() => {
    for (let number = done; number < Math.min(done + partSize, fill.entries); number++)
      commands.accept(tx, acceptRow(messageOf(fill, owner, number, now - (fill.entries - number) * apartMs)))
    flush(tx)
    if (trace.waiting() >= partSize) trace.indexPart()
  })()
}

function messageOf({ from, senderDomain, domain }: Fill, owner: Owner, number: number, at: number): NewMessage {
  const id = newId(at)
  const recipient = { address: `someone${number}@${domain}` }
  const header = `From: <${from}>\r\nTo: <${recipient.address}>\r\nSubject: Waits\r\nMessage-ID: <${id}@bench.test>\r\n\r\n`
  const bytes = Buffer.from(header + lineOfBody.repeat(16))
  const message: Message = {
    id,
    ...owner,
    envelope: { reversePath: from, recipients: [recipient], body: '8BITMIME', smtpUtf8: false },
    content: { kind: 'inline' },
    size: bytes.length,
    from,
    senderDomain,
    messageIdHeader: `${id}@bench.test`,
    receivedAt: at,
    origin: 'submission',
    client: { ehlo: 'bench.test', address: '127.0.0.1', tls: null },
  }
  const about = { at, account: owner.account, message: id, domain: senderDomain }
  const data = { from, reversePath: from, recipients: [recipient.address], size: bytes.length }
  return {
    message,
    content: { kind: 'inline', bytes },
    entries: [{ id: `${id}.0`, recipient, domain, nextAttemptAt: at, expiresAt: at + lifeMs }],
    limits: [{ key: `account:${owner.account}`, limits }],
    events: [{ ...about, type: 'message.accepted', data }],
  }
}
