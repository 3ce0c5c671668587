/**
 * Prints as JSON what a process and its threads are like once they are prepared: for tests that need a fresh process.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { prepareThreads } from '../../../src/base/threads.ts'

if (process.argv[2] !== undefined) enableCompileCache(process.argv[2])
await prepareThreads()
const worker = new Worker(
  `const { getCompileCacheDir } = require('node:module')
  require('node:worker_threads').parentPort.postMessage(getCompileCacheDir() ?? null)`,
  { eval: true },
)
const inWorker = await new Promise(resolve => worker.once('message', resolve))
const threads = existing('/proc/self/task').flatMap(id => {
  try {
    return [{ name: readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim(), nice: getPriority(Number(id)) }]
  } catch {
    // It ended between the two looks.
    return []
  }
})
console.log(JSON.stringify({ cache: { here: getCompileCacheDir() ?? null, inWorker }, threads }))

function existing(folder: string): string[] {
  return process.platform === 'linux' ? readdirSync(folder) : []
}
