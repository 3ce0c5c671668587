import assert from 'node:assert/strict'
import { boundedResolver } from '../../src/dns/bounded-resolver.ts'
import { DnsTrouble, type Resolver } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { manualClock } from '../support/manual-clock.ts'

const zone = zoneResolver({ 'quick.example': { TXT: ['here'] } })
const slow: Resolver = { ...zone, txt: name => (name === 'slow.example' ? new Promise(() => {}) : zone.txt(name)) }

describe('a resolver with a time for everything', () => {
  it('answers as the one below while there is time', async () => {
    const resolver = boundedResolver(slow, { clock: manualClock(), withinMs: 20_000 })
    assert.deepEqual((await resolver.txt('quick.example')).records, ['here'])
    assert.equal((await resolver.a('none.example')).status, 'nxdomain')
  })

  it('gives up a question under way when the time is over, and every later one at once', async () => {
    const clock = manualClock()
    const resolver = boundedResolver(slow, { clock, withinMs: 20_000 })
    const first = resolver.txt('slow.example')
    await clock.advance(15_000)
    const second = resolver.txt('slow.example')
    const both = Promise.allSettled([first, second])
    await clock.advance(5000)
    for (const { status, ...rest } of await both) {
      assert.equal(status, 'rejected')
      assert.match(String((rest as PromiseRejectedResult).reason), /slow\.example failed: .* more than 20 s in all/)
    }
    await assert.rejects(resolver.txt('quick.example'), DnsTrouble)
  })

  it('counts from its first question', async () => {
    const clock = manualClock()
    const resolver = boundedResolver(slow, { clock, withinMs: 20_000 })
    await clock.advance(60_000)
    assert.equal((await resolver.txt('quick.example')).status, 'found')
  })
})
