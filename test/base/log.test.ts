import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLog } from '../../src/base/log.ts'
import { parsed } from '../support/process-relay.ts'
import { skipAloud, temporaryFolder, waitFor } from '../support/real/program.ts'

const size = 16 * 1024 * 1024

describe('a log on a full disk', () => {
  it('ends nothing, keeps what it can, and says what was lost', async function () {
    using folder = temporaryFolder('kitte-log-')
    const disk = join(folder.path, 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', disk], { stdio: 'ignore' })
    } catch {
      skipAloud(this, 'may not mount a tmpfs')
    }
    try {
      await fillAndFree(disk)
    } finally {
      execFileSync('umount', ['--lazy', disk])
    }
  })
})

/** The log's own word on stderr is seen when this runs. */
async function fillAndFree(disk: string): Promise<void> {
  const sink = await openLog({ level: 'info', stdout: false, folder: disk, rotateMegabytes: 100, keepFiles: 1 })
  const file = join(disk, 'delivery.1.log')
  await waitFor('the file', () => existsSync(file))
  const filler = join(disk, 'filler')
  assert.throws(() => writeFileSync(filler, Buffer.alloc(2 * size)), /ENOSPC/)
  const count = 10_000
  for (let n = 0; n < count; n++) {
    sink.log.info({ n }, 'x'.repeat(1000))
    if (n % 100 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal(readFileSync(file, 'utf8'), '')
  rmSync(filler)
  sink.log.info({ n: count }, 'there is room again')
  const lines = () => parsed(readFileSync(file, 'utf8'))
  const after = () => lines().find(({ level }) => level === 'warn')
  await waitFor('the log to go on', () => after() !== undefined)
  await sink.close()
  const { lost, reason } = after() as { lost: number; reason: string }
  assert.match(reason, /ENOSPC/)
  const kept = lines().flatMap(({ n }) => (typeof n === 'number' ? [n] : []))
  assert.deepEqual([kept.length + lost, kept[0]], [count + 1, 0])
  assert.ok(lost > 0 && kept.length > 1000, `${lost} lost, ${kept.length} kept`)
}
