/**
 * Waits until the wall clock has moved on: what is told apart by its time needs times of its own, also on a fast machine.
 */
export async function nextMoment(): Promise<void> {
  for (const before = Date.now(); Date.now() === before; ) await new Promise(setImmediate)
}
