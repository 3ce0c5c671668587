import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OpenStoreOptions, openStore } from '../../src/store/open.ts'
import { openSpool } from '../../src/store/spool.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { smallDisk } from '../support/small-disk.ts'
import { storeOptions } from './factory.ts'
import { newMessage, outcome } from './fixtures.ts'

const mebibyte = 1024 * 1024
const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }

/** Takes all the room there is. */
function fill(folder: string): () => void {
  const file = join(folder, 'filler')
  try {
    for (let i = 0; ; i++) writeFileSync(file, Buffer.alloc(i % 2 ? 512 : mebibyte), { flag: 'a' })
  } catch {
    // Full to the megabyte; now to the last page.
  }
  try {
    for (;;) writeFileSync(file, Buffer.alloc(4096), { flag: 'a' })
  } catch {
    return () => rmSync(file)
  }
}

function large(clock: ManualClock) {
  return newMessage({ now: clock.now(), lease, content: { kind: 'inline', bytes: Buffer.alloc(100_000, 'x') } })
}

/** Accepts until it is refused; answers the entries accepted. */
async function acceptUntilRefused(store: Store, clock: ManualClock): Promise<string[]> {
  const accepted: string[] = []
  for (;;) {
    await clock.advance(1000)
    try {
      accepted.push(...(await store.accept(large(clock))).leased)
    } catch (error) {
      assert.ok(error instanceof StoreUnavailable, String(error))
      return accepted
    }
  }
}

/** Opened for the scope: a mounted disk must not stay busy when a test fails. */
async function opened(options: OpenStoreOptions): Promise<AsyncDisposable & { readonly store: Store }> {
  const { store, close } = await openStore({ ...options, inProcess: true })
  return { store, [Symbol.asyncDispose]: close }
}

async function deliver(store: Store, clock: ManualClock, entry: string): Promise<void> {
  await store.settle({ outcomes: [outcome(entry, 'delivered', clock.now())], reports: [], events: [] })
}

describe('a disk that fills up', () => {
  for (const [sentence, run] of [
    ['stops intake early, keeps outcomes going, and takes mail again by itself', stopsEarly],
    [
      'is survived when somebody else fills it: outcomes go on from the reserve, then nothing, then all',
      survivesOthers,
    ],
    ['fails a spool file in time', failsSpool],
  ] as const) {
    it(sentence, async function () {
      const disk = smallDisk(24)
      if (disk === null) {
        console.log('      skipped: mounting a small tmpfs needs root')
        return this.skip()
      }
      try {
        await run(disk.path)
      } finally {
        disk[Symbol.dispose]()
      }
    })
  }
})

async function stopsEarly(folder: string): Promise<void> {
  const clock = manualClock()
  const options = { ...storeOptions(folder, clock), minFreeBytes: 8 * mebibyte }
  await using t = await opened(options)
  const other = join(folder, 'other')
  writeFileSync(other, Buffer.alloc(4 * mebibyte))
  const accepted = await acceptUntilRefused(t.store, clock)
  const health = await t.store.health()
  assert.deepEqual([health.acceptsMail, health.writable], [false, true])
  assert.match(health.reason ?? '', /bytes free, 8388608 needed/)
  assert.ok(health.freeBytes > 6 * mebibyte)
  for (const entry of accepted) await deliver(t.store, clock, entry)
  assert.equal((await t.store.totals()).delivered, accepted.length)
  rmSync(other)
  await clock.advance(1000)
  assert.equal((await t.store.health()).acceptsMail, true)
  assert.equal((await t.store.accept(large(clock))).leased.length, 1)
}

async function survivesOthers(folder: string): Promise<void> {
  const clock = manualClock()
  await using t = await opened({ ...storeOptions(folder, clock), minFreeBytes: 8 * mebibyte })
  const { store } = t
  const entries: string[] = []
  for (let i = 0; i < 15; i++) entries.push(...(await store.accept(large(clock))).leased)
  assert.ok(existsSync(join(folder, 'reserve')))
  const release = fill(folder)

  await clock.advance(1000)
  await assert.rejects(store.accept(large(clock)), StoreUnavailable)
  for (const entry of entries.slice(0, 10)) await deliver(store, clock, entry)
  assert.equal((await store.health()).writable, true)

  // What doesn't fit into the reserve either brings writing to its end …
  await assert.rejects(store.setSetting('large', 'x'.repeat(8 * mebibyte)), StoreUnavailable)
  assert.ok(!existsSync(join(folder, 'reserve')))
  assert.equal((await store.health()).writable, false)
  await assert.rejects(deliver(store, clock, entries[10]!), StoreUnavailable)

  // … until there is room, on the same connection.
  release()
  await clock.advance(1000)
  for (const entry of entries.slice(10)) await deliver(store, clock, entry)
  assert.deepEqual(await store.totals(), { accepted: 15, delivered: 15, bounced: 0, cancelled: 0, queued: 0 })
  const { acceptsMail, writable } = await store.health()
  assert.deepEqual([acceptsMail, writable], [true, true])
  assert.equal((await store.accept(large(clock))).leased.length, 1)
  assert.ok(existsSync(join(folder, 'reserve')), 'the reserve is there again')
}

async function failsSpool(folder: string): Promise<void> {
  const file = await openSpool(folder).create()
  fill(folder)
  await assert.rejects(file.write(Buffer.alloc(mebibyte)), StoreUnavailable)
  await file.discard()
}
