import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { delayedSql, dueSql, expiredSql, nextOfTurnSql } from '../../src/store/sqlite/claim.ts'
import { dueClaimantsSql } from '../../src/store/sqlite/claimants.ts'
import { openCommands } from '../../src/store/sqlite/commands.ts'
import { openReading, openWriting } from '../../src/store/sqlite/connection.ts'
import { firstInLineFromSql, firstOfLineSql, nextInLineSql } from '../../src/store/sqlite/lines.ts'
import { Transaction } from '../../src/store/sqlite/transaction.ts'
import { dueTurnsSql, nextTurnSql } from '../../src/store/sqlite/turns.ts'
import type { Store } from '../../src/store/store.ts'
import { bytesOfWalk, bytesRead, multiplyEntry, planOf } from './dead-domain.ts'
import { sqliteFactory, storeOptions } from './factory.ts'
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
    assert.match(planOf(db, dueSql, [1, 1, 1]), /^SEARCH e USING INDEX entry_due \(turn=\? AND next_attempt_at<\?\)$/)
    assert.match(planOf(db, nextOfTurnSql, [1]), /^SEARCH entry USING (?:COVERING )?INDEX entry_due \(turn=\?\)$/)
    assert.match(planOf(db, expiredSql, [1, 1]), /^SEARCH e USING INDEX entry_expires \(expires_at<\?\)$/)
    assert.match(planOf(db, delayedSql, [1, 1]), /^SEARCH e USING INDEX entry_notice \(received_at<\?\)$/)
    assert.match(
      planOf(db, dueClaimantsSql, [1, 1]),
      /^SEARCH claimant USING (?:COVERING )?INDEX claimant_due \(due_at<\?\)$/,
    )
    assert.match(planOf(db, firstOfLineSql, [1]), /^SEARCH entry USING (?:COVERING )?INDEX entry_line \(line=\?\)$/)
    assert.match(
      planOf(db, firstInLineFromSql, [1, 1]),
      /^SEARCH entry USING (?:COVERING )?INDEX entry_line \(line=\? AND next_attempt_at>\?\)$/,
    )
    assert.match(
      planOf(db, nextInLineSql, [1, 1, 2]),
      /^SEARCH entry USING (?:COVERING )?INDEX entry_line \(line=\? AND next_attempt_at>\? AND next_attempt_at<\?\)$/,
    )
    assert.match(
      planOf(db, dueTurnsSql, ['x', 1, 1, 1]),
      /^SEARCH turn USING COVERING INDEX turn_due \(account=\? AND priority=\? AND due_at<\?\)$/,
    )
    const plan = planOf(db, nextTurnSql, ['x', 'x', 'x'])
    assert.equal(
      plan.match(/SEARCH turn USING COVERING INDEX turn_due \(account=\? AND priority=\?\)/g)?.length,
      3,
      plan,
    )
    assert.doesNotMatch(plan, /SCAN turn/)
    db.close()
  })
})

/** A claim by a writer whose cache is empty: what it took, by account, and what it read from the file. */
function claimCold(file: string, now: number): { readonly taken: Map<string, number>; readonly bytes: number } {
  const db = openWriting(file)
  try {
    const { commands, flush } = openCommands(db)
    const tx = new Transaction(now)
    const before = bytesRead()
    const { entries: taken, messages } = db.transaction(() => {
      const request = { now, limit: 100, perDomain: 100, lease: { owner: 'node/0', until: now + 60_000 } }
      const claimed = commands.claim(tx, request)
      flush(tx)
      return claimed
    })()
    const bytes = bytesRead() - before
    const accounts = taken.map(([message]) => (JSON.parse(messages.get(message)!) as { account: string }).account)
    return { bytes, taken: new Map([...Map.groupBy(accounts, name => name)].map(([name, all]) => [name, all.length])) }
  } finally {
    db.close()
  }
}

async function putOne(store: Store, now: number, account: string): Promise<void> {
  await store.accept(newMessage({ now, account, to: ['a@busy.example'] }))
}

describe("200,000 entries of one account for a domain, and a few of another's", () => {
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  it('are in one claim without a walk through the many', async () => {
    await using t = await sqliteFactory(true)()
    const now = t.clock.now()
    await putOne(t.store, now - 5000, 'many')
    await t.open.close()
    const file = join(t.dataDir, 'kitte.db')
    multiplyEntry(file, entries)
    const walk = bytesOfWalk(file)
    const alone = claimCold(file, now)
    assert.deepEqual([...alone.taken], [['many', 100]])

    const again = await openStore({ ...storeOptions(t.dataDir, t.clock), inProcess: true })
    for (let n = 0; n < 3; n++) await putOne(again.store, now, 'few')
    await again.close()
    const shared = claimCold(file, now)
    assert.deepEqual([...shared.taken].toSorted(), [
      ['few', 3],
      ['many', 97],
    ])
    for (const { bytes } of [alone, shared]) assert.ok(bytes < walk / 10, `read ${bytes} bytes, a walk reads ${walk}`)
  })
})
