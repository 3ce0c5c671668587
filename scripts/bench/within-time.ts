/**
 * Runs a case within its time. What is under way gets the signal; fails with an error that names the time.
 */
export async function withinTime<T>(limitMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(limitMs)
  try {
    return await run(signal)
  } catch (error) {
    if (!signal.aborted) throw error
    throw new Error(`not done within ${limitMs / 1000} s`, { cause: error })
  }
}
