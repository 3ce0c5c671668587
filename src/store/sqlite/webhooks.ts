/**
 * Webhooks: what each is told, and apart from it how far that has come, since that is written again and again.
 *
 * A change of a webhook is told to every thread; progress is nobody's concern but the sender's. Fails with NotFound.
 */
import type { AccountId } from '../../mail/ids.ts'
import type { Webhook, WebhookId, WebhookProgress } from '../../mail/webhook.ts'
import { NotFound, type Page, type WebhookChange } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

interface StoredWebhook {
  readonly data: string
  readonly progress: string
}

export function openWebhooks(db: Connection) {
  const insert = db.prepare('insert into webhook (id, account, data, progress) values (?, ?, ?, ?)')
  const update = db.prepare('update webhook set data = ? where id = ?')
  const progressed = db.prepare('update webhook set progress = ? where id = ?')
  const remove = db.prepare('delete from webhook where id = ?')
  const ofAccount: Statement<string> = db.prepare('select id from webhook where account = ?')
  ofAccount.pluck()
  const { webhook: read } = openWebhooksReader(db)

  function existing(id: WebhookId): Webhook {
    const webhook = read(id)
    if (!webhook) throw new NotFound(`there is no webhook ${id}`)
    return webhook
  }

  function deleteWebhook(tx: Transaction, id: WebhookId): void {
    existing(id)
    remove.run(id)
    tx.changes.push({ kind: 'webhook', id })
  }

  return {
    deleteWebhook,

    createWebhook(tx: Transaction, { progress, ...webhook }: Webhook): void {
      insert.run(webhook.id, webhook.account, JSON.stringify(webhook), JSON.stringify(progress))
      tx.changes.push({ kind: 'webhook', id: webhook.id })
    },

    updateWebhook(tx: Transaction, id: WebhookId, change: WebhookChange): Webhook {
      const after = { ...existing(id), ...change }
      const { progress, ...webhook } = after
      update.run(JSON.stringify(webhook), id)
      if (change.progress) progressed.run(JSON.stringify(progress), id)
      tx.changes.push({ kind: 'webhook', id })
      return after
    },

    /** Of one that was deleted meanwhile there is nothing to keep. */
    saveProgress(_tx: Transaction, id: WebhookId, progress: WebhookProgress): void {
      progressed.run(JSON.stringify(progress), id)
    },

    deleteWebhooksOf(tx: Transaction, account: AccountId): void {
      for (const id of ofAccount.all(account)) deleteWebhook(tx, id)
    },
  }
}

export function openWebhooksReader(db: Connection) {
  const find: Statement<StoredWebhook> = db.prepare('select data, progress from webhook where id = ?')
  const list: Statement<StoredWebhook> = db.prepare(
    'select data, progress from webhook where id > ? order by id limit ?',
  )
  const listOf: Statement<StoredWebhook> = db.prepare(
    'select data, progress from webhook where account = ? and id > ? order by id limit ?',
  )
  return {
    webhook(id: WebhookId): Webhook | null {
      const stored = find.get(id)
      return stored === undefined ? null : webhookOf(stored)
    },

    listWebhooks({ account }: { readonly account?: AccountId }, { limit, after = '' }: Page): Webhook[] {
      const rows = account === undefined ? list.all(after, limit) : listOf.all(account, after, limit)
      return rows.map(webhookOf)
    },
  }
}

function webhookOf({ data, progress }: StoredWebhook): Webhook {
  return { ...(JSON.parse(data) as Webhook), progress: JSON.parse(progress) as WebhookProgress }
}
