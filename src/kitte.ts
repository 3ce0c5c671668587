#!/usr/bin/env node
/**
 * The command `kitte`: has compiled code kept for the next time, then runs the command line (`command.ts`).
 *
 * Types are stripped and code compiled once instead of at every start, which was a third of it. All that a file imports
 * is compiled before its first line runs, so none of ours is imported above. The folder lies beside the code, where only
 * who may change the code can write; in the one for temporary files others could plant code of theirs. Where it can't
 * be written, everything is compiled as before.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const compiled = join(import.meta.dirname, '../node_modules/.cache/kitte')
enableCompileCache(compiled)
if (process.argv[2] === 'start') {
  const { becomeLean } = await import('./base/lean-process.ts')
  becomeLean(compiled)
}
await import('./command.ts')
