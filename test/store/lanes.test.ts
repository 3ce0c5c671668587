import assert from 'node:assert/strict'
import { join } from 'node:path'
import { delayedSql, dueSql, expiredSql, nextInLaneSql } from '../../src/store/sqlite/claim.ts'
import { type Connection, openReading, openWriting } from '../../src/store/sqlite/connection.ts'
import { sqliteFactory } from './factory.ts'
import { ids, newMessage } from './fixtures.ts'

const entries = 200_000

function plan(db: Connection, sql: string, parameters: number): string {
  const values = Array<number>(parameters).fill(1)
  const rows = db.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...values)
  return rows.map(row => row.detail).join('; ')
}

/** Copies one waiting entry many times, straight into the table: what matters is how many there are. */
function multiply(file: string): void {
  const db = openWriting(file)
  db.exec(
    `
    with recursive number(n) as (select 1 union all select n + 1 from number where n < ${entries})
    insert into entry select one.message, number.n, domain, received_at, next_attempt_at, expires_at, attempts, paced,
      notice, in_doubt, lease_until, lease_owner, held_reason, last_class, last_reply, last_host, last_site
      from number cross join (select * from entry limit 1) as one`,
  )
  db.close()
}

describe('200,000 entries for a dead domain', () => {
  it('are one row to a claim of another domain', async () => {
    await using t = await sqliteFactory(true)()
    const now = t.clock.now()
    await t.store.accept(newMessage({ now, to: ['a@dead.example'] }))
    const file = join(t.dataDir, 'kitte.db')
    multiply(file)
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
    assert.match(plan(db, dueSql, 3), /^SEARCH e USING INDEX entry_due \(domain=\? AND next_attempt_at<\?\)$/)
    assert.match(plan(db, nextInLaneSql, 1), /^SEARCH entry USING (?:COVERING )?INDEX entry_due \(domain=\?\)$/)
    assert.match(plan(db, expiredSql, 2), /^SEARCH e USING INDEX entry_expires \(expires_at<\?\)$/)
    assert.match(plan(db, delayedSql, 2), /^SEARCH e USING INDEX entry_notice \(received_at<\?\)$/)
    assert.match(
      plan(db, 'select domain from lane where due_at <= ? order by due_at limit ?', 2),
      /^SEARCH lane USING COVERING INDEX lane_due \(due_at<\?\)$/,
    )
    db.close()
  })
})
