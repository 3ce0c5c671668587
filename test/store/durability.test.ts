import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/base/clock.ts'
import { openStore } from '../../src/store/open.ts'
import { storeOptions } from './factory.ts'
import { temporaryFolder } from './fixtures.ts'

const child = join(import.meta.dirname, 'child', 'accepting.ts')

/** Lets a child accept until `count` ids came back, kills it in the middle of its work, answers all ids it had told. */
async function acceptedUntilKilled(dataDir: string, count: number): Promise<string[]> {
  const process_ = spawn(process.execPath, [child, dataDir, 'endless'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const told: string[] = []
  const lines = createInterface({ input: process_.stdout })
  lines.on('line', line => {
    told.push(line)
    if (told.length === count) process_.kill('SIGKILL')
  })
  await Promise.all([once(process_, 'exit'), once(lines, 'close')])
  return told
}

/** What strace saw: `begin …`, `end …` and `sync`, in order. */
function traced(dataDir: string): string[] {
  const file = join(dataDir, 'trace')
  const args = ['-f', '--seccomp-bpf', '-e', 'trace=fsync,fdatasync,write', '-e', 'write=1', '-o', file]
  execFileSync('strace', [...args, process.execPath, child, join(dataDir, 'data'), 'marked'], { stdio: 'ignore' })
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => {
      if (/ f(?:data)?sync\(\d+\)? .*= 0$|<\.\.\. f(?:data)?sync resumed>.*= 0$/.test(line)) return ['sync']
      const marker = / write\(1, "((?:begin|end) [^"\\]*)/.exec(line)?.[1]
      return marker === undefined ? [] : [marker]
    })
}

function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('what was accepted', () => {
  it('is all there after SIGKILL, again and again', async () => {
    using folder = temporaryFolder()
    const told: string[] = []
    for (const count of [40, 150, 90]) told.push(...(await acceptedUntilKilled(folder.path, count)))
    const { store, close } = await openStore({ ...storeOptions(folder.path, systemClock), inProcess: true })
    for (const id of told) {
      const content = await store.content(id)
      assert.ok(content?.kind === 'inline' && content.bytes.length === 5000, `${id} was accepted and is gone`)
    }
    const { total } = await store.countQueue({})
    assert.ok(total >= told.length && total < told.length + 3 * 500)
    assert.equal(total, (await store.totals()).queued)
    await close()
  })

  it('was synced before it was answered, in groups, after opening again too', function () {
    if (!hasStrace()) {
      console.log('      skipped: strace is not there or may not trace')
      return this.skip()
    }
    using folder = temporaryFolder()
    const seen = traced(folder.path)
    const syncsIn = (name: string) =>
      seen.slice(seen.indexOf(`begin ${name}`), seen.indexOf(`end ${name}`)).filter(entry => entry === 'sync').length
    for (const round of ['first', 'reopened']) {
      for (let i = 0; i < 5; i++) assert.ok(syncsIn(`${round} ${i}`) >= 1, `no sync within accept ${round} ${i}`)
      const burst = syncsIn(`${round} burst`)
      assert.ok(burst >= 1 && burst <= 10, `${burst} syncs for 200 messages at once`)
    }
  })
})
