/**
 * Share links: found by the hash of their token, revoked once, forgotten when they are long over.
 */
import assert from 'node:assert/strict'
import type { ShareLink } from '../../src/mail/share-link.ts'
import { NotFound } from '../../src/store/store.ts'
import type { StoreFactory } from './factory.ts'
import { senderDomain } from './fixtures.ts'

const link = (id: string, change: Partial<ShareLink> = {}): ShareLink => ({
  ...{ id, domain: 'ours.example', account: 'acme', tokenHash: `hash-${id}`, createdAt: 1, expiresAt: 100 },
  ...{ revokedAt: null, ...change },
})

export function contractOfShareLinks(factory: StoreFactory): void {
  describe('a share link', () => {
    it('is found by the hash of its token, and listed by its domain, newest first', async () => {
      await using t = await factory()
      const all = ['a1', 'a2', 'a3'].map(id => link(id))
      for (const made of [...all, link('b1', { domain: 'other.example' })]) await t.store.createShareLink(made)
      assert.deepEqual(await t.store.shareLinkByHash('hash-a2'), all[1])
      assert.equal(await t.store.shareLinkByHash('hash-a'), null)
      const idsOf = async (page: { limit: number; after?: string }) =>
        (await t.store.listShareLinks('ours.example', page)).map(({ id }) => id)
      assert.deepEqual(await idsOf({ limit: 2 }), ['a3', 'a2'])
      assert.deepEqual(await idsOf({ limit: 2, after: 'a2' }), ['a1'])
      assert.deepEqual(await t.store.listShareLinks('none.example', { limit: 2 }), [])
    })

    it('is revoked once: a second time changes nothing', async () => {
      await using t = await factory()
      await t.store.createShareLink(link('a1'))
      assert.deepEqual(await t.store.revokeShareLink('ours.example', 'a1', 50), link('a1', { revokedAt: 50 }))
      assert.equal((await t.store.revokeShareLink('ours.example', 'a1', 60)).revokedAt, 50)
      assert.equal((await t.store.shareLinkByHash('hash-a1'))?.revokedAt, 50)
      await assert.rejects(t.store.revokeShareLink('other.example', 'a1', 60), NotFound)
    })

    it('is forgotten when it is long over, expired or revoked', async () => {
      await using t = await factory()
      const over = [link('a1', { expiresAt: 9 }), link('a2', { revokedAt: 9 })]
      const kept = [link('a3', { expiresAt: 10 }), link('a4', { revokedAt: 10 })]
      for (const made of [...over, ...kept]) await t.store.createShareLink(made)
      assert.equal(await t.store.forgetShareLinks(10), 2)
      assert.deepEqual(await t.store.listShareLinks('ours.example', { limit: 9 }), kept.toReversed())
    })

    it('ends with its domain, purged or moved', async () => {
      await using t = await factory()
      for (const name of ['ours.example', 'moved.example']) {
        await t.store.createDomain(senderDomain(name, 'acme'), [])
        await t.store.createShareLink(link(name, { domain: name }))
      }
      await t.store.updateDomain('ours.example', { archivedAt: 5 }, [])
      await t.store.purgeArchivedDomains(6)
      assert.equal(await t.store.shareLinkByHash('hash-ours.example'), null)
      const move = { name: 'moved.example', from: 'acme', to: 'other', at: 5, key: null, keyFailure: null }
      await t.store.moveDomain(move, [])
      assert.equal(await t.store.shareLinkByHash('hash-moved.example'), null)
    })
  })
}
