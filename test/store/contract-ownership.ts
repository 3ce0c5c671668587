/**
 * Requests remembered by their key, open claims of sender domains, and domains that change hands.
 */
import assert from 'node:assert/strict'
import type { DomainClaim } from '../../src/mail/domain-claim.ts'
import { type Change, Conflict, NotFound } from '../../src/store/store.ts'
import type { StoreFactory } from './factory.ts'
import { dkimKey, senderDomain } from './fixtures.ts'

const claim = (account: string, token = 't'): DomainClaim => ({
  ...{ domain: 'ours.example', account, token, createdAt: 1, expiresAt: 100 },
})
const move = { name: 'ours.example', from: 'acme', to: 'other', at: 50, keyFailure: null }

export function contractOfOwnership(factory: StoreFactory): void {
  describe('a request remembered by its key', () => {
    it('is taken by one caller only, until its time is over', async () => {
      await using t = await factory()
      const taken = await Promise.all(['a', 'b', 'c'].map(mine => t.store.takeRequest('key', mine, 100, 10)))
      assert.equal(taken.filter(found => found === null).length, 1)
      const [winner] = taken.filter(found => found !== null)
      assert.ok(taken.every(found => found === null || found === winner))
      await t.store.finishRequest('key', 'done', 200)
      assert.equal(await t.store.takeRequest('key', 'late', 300, 199), 'done')
      assert.equal(await t.store.takeRequest('key', 'later', 300, 200), null)
      assert.equal(await t.store.takeRequest('key', 'latest', 300, 200), 'later')
    })

    it('is free again when it was dropped or purged', async () => {
      await using t = await factory()
      await t.store.takeRequest('one', 'a', 100, 10)
      await t.store.takeRequest('two', 'a', 300, 10)
      await t.store.dropRequest('one')
      assert.equal(await t.store.takeRequest('one', 'b', 100, 10), null)
      assert.equal(await t.store.purgeRequests(100), 1)
      assert.equal(await t.store.purgeRequests(100), 0)
      assert.equal(await t.store.takeRequest('two', 'b', 300, 100), 'a')
    })
  })

  describe('a claimed sender domain', () => {
    it('keeps one claim of each account', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      await t.store.putClaim(claim('b'), [{ type: 'domain.claim_opened', at: 1, account: 'acme', domain: 'ours.example', data: {} }]) // biome-ignore format: one line
      await t.store.putClaim(claim('a'), [])
      await t.store.putClaim(claim('b', 'new'), [])
      assert.deepEqual(await t.store.claims('ours.example'), [claim('a'), claim('b', 'new')])
      assert.deepEqual(await t.store.claims('other.example'), [])
      assert.deepEqual(
        (await t.store.events({ domain: 'ours.example' }, 10)).map(({ type }) => type),
        ['domain.claim_opened'],
      )
    })

    it('moves with its keys retired, a new one in their place, and nothing of the former holder', async () => {
      await using t = await factory()
      const old = dkimKey('ours.example', 'old')
      await t.store.createDomain({ ...senderDomain('ours.example', 'acme'), keys: [old], limits: { perDay: 5 } }, [])
      await t.store.setKeyState('ours.example', 'old', 'active', 5, [])
      await t.store.recordChecks(
        'ours.example',
        (['spf', 'dkim'] as const).map(purpose => ({
          ...{ purpose, name: `${purpose}.ours.example`, state: 'published', reason: 'ok', found: [] },
          ...{ detail: {}, checkedAt: 6 },
        })),
        1000,
        [],
      )
      await t.store.putClaim(claim('other'), [])
      const changes: Change[] = []
      t.store.onChange(change => void changes.push(change))
      await t.store.moveDomain({ ...move, key: dkimKey('ours.example', 'new') }, [])
      const moved = await t.store.domain('ours.example')
      assert.deepEqual(
        [moved?.account, moved?.limits, moved?.nextCheckAt, moved?.checks.map(({ purpose }) => purpose)],
        ['other', {}, 50, ['spf']],
      )
      assert.deepEqual(
        moved?.keys.map(({ selector, state }) => `${selector} ${state}`),
        [`new ${dkimKey('ours.example', 'new').state}`, 'old retired'],
      )
      assert.deepEqual(await t.store.claims('ours.example'), [])
      const page = { limit: 10 }
      assert.deepEqual(await t.store.listDomains({ account: 'acme' }, page), [])
      assert.equal((await t.store.listDomains({ account: 'other' }, page)).length, 1)
      assert.deepEqual(await t.store.dueForCheck(50, 10), ['ours.example'])
      assert.ok(changes.some(change => change.kind === 'domain' && change.name === 'ours.example'))
    })

    it('takes the former holder its sender addresses at the domain, and tells it of each', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      const mine = ['a.b@ours.example', 'Sales@ours.example']
      const left = ['a@sub.ours.example', 'a@yours.example', 'a@ours.example.org']
      const sender = (address: string, account = 'acme') => ({ address, account, smtp: null, note: '', createdAt: 1 })
      for (const address of [...mine, ...left]) await t.store.createSender(sender(address))
      await t.store.createSender(sender('kept@ours.example', 'third'))
      const changes: Change[] = []
      t.store.onChange(change => void changes.push(change))
      await t.store.moveDomain({ ...move, key: null, keyFailure: 'none' }, [])
      const all = (await t.store.listSenders({}, { limit: 10 })).map(({ address }) => address)
      assert.deepEqual(all.toSorted(), [...left, 'kept@ours.example'].toSorted())
      const events = await t.store.events({ type: 'sender.removed' }, 10)
      assert.deepEqual(
        events.map(({ account, domain, data }) => [account, domain, data]),
        mine.map(address => ['acme', 'ours.example', { address, to: 'other' }]),
      )
      for (const address of mine)
        assert.ok(changes.some(change => change.kind === 'sender' && change.address === address))
    })

    it('keeps its sender addresses when it does not move', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'third'), [])
      await t.store.createSender({ address: 'a@ours.example', account: 'acme', smtp: null, note: '', createdAt: 1 })
      await assert.rejects(t.store.moveDomain({ ...move, key: null }, []), Conflict)
      assert.notEqual(await t.store.sender('a@ours.example'), null)
    })

    it('does not move when it is not there or another holds it by now', async () => {
      await using t = await factory()
      await assert.rejects(t.store.moveDomain({ ...move, key: null }, []), NotFound)
      await t.store.createDomain(senderDomain('ours.example', 'third'), [])
      await assert.rejects(t.store.moveDomain({ ...move, key: null }, []), Conflict)
      assert.equal((await t.store.domain('ours.example'))?.account, 'third')
    })

    it('loses its claims with itself', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      await t.store.putClaim(claim('other'), [])
      await t.store.updateDomain('ours.example', { archivedAt: 5 }, [])
      await t.store.purgeArchivedDomains(6)
      assert.deepEqual(await t.store.claims('ours.example'), [])
    })
  })
}
