/**
 * What the threads of this process start with.
 */
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { provideVariable } from './config.ts'

/** Worker threads find compiled code where this thread does; they inherit variables, not what was enabled by a call. */
export function shareCompileCache(): void {
  const folder = getCompileCacheDir()
  // Node adds a folder for its version and the user.
  if (folder !== undefined) provideVariable('NODE_COMPILE_CACHE', dirname(folder))
}
