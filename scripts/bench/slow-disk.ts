/**
 * Makes the disk seem slow: a library loaded before the C library, whose fsync and fdatasync wait first.
 *
 * Compiled with cc when it is wanted. Fails with CliError where there is no compiler.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliError } from '../../src/cli/cli-error.ts'
import { findProgram, run } from '../../test/support/real/program.ts'

const source = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static void wait_first(void) { usleep(DELAY_MS * 1000); }

int fsync(int fd) {
  wait_first();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
  wait_first();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
`

/** Environment variables for the relay. */
export async function slowDisk(folder: string, delayMs: number): Promise<Record<string, string>> {
  const compiler = findProgram('cc')
  if (compiler === null) throw new CliError('a slow disk needs cc', 'install a C compiler')
  const [code, library] = [join(folder, 'slow-disk.c'), join(folder, 'slow-disk.so')]
  writeFileSync(code, source)
  const args = ['-shared', '-fPIC', '-O2', `-DDELAY_MS=${delayMs}`, '-o', library, code, '-ldl']
  const compiled = await run(compiler, args)
  if (compiled.code !== 0) throw new CliError('the library for the slow disk did not compile', compiled.stderr)
  return { LD_PRELOAD: library }
}
