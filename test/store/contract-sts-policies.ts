/**
 * MTA-STS policies: kept by domain, replaced, listed, forgotten when they are over.
 */
import assert from 'node:assert/strict'
import type { StsPolicy } from '../../src/mail/sts-policy.ts'
import type { StoreFactory } from './factory.ts'

const policy = (domain: string, change: Partial<StsPolicy> = {}): StsPolicy => ({
  ...{ domain, id: '1', mode: 'enforce', mx: ['mx.example'], fetchedAt: 1, expiresAt: 100, usedAt: 1 },
  ...{ lines: ['version: STSv1', 'mode: enforce', 'mx: mx.example', 'max_age: 99'], ...change },
})

export function contractOfStsPolicies(factory: StoreFactory): void {
  describe('an MTA-STS policy', () => {
    it('is kept for its domain, and replaced by a newer one', async () => {
      await using t = await factory()
      assert.equal(await t.store.stsPolicy('a.example'), null)
      for (const kept of [policy('a.example'), policy('b.example')]) await t.store.putStsPolicy(kept)
      assert.deepEqual(await t.store.stsPolicy('a.example'), policy('a.example'))
      const newer = policy('a.example', { id: '2', mode: 'none', mx: [], fetchedAt: 50, expiresAt: 150 })
      await t.store.putStsPolicy(newer)
      assert.deepEqual(await t.store.stsPolicy('a.example'), newer)
      assert.deepEqual(await t.store.listStsPolicies({ limit: 9 }), [newer, policy('b.example')])
      assert.deepEqual(await t.store.listStsPolicies({ limit: 9, after: 'a.example' }), [policy('b.example')])
    })

    it('knows when it was used last', async () => {
      await using t = await factory()
      await t.store.putStsPolicy(policy('a.example'))
      await t.store.useStsPolicy('a.example', 70)
      await t.store.useStsPolicy('none.example', 70)
      assert.deepEqual(await t.store.listStsPolicies({ limit: 9 }), [policy('a.example', { usedAt: 70 })])
    })

    it('is forgotten when it has expired', async () => {
      await using t = await factory()
      await t.store.putStsPolicy(policy('a.example', { expiresAt: 9 }))
      await t.store.putStsPolicy(policy('b.example', { expiresAt: 10 }))
      assert.equal(await t.store.forgetStsPolicies(10), 1)
      assert.deepEqual(
        (await t.store.listStsPolicies({ limit: 9 })).map(({ domain }) => domain),
        ['b.example'],
      )
    })
  })
}
