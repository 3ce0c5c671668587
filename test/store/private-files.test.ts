import assert from 'node:assert/strict'
import { chmodSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { manualClock } from '../support/manual-clock.ts'
import { storeOptions } from './factory.ts'
import { newMessage, temporaryFolder } from './fixtures.ts'

function modeOf(...path: string[]): string {
  return (statSync(join(...path)).mode & 0o777).toString(8)
}

describe('the files of a store', () => {
  for (const inProcess of [true, false]) {
    it(`are the relay's user's alone (writer ${inProcess ? 'in process' : 'in a thread'})`, async () => {
      using folder = temporaryFolder()
      const dataDir = join(folder.path, 'new')
      const clock = manualClock()
      const files = ['kitte.db', 'kitte.db-wal', 'kitte.db-shm', 'writer.lock']
      const open = async () => openStore({ ...storeOptions(dataDir, clock), inProcess })

      const first = await open()
      await first.store.accept(newMessage({ now: clock.now() }))
      assert.deepEqual([modeOf(dataDir), modeOf(dataDir, 'spool')], ['700', '700'])
      assert.deepEqual(
        files.map(file => modeOf(dataDir, file)),
        files.map(() => '600'),
      )
      await first.close()

      chmodSync(join(dataDir, 'kitte.db'), 0o644)
      const second = await open()
      await second.store.accept(newMessage({ now: clock.now() }))
      assert.deepEqual(
        files.map(file => modeOf(dataDir, file)),
        files.map(() => '600'),
        'also those of a database that was made otherwise',
      )
      assert.equal((await second.store.totals()).accepted, 2)
      await second.close()
    })
  }
})
