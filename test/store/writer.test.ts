import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { silentLog } from '../../src/base/log.ts'
import { connectStore, openStore } from '../../src/store/open.ts'
import { type Connection, openReading, openWriting } from '../../src/store/sqlite/connection.ts'
import { GroupCommit } from '../../src/store/sqlite/group-commit.ts'
import { migrate } from '../../src/store/sqlite/migrations/index.ts'
import { WriterClient } from '../../src/store/sqlite/writer-client.ts'
import { type Change, NotFound, StoreUnavailable } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { sqliteFactory, storeOptions } from './factory.ts'
import { account, newMessage, temporaryFolder } from './fixtures.ts'

const threaded = sqliteFactory(false)

function version(db: Connection): unknown {
  return db.pragma('user_version', { simple: true })
}

describe('a writer', () => {
  it('serves several threads and tells each of every change', async () => {
    await using t = await threaded()
    const other = await connectStore({ dataDir: t.dataDir, port: t.open.port(), log: silentLog, clock: t.clock })
    const changes: Change[] = []
    const told = new Promise<void>(resolve => {
      other.onChange(change => {
        changes.push(change)
        resolve()
      })
    })
    await t.store.createAccount(account('acme'))
    await told
    assert.deepEqual(changes, [{ kind: 'account', id: 'acme' }])
    await other.updateAccount('acme', { name: 'Acme' })
    assert.equal((await t.store.account('acme'))?.name, 'Acme')
    await other.close()
    await assert.rejects(other.accept(newMessage({ now: 0 })), StoreUnavailable)
    assert.equal((await other.health()).writable, false)
  })

  it('hands errors over with their class, and the other calls of that moment succeed', async () => {
    await using t = await threaded()
    const results = await Promise.allSettled([
      t.store.createAccount(account('one')),
      t.store.updateAccount('none', { name: 'x' }),
      t.store.createAccount(account('two')),
    ])
    assert.deepEqual(
      results.map(result => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.ok(results[1]?.status === 'rejected' && results[1].reason instanceof NotFound)
    assert.equal((await t.store.listAccounts({ limit: 10 })).length, 2)
  })

  it('fails what comes after its end instead of keeping it waiting', async () => {
    using folder = temporaryFolder()
    const clock = manualClock()
    const open = await openStore(storeOptions(folder.path, clock))
    const other = await connectStore({ dataDir: folder.path, port: open.port(), log: silentLog, clock })
    await other.createAccount(account('acme'))
    await open.close()
    await assert.rejects(other.createAccount(account('late')), StoreUnavailable)
    assert.equal((await other.account('acme'))?.id, 'acme')
    await other.close()
  })

  it('keeps the folder for itself', async () => {
    using folder = temporaryFolder()
    const options = { ...storeOptions(folder.path, manualClock()), inProcess: true }
    const first = await openStore(options)
    await assert.rejects(openStore(options), /another process writes in this folder/)
    await first.close()
    await (await openStore(options)).close()
  })

  it('lets more arrive when syncs are slow and callers are several, a quarter of a sync', async () => {
    using folder = temporaryFolder()
    let monotonic = 0
    const clock = { ...manualClock(), monotonic: () => (monotonic += 8) }
    const gathered: number[] = []
    const options = { dataDir: folder.path, minFreeBytes: 0, batchBytes: 1_000_000, clock, report: () => {} }
    const writer = new GroupCommit({ ...options, gather: ms => gathered.push(ms) })
    const { port1, port2 } = new MessageChannel()
    writer.attach(port1)
    const client = new WriterClient(port2, clock)
    await client.call('setSetting', ['alone', '1'])
    await client.call('setSetting', ['alone', '2'])
    assert.deepEqual(gathered, [])
    for (let i = 0; i < 2; i++)
      await Promise.all([client.call('setSetting', ['a', '1']), client.call('setSetting', ['b', '2'])])
    assert.equal(gathered.length, 1)
    assert.ok(gathered[0]! > 1 && gathered[0]! <= 2)
    await client.close()
    writer.close()
  })

  it('finishes what is under way before it closes', async () => {
    using folder = temporaryFolder()
    const clock = manualClock()
    const open = await openStore(storeOptions(folder.path, clock))
    const accepted = Array.from({ length: 50 }, () => open.store.accept(newMessage({ now: clock.now() })))
    await open.close()
    assert.equal((await Promise.all(accepted)).length, 50)
  })
})

describe('a database', () => {
  it('is synced with every commit, whatever the library was compiled with', () => {
    using folder = temporaryFolder()
    for (let round = 0; round < 2; round++) {
      const db = openWriting(join(folder.path, 'x.db'))
      db.exec('create table if not exists t (n integer)')
      db.exec('insert into t values (1)')
      assert.equal(db.pragma('synchronous', { simple: true }), 2)
      db.close()
    }
  })

  it('is migrated step by step, once, each step whole or not at all', () => {
    using folder = temporaryFolder()
    const db = openWriting(join(folder.path, 'x.db'))
    const steps = ['create table one (n integer)', 'create table two (n integer)']
    migrate(db, steps)
    migrate(db, steps)
    assert.equal(version(db), 2)
    assert.throws(() => migrate(db, [...steps, 'create table three (n integer); insert into nowhere values (1)']))
    assert.equal(version(db), 2)
    assert.equal(db.prepare(`select count(*) from sqlite_master where name = 'three'`).pluck().get(), 0)
    db.close()
  })

  it('of a newer program is refused, saying why', async () => {
    for (const inProcess of [true, false]) {
      using folder = temporaryFolder()
      const db = openWriting(join(folder.path, 'kitte.db'))
      db.pragma('user_version = 999')
      db.close()
      const opening = openStore({ ...storeOptions(folder.path, manualClock()), inProcess })
      await assert.rejects(opening, (error: Error) => {
        assert.ok(error instanceof StoreUnavailable)
        assert.match(error.message, /schema version 999, this program knows up to \d+: start the newer program/)
        return true
      })
    }
  })

  it('that is none is refused', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'kitte.db'), 'this is a text file, whatever its name says. '.repeat(100))
    await assert.rejects(openStore(storeOptions(folder.path, manualClock())), StoreUnavailable)
    using other = temporaryFolder()
    mkdirSync(join(other.path, 'kitte.db'))
    await assert.rejects(openStore({ ...storeOptions(other.path, manualClock()), inProcess: true }), StoreUnavailable)
    assert.throws(() => openReading(join(other.path, 'none.db')), StoreUnavailable)
  })
})
