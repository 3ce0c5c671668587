/**
 * Checks domains by itself when they are due, and removes deleted ones when their time is over.
 *
 * A check that fails is logged and comes again at the next round: its domain stays due.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { DomainName } from '../mail/ids.ts'
import type { DomainStore } from '../store/store.ts'
import type { Domains } from './service.ts'

export interface RecheckerParts {
  readonly domains: Pick<Domains, 'verify' | 'purgeArchived'>
  readonly store: DomainStore
  readonly clock: Clock
  readonly log: Log
}

export interface Rechecker {
  /** Resolves when no check runs any more. */
  stop(): Promise<void>
}

/** Fine enough for checks that are minutes apart. */
const roundMs = 15_000
/** Each check asks a handful of questions: enough for 50,000 domains a day, without pressing the resolvers. */
const checksAtOnce = 8
const checksPerRound = 200

export function startRechecker({ domains, store, clock, log }: RecheckerParts): Rechecker {
  let running: Promise<void> | null = null
  let stopped = false

  function begin(): void {
    if (stopped) return
    running ??= round().finally(() => {
      running = null
    })
  }

  async function round(): Promise<void> {
    try {
      await domains.purgeArchived()
      const due = [...(await store.dueForCheck(clock.now(), checksPerRound))]
      await Promise.all(Array.from({ length: checksAtOnce }, () => work(due)))
    } catch (error) {
      log.warn({ error: String(error) }, 'domains could not be checked')
    }
  }

  async function work(due: DomainName[]): Promise<void> {
    for (let name = due.shift(); name !== undefined && !stopped; name = due.shift()) {
      try {
        await domains.verify(name)
      } catch (error) {
        log.warn({ domain: name, error: String(error) }, 'the domain could not be checked')
      }
    }
  }

  const cancel = clock.every(roundMs, begin)
  begin()
  return {
    async stop() {
      stopped = true
      cancel()
      await running
    },
  }
}
