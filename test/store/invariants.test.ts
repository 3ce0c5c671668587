import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Outcome } from '../../src/mail/outcome.ts'
import { priorities } from '../../src/mail/priority.ts'
import { type OpenStore, openStore } from '../../src/store/open.ts'
import { openReading } from '../../src/store/sqlite/connection.ts'
import { NotFound } from '../../src/store/store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { storeOptions } from './factory.ts'
import { account, newMessage, outcome, temporaryFolder } from './fixtures.ts'

const accounts = ['acme', 'bolt', 'cube']
const actions = ['delivered', 'deferred', 'bounced', 'cancelled'] as const
const lease = (clock: ManualClock) => ({ owner: 'node/0', until: clock.now() + 60_000 })

/** What a run has done so far: outcomes may be handed in again, at any time. */
interface Run {
  readonly dataDir: string
  readonly clock: ManualClock
  open: OpenStore
  readonly leased: string[]
  readonly settled: Outcome[]
}

type Step = (run: Run) => Promise<unknown>

const accept = fc
  .record({
    account: fc.constantFrom(...accounts),
    to: fc.array(fc.constantFrom('a@x.example', 'b@x.example', 'c@y.example', 'd@z.example'), {
      minLength: 1,
      maxLength: 5,
    }),
    leased: fc.boolean(),
    perMinute: fc.option(fc.integer({ min: 1, max: 100 })),
    priority: fc.constantFrom(...priorities),
    later: fc.option(fc.integer({ min: 1, max: 10_000 }), { freq: 3 }),
  })
  .map(
    ({ account, to, leased, perMinute, priority, later }): Step =>
      async ({ clock, open, leased: known }) => {
        const limits = perMinute === null ? [] : [{ key: `account:${account}`, limits: { perMinute } }]
        const order = { priority, ...(later !== null && { releaseAt: clock.now() + later }) }
        const given = { now: clock.now(), account, to, limits, message: order }
        const message = newMessage({ ...given, ...(leased && { lease: lease(clock) }) })
        known.push(...(await open.store.accept(message)).leased)
      },
  )

const claim = fc.integer({ min: 1, max: 10 }).map(
  (limit): Step =>
    async ({ clock, open, leased }) => {
      const claimed = await open.store.claim({ now: clock.now(), lease: lease(clock), limit, perDomain: 3 })
      leased.push(...claimed.map(({ entry }) => entry.id))
    },
)

const settle = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...actions)), { maxLength: 6 }).map(
  (choices): Step =>
    async ({ clock, open, leased, settled }) => {
      const outcomes = choices.flatMap(([index, action]) => {
        const [entry] = leased.splice(index % Math.max(leased.length, 1), 1)
        return entry === undefined ? [] : [outcome(entry, action, clock.now(), { nextAttemptAt: clock.now() + 5000 })]
      })
      settled.push(...outcomes)
      await open.store.settle({ outcomes, reports: [], events: [] })
    },
)

const settleAgain = fc.nat().map(
  (index): Step =>
    async ({ open, settled }) => {
      const again = settled[index % Math.max(settled.length, 1)]
      if (again) await open.store.settle({ outcomes: [again, again], reports: [], events: [] })
    },
)

const limitChange = fc
  .tuple(fc.constantFrom(...accounts), fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }))
  .map(
    ([id, perMinute]): Step =>
      ({ open }) =>
        open.store.updateAccount(id, { limits: perMinute ? { perMinute } : {} }),
  )

const simple: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  ({ clock }) => clock.advance(3000),
  ({ clock }) => clock.advance(400_000),
  ({ open }) => open.store.reclaim({ owner: 'node/0' }),
  ({ open, clock }) => open.store.reclaim({ expiredBefore: clock.now() }),
  ({ open, clock }) => open.store.hold({ domain: 'x.example' }, 'held', clock.now()),
  ({ open, clock }) => open.store.unhold({}, clock.now()),
  ({ open, clock }) => open.store.retryNow({ account: 'bolt' }, clock.now()),
  ({ open, clock }) => open.store.reschedule({ account: 'acme' }, clock.now() + 5000, clock.now()),
  ({ open, clock }) => open.store.reschedule({}, clock.now(), clock.now()),
  ({ open, clock }) => open.store.postpone(['y.example'], clock.now() + 2000),
  ({ open, clock }) => open.store.release([{ entry: 'unknown.0', nextAttemptAt: clock.now() }], 'node-1/0'),
  // A command that fails among others that do not.
  ({ open }) =>
    Promise.all([open.store.deleteSender('none@x.example').catch(isNotFound), open.store.setSetting('a', 'b')]),
  ({ open, clock }) => open.store.purge(clock.now() - 4000, 3),
  async run => {
    await run.open.close()
    run.open = await reopen(run)
  },
)

function isNotFound(error: unknown): void {
  assert.ok(error instanceof NotFound)
}

function reopen({ dataDir, clock }: Pick<Run, 'dataDir' | 'clock'>): Promise<OpenStore> {
  return openStore({ ...storeOptions(dataDir, clock), inProcess: true })
}

