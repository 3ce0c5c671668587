/**
 * The log of what the relay concludes by itself, from the store that does it to the line.
 */
import assert from 'node:assert/strict'
import type { Fields } from '../../src/base/log.ts'
import type { AutomaticSuppression } from '../../src/mail/suppression.ts'
import { logSuppressions } from '../../src/outcome/suppression-log.ts'
import { logInto } from '../feedback/world.ts'
import { sqliteFactory } from '../store/factory.ts'
import { account } from '../store/fixtures.ts'

describe('the log of suppressions', () => {
  it('has a line when a bounce leads to one, and when its time is over; none for what people order', async () => {
    await using t = await sqliteFactory(true)()
    await t.store.createAccount(account('acme'))
    const lines: (Fields & { readonly text: string })[] = []
    const stop = logSuppressions(t.store, logInto(lines))
    const now = t.clock.now()
    const reply = '550 5.1.1 no such user'
    const suppression: AutomaticSuppression = {
      ...{ account: 'acme', address: 'b@x.example', reason: 'hard-bounce', note: '', createdAt: now, entry: null },
      evidence: { from: 'outcome', message: 'm', at: now, reply, class: 'address-unknown', remoteMta: 'mx.x.example' },
      ...{ expiresAt: now + 1000, byDefault: true, after: 1, countWithinMs: 0 },
    }
    await t.store.suppress(suppression)
    await t.store.suppress(suppression)
    await t.store.putSuppressions([{ ...suppression, address: 'c@x.example', reason: 'manual', expiresAt: null }])
    await t.store.purgeSuppressions(now + 1000, 10)
    stop()
    await t.store.suppress(suppression)
    const facts = {
      ...{ account: 'acme', recipient: 'b@x.example', reason: 'hard-bounce', message: 'm', reply },
      ...{ class: 'address-unknown', remoteMta: 'mx.x.example', until: new Date(now + 1000).toISOString() },
    }
    assert.deepEqual(lines, [
      { event: 'suppressed', ...facts, text: `suppressed b@x.example: ${reply}` },
      { event: 'suppression-ended', ...facts, text: 'b@x.example may be tried again: its suppression is over' },
    ])
  })
})
