/**
 * What arrived at the sandbox's receiving MX: the latest messages, in memory, with what was found about them.
 *
 * The oldest go when there are too many or they weigh too much; nothing is written to disk.
 */
import type { Instant } from '../mail/ids.ts'
import type { Readable } from './readable.ts'
import type { Verdict } from './verify-arrival.ts'

export interface NewArrival {
  readonly receivedAt: Instant
  readonly helo: string
  readonly remoteIp: string
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; null: plain text. */
  readonly tls: string | null
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly verdict: Verdict
  /** As it came after DATA, dots unstuffed. */
  readonly raw: Buffer
  readonly message: Readable
}

export interface Arrival extends NewArrival {
  /** Counts arrivals since the start, from 1. */
  readonly number: number
}

export interface Inbox {
  /** Answers its number. */
  add(arrival: NewArrival): number
  /** The latest first. */
  list(): readonly Arrival[]
  get(number: number): Arrival | null
}

/** A page that a person can look through; and one message of the largest size with room for others. */
const keptMessages = 200
const keptBytes = 80 * 1024 * 1024

export function createInbox(limits = { messages: keptMessages, bytes: keptBytes }): Inbox {
  const arrivals: Arrival[] = []
  let bytes = 0
  let count = 0
  return {
    add(arrival) {
      arrivals.unshift({ ...arrival, number: ++count })
      bytes += arrival.raw.length
      while (arrivals.length > limits.messages || (bytes > limits.bytes && arrivals.length > 1))
        bytes -= arrivals.pop()!.raw.length
      return count
    },
    list: () => arrivals,
    get: number => arrivals.find(arrival => arrival.number === number) ?? null,
  }
}
