import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLoopDelay } from '../../src/base/loop-delay.ts'

const stallMs = 200

function stall(): void {
  const until = performance.now() + stallMs
  while (performance.now() < until);
}

/** The monitor must have ticked before the stall, or there is nothing to measure from. */
async function withStall(): Promise<void> {
  await sleep(50)
  stall()
  await sleep(50)
}

describe('the delay of an event loop', () => {
  it('shows a stall once, less what the monitor itself waits', async () => {
    const monitor = openLoopDelay()
    await withStall()
    const { p50, p99, max } = monitor.read()
    assert.ok(max >= (stallMs - 20) / 1000, `${max}`)
    assert.ok(p50 <= p99 && p99 <= max)
    monitor.close()
  })

  it('is counted anew after each reading', async () => {
    const monitor = openLoopDelay()
    await withStall()
    const { max } = monitor.read()
    assert.deepEqual(monitor.read(), { p50: 0, p99: 0, max: 0 })
    assert.ok(max > 0)
    monitor.close()
  })
})
