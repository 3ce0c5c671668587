/**
 * Accounts, credentials and sender addresses: small tables, one JSON document per row beside what is looked up.
 *
 * Sender addresses are looked up without case: a CRM that registered Sales@ means sales@ too. Fails with Conflict when
 * a name is taken or something is in use, with NotFound when it is not there.
 */
import type { Account, Credential, SenderAddress, SmtpTrouble } from '../../mail/account.ts'
import type { NewEvent } from '../../mail/event.ts'
import type { AccountId, CredentialId, Mailbox } from '../../mail/ids.ts'
import { sameLimits } from '../../policy/token-bucket.ts'
import { Conflict, NotFound, type Page } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import type { Events } from './events.ts'
import type { Replan } from './replan.ts'
import { eventRow } from './rows.ts'
import type { Transaction } from './transaction.ts'

type AccountChange = Partial<
  Pick<Account, 'name' | 'limits' | 'pool' | 'unaligned' | 'feedbackId' | 'tls' | 'autoSuppress' | 'suspendedReason'>
>
type CredentialChange = Partial<Pick<Credential, 'passwordHash' | 'limits' | 'pool' | 'priority' | 'revokedAt'>>
type SenderChange = Partial<Pick<SenderAddress, 'smtp' | 'note'>>

export function openAccounts(db: Connection, replan: Replan) {
  const insert = db.prepare('insert into account (id, data) values (?, ?)')
  const update = db.prepare('update account set data = ? where id = ?')
  const remove = db.prepare('delete from account where id = ?')
  const find: Statement<string> = db.prepare('select data from account where id = ?')
  const usernames: Statement<string> = db.prepare('select username from credential where account = ?')
  const removeCredentials = db.prepare('delete from credential where account = ?')
  const removeClaims = db.prepare('delete from domain_claim where account = ?')
  const usedBy: Statement<string> = db.prepare(`
    select 'sender domains' where exists (select 1 from domain where account = ? and archived_at is null)
    union all select 'sender addresses' where exists (select 1 from sender where account = ?)
    union all select 'queued mail' where exists
      (select 1 from total where account = ? and accepted > delivered + bounced + cancelled)`)
  const archived: Statement<string> = db.prepare(
    'select name from domain where account = ? and archived_at is not null',
  )
  for (const statement of [find, usernames, usedBy, archived]) statement.pluck()

  function existing(id: AccountId): Account {
    const data = find.get(id)
    if (data === undefined) throw new NotFound(`there is no account ${id}`)
    return JSON.parse(data) as Account
  }

  return {
    createAccount(tx: Transaction, account: Account): void {
      if (find.get(account.id) !== undefined) throw new Conflict(`account ${account.id} exists`, account.id)
      insert.run(account.id, JSON.stringify(account))
      tx.changes.push({ kind: 'account', id: account.id })
    },

    updateAccount(tx: Transaction, id: AccountId, change: AccountChange): Account {
      const before = existing(id)
      const after = { ...before, ...change }
      update.run(JSON.stringify(after), id)
      if (!sameLimits(before.limits, after.limits)) replan(tx, `account:${id}`)
      tx.changes.push({ kind: 'account', id })
      return after
    },

    /** Its credentials and claims go with it; archived domains can't be restored without it and go too, by `removeDomain`. */
    deleteAccount(tx: Transaction, id: AccountId, removeDomain: (tx: Transaction, name: string) => void): void {
      existing(id)
      const uses = usedBy.all(id, id, id)
      if (uses.length > 0) throw new Conflict(`account ${id} still has ${uses.join(', ')}`, id)
      for (const username of usernames.all(id)) tx.changes.push({ kind: 'credential', username })
      for (const name of archived.all(id)) removeDomain(tx, name)
      removeCredentials.run(id)
      removeClaims.run(id)
      remove.run(id)
      tx.changes.push({ kind: 'account', id })
    },
  }
}

export function openCredentials(db: Connection, replan: Replan) {
  const insert = db.prepare('insert into credential (id, username, account, data) values (?, ?, ?, ?)')
  const update = db.prepare('update credential set data = ? where id = ?')
  const find: Statement<string> = db.prepare('select data from credential where id = ?')
  const holder: Statement<{ account: string | null }> = db.prepare(
    'select account from credential where username = ? or id = ?',
  )
  find.pluck()
  return {
    createCredential(tx: Transaction, credential: Credential): void {
      const taken = holder.get(credential.username, credential.id)
      if (taken) throw new Conflict(`username ${credential.username} is taken`, taken.account)
      insert.run(credential.id, credential.username, credential.account, JSON.stringify(credential))
      tx.changes.push({ kind: 'credential', username: credential.username })
    },

    updateCredential(tx: Transaction, id: CredentialId, change: CredentialChange): Credential {
      const data = find.get(id)
      if (data === undefined) throw new NotFound(`there is no credential ${id}`)
      const before = JSON.parse(data) as Credential
      const after = { ...before, ...change }
      update.run(JSON.stringify(after), id)
      if (!sameLimits(before.limits, after.limits)) replan(tx, `credential:${id}`)
      tx.changes.push({ kind: 'credential', username: after.username })
      return after
    },
  }
}

