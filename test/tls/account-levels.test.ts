import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { openAccountLevels } from '../../src/tls/account-levels.ts'
import { sqliteFactory } from '../store/factory.ts'
import { account } from '../store/fixtures.ts'

describe('what accounts ask of TLS', () => {
  it('is known from the start, and follows every change', async () => {
    await using t = await sqliteFactory(true)()
    await t.store.createAccount({ ...account('acme'), tls: 'required' })
    await t.store.createAccount(account('plain'))
    const levels = await openAccountLevels({ store: t.store, log: silentLog })
    const all = () => ['acme', 'plain', 'new'].map(id => levels.of(id) ?? 'nothing')
    assert.deepEqual(all(), ['required', 'nothing', 'nothing'])
    assert.equal(levels.of(null), undefined)
    await t.store.updateAccount('acme', { tls: 'opportunistic' })
    await t.store.updateAccount('plain', { tls: 'verified' })
    await t.store.createAccount({ ...account('new'), tls: 'required' })
    await t.clock.advance(0)
    assert.deepEqual(all(), ['nothing', 'verified', 'required'])
    await t.store.deleteAccount('plain')
    await t.clock.advance(0)
    assert.deepEqual(all(), ['nothing', 'nothing', 'required'])
    levels.close()
  })
})
