/**
 * A process of its own that accepts messages until it is killed, and writes each id to stdout once it was accepted.
 *
 * `node accepting.ts DATADIR MODE`: `endless` keeps 20 accepts under way; `marked` opens the store twice and frames
 * each of a few accepts, then a burst of 200, with lines that strace shows among the syncs.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/base/clock.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { storeOptions } from '../factory.ts'
import { newMessage } from '../fixtures.ts'

const [, , dataDir = '', mode] = process.argv
const say = (line: string) => writeSync(1, `${line}\n`)
const open = () => openStore(storeOptions(dataDir, systemClock))

if (mode === 'endless') await endless((await open()).store)
else await marked()

async function endless(store: Store): Promise<never> {
  const one = async () => {
    for (;;) {
      const message = newMessage({
        now: systemClock.now(),
        content: { kind: 'inline', bytes: Buffer.alloc(5000, 'x') },
      })
      await store.accept(message)
      say(message.message.id)
    }
  }
  return Promise.race(Array.from({ length: 20 }, one))
}

async function marked(): Promise<void> {
  for (const round of ['first', 'reopened']) {
    const { store, close } = await open()
    for (let i = 0; i < 5; i++) {
      say(`begin ${round} ${i}`)
      await store.accept(newMessage({ now: systemClock.now() }))
      say(`end ${round} ${i}`)
    }
    say(`begin ${round} burst`)
    await Promise.all(Array.from({ length: 200 }, () => store.accept(newMessage({ now: systemClock.now() }))))
    say(`end ${round} burst`)
    await close()
  }
}
