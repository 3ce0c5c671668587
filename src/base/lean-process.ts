/**
 * Replaces this process once by itself with less memory to its name: same pid, same files, same arguments.
 *
 * glibc gives each of a dozen threads a heap of its own, V8 lets the main thread's young generation grow to 48 MB for
 * log lines that live a millisecond, and Node loads what strips types for its very first file: together 90 MB that
 * nobody needs (`kitte bench`, peak PSS). None of it can be changed in a running process. Elsewhere than on Linux, and
 * where somebody has set MALLOC_ARENA_MAX, nothing happens; never fails.
 */
import { execArgv, execPath, platform } from 'node:process'
import { changeVariable } from './environment.ts'

/** Two: one for whoever finds the other locked. */
const heaps = '2'
/** MB; the young generation is three of them. Worker threads have limits of their own. */
const semiSpace = '--max-semi-space-size=4'

/** `compiled`: the folder of compiled code. Known from the start, it spares the compiler of types, 10 MB. */
export function becomeLean(compiled: string): void {
  if (platform !== 'linux' || process.execve === undefined) return
  let isSet = false
  changeVariable('MALLOC_ARENA_MAX', stated => {
    isSet = stated !== undefined
    return stated ?? heaps
  })
  if (isSet) return
  changeVariable('NODE_COMPILE_CACHE', stated => stated ?? compiled)
  const flags = execArgv.some(flag => flag.startsWith('--max-semi-space-size')) ? execArgv : [...execArgv, semiSpace]
  try {
    process.execve(execPath, [execPath, ...flags, ...process.argv.slice(1)])
  } catch {
    // It goes on as it is.
  }
}
