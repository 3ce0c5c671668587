/**
 * Giving back: one slice at a time however many are given back at once, each answered with its own slice.
 */
import assert from 'node:assert/strict'
import type { EntryId } from '../../src/mail/ids.ts'
import { GivingBack } from '../../src/queue/giving-back.ts'
import type { Release } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'

const releases = (count: number, name = 'e') =>
  Array.from({ length: count }, (_, n): Release => ({ entry: `${name}.${n}`, nextAttemptAt: 0 }))

function world(fails: (slice: readonly Release[]) => boolean = () => false) {
  const slices: (readonly Release[])[] = []
  const left: EntryId[] = []
  let underWay = 0
  const store = {
    async release(slice: readonly Release[]) {
      assert.equal(++underWay, 1, 'one at a time')
      slices.push(slice)
      await Promise.resolve()
      underWay--
      if (fails(slice)) throw new Error('no store')
    },
  }
  const gone = (releases: readonly Release[]) => void left.push(...releases.map(({ entry }) => entry))
  return { givingBack: new GivingBack({ store, clock: manualClock(), owner: 'node-1/0', gone }), slices, left }
}

describe('entries that are given back', () => {
  it('go at once when nothing else does', async () => {
    const { givingBack, slices } = world()
    const released = givingBack.release(releases(1))
    assert.equal(slices.length, 1)
    await released
  })

  it('share slices that stay short, in their order', async () => {
    const { givingBack, slices } = world()
    const each = Array.from({ length: 300 }, (_, n) => givingBack.release(releases(1, String(n))))
    await Promise.all([...each, givingBack.release(releases(2000, 'site'))])
    const wanted = [...Array.from({ length: 300 }, (_, n) => `${n}.0`), ...releases(2000, 'site').map(one => one.entry)]
    assert.deepEqual(
      slices.flat().map(({ entry }) => entry),
      wanted,
    )
    assert.ok(slices.length > 4 && slices.length < 100 && slices.every(({ length }) => length <= 550))
  })

  it('can be claimed with their own slice, not with the last one', async () => {
    const { givingBack, slices, left } = world()
    const all = givingBack.release(releases(2000))
    while (slices.length < 2) await Promise.resolve()
    assert.deepEqual(
      left,
      slices[0]!.map(({ entry }) => entry),
    )
    await all
    assert.equal(left.length, 2000)
  })

  it('tell a failure to those of the slice only', async () => {
    const { givingBack, left } = world(slice => slice.some(({ entry }) => entry === 'bad.0'))
    const first = givingBack.release(releases(1))
    const bad = givingBack.release(releases(1, 'bad'))
    await first
    await assert.rejects(bad, /no store/)
    assert.deepEqual(left, ['e.0', 'bad.0'], 'out of hand all the same')
    await givingBack.release(releases(1, 'later'))
  })
})
