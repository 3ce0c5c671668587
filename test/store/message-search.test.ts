/**
 * The search of messages: every combination of what may be asked finds what a look at each message would, page by page,
 * and none of them reads the table of messages from end to end without order.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openReading } from '../../src/store/sqlite/connection.ts'
import { databaseFile } from '../../src/store/sqlite/group-commit.ts'
import { searchSql } from '../../src/store/sqlite/message-search.ts'
import type { MessageFilter, MessageSummary } from '../../src/store/store.ts'
import { seededRandom } from '../support/random.ts'
import { planOf } from './dead-domain.ts'
import { sqliteFactory, type TestStore } from './factory.ts'
import { newMessage, outcome } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const hour = 3_600_000
const endings = ['delivered', 'bounced', 'cancelled', 'deferred'] as const
const states = [undefined, 'queued', 'delivered', 'bounced', 'cancelled'] as const

/** Hours apart, and received a little out of order, as with several workers' clocks. */
async function fill({ store, clock }: TestStore): Promise<void> {
  const random = seededRandom(6)
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const start = clock.now()
  for (let number = 0; number < 80; number++) {
    const now = start + number * 2 * hour + Math.floor(random() * hour)
    const account = one(['acme', 'bolt'])
    const to = [`${one(['a', 'b', 'c'])}@there.example`, ...(random() < 0.3 ? ['d@there.example'] : [])]
    const from = `${one(['x', 'y'])}@${account}.example`
    const message = { messageIdHeader: `${number % 40}@client.example` }
    const made = newMessage({ now, account, to, from, lease, message })
    await store.accept(made)
    const outcomes = made.entries.map(({ id }) => outcome(id, one(endings), now, { nextAttemptAt: now + hour }))
    await store.settle({ outcomes, reports: [], events: [] })
  }
}

/** All there are. */
function filtersOver(since: number, until: number): MessageFilter[] {
  const known: MessageFilter[] = [
    { account: 'acme' },
    { recipient: 'A@there.example' },
    { sender: 'x@acme.example' },
    { senderDomain: 'acme.example' },
    { messageIdHeader: '7@client.example' },
    { since },
    { until },
  ]
  let combined: MessageFilter[] = [{}]
  for (const more of known) combined = combined.flatMap(filter => [filter, { ...filter, ...more }])
  return combined.flatMap(filter => states.map(state => (state === undefined ? filter : { ...filter, state })))
}

function fits(filter: MessageFilter, { message, states }: MessageSummary & { states: readonly string[] }): boolean {
  const { account, recipient, sender, senderDomain, messageIdHeader, state, since = 0, until = Infinity } = filter
  const recipients = message.envelope.recipients.map(({ address }, n) => ({ address, state: states[n] }))
  return (
    (account ?? message.account) === message.account &&
    (sender ?? message.from) === message.from &&
    (senderDomain ?? message.senderDomain) === message.senderDomain &&
    (messageIdHeader ?? message.messageIdHeader) === message.messageIdHeader &&
    message.receivedAt >= since &&
    message.receivedAt <= until &&
    recipients.some(
      one => (recipient?.toLowerCase() ?? one.address) === one.address && (state ?? one.state) === one.state,
    )
  )
}

describe('the search of messages', () => {
  it('finds the same as a look at each, whatever is combined, and page by page', async () => {
    await using t = await sqliteFactory(true)()
    await fill(t)
    const all = (await t.store.listMessages({}, { limit: 1000 })).map(found => ({
      ...found,
      states: statesOf(t, found),
    }))
    assert.equal(all.length, 80)
    const [since, until] = [all[60]!.message.receivedAt, all[20]!.message.receivedAt]
    let matches = 0
    for (const filter of filtersOver(since, until)) {
      const expected = all.filter(one => fits(filter, one)).map(({ message }) => message.id)
      const found: string[] = []
      for (;;) {
        const after = found.at(-1)
        const page = await t.store.listMessages(filter, { limit: 7, ...(after !== undefined && { after }) })
        found.push(...page.map(({ message }) => message.id))
        if (page.length < 7) break
      }
      assert.deepEqual(found, expected, JSON.stringify(filter))
      matches += found.length
    }
    assert.ok(matches > 1000, `${matches}`)
  })

  it('reaches messages by row number or by the index of their state, in order', async () => {
    await using t = await sqliteFactory(true)()
    const db = openReading(join(t.dataDir, databaseFile))
    for (const filter of filtersOver(1, 2)) {
      for (const by of ['candidates', 'range'] as const) {
        const { sql, values } = searchSql(filter, by)
        const plan = planOf(db, sql, [...(by === 'candidates' ? ['[1]'] : [1, 2]), ...values])
        const isRare = filter.state === 'bounced' || filter.state === 'cancelled'
        assert.match(
          plan,
          isRare ? new RegExp(`SEARCH m USING INDEX message_${filter.state}`) : /SEARCH m USING INTEGER PRIMARY KEY/,
        )
        assert.doesNotMatch(plan, /SCAN [me]\b/)
        // Candidates are sorted, a few hundred at a time.
        if (by === 'range') assert.doesNotMatch(plan, /TEMP B-TREE/, JSON.stringify(filter))
      }
    }
    db.close()
  })
})

function statesOf({ dataDir }: TestStore, { message }: MessageSummary): string[] {
  const names: Readonly<Record<string, string>> = { q: 'queued', d: 'delivered', b: 'bounced', c: 'cancelled' }
  const db = openReading(join(dataDir, databaseFile))
  const { states } = db
    .prepare<[string], { states: string }>('select states from message where id = ?')
    .get(message.id)!
  db.close()
  return states.split('').map(letter => names[letter]!)
}
