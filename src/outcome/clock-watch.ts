/**
 * Notices that the wall clock was set: waits must take as long as they were meant to, whatever the clock says (design invariant 8).
 *
 * Within a life the monotonic clock tells. From one life to the next only the time that was seen last does: a clock that is
 * behind it was set back at least by that. Set back: the store moves its waits (`clockSetBack`). Set forward, or a machine
 * that slept: what is due is claimed at once; slots, which have become due meanwhile, are not spread anew, for sites have
 * their own rates. On the main thread. What fails is logged and tried again at the next look.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Store } from '../store/store.ts'
import { clockSetBack } from './delivery-log.ts'

export interface ClockWatchParts {
  readonly store: Pick<Store, 'setting' | 'setSetting' | 'clockSetBack'>
  readonly clock: Clock
  readonly log: Log
}

export interface ClockWatch extends AsyncDisposable {
  /** Resolves when the look under way has ended. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** What is put off in between by the right clock is moved as well: a few retries come early. */
const lookEveryMs = 2000
const writeEveryMs = 5 * 60_000
/** Less is no matter to anything that waits; a clock that runs a little fast or slow stays far below it. */
const toleranceMs = 5000
const seenSetting = 'clock'

/** Resolves when what an earlier life has put off too far is put right. */
export async function startClockWatch(parts: ClockWatchParts): Promise<ClockWatch> {
  const { store, clock, log } = parts
  /** What the store was not told yet. */
  let setBy = (await lastSeen(store)) - clock.now()
  let offset = clock.now() - clock.monotonic()
  let writeAt = 0
  let underWay: Promise<void> | null = null
  if (setBy < toleranceMs) setBy = 0
  await look()

  async function look(): Promise<void> {
    const found = clock.now() - clock.monotonic()
    if (Math.abs(offset - found) >= toleranceMs) setBy += offset - found
    offset = found
    try {
      await tell()
      await write()
    } catch (error) {
      log.warn({ err: error }, 'the store could not be told how the clock was set')
    }
  }

  async function tell(): Promise<void> {
    const byMs = setBy
    if (byMs === 0) return
    const entries = await store.clockSetBack(Math.max(0, Math.round(byMs)), clock.now())
    setBy -= byMs
    writeAt = 0
    if (byMs > 0) clockSetBack(log, { byMs, entries })
  }

  async function write(): Promise<void> {
    if (clock.monotonic() < writeAt) return
    await store.setSetting(seenSetting, String(clock.now()))
    writeAt = clock.monotonic() + writeEveryMs
  }

  const cancel: Cancel = clock.every(lookEveryMs, () => {
    underWay ??= look().finally(() => {
      underWay = null
    })
  })
  async function stop(): Promise<void> {
    cancel()
    await underWay
    writeAt = 0
    await write().catch(() => {})
  }

  return { stop, idle: async () => void (await underWay), [Symbol.asyncDispose]: stop }
}

/** 0: never. */
async function lastSeen(store: ClockWatchParts['store']): Promise<number> {
  return Number((await store.setting(seenSetting)) ?? 0)
}