const countedWaiting = `select e.domain, coalesce(m.account, ''), m.sender_domain, m.priority, e.paced = 3,
    coalesce(e.last_site, ''), coalesce(e.last_class, ''), e.held_reason is not null, e.next_attempt_at >> 18, count(*)
  from entry e join message m on m.seq = e.message where e.lease_until is null group by 1, 2, 3, 4, 5, 6, 7, 8, 9`

/** Every promise the tables make to each other, by counting rows. */
function assertTrue({ dataDir, clock }: Run): void {
  const db = openReading(join(dataDir, 'kitte.db'))
  const none = (sentence: string, sql: string, ...values: number[]) =>
    assert.deepEqual(db.prepare(sql).all(...values), [], sentence)
  none(
    'accepted = delivered + bounced + cancelled + queued, per account',
    `select t.account from total t where t.accepted <> t.delivered + t.bounced + t.cancelled +
      (select count(*) from entry e join message m on m.seq = e.message where m.account = t.account)`,
  )
  none(
    'a recipient is queued exactly when it has an entry',
    `select m.id from message m where length(m.states) - length(replace(m.states, 'q', '')) <>
      (select count(*) from entry e where e.message = m.seq and substr(m.states, e.n + 1, 1) = 'q')`,
  )
  none('no entry without its message', 'select 1 from entry where message not in (select seq from message)')
  none(
    'content stands exactly as long as an entry needs it',
    `select m.id from message m where exists (select 1 from content c where c.message = m.seq)
      <> exists (select 1 from entry e where e.message = m.seq)`,
  )
  none(
    'an account is never later than its turns, unless they were just visited',
    `select t.account, t.due_at, c.due_at from turn t left join claimant c on c.account = t.account
      where c.due_at is null or c.due_at > max(t.due_at, ?)`,
    clock.now(),
  )
  none(
    'what can be claimed has its turn, which is never later unless its lane is closed',
    `select e.message, e.n from entry e join message m on m.seq = e.message
      left join turn t on t.id = e.turn and t.domain = e.domain and t.account = coalesce(m.account, '')
        and t.sender_domain = m.sender_domain and t.priority = m.priority
      left join lane l on l.domain = e.domain
      where e.lease_until is null and e.held_reason is null
      and (t.due_at is null or t.due_at > max(e.next_attempt_at, coalesce(l.closed_until, 0), ?))`,
    clock.now(),
  )
  none(
    'a backlog holds exactly the waiting entries that have all of it in common, counted by their time',
    `select * from (
        select b.domain, b.account, b.sender_domain, b.priority, b.scheduled, b.site, b.class, b.held, s.slot, s.count
        from backlog b left join backlog_slot s on s.backlog = b.id)
      except select * from (${countedWaiting})`,
  )
  none(
    'every waiting entry is counted in its backlog',
    `select * from (${countedWaiting}) except select b.domain, b.account, b.sender_domain, b.priority,
      b.scheduled, b.site, b.class, b.held, s.slot, s.count from backlog b join backlog_slot s on s.backlog = b.id`,
  )
  none(
    'what waits in a backlog is within the bounds of its slot',
    `select e.message, e.n from entry e left join backlog_slot s on s.backlog = e.backlog
      and s.slot = e.next_attempt_at >> 18 and e.next_attempt_at between s.earliest and s.latest
      where e.lease_until is null and s.backlog is null`,
  )
  none(
    'who waits for a slot or a moment is not leased',
    'select 1 from entry where paced > 1 and lease_until is not null',
  )
  none(
    'who stands in a line has its account, priority and limits',
    `select e.message, e.n from entry e join message m on m.seq = e.message left join line l on l.id = e.line
      and l.account = m.account and l.priority = m.priority and l.limits = m.limits and l.sender_domain = m.sender_domain
      where e.paced = 2 and e.line is not null and l.id is null`,
  )
  none(
    'no two who wait for a slot of one account have the same one',
    `select m.account, e.next_attempt_at from entry e join message m on m.seq = e.message
      where e.paced = 2 group by 1, 2 having count(*) > 1`,
  )
  db.close()
}

describe('whatever happens in whatever order', () => {
  it('every accepted recipient is in exactly one place, and the tables keep their promises', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: accept },
      { weight: 3, arbitrary: claim },
      { weight: 4, arbitrary: settle },
      settleAgain,
      limitChange,
      { weight: 4, arbitrary: simple },
    )
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
      using folder = temporaryFolder()
      const clock = manualClock()
      const open = await reopen({ dataDir: folder.path, clock })
      const run: Run = { dataDir: folder.path, clock, open, leased: [], settled: [] }
      for (const id of accounts) await open.store.createAccount(account(id))
      try {
        for (const next of steps) {
          await next(run)
          assertTrue(run)
        }
      } finally {
        await run.open.close()
      }
    })
    await fc.assert(property, { numRuns: 15 })
  })
})
