/**
 * The queue as it is looked at: whatever the filter, counts, groups and pages tell of the same entries.
 */
import assert from 'node:assert/strict'
import type { QueueColumn, QueueFilter, QueueRow, Store } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { newMessage, outcome } from './fixtures.ts'

const hour = 3_600_000
const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const states = ['due', 'waiting', 'leased', 'held'] as const
const columns = ['domain', 'account', 'senderDomain', 'class', 'site', 'priority'] as const
const everything = { limit: 1000 }

export function contractOfQueue(factory: StoreFactory): void {
  describe('a queue of all kinds of entries', () => {
    it('counts, groups and lists what a filter fits, and nothing else', async () => {
      await using t = await factory()
      await fill(t)
      const all = await t.store.listQueue({}, everything)
      for (const state of states) assert.ok(all.filter(row => row.state === state).length > 2, state)
      const sites = await siteOf(t.store, all)
      for (const filter of filters(all)) {
        const expected = all.filter(row => fits(row, filter, sites))
        const told = JSON.stringify(filter)
        assert.deepEqual(await t.store.listQueue(filter, everything), expected, told)
        assert.deepEqual(await pageByPage(t.store, filter), expected, told)
        assert.deepEqual(await t.store.countQueue(filter), countsOf(expected), told)
        for (const column of columns) {
          const groups = await t.store.countQueueBy(column, filter, 100)
          assert.deepEqual(groups, groupsOf(expected, column, sites), `${column} of ${told}`)
        }
      }
    })

    it('moves from waiting to due as time passes, in the same stretch of time and in a later one', async () => {
      await using t = await factory()
      const now = t.clock.now()
      for (const ms of [1, 2, 3, hour, 30 * hour]) await t.store.accept(newMessage({ now, nextAttemptAt: now + ms }))
      const due: number[] = []
      for (const ms of [0, 1, 1, 1, hour, 30 * hour]) {
        await t.clock.advance(ms)
        const counts = await t.store.countQueue({ domain: 'there.example' })
        assert.equal(counts.due + counts.waiting, 5)
        assert.equal((await t.store.listQueue({ state: 'due' }, everything)).length, counts.due)
        due.push(counts.due)
      }
      assert.deepEqual(due, [0, 1, 2, 3, 4, 5])
    })

    it('is empty again when all is delivered, cancelled or expired', async () => {
      await using t = await factory()
      await fill(t)
      await t.store.unhold({}, t.clock.now())
      const leased = await t.store.claimForCancel({}, lease, 1000)
      const rows = await t.store.listQueue({}, everything)
      assert.ok(leased.length > 0)
      const outcomes = rows.map(({ entry }) => outcome(entry.id, 'cancelled', t.clock.now()))
      assert.deepEqual(await t.store.settle({ outcomes, reports: [], events: [] }), [])
      assert.deepEqual(await t.store.countQueue({}), countsOf([]))
      for (const column of columns) assert.deepEqual(await t.store.countQueueBy(column, {}, 10), [])
    })
  })
}

/** Fresh and tried, of three accounts to four domains, some leased, held, released, retried, delivered after all. */
async function fill({ store, clock }: TestStore): Promise<void> {
  const accept = (account: string, to: readonly string[], leased: boolean, wait = 0) => {
    const now = clock.now()
    const from = `sales@${account}.example`
    const message = newMessage({ now, account, from, to, nextAttemptAt: now + wait, ...(leased && { lease }) })
    return store.accept(message).then(() => message.entries.map(({ id }) => id))
  }
  const tried: string[] = []
  for (const [index, account] of ['acme', 'bolt', 'cube', 'acme', 'bolt'].entries()) {
    await clock.advance(1000)
    tried.push(...(await accept(account, ['a@dead.example', 'b@slow.example', `c@${account}.test`], true)))
    await accept(account, ['d@dead.example', 'e@far.example'], false)
    await accept(account, ['f@slow.example'], false, index * hour)
    await accept(account, ['g@far.example'], true)
  }
  const outcomes = tried.map((entry, index) =>
    outcome(entry, 'deferred', clock.now(), {
      nextAttemptAt: clock.now() + (index % 4) * 400_000,
      class: index % 2 ? 'greylisted' : 'network',
      facts: factsOf(index),
    }),
  )
  await store.settle({ outcomes, reports: [], events: [] })
  await store.hold({ domain: 'far.example', account: 'acme' }, 'look at it', clock.now())
  await store.hold({ class: 'greylisted', senderDomain: 'bolt.example' }, 'look at it', clock.now())
  await store.unhold({ entry: tried[3]! }, clock.now())
  await store.retryNow({ account: 'cube', domain: 'slow.example' }, clock.now())
  const claimed = await store.claim({ now: clock.now(), lease, limit: 6, perDomain: 2 })
  await store.release(
    claimed.slice(0, 2).map(({ entry }) => ({ entry: entry.id, nextAttemptAt: clock.now() + hour })),
    lease.owner,
  )
  // A delivery counts whoever holds the lease; these have none.
  const [late] = await store.listQueue({ state: 'due' }, { limit: 1 })
  await store.settle({ outcomes: [outcome(late!.entry.id, 'delivered', clock.now())], reports: [], events: [] })
}

