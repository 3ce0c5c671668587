/**
 * What a bounce comes back to: a real store with messages that were sent, and an intake on it.
 */
import { openCalendar } from '../../src/base/calendar.ts'
import { loadConfig } from '../../src/base/config.ts'
import type { Fields, Log } from '../../src/base/log.ts'
import type { IntakeAddress, IntakeNames } from '../../src/feedback/addresses.ts'
import { intakeAddress } from '../../src/feedback/addresses.ts'
import { createConclude } from '../../src/feedback/consequences.ts'
import { createIntake, type Taken } from '../../src/feedback/intake.ts'
import { verpAddress } from '../../src/feedback/verp.ts'
import type { Message } from '../../src/mail/message.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import type { Returned } from '../../src/mail/returned.ts'
import { explain } from '../../src/outcome/classify.ts'
import { reportSettingsOf } from '../../src/outcome/dsn.ts'
import { Meter } from '../../src/outcome/meter.ts'
import type { NewMessage, Store } from '../../src/store/store.ts'
import { sqliteFactory } from '../store/factory.ts'
import { day, newMessage, outcome } from '../store/fixtures.ts'
import type { ManualClock } from '../support/manual-clock.ts'

export interface Sent {
  readonly message: Message
  /** Of each recipient, and of all together. */
  readonly paths: readonly string[]
  readonly sharedPath: string
}

export interface Notice {
  readonly recipient: string
  readonly kind: 'hard-bounce' | 'soft-bounce' | 'complaint'
  readonly evidence: Returned
}

export interface FeedbackWorld extends AsyncDisposable {
  readonly store: Store
  readonly clock: ManualClock
  readonly names: IntakeNames
  /** Written down so far, notices of delay apart. */
  readonly notices: Notice[]
  readonly meter: Meter
  readonly lines: (Fields & { readonly text: string })[]
  /** Accepted and, unless told otherwise, delivered to all. */
  send(to: readonly string[], end?: Outcome['action'] | 'waiting' | 'leased', change?: Partial<Message>): Promise<Sent>
  settle(sent: Sent, end: Outcome['action']): Promise<void>
  /** As the listener hands it over; null: refused at RCPT. */
  receive(to: string, content: string | Buffer): Promise<readonly Taken[]> | null
  pathOf(sent: Message, n: number | null, key?: Buffer, host?: string): string
}

export const bounceHost = 'bounce.relay.example.jp'
const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }

export async function openFeedbackWorld(): Promise<FeedbackWorld> {
  const opened = await sqliteFactory(true)()
  const { store, clock } = opened
  const verpKey = Buffer.alloc(32, 7)
  const config = loadConfig([], {})
  const names: IntakeNames = { ...config, complaints: config.feedback.complaints, verpKey }
  const notices: Notice[] = []
  const meter = new Meter()
  const lines: (Fields & { readonly text: string })[] = []
  const log = logInto(lines)
  const { hostname } = config
  const intake = createIntake({
    ...{ clock, log, explain, verpKey, hostname, meter, tokenMaxAgeMs: 14 * day },
    store: {
      message: id => store.message(id),
      async recordReturned(batch) {
        const results = await store.recordReturned(batch)
        if (results.every(result => result === 'recorded')) notices.push(...batch.returned.flatMap(noticeOf))
        return results
      },
    },
    conclude: createConclude({
      ...{ store, clock, log, calendar: openCalendar(config.timeZone), suppressions: config.suppressions },
      reports: reportSettingsOf(config),
      original: async () => null,
    }),
  })
  const pathOf = (message: Message, n: number | null, key = verpKey, host = bounceHost) =>
    verpAddress({ message: message.id, entry: n === null ? null : `${message.id}.${n}`, bounceHost: host, key })
  const settle = async ({ message }: Pick<Sent, 'message'>, end: Outcome['action']) => {
    const at = clock.now()
    const outcomes = message.envelope.recipients.map((_, n) =>
      outcome(`${message.id}.${n}`, end, at, { nextAttemptAt: at + 1000 }),
    )
    await store.settle({ outcomes, reports: [], events: [] })
  }
  return {
    ...{ store, clock, names, notices, lines, meter, settle, pathOf },
    async send(to, end = 'delivered', change = {}) {
      const made: NewMessage = newMessage({
        now: clock.now(),
        to,
        message: change,
        ...(end === 'waiting' ? {} : { lease }),
      })
      await store.accept(made)
      const { message } = made
      if (end !== 'waiting' && end !== 'leased') await settle({ message }, end)
      return { message, paths: to.map((_, n) => pathOf(message, n)), sharedPath: pathOf(message, null) }
    },
    receive(to, content) {
      const address: IntakeAddress | null = intakeAddress(to, names)
      if (address === null || address.kind === 'postmaster') return null
      return intake.take({ address, recipient: to, content: Buffer.from(content), client: '192.0.2.20' })
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

function noticeOf(evidence: Returned): Notice[] {
  const { kind, permanent, recipient } = evidence
  if (kind === 'delay') return []
  return [{ recipient, kind: kind === 'complaint' ? kind : permanent ? 'hard-bounce' : 'soft-bounce', evidence }]
}

export function logInto(lines: (Fields & { readonly text: string })[]): Log {
  const write = (fields: Fields, text: string) => void lines.push({ ...fields, text })
  const log: Log = { debug() {}, info: write, warn: write, error: write, debugs: false, child: () => log }
  return log
}
