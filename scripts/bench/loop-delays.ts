/**
 * What Kitte's /metrics say of its event loops.
 */

/** Milliseconds. */
export interface LoopDelayMs {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** By the name of the thread. */
export type LoopDelays = Readonly<Record<string, LoopDelayMs>>

const sample = /^kitte_event_loop_delay_seconds\{thread="([^"]+)",quantile="([^"]+)"\} (\S+)$/gm
const names: Readonly<Record<string, keyof LoopDelayMs>> = { '0.5': 'p50', '0.99': 'p99', '1': 'max' }

export function readLoopDelays(metrics: string): LoopDelays {
  const delays: Record<string, LoopDelayMs> = {}
  for (const [, thread, quantile, seconds] of metrics.matchAll(sample)) {
    const name = names[quantile!]
    if (name === undefined) continue
    delays[thread!] = { p50: 0, p99: 0, max: 0, ...delays[thread!], [name]: Number(seconds) * 1000 }
  }
  return delays
}
