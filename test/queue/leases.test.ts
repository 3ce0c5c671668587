import assert from 'node:assert/strict'
import { type Log, silentLog } from '../../src/base/log.ts'
import { Leases } from '../../src/queue/leases.ts'
import { manualClock } from '../support/manual-clock.ts'

const lease = 120_000

const leased = (id: string, nextAttemptAt = 0): Parameters<Leases['hold']>[0] => ({
  entry: { id, nextAttemptAt },
  message: { account: null },
})

function leasesOver(renew: (entries: readonly string[]) => Promise<void> = () => Promise.resolve()) {
  const clock = manualClock()
  const renewed: string[] = []
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_fields, text) => void warnings.push(text) }
  const store = {
    renew(entries: readonly string[], { until }: { readonly until: number }) {
      renewed.push(`${entries.join()} until +${until - clock.now()}`)
      return renew(entries)
    },
  }
  const leases = new Leases({ store, clock, log, owner: 'node-1/0', leaseMs: lease })
  return { clock, renewed, warnings, leases }
}

describe('leases in hand', () => {
  it('are renewed before they run out, as long as they are held', async () => {
    const { clock, renewed, leases } = leasesOver()
    leases.hold(leased('m.0'), leases.next().until)
    leases.hold(leased('m.1'), leases.next().until)
    await clock.advance(lease / 2)
    leases.drop('m.1')
    await clock.advance(lease)
    assert.deepEqual(renewed, ['m.0,m.1 until +120000', 'm.0 until +120000', 'm.0 until +120000'])
    leases.stop()
    assert.equal(clock.waiting, 0)
  })

  it('are renewed at the next tick after the clock was set, back as well', async () => {
    const { clock, renewed, leases } = leasesOver()
    leases.hold(leased('m.0'), leases.next().until)
    for (const hours of [3, -3]) {
      clock.set(hours * 3_600_000)
      await clock.advance(lease / 4)
    }
    assert.deepEqual(renewed, ['m.0 until +120000', 'm.0 until +120000'])
    leases.stop()
  })

  it('are tried again at the next tick when the store could not renew them', async () => {
    let fail = true
    const { clock, renewed, warnings, leases } = leasesOver(() =>
      fail ? Promise.reject(new Error('full')) : Promise.resolve(),
    )
    leases.hold(leased('m.0'), leases.next().until)
    await clock.advance(lease)
    assert.deepEqual([renewed.length, warnings], [3, ['1 leases could not be renewed']], 'told once')
    fail = false
    await clock.advance(lease / 4)
    fail = true
    await clock.advance(lease)
    assert.equal(warnings.length, 2, 'told again after it had worked')
    leases.stop()
  })

  it('are held once only, and tell at their end of a second claim', () => {
    const { leases } = leasesOver()
    assert.equal(leases.hold(leased('m.0'), 1), true)
    assert.equal(leases.hold(leased('m.0', 7), 2), false)
    assert.equal(leases.size, 1)
    assert.equal(leases.drop('m.0'), 7)
    assert.equal(leases.drop('m.0'), null)
    assert.equal(leases.hold(leased('m.0', 8), 3), true)
    assert.equal(leases.drop('m.0'), null, 'it was claimed once since')
    leases.stop()
  })
})
