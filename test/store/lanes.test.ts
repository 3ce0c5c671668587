import assert from 'node:assert/strict'
import { join } from 'node:path'
import { delayedSql, dueSql, expiredSql, nextInLaneSql } from '../../src/store/sqlite/claim.ts'
import { openReading } from '../../src/store/sqlite/connection.ts'
import { multiplyEntry, planOf } from './dead-domain.ts'
import { sqliteFactory } from './factory.ts'
import { ids, newMessage } from './fixtures.ts'

const entries = 200_000

describe('200,000 entries for a dead domain', () => {
  it('are one row to a claim of another domain', async () => {
    await using t = await sqliteFactory(true)()
    const now = t.clock.now()
    await t.store.accept(newMessage({ now, to: ['a@dead.example'] }))
    const file = join(t.dataDir, 'kitte.db')
    multiplyEntry(file, entries)
    await t.store.postpone(['dead.example'], now + 600_000)
    const alive = newMessage({ now, to: ['a@alive.example'] })
    await t.store.accept(alive)

    const request = { now, limit: 100, perDomain: 20, lease: { owner: 'node/0', until: now + 60_000 } }
    assert.deepEqual(ids(await t.store.claim(request)), [alive.entries[0]!.id])
    assert.deepEqual(await t.store.claim(request), [])
    assert.equal(await t.store.nextDueAt(), now + 600_000)

    const db = openReading(file)
    assert.equal(db.prepare('select count(*) from entry').pluck().get(), entries + 2)
    assert.deepEqual(db.prepare('select domain from lane').pluck().all(), ['dead.example'])
    db.close()
    assert.equal((await t.store.claim({ ...request, now: now + 600_000 })).length, 20)
  })

  it('are reached by indexes alone, without sorting', async () => {
    await using t = await sqliteFactory(true)()
    const db = openReading(join(t.dataDir, 'kitte.db'))
    assert.match(planOf(db, dueSql, [1, 1, 1]), /^SEARCH e USING INDEX entry_due \(domain=\? AND next_attempt_at<\?\)$/)
    assert.match(planOf(db, nextInLaneSql, [1]), /^SEARCH entry USING (?:COVERING )?INDEX entry_due \(domain=\?\)$/)
    assert.match(planOf(db, expiredSql, [1, 1]), /^SEARCH e USING INDEX entry_expires \(expires_at<\?\)$/)
    assert.match(planOf(db, delayedSql, [1, 1]), /^SEARCH e USING INDEX entry_notice \(received_at<\?\)$/)
    assert.match(
      planOf(db, 'select domain from lane where due_at <= ? order by due_at limit ?', [1, 1]),
      /^SEARCH lane USING COVERING INDEX lane_due \(due_at<\?\)$/,
    )
    db.close()
  })
})
