/**
 * The name server of thousands of customers: the sandbox's own, over a zone in memory, in a thread that counts questions.
 */
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../src/base/clock.ts'
import { answerCalls } from '../../src/base/thread-call.ts'
import type { ZoneEntry } from '../../src/dns/zone.ts'
import type { ZoneBook } from '../../src/sandbox/zone-book.ts'
import { startZoneServer } from '../../src/sandbox/zone-server.ts'
import { hostOf } from './subject.ts'

export type ZoneMethods = {
  /** Answers the port. */
  listen(): Promise<number>
  publish(entries: readonly (readonly [name: string, entry: ZoneEntry])[]): void
  /** Questions answered so far. */
  questions(): number
}

/** A name's parents are looked up, not searched: a search among 10,000 names would be the server's work, not ours. */
function openBook(): ZoneBook {
  const entries = new Map<string, ZoneEntry>()
  const parents = new Set<string>()
  return {
    entry: name => entries.get(name.toLowerCase()),
    exists: name => entries.has(name.toLowerCase()) || parents.has(name.toLowerCase()),
    zone: () => Object.fromEntries(entries),
    set(name, entry) {
      entries.set(name, entry)
      for (let above = name; above.includes('.'); ) {
        above = above.slice(above.indexOf('.') + 1)
        parents.add(above)
      }
    },
  }
}

if (parentPort) {
  const book = openBook()
  let questions = 0
  answerCalls(parentPort, {
    async listen() {
      const hosts = { mx: hostOf('mx'), nameServer: hostOf('ns') }
      const parts = { book, hosts, host: '127.0.0.1', port: 0, clock: systemClock }
      return (await startZoneServer({ ...parts, onQuestion: () => void questions++ })).port
    },
    publish(entries) {
      for (const [name, entry] of entries) book.set(name, entry)
    },
    questions: () => questions,
  } satisfies ZoneMethods)
}
