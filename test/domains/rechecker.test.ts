import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { startRechecker } from '../../src/domains/rechecker.ts'
import { openWorld } from './world.ts'

const minute = 60_000

/** Turns the clock in small steps until the condition holds; answers how many minutes that took. */
async function minutesUntil(world: Awaited<ReturnType<typeof openWorld>>, condition: () => boolean | Promise<boolean>) {
  const start = world.clock.now()
  while (!(await condition())) {
    assert.ok(world.clock.now() - start < 3000 * minute, 'it never comes')
    await world.clock.advance(15_000)
    await new Promise(setImmediate)
  }
  return (world.clock.now() - start) / minute
}

describe('the rechecker', () => {
  it('checks by itself: soon at first, more rarely, daily once published', async () => {
    await using world = await openWorld()
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const rechecker = startRechecker({ ...world, log: silentLog })
    const next = async () => (await world.store.domain('ours.example'))!.nextCheckAt
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      const before = await next()
      waits.push(await minutesUntil(world, async () => (await next()) !== before))
    }
    assert.deepEqual(waits.map(Math.round), [5, 8, 11, 17])
    world.publish(view)
    await minutesUntil(world, async () => (await world.domains.view('ours.example')).mode === 'spf-dkim')
    const wait = (await next()) - world.clock.now()
    assert.ok(wait > 1430 * minute && wait <= 1440 * minute, String(wait))
    await rechecker.stop()
    assert.equal(world.clock.waiting, 0)
  })

  it('goes on after a check that fails, with a bounded number at once', async () => {
    await using world = await openWorld()
    let running = 0
    let most = 0
    const verified: string[] = []
    const domains = {
      purgeArchived: world.domains.purgeArchived,
      async verify(name: string) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        verified.push(name)
        throw new Error('the store is gone')
      },
    }
    for (let i = 0; i < 30; i++) await world.domains.register({ name: `d${i}.example`, account: 'a1', bits: 1024 })
    await world.clock.advance(6 * minute)
    const rechecker = startRechecker({ ...world, domains: domains as never, log: silentLog })
    while (verified.length < 30) await new Promise(setImmediate)
    await rechecker.stop()
    assert.equal(most, 8)
    assert.equal(new Set(verified).size, 30)
  })

  it('ends while a check runs, without beginning another', async () => {
    await using world = await openWorld()
    for (const name of ['a.example', 'b.example']) await world.domains.register({ name, account: 'a1' })
    await world.clock.advance(6 * minute)
    const rechecker = startRechecker({ ...world, log: silentLog })
    await rechecker.stop()
    await world.clock.advance(60 * minute)
    assert.equal(world.clock.waiting, 0)
  })

  it('removes deleted domains when their time is over', async () => {
    await using world = await openWorld()
    await world.domains.register({ name: 'ours.example', account: 'a1' })
    await world.domains.remove('ours.example')
    await world.clock.advance(31 * 24 * 60 * minute)
    const rechecker = startRechecker({ ...world, log: silentLog })
    while ((await world.store.domain('ours.example', { archived: true })) !== null) await new Promise(setImmediate)
    await rechecker.stop()
  })
})
