import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type Connection, openReading, openWriting } from '../../src/store/sqlite/connection.ts'
import { migrate, versions } from '../../src/store/sqlite/migrations/index.ts'
import { sourcesOf } from '../../src/store/sqlite/queue-filter.ts'
import { openQueueLists } from '../../src/store/sqlite/queue-lists.ts'
import { pageSql } from '../../src/store/sqlite/queue-pages.ts'
import { dueInSlotSql } from '../../src/store/sqlite/queue-tally.ts'
import { openTraceReader } from '../../src/store/sqlite/trace.ts'
import type { QueueFilter } from '../../src/store/store.ts'
import { bytesOfWalk, bytesRead, multiplyEntry, planOf } from './dead-domain.ts'
import { sqliteFactory, type TestStore } from './factory.ts'
import { newMessage, outcome, temporaryFolder } from './fixtures.ts'

const entries = 200_000
const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }

/** Among many entries of acme for dead.example one each of bolt: due, waiting, leased, held. */
async function fill({ store, clock, dataDir }: TestStore): Promise<void> {
  const now = clock.now()
  await store.accept(newMessage({ now, to: ['a@dead.example'] }))
  multiplyEntry(join(dataDir, 'kitte.db'), entries)
  const other = { now, account: 'bolt', from: 'b@bolt.example' }
  await store.accept(newMessage({ ...other, to: ['a@alive.example'] }))
  await store.accept(newMessage({ ...other, to: ['b@later.example'], nextAttemptAt: now + 1000 }))
  await store.accept(newMessage({ ...other, to: ['c@alive.example'], lease }))
  const tried = newMessage({ ...other, to: ['d@tried.example'], lease })
  await store.accept(tried)
  const facts = { remoteMta: 'mx.tried.example', site: 'mx.tried.example' } as never
  const deferred = outcome(tried.entries[0]!.id, 'deferred', now, { class: 'greylisted', facts })
  await store.settle({ outcomes: [deferred], reports: [], events: [] })
  await store.hold({ domain: 'tried.example' }, 'look at it', now)
  // Of the same backlog as the many, in the same stretch of time, but not due.
  await store.accept(newMessage({ now, to: ['b@dead.example'], nextAttemptAt: now + 1000 }))
  await tryDeadSite(store, now)
}

/** The dead site has been tried a few times: some are due again, some are not. */
async function tryDeadSite(store: TestStore['store'], now: number): Promise<void> {
  const tried = newMessage({ now, to: Array.from({ length: 20 }, (_, n) => `t${n}@dead.example`), lease })
  await store.accept(tried)
  const outcomes = tried.entries.map(({ id }, n) =>
    outcome(id, 'deferred', now, { class: 'network', nextAttemptAt: now + (n % 2) * 1000 }),
  )
  await store.settle({ outcomes, reports: [], events: [] })
}

const filters: readonly QueueFilter[] = [
  {},
  { account: 'bolt' },
  { senderDomain: 'bolt.example' },
  { domain: 'dead.example' },
  { domain: 'alive.example' },
  { class: 'greylisted' },
  { site: 'none' },
  { site: 'mx.tried.example' },
  { state: 'due' },
  { state: 'waiting' },
  { state: 'leased' },
  { state: 'held' },
  { account: 'bolt', state: 'due' },
  { domain: 'dead.example', state: 'waiting' },
  { class: 'network', state: 'due' },
  { class: 'network' },
  { priority: 'normal', state: 'waiting' },
  { scheduled: true },
]

/** On a connection whose cache is empty. */
function bytesOf(dataDir: string, look: (lists: ReturnType<typeof openQueueLists>) => void): number {
  const db = openReading(join(dataDir, 'kitte.db'))
  try {
    const lists = openQueueLists(db)
    const before = bytesRead()
    look(lists)
    return bytesRead() - before
  } finally {
    db.close()
  }
}

function assertNoWalk(db: Connection, filter: QueueFilter, now: number): void {
  for (const { from, sql, values } of sourcesOf(openTraceReader(db), filter, now)) {
    const plan = planOf(db, `select e.n from ${from} join message m on m.seq = e.message where ${sql} limit 10`, values)
    assert.doesNotMatch(plan, /SCAN (?:e|m|entry|message)\b|FOR ORDER BY/, `${JSON.stringify(filter)}: ${plan}`)
  }
}

