/**
 * Prints as JSON what a process and its threads are like once they are prepared: for tests that need a fresh process.
 */
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { Worker } from 'node:worker_threads'
import { shareCompileCache } from '../../../src/base/threads.ts'

if (process.argv[2] !== undefined) enableCompileCache(process.argv[2])
shareCompileCache()
const worker = new Worker(
  `const { getCompileCacheDir } = require('node:module')
  require('node:worker_threads').parentPort.postMessage(getCompileCacheDir() ?? null)`,
  { eval: true },
)
const inWorker = await new Promise(resolve => worker.once('message', resolve))
console.log(JSON.stringify({ cache: { here: getCompileCacheDir() ?? null, inWorker } }))
