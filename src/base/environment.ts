/**
 * Changes variables of this process for what reads them later: libuv, worker threads, the program that replaces it.
 */

/** `change` gets the value as it stands. */
export function changeVariable(name: string, change: (stated: string | undefined) => string): void {
  process.env[name] = change(process.env[name])
}
