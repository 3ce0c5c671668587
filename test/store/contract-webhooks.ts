/**
 * Webhooks and what they read: kept with their progress, told when changed, and events picked by type and range.
 */
import assert from 'node:assert/strict'
import type { NewEvent } from '../../src/mail/event.ts'
import type { Webhook } from '../../src/mail/webhook.ts'
import { type Change, NotFound } from '../../src/store/store.ts'
import type { StoreFactory } from './factory.ts'
import { account, day, newMessage, outcome, outcomeEvent, senderDomain } from './fixtures.ts'

const progress = { cursor: 0, gapTold: 0, failures: 0, nextTryAt: null, lastSuccess: null, lastFailure: null }

function webhook(id: string, owner: string | null = null): Webhook {
  return {
    ...{ id, account: owner, progress },
    url: 'https://crm.example/hook',
    types: ['*'],
    terminalOnly: false,
    batch: 1,
    note: '',
    sealedSecret: 's',
    previousSecret: null,
    state: 'enabled',
    stateReason: null,
    createdAt: 0,
  }
}

function domainEvent(at: number, type: NewEvent['type'], owner = 'acme'): NewEvent {
  return { type, at, account: owner, domain: 'ours.example', data: {} }
}

export function contractOfWebhooks(factory: StoreFactory): void {
  describe('a webhook', () => {
    it('is created, changed, listed and deleted, and each is told', async () => {
      await using t = await factory()
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      for (const id of ['b', 'a']) await t.store.createWebhook(webhook(id, id === 'a' ? 'acme' : null))
      assert.deepEqual(await t.store.webhook('a'), webhook('a', 'acme'))
      const changed = await t.store.updateWebhook('a', { state: 'paused', stateReason: 'gone' })
      assert.deepEqual(await t.store.webhook('a'), changed)
      const ids = async (filter: object, page: object = {}) =>
        (await t.store.listWebhooks(filter, { limit: 10, ...page })).map(({ id }) => id)
      assert.deepEqual(await ids({}), ['a', 'b'])
      assert.deepEqual(await ids({}, { after: 'a' }), ['b'])
      assert.deepEqual(await ids({ account: 'acme' }), ['a'])
      await t.store.deleteWebhook('a')
      assert.equal(await t.store.webhook('a'), null)
      await assert.rejects(t.store.updateWebhook('a', { note: 'x' }), NotFound)
      await assert.rejects(t.store.deleteWebhook('a'), NotFound)
      assert.deepEqual(
        changes,
        ['b', 'a', 'a', 'a'].map(id => ({ kind: 'webhook', id })),
      )
    })

    it('keeps its progress apart, also through a change, and without a word', async () => {
      await using t = await factory()
      await t.store.createWebhook(webhook('a'))
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      const later = { ...progress, cursor: 7, failures: 2, nextTryAt: 9 }
      await t.store.saveProgress('a', later)
      assert.deepEqual((await t.store.webhook('a'))?.progress, later)
      assert.deepEqual(changes, [])
      assert.deepEqual((await t.store.updateWebhook('a', { note: 'n' })).progress, later)
      assert.deepEqual((await t.store.updateWebhook('a', { progress })).progress, progress)
      await t.store.saveProgress('nobody', later)
    })

    it('goes with its account', async () => {
      await using t = await factory()
      await t.store.createAccount(account('acme'))
      await t.store.createWebhook(webhook('a', 'acme'))
      await t.store.createWebhook(webhook('b'))
      await t.store.deleteAccount('acme')
      assert.deepEqual(
        (await t.store.listWebhooks({}, { limit: 10 })).map(({ id }) => id),
        ['b'],
      )
    })
  })

  describe('events', () => {
    it('are picked by several types and up to a seq', async () => {
      await using t = await factory()
      const types = ['domain.registered', 'domain.published', 'domain.deleted', 'domain.published'] as const
      await t.store.createDomain(
        senderDomain('ours.example', 'acme'),
        types.map((type, at) => domainEvent(at, type)),
      )
      const seqs = async (filter: object) => (await t.store.events(filter, 10)).map(({ seq }) => seq)
      assert.deepEqual(await seqs({ types: ['domain.published', 'domain.deleted'] }), [2, 3, 4])
      assert.deepEqual(await seqs({ types: ['domain.published'], after: 2 }), [4])
      assert.deepEqual(await seqs({ through: 2 }), [1, 2])
      assert.deepEqual(await seqs({ types: [] }), [])
    })

    it('have a range, and what was deleted is known', async () => {
      await using t = await factory()
      assert.deepEqual(await t.store.eventRange(), { newest: 0, purgedThrough: 0 })
      const now = t.clock.now()
      const draft = newMessage({ now, events: true, lease: { owner: 'n', until: now + day } })
      await t.store.accept(draft)
      const delivered = outcome(draft.entries[0]!.id, 'delivered', now)
      await t.store.settle({ outcomes: [delivered], reports: [], events: [outcomeEvent(delivered)] })
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [
        domainEvent(now, 'domain.registered'),
        domainEvent(now + 2 * day, 'domain.published'),
      ])
      assert.deepEqual(await t.store.eventRange(), { newest: 4, purgedThrough: 0 })
      await t.store.purge(now, 100)
      assert.equal((await t.store.eventRange()).purgedThrough, 0, 'nothing was old enough')
      await t.store.purge(now + day, 1)
      assert.deepEqual(await t.store.eventRange(), { newest: 4, purgedThrough: 2 }, 'those of the message')
      await t.store.purge(now + day, 100)
      assert.deepEqual(await t.store.eventRange(), { newest: 4, purgedThrough: 3 })
      await t.store.purge(now + day, 100)
      assert.equal((await t.store.eventRange()).purgedThrough, 3)
    })
  })
}
