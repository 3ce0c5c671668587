/**
 * The memory of suppressed addresses: never says no to one that is there, and hardly ever maybe to others.
 */
import assert from 'node:assert/strict'
import type { Suppression } from '../../src/mail/suppression.ts'
import { Fingerprints, fingerprintOf, openSuppressed } from '../../src/store/suppressed.ts'
import { sqliteFactory } from './factory.ts'

const manual = (account: string | null, address: string): Suppression => ({
  ...{ account, address, reason: 'manual', evidence: null, note: '', createdAt: 1, expiresAt: null },
})

describe('fingerprints of addresses', () => {
  it('find all of 100,000 that are there, and next to none of 100,000 others', () => {
    const set = new Fingerprints()
    for (let n = 0; n < 100_000; n++) set.add(fingerprintOf(`user${n}@example.jp`))
    let missed = 0
    let wrong = 0
    for (let n = 0; n < 100_000; n++) {
      if (!set.has(fingerprintOf(`user${n}@example.jp`))) missed++
      if (set.has(fingerprintOf(`user${n}@example.com`))) wrong++
    }
    assert.equal(missed, 0)
    assert.ok(wrong < 20, `${wrong} of 100,000 are expected to be 2`)
    assert.ok(set.size > 99_990 && set.size <= 100_000)
  })
})

describe('the memory of suppressed addresses', () => {
  it('knows what stood there before and what comes, of one account or all, and asks for the rest', async () => {
    await using t = await sqliteFactory(true)()
    for (const id of ['acme', 'other'])
      await t.store.createAccount({ id, name: id, createdAt: 1, limits: {}, unaligned: 'warn', suspendedReason: null })
    await t.store.putSuppressions([manual('acme', 'a@x.example')])
    const suppressed = await openSuppressed(t.store)
    assert.equal(suppressed.mayBe('acme', 'A@x.example'), true)
    assert.equal(suppressed.mayBe('other', 'a@x.example'), false)
    assert.equal(suppressed.mayBe(null, 'a@x.example'), false)
    await t.store.putSuppressions([manual(null, 'B@x.example')])
    for (const account of ['acme', 'other', null]) {
      assert.equal(suppressed.mayBe(account, 'b@x.example'), true)
      assert.equal((await suppressed.find(account, 'b@X.example'))?.account, null)
    }
    await t.store.removeSuppressions([manual('acme', 'a@x.example')], 2)
    assert.equal(await suppressed.find('acme', 'a@x.example'), null)
    suppressed.close()
    await t.store.putSuppressions([manual('other', 'c@x.example')])
    assert.equal(suppressed.mayBe('other', 'c@x.example'), false)
  })
})