export function openSenders(db: Connection, events: Events) {
  const insert = db.prepare('insert into sender (address, account, data) values (?, ?, ?)')
  const update = db.prepare('update sender set data = ? where address = ?')
  const remove = db.prepare('delete from sender where address = ?')
  const find: Statement<string> = db.prepare('select data from sender where address = ?')
  find.pluck()

  function existing(address: Mailbox): SenderAddress {
    const data = find.get(address.toLowerCase())
    if (data === undefined) throw new NotFound(`${address} is not registered`)
    return JSON.parse(data) as SenderAddress
  }

  return {
    createSender(tx: Transaction, sender: SenderAddress): void {
      const taken = find.get(sender.address.toLowerCase())
      if (taken !== undefined) {
        const { account } = JSON.parse(taken) as SenderAddress
        throw new Conflict(`${sender.address} is registered by account ${account}`, account)
      }
      insert.run(sender.address.toLowerCase(), sender.account, JSON.stringify(sender))
      tx.changes.push({ kind: 'sender', address: sender.address })
    },

    updateSender(tx: Transaction, address: Mailbox, change: SenderChange): SenderAddress {
      const { smtpTrouble, ...before } = existing(address)
      const after = { ...before, ...(change.smtp === undefined && smtpTrouble && { smtpTrouble }), ...change }
      update.run(JSON.stringify(after), address.toLowerCase())
      tx.changes.push({ kind: 'sender', address: after.address })
      return after
    },

    noteSmtpTrouble(
      tx: Transaction,
      of: { readonly address: Mailbox; readonly sealedPassword: string },
      trouble: SmtpTrouble | null,
      told: readonly NewEvent[],
    ): boolean {
      const data = find.get(of.address.toLowerCase())
      if (data === undefined) return false
      const { smtpTrouble, ...sender } = JSON.parse(data) as SenderAddress
      if (sender.smtp?.sealedPassword !== of.sealedPassword || smtpTrouble?.class === trouble?.class) return false
      // Trouble of another kind began when the first did.
      const now = trouble && { smtpTrouble: { ...trouble, since: smtpTrouble?.since ?? trouble.since } }
      update.run(JSON.stringify({ ...sender, ...now }), of.address.toLowerCase())
      events.write(told.map(eventRow))
      tx.changes.push({ kind: 'sender', address: sender.address })
      return true
    },

    deleteSender(tx: Transaction, address: Mailbox): void {
      const sender = existing(address)
      remove.run(address.toLowerCase())
      tx.changes.push({ kind: 'sender', address: sender.address })
    },
  }
}

export function openAccountsReader(db: Connection) {
  const one = (sql: string): Statement<string> => db.prepare<Value[], string>(sql).pluck()
  const account = one('select data from account where id = ?')
  const accounts = one('select data from account where id > ? order by id limit ?')
  const credential = one('select data from credential where id = ?')
  const byUsername = one('select data from credential where username = ?')
  const credentials = one('select data from credential where id > ? order by id limit ?')
  const credentialsOf = one('select data from credential where account = ? and id > ? order by id limit ?')
  const sender = one('select data from sender where address = ?')
  const senders = one('select data from sender where address > ? order by address limit ?')
  const sendersOf = one('select data from sender where account = ? and address > ? order by address limit ?')

  function list<T>(all: Statement<string>, of: Statement<string>, owner: string | undefined, page: Page): T[] {
    const after = page.after ?? ''
    const rows = owner === undefined ? all.all(after, page.limit) : of.all(owner, after, page.limit)
    return rows.map(data => JSON.parse(data) as T)
  }

  return {
    account: (id: AccountId) => parsed<Account>(account.get(id)),
    listAccounts: (page: Page) => list<Account>(accounts, accounts, undefined, page),
    credential: (id: CredentialId) => parsed<Credential>(credential.get(id)),
    credentialByUsername: (username: string) => parsed<Credential>(byUsername.get(username)),
    listCredentials: (filter: { readonly account?: AccountId }, page: Page) =>
      list<Credential>(credentials, credentialsOf, filter.account, page),
    sender: (address: Mailbox) => parsed<SenderAddress>(sender.get(address.toLowerCase())),
    listSenders: (filter: { readonly account?: AccountId }, page: Page) =>
      list<SenderAddress>(senders, sendersOf, filter.account, {
        ...page,
        ...(page.after !== undefined && { after: page.after.toLowerCase() }),
      }),
  }
}

function parsed<T>(data: string | undefined): T | null {
  return data === undefined ? null : (JSON.parse(data) as T)
}
