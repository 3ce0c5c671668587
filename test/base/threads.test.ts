import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'

interface Prepared {
  readonly cache: { readonly here: string | null; readonly inWorker: string | null }
  readonly threads: readonly { readonly name: string; readonly nice: number }[]
}

const child = join(import.meta.dirname, 'child/threads.ts')

/** A process of its own: its threads can be prepared only once. */
function prepared(args: readonly string[] = [], variables: Readonly<Record<string, string>> = {}): Prepared {
  const env = { PATH: process.env.PATH, ...variables }
  return JSON.parse(execFileSync(process.execPath, [child, ...args], { env, encoding: 'utf8' }))
}

describe('the threads of a process', () => {
  it('find compiled code where the main thread does', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kitte-cache-'))
    try {
      const { here, inWorker } = prepared([folder]).cache
      assert.ok(here?.startsWith(folder))
      assert.equal(inWorker, here)
      assert.equal(prepared().cache.inWorker, null)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('sign on as many as there are cores, below the others in priority', function () {
    if (process.platform !== 'linux') this.skip()
    const { threads } = prepared()
    const pool = threads.filter(({ name }) => name === 'libuv-worker')
    assert.equal(pool.length, Math.max(4, availableParallelism()))
    const usual = getPriority()
    assert.deepEqual(new Set(pool.map(({ nice }) => nice)), new Set([Math.min(19, usual + 10)]))
    const others = threads.filter(({ name }) => name !== 'libuv-worker')
    assert.ok(others.length > 1)
    assert.deepEqual(new Set(others.map(({ nice }) => nice)), new Set([usual]))
  })

  it('sign on more where the environment says so, never on fewer', function () {
    if (process.platform !== 'linux') this.skip()
    const sizeWith = (stated: string) =>
      prepared([], { UV_THREADPOOL_SIZE: stated }).threads.filter(({ name }) => name === 'libuv-worker').length
    const least = Math.max(4, availableParallelism())
    assert.deepEqual([sizeWith(String(least + 3)), sizeWith('1'), sizeWith('many')], [least + 3, least, least])
  })
})