/** Some without a site: no host was found. */
function factsOf(index: number) {
  const site = ['mx.dead.example', 'smtp:own.example:25', '', 'mx.slow.example'][index % 4]!
  return { remoteMta: null, site } as never
}

function filters(all: readonly QueueRow[]): QueueFilter[] {
  const some: QueueFilter[] = [
    ...['acme', 'bolt', 'nobody'].map(account => ({ account })),
    ...['dead.example', 'far.example', 'none.example'].map(domain => ({ domain })),
    { senderDomain: 'bolt.example' },
    ...['greylisted', 'network', 'none'].map(value => ({ class: value })),
    ...['mx.dead.example', 'mx.slow.example', 'smtp:own.example:25', 'none', 'unknown'].map(site => ({ site })),
    { account: 'acme', domain: 'dead.example', class: 'network' },
    { message: all[3]!.message.id },
    { entry: all[4]!.entry.id },
    { recipient: 'd@dead.example' },
  ]
  return [{}, ...some].flatMap(filter => [filter, ...states.map(state => ({ ...filter, state }))])
}

/** Site of each entry: its own, or the one its domain is known by. */
async function siteOf(store: Store, all: readonly QueueRow[]): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>()
  for (const { entry } of all) {
    const { domain, lastSite = '' } = entry
    if (lastSite && !lastSite.startsWith('smtp:') && lastSite > (known.get(domain) ?? '')) known.set(domain, lastSite)
  }
  assert.equal(all.length, (await store.countQueue({})).total)
  return new Map(all.map(({ entry }) => [entry.id, entry.lastSite ?? known.get(entry.domain) ?? 'none']))
}

function valueIn({ entry, message, lastClass }: QueueRow, column: QueueColumn, sites: ReadonlyMap<string, string>) {
  const { account, senderDomain } = message
  const values = {
    domain: entry.domain,
    account: account ?? '',
    senderDomain,
    class: lastClass ?? 'none',
    priority: message.priority ?? 'normal',
  }
  return column === 'site' ? sites.get(entry.id)! : values[column]
}

function fits(row: QueueRow, filter: QueueFilter, sites: ReadonlyMap<string, string>): boolean {
  const { message, entry, recipient, state } = filter
  const named = (wanted: string | undefined, found: string) => wanted === undefined || wanted === found
  return (
    columns.every(column => named(filter[column], valueIn(row, column, sites))) &&
    named(state, row.state) &&
    named(message, row.message.id) &&
    named(entry, row.entry.id) &&
    named(recipient, row.entry.recipient.address)
  )
}

async function pageByPage(store: Store, filter: QueueFilter): Promise<QueueRow[]> {
  const rows: QueueRow[] = []
  for (;;) {
    const after = rows.at(-1)?.entry.id
    const page = await store.listQueue(filter, { limit: 3, ...(after !== undefined && { after }) })
    rows.push(...page)
    if (page.length < 3) return rows
  }
}

function countsOf(rows: readonly QueueRow[]) {
  const [due, waiting, leased, held] = states.map(state => rows.filter(row => row.state === state).length)
  return { total: rows.length, due, waiting, leased, held, oldestReceivedAt: oldestOf(rows) }
}

function oldestOf(rows: readonly QueueRow[]): number | null {
  return rows.length === 0 ? null : Math.min(...rows.map(({ message }) => message.receivedAt))
}

function groupsOf(rows: readonly QueueRow[], column: QueueColumn, sites: ReadonlyMap<string, string>) {
  return [...Map.groupBy(rows, row => valueIn(row, column, sites))]
    .map(([value, group]) => ({ value, count: group.length, oldestReceivedAt: oldestOf(group) }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
}
