/**
 * How long a session may take: per command, per message, in all (RFC 5321 §4.5.3.2.7; design invariant 7).
 *
 * Plain state without a timer: the listener asks all its sessions once a second. A command deadline runs from the last
 * reply to the end of the next command line, so a byte now and then extends nothing. Time in which we let the client
 * wait (look-ups, disk, commit) is not the client's.
 */
import type { Config } from '../base/config.ts'
import type { Reply } from '../mail/reply.ts'
import { replies } from './replies.ts'

export type Overdue = 'command' | 'session' | 'data' | 'rate'

type Limits = Pick<Config['submission'], 'commandTimeout' | 'dataTimeout' | 'dataMinimumRate' | 'sessionTimeout'>

/** A slow start (handshakes, small windows) is no slow client. */
const rateGraceMs = 10_000

export class Deadlines {
  readonly #limits: Limits
  readonly #openedAt: number
  #waitsFor: 'client' | 'content' | 'us' = 'client'
  /** When the present wait began. */
  #since: number
  #receivedBytes = 0
  /** Of the present message: time in which we kept the client waiting, and since when we do. */
  #heldMs = 0
  #heldSince: number | null = null

  /** `now`: monotonic milliseconds, here and below. */
  constructor(limits: Limits, now: number) {
    this.#limits = limits
    this.#openedAt = now
    this.#since = now
  }

  get isBusy(): boolean {
    return this.#waitsFor === 'us'
  }

  /** The client owes us a command, unless it owes us a message already. */
  awaitCommand(now: number): void {
    if (this.#waitsFor === 'content') return
    this.#waitsFor = 'client'
    this.#since = now
  }

  /** The client owes us a message. */
  awaitContent(now: number): void {
    this.#waitsFor = 'content'
    this.#since = now
    this.#receivedBytes = 0
    this.#heldMs = 0
    this.#heldSince = null
  }

  /** We owe the client a reply. */
  busy(): void {
    this.#waitsFor = 'us'
  }

  received(bytes: number): void {
    this.#receivedBytes += bytes
  }

  /** We take no content for a while … */
  hold(now: number): void {
    this.#heldSince ??= now
  }

  /** … and now we do again. */
  resume(now: number): void {
    if (this.#heldSince !== null) this.#heldMs += now - this.#heldSince
    this.#heldSince = null
  }

  /** `inTransaction`: a session that is over its time may still finish its message, within one command time-out. */
  overdue(now: number, inTransaction: boolean): Overdue | null {
    if (this.#waitsFor === 'us' || this.#heldSince !== null) return null
    if (this.#waitsFor === 'content') return this.#overdueContent(now - this.#since - this.#heldMs)
    if (now - this.#since >= this.#limits.commandTimeout) return 'command'
    const grace = inTransaction ? this.#limits.commandTimeout : 0
    return now - this.#openedAt >= this.#limits.sessionTimeout + grace ? 'session' : null
  }

  #overdueContent(elapsed: number): Overdue | null {
    if (elapsed >= this.#limits.dataTimeout) return 'data'
    const tooSlow = this.#receivedBytes * 1000 < this.#limits.dataMinimumRate * elapsed
    return elapsed >= rateGraceMs && tooSlow ? 'rate' : null
  }
}

export function overdueReply(overdue: Overdue, { dataMinimumRate }: Limits): Reply {
  if (overdue === 'rate') return replies.dataTooSlow(dataMinimumRate)
  if (overdue === 'data') return replies.dataTimeout
  return overdue === 'session' ? replies.sessionTimeout : replies.commandTimeout
}
