import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { type Sample, samplesOf, sumOf } from '../support/exposition.ts'
import { Load } from '../support/load.ts'
import { type ProcessWorld, startProcessWorld } from '../support/process-relay.ts'
import { waitFor } from '../support/real/program.ts'

const settings = { queue: { retryAfter: ['1s'], retryJitter: 0, lease: '5s' } }
const endings = ['delivered', 'bounced', 'cancelled'] as const

/** Most to one recipient; some to two, some deferred once, some refused. */
function mailFor(number: number): { readonly to: readonly string[]; readonly size: number } {
  if (number % 10 === 1) return { to: [`n${number}@sink.example`, `n${number}@other.example`], size: 900 }
  if (number % 10 === 2) return { to: [`once-451-4.7.1+${number}@sink.example`], size: 900 }
  if (number % 10 === 3) return { to: [`550-5.1.1+${number}@sink.example`], size: 900 }
  return { to: [`n${number}@sink.example`], size: 900 }
}

async function scrape({ relay }: ProcessWorld): Promise<Sample[]> {
  const { status, text } = await relay.ask('/metrics')
  assert.equal(status, 200)
  return samplesOf(text)
}

function countsOf(samples: readonly Sample[]) {
  const ended = endings.map(action => sumOf(samples, `kitte_recipients_${action}_total`))
  return {
    accepted: sumOf(samples, 'kitte_recipients_accepted_total'),
    ended: ended.reduce((sum, count) => sum + count, 0),
    queued: sumOf(samples, 'kitte_recipients_queued'),
  }
}

/** What the database holds in one moment: rows of entries beside the counts. */
function rowsOf({ relay }: ProcessWorld): { readonly queued: number; readonly entries: number } {
  const db = new Database(join(relay.dataDir, 'kitte.db'), { readonly: true })
  try {
    return db
      .prepare<[], { queued: number; entries: number }>(
        `select (select coalesce(sum(accepted - delivered - bounced - cancelled), 0) from total) as queued,
          (select count(*) from entry) as entries`,
      )
      .get()!
  } finally {
    db.close()
  }
}

describe('the counts in the metrics', () => {
  it('add up at every scrape, under load and across kills and restarts', async () => {
    await using world = await startProcessWorld({ settings, sink: {} })
    const { relay } = world
    await using load = new Load({ ...world.login, port: relay.port, connections: 6, mail: mailFor })
    let before = { accepted: 0, ended: 0 }
    for (const signal of ['SIGKILL', 'SIGKILL', 'SIGTERM'] as const) {
      for (let scrapes = 0; scrapes < 12; scrapes++) {
        const { accepted, ended, queued } = countsOf(await scrape(world))
        assert.equal(accepted, ended + queued)
        assert.ok(accepted >= before.accepted && ended >= before.ended, 'a count went back')
        before = { accepted, ended }
        const rows = rowsOf(world)
        assert.equal(rows.entries, rows.queued)
        await pause(40)
      }
      const some = load.accepted
      await waitFor('mail of each kind', () => load.accepted > some + 20)
      await relay.end(signal)
      await relay.start()
    }
    await load.stop()
    await relay.drained()
    const samples = await scrape(world)
    const { accepted, ended, queued } = countsOf(samples)
    assert.deepEqual([queued, rowsOf(world).entries], [0, 0])
    assert.equal(accepted, ended)
    // Unknown ones may have been accepted; reports on the refused ones come on top.
    const promised = load.of('accepted').flatMap(({ to }) => to).length
    assert.ok(accepted >= promised, `${accepted} of ${promised}`)
    assert.ok(sumOf(samples, 'kitte_account_recipients_total', { action: 'bounced' }) > 0)
  })
})
