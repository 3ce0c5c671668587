/**
 * One clock for all threads of a measurement: `performance.now` begins anew in each.
 */

/** Milliseconds since some moment in the past, the same for every thread. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
