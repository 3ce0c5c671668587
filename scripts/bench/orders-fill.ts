/**
 * Fills a store for the case `orders`: finished messages of weeks, then entries that wait after a first try, of many
 * accounts, recipient domains, sites and classes; through the store's own commands, on its own connection, without syncs.
 * The relay must not run.
 */
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { newId } from '../../src/base/ids.ts'
import type { Message } from '../../src/mail/message.ts'
import { type OpenCommands, openCommands } from '../../src/store/sqlite/commands.ts'
import { type Connection, lockFolder, openWriting } from '../../src/store/sqlite/connection.ts'
import { databaseFile } from '../../src/store/sqlite/group-commit.ts'
import { migrate } from '../../src/store/sqlite/migrations/index.ts'
import { acceptRow, type OutcomeRow } from '../../src/store/sqlite/rows.ts'
import { partSize } from '../../src/store/sqlite/trace.ts'
import { Transaction } from '../../src/store/sqlite/transaction.ts'
import type { NewMessage } from '../../src/store/store.ts'

export interface Fill {
  readonly dataDir: string
  readonly entries: number
  readonly finished: number
  readonly accounts: readonly string[]
  readonly signal: AbortSignal
}

/** Half of all mail is for these, as it is with large providers. */
const largeDomains = 5
export const domainCount = 500
const classes = ['network', 'greylisted', 'mailbox-full'] as const
const day = 86_400_000
/** The oldest finished message; history is kept for 30 days. */
const historyMs = 20 * day
/** The oldest that waits; the next try of all lies hours ahead. */
const waitingMs = 3_600_000
const nextTryMs = 6 * 3_600_000
const lifeMs = 4 * day
const owner = 'fill'
const body = Buffer.from('This site has been down since the morning.\r\n'.repeat(16))

/** Of a filled message's facts none follows from another: whoever sends, to whom. Those that wait have the greater numbers. */
const chosen = (number: number, salt: number, of: number) =>
  ((Math.imul(number + salt, 0x9e3779b1) >>> 8) ^ number) % of
const domainNumber = (number: number) =>
  chosen(number, 1, 2) === 0 ? chosen(number, 7, largeDomains) : chosen(number, 13, domainCount)
const accountNumber = (number: number, accounts: number) => chosen(number, 29, accounts)
export const recipientOf = (number: number) => `someone${number}@d${domainNumber(number)}.dead.test`
export const senderDomainOf = (account: number) => `customer${account}.dead.test`
export const senderOf = (number: number, accounts: number) => `sales@${senderDomainOf(accountNumber(number, accounts))}`
export const messageIdOf = (number: number) => `n${number}@customer.dead.test`
/** Five domains at a site. */
export const siteOf = (domain: number) => `mx.s${Math.floor(domain / 5)}.dead.test`
export const deadDomains = Array.from({ length: domainCount }, (_, domain) => ({
  domain: `d${domain}.dead.test`,
  site: siteOf(domain),
}))

export async function fillStore(fill: Fill): Promise<void> {
  const lock = lockFolder(join(fill.dataDir, 'writer.lock'))
  const db = openWriting(join(fill.dataDir, databaseFile))
  try {
    migrate(db)
    db.pragma('synchronous = OFF')
    const open = openCommands(db)
    const now = Date.now()
    const all = fill.finished + fill.entries
    for (let done = 0; done < all; done += partSize) {
      addSome(db, open, fill, done, Math.min(done + partSize, all), now)
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
function addSome(
  db: Connection,
  { commands, flush, trace }: OpenCommands,
  fill: Fill,
  from: number,
  to: number,
  now: number,
): void {
  const tx = new Transaction(now)
  db.transaction(() => {
    for (let number = from; number < to; number++) {
      const at = receivedAt(fill, number, now)
      const message = messageOf(fill, number, at)
      commands.accept(tx, acceptRow({ ...message, lease: { owner, until: now + day } }))
      commands.settle(tx, settlementOf(fill, number, message, at, now))
    }
    flush(tx)
    if (trace.waiting() >= partSize) trace.indexPart()
  })()
}

function receivedAt({ finished, entries }: Fill, number: number, now: number): number {
  if (number >= finished) return now - waitingMs + Math.floor(((number - finished) * waitingMs) / entries)
  return now - historyMs + Math.floor((number * (historyMs - waitingMs)) / finished)
}

function messageOf({ accounts }: Fill, number: number, at: number): NewMessage {
  const id = newId(at)
  const owner = accountNumber(number, accounts.length)
  const [account, senderDomain] = [accounts[owner]!, senderDomainOf(owner)]
  const from = senderOf(number, accounts.length)
  const address = recipientOf(number)
  const header = `From: <${from}>\r\nTo: <${address}>\r\nSubject: Waits\r\nMessage-ID: <${messageIdOf(number)}>\r\n\r\n`
  const bytes = Buffer.concat([Buffer.from(header), body])
  const message: Message = {
    id,
    account,
    credential: 'fill',
    envelope: { reversePath: from, recipients: [{ address }], body: '8BITMIME', smtpUtf8: false },
    content: { kind: 'inline' },
    size: bytes.length,
    from,
    senderDomain,
    messageIdHeader: messageIdOf(number),
    receivedAt: at,
    origin: 'submission',
    client: { ehlo: 'bench.test', address: '127.0.0.1', tls: null },
  }
  const data = { from, reversePath: from, recipients: [address], size: bytes.length }
  const domain = `d${domainNumber(number)}.dead.test`
  return {
    message,
    content: { kind: 'inline', bytes },
    entries: [{ id: `${id}.0`, recipient: { address }, domain, nextAttemptAt: at, expiresAt: at + lifeMs }],
    limits: [],
    events: [{ type: 'message.accepted', at, account, message: id, domain: senderDomain, data }],
  }
}

/** What is finished was delivered, one in ten bounced; what waits was tried once. */
function settlementOf({ finished }: Fill, number: number, { message }: NewMessage, at: number, now: number) {
  const [domain, site] = [`d${domainNumber(number)}.dead.test`, siteOf(domainNumber(number))]
  const action = number >= finished ? 'deferred' : number % 10 === 0 ? 'bounced' : 'delivered'
  const cause =
    action === 'deferred'
      ? classes[domainNumber(number) % classes.length]!
      : action === 'bounced'
        ? 'address-unknown'
        : ''
  const outcome: OutcomeRow = {
    message: message.id,
    n: 0,
    action,
    nextAttemptAt: now + nextTryMs + (number % 1_000_000),
    class: cause,
    reply: action === 'deferred' ? '451 4.4.1 says the bench' : '',
    host: site,
    site,
    inDoubt: 0,
    volume: null,
  }
  const { account, id } = message
  const data = JSON.stringify({ action, recipient: recipientOf(number), class: cause, site })
  return {
    outcomes: [outcome],
    reports: [],
    events: [[`message.${action}`, at, account, id, 0, recipientOf(number), domain, data] as const],
  }
}
