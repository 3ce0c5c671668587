/**
 * What goes on beside the mail that is timed: a few sessions with heavy messages, at a bounded pace.
 */
import type { Case } from './cases.ts'
import type { HeavyAnswer, HeavyMethods } from './heavy-thread.ts'
import { doorOf } from './load.ts'
import type { Sender } from './subject.ts'
import { startThread } from './threads.ts'

export interface HeavyAnswers {
  readonly accepted: number
  readonly kinds: readonly HeavyKind[]
}

export interface HeavyKind {
  readonly kind: string
  /** How often each answer came. */
  readonly answers: Readonly<Record<string, number>>
  readonly slowestMs: number
}

export interface HeavyLoad extends AsyncDisposable {
  /** When the last one is answered. */
  stop(): Promise<HeavyAnswers>
}

/** Together two messages a second, 17 MB; never more than so many of each session. */
const bounds = { sessions: 3, everyMs: 1500, most: 40 }

export async function startHeavy(work: Case, { client, from }: Sender): Promise<HeavyLoad> {
  await using started = new AsyncDisposableStack()
  const door = doorOf(client, work.starttls)
  const threads = await Promise.all(
    Array.from({ length: bounds.sessions }, () => startThread<HeavyMethods>('heavy-thread.ts')),
  )
  for (const thread of threads) started.use(thread)
  await Promise.all(threads.map(({ remote }) => remote.prepare()))
  const { everyMs, most } = bounds
  const running = threads.map(({ remote }, number) =>
    remote.run({
      door,
      from,
      to: work.recipients[0]!,
      label: `heavy${number}`,
      first: number / bounds.sessions,
      everyMs,
      most,
    }),
  )
  // Whoever stops it hears of a failure.
  for (const one of running) one.catch(() => {})
  const cleanup = started.move()
  return {
    async stop() {
      await Promise.all(threads.map(({ remote }) => remote.stop()))
      return summarize((await Promise.all(running)).flat())
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

export function summarize(answers: readonly HeavyAnswer[]): HeavyAnswers {
  const kinds = [...Map.groupBy(answers, ({ kind }) => kind)]
  return {
    accepted: answers.filter(({ answer }) => answer.startsWith('250')).length,
    kinds: kinds.map(([kind, own]) => ({
      kind,
      answers: Object.fromEntries(
        [...Map.groupBy(own, ({ answer }) => answer)].map(([name, { length }]) => [name, length]),
      ),
      slowestMs: Math.max(...own.map(({ ms }) => ms)),
    })),
  }
}
