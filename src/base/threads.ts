/**
 * Prepares this process for the threads it will have: libuv's pool, which signs, and worker threads.
 *
 * Signing (RSA) is most of a message's price, so the pool is as wide as the cores, and never narrower than libuv's
 * default of 4. On Linux its threads run at a lower priority than the event loops: bursts are taken in at once and signed
 * from the backlog (measured: 3,000–3,800 accepted a second without, 5,300–5,900 with). To be called before anything
 * else uses the pool, which reads its size then. What can't be had is done without: nothing here fails.
 */
import { readdir, readFile } from 'node:fs/promises'
import { getCompileCacheDir } from 'node:module'
import { availableParallelism, getPriority, setPriority } from 'node:os'
import { dirname } from 'node:path'
import { changeVariable } from './environment.ts'

const narrowestPool = 4
/** Half of the way down: under load the event loop gets nine times the share of a signing thread. */
const nicer = 10
const nicest = 19
const tasks = '/proc/self/task'

export async function prepareThreads(): Promise<void> {
  const size = Math.max(narrowestPool, availableParallelism())
  changeVariable('UV_THREADPOOL_SIZE', stated => String(Math.max(size, Number(stated) || 0)))
  shareCompileCache()
  await lowerPool()
}

/** Worker threads find compiled code where this thread does; they inherit variables, not what was enabled by a call. */
function shareCompileCache(): void {
  const folder = getCompileCacheDir()
  // Node adds a folder for its version and the user.
  if (folder !== undefined) changeVariable('NODE_COMPILE_CACHE', stated => stated ?? dirname(folder))
}

async function lowerPool(): Promise<void> {
  // Reading the list is the pool's first work, so its threads are there by then.
  const threads = await readdir(tasks).catch(() => [])
  await Promise.all(threads.map(lowerIfOfPool))
}

/** Linux takes the id of a thread where others take that of a process. */
async function lowerIfOfPool(thread: string): Promise<void> {
  try {
    const name = await readFile(`${tasks}/${thread}/comm`, 'utf8')
    if (name.trim() === 'libuv-worker') setPriority(Number(thread), Math.min(nicest, getPriority() + nicer))
  } catch {
    // The thread has ended, or the system doesn't allow it.
  }
}
