import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const child = join(import.meta.dirname, 'child/threads.ts')

/** A process of its own: its threads can be prepared only once. */
function prepared(args: readonly string[] = [], variables: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, ...variables }
  return JSON.parse(execFileSync(process.execPath, [child, ...args], { env, encoding: 'utf8' }))
}

describe('the threads of a process', () => {
  it('find compiled code where the main thread does', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kitte-cache-'))
    try {
      const { here, inWorker } = prepared([folder]).cache
      assert.ok(here.startsWith(folder))
      assert.equal(inWorker, here)
      assert.equal(prepared().cache.inWorker, null)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