describe('200,000 entries for a dead domain among a few others', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  it('are counted, grouped and listed without being read, whatever the filter', async () => {
    await using t = await sqliteFactory(true)()
    await fill(t)
    const now = t.clock.now()
    const walk = bytesOfWalk(join(t.dataDir, 'kitte.db'))
    for (const filter of filters) {
      const bytes = bytesOf(t.dataDir, lists => {
        lists.countQueue(filter, now)
        lists.countQueueBy('site', filter, 50, now)
        lists.countQueueBy('account', filter, 50, now)
        assert.ok(lists.listQueue(filter, { limit: 100 }, now).length <= 100)
      })
      assert.ok(bytes < walk / 10, `${JSON.stringify(filter)} read ${bytes} bytes, a walk reads ${walk}`)
    }
    assert.equal((await t.store.countQueue({ domain: 'dead.example' })).due, entries + 11)
    assert.equal((await t.store.countQueue({ account: 'bolt' })).total, 4)
  })

  it('are counted rightly when half of them become due a moment later, and listed by either half', async () => {
    await using t = await sqliteFactory(true)()
    const now = t.clock.now()
    await t.store.accept(newMessage({ now, to: ['a@dead.example'] }))
    const file = join(t.dataDir, 'kitte.db')
    multiplyEntry(file, 20_000)
    const db = openWriting(file)
    db.exec(`update entry set next_attempt_at = next_attempt_at + 1000 where n % 2 = 0;
      update backlog_slot set latest = latest + 1000`)
    db.close()
    const { total, due, waiting } = await t.store.countQueue({})
    assert.deepEqual({ total, due, waiting }, { total: 20_001, due: 10_000, waiting: 10_001 })
    for (const state of ['due', 'waiting'] as const) {
      const rows = await t.store.listQueue({ state }, { limit: 1000 })
      assert.deepEqual([rows.length, ...new Set(rows.map(row => row.state))], [1000, state])
    }
  })

  it('are found by an operator without being read, and never sorted', async () => {
    await using t = await sqliteFactory(true)()
    await fill(t)
    const db = openReading(join(t.dataDir, 'kitte.db'))
    for (const filter of filters) assertNoWalk(db, filter, t.clock.now())
    assert.match(
      planOf(db, pageSql, [1, 0, -1, 9, 1]),
      /^SEARCH entry USING COVERING INDEX entry_backlog \(backlog=\? AND (?:\(message,n\)>\(\?,\?\)|message>\?.*)/,
    )
    assert.match(
      planOf(db, dueInSlotSql, [1, 0, 9]),
      /^SEARCH entry USING COVERING INDEX entry_due \(turn=\? AND next_attempt_at>\? AND next_attempt_at<\?\)/,
    )
    db.close()
  })
})

describe('a database from before backlogs', () => {
  it('has what waits counted, and its turn, when it is opened', () => {
    using folder = temporaryFolder()
    const db = openWriting(join(folder.path, 'kitte.db'))
    migrate(db, versions.slice(0, 5))
    db.exec(`
      insert into message (seq, id, account, sender_domain, received_at, states, facts)
        values (1, 'A', 'acme', 'acme.example', 1, 'qqqq', '{}'), (2, 'B', null, 'relay.example', 2, 'q', '{}');
      insert into entry (message, n, domain, received_at, next_attempt_at, expires_at, attempts, paced, notice, in_doubt,
          lease_until, held_reason, last_class, last_site)
        values (1, 0, 'x.example', 1, 5, 9, 0, 1, 1, 0, null, null, null, null),
          (1, 1, 'x.example', 1, 7, 9, 0, 1, 1, 0, null, null, null, null),
          (1, 2, 'x.example', 1, 900000, 9, 1, 1, 1, 0, null, null, 'rate', 'mx.x.example'),
          (1, 3, 'x.example', 1, 5, 9, 0, 1, 1, 0, 4, null, null, null),
          (2, 0, 'y.example', 2, 5, 9, 0, 1, 1, 0, null, 'held', null, null)`)
    migrate(db)
    const rows = db
      .prepare(`select domain, account, site, class, held, slot, count, earliest, latest,
        (select count(*) from entry where backlog = id and lease_until is null) as entries
        from backlog join backlog_slot on backlog = id order by domain, slot`)
      .raw()
      .all()
    assert.deepEqual(rows, [
      ['x.example', 'acme', '', '', 0, 0, 2, 5, 7, 2],
      ['x.example', 'acme', 'mx.x.example', 'rate', 0, 3, 1, 900_000, 900_000, 1],
      ['y.example', '', '', '', 1, 0, 1, 5, 5, 1],
    ])
    const turns = db
      .prepare(`select domain, account, due_at, (select count(*) from entry where turn = id) as entries from turn`)
      .raw()
      .all()
    assert.deepEqual(turns, [['x.example', 'acme', 5, 3]])
    db.close()
  })
})
