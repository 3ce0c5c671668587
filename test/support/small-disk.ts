/**
 * A small file system of its own, in memory, to be filled up; only root may mount one.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './real/program.ts'

/** Null where we may not mount one. */
export function smallDisk(mebibytes: number): (Disposable & { readonly path: string }) | null {
  const folder = temporaryFolder('kitte-disk-')
  const path = join(folder.path, 'disk')
  mkdirSync(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'none', path], { stdio: 'ignore' })
  } catch {
    folder[Symbol.dispose]()
    return null
  }
  const unmount = () => {
    execFileSync('umount', ['--lazy', path])
    folder[Symbol.dispose]()
  }
  return { path, [Symbol.dispose]: unmount }
}
