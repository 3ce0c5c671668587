/**
 * One SMTP dialogue: knows which command waits for which reply, and by when.
 *
 * Every reply must have been asked for before its first byte came. A reply nobody asked for, a malformed one, or one
 * its phase can't get ends the connection, because from then on no reply could be told from a stale one (RFC 5321
 * §4.2, RFC 2920 §3.1). Fails once, with the phase that was under way; afterwards every call answers that failure.
 */
import type net from 'node:net'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Failure, Phase } from '../mail/attempt-result.ts'
import type { Reply } from '../mail/reply.ts'
import { Conversation } from './conversation.ts'
import { excerptOf, fits, type Received, ReplyReader } from './smtp-replies.ts'
import type { TransportLimits } from './transport.ts'

export interface Answers {
  /** In the order of the commands; shorter when the host ended the dialogue with 421 (then the last one) or died. */
  readonly replies: readonly Reply[]
  readonly failure: Failure | null
}

export interface WireOptions {
  readonly clock: Clock
  readonly limits: TransportLimits
  /** Gets the transcript as debug lines: commands and replies, never credentials or content. */
  readonly log: Log
  /** Takes out of a line of the host what must not be told on. */
  readonly conceal?: ((line: string) => string) | undefined
  /** Closes the socket at once. */
  readonly close: () => void
  /** Takes the replies until `attach`. */
  readonly setup: (received: Received, phase: Phase) => void
  /** Told once when the dialogue died before `attach`. */
  readonly setupFailed: (failure: Failure) => void
}

interface Deadline {
  /** Monotonic milliseconds. */
  readonly at: number
  readonly timeoutMs: number
}

interface Exchange {
  readonly count: number
  readonly replies: Reply[]
  readonly done: (answers: Answers) => void
}

export class Wire {
  readonly #options: WireOptions
  readonly #reader: ReplyReader
  readonly #conversation = new Conversation()
  /** Phases of the commands on the way, in order. */
  readonly #outstanding: Phase[] = []
  #phase: Phase
  #socket: net.Socket | null = null
  #exchange: Exchange | null = null
  #flushed: (() => void) | null = null
  #pouring = false
  /** Set while a reply is awaited … */
  #deadline: Deadline | null = null
  /** … but the timer is let be: most replies come long before it, and the next wait finds it running. */
  #timer: Cancel | null = null
  #timerAt = 0
  #failure: Failure | null = null
  #earlyReply: Reply | null = null

  constructor(options: WireOptions, phase: Phase) {
    this.#options = options
    this.#reader = new ReplyReader(options.conceal)
    this.#phase = phase
    this.#watch()
  }

  get failure(): Failure | null {
    return this.#failure
  }

  /** This transaction's, with the set-up before it. */
  get conversation(): readonly string[] {
    return this.#conversation.lines
  }

  /** A refusal that came while content was still being written; the host reads no further. */
  get earlyReply(): Reply | null {
    return this.#earlyReply
  }

  /** Alive, in step, and nothing unread. */
  get clean(): boolean {
    const alive = this.#failure === null && this.#socket !== null && this.#socket.writable
    return alive && this.#outstanding.length === 0 && !this.#reader.midReply && this.#socket!.readableLength === 0
  }

  /** A command is being written by somebody else (the library). */
  sent(phase: Phase, transcript: string): void {
    this.#transcribe('>', transcript)
    this.expect(phase)
  }

  expect(phase: Phase): void {
    this.#ask([phase])
  }

  /** The session is open: from here on replies go to `exchange`. */
  attach(socket: net.Socket): void {
    this.#socket = socket
    this.#conversation.open()
    this.rest()
  }

  /** A transaction begins. */
  begin(): void {
    this.#conversation.next()
  }

  /** Between transactions. */
  rest(): void {
    this.#phase = 'idle'
    this.#pouring = false
    this.#unwatch()
  }

  /** Writes commands at once and collects their replies. */
  exchange(text: string, phases: readonly Phase[]): Promise<Answers> {
    return new Promise(done => {
      if (this.#failure) return done({ replies: [], failure: this.#failure })
      this.#exchange = { count: phases.length, replies: [], done }
      this.#ask(phases)
      this.#transcribe('>', text)
      this.#socket!.write(text)
    })
  }

  /** Writes the end of the content with its final dot; from here on a death leaves the outcome in doubt. */
  finish(last: readonly Buffer[]): Promise<Answers> {
    return new Promise(done => {
      if (this.#failure) return done({ replies: [], failure: this.#failure })
      this.#pouring = false
      this.#exchange = { count: 1, replies: [], done }
      this.#ask(['dot'])
      this.#transcribe('>', '[content] .')
      this.#write(last)
    })
  }

  /** Writes content and resolves when the kernel has it; false when the connection died or refused instead. */
  pour(pieces: readonly Buffer[]): Promise<boolean> {
    if (this.#failure || pieces.length === 0) return Promise.resolve(this.#failure === null)
    return new Promise(resolve => {
      const flushed = () => {
        if (this.#flushed !== flushed) return
        this.#flushed = null
        this.#unwatch()
        resolve(this.#failure === null)
      }
      this.#pouring = true
      this.#flushed = flushed
      this.#watch()
      this.#write(pieces, flushed)
    })
  }

  receive(chunk: Buffer): void {
    if (this.#failure) return
    const asked = this.#outstanding.length
    const { replies, malformed } = this.#reader.push(chunk)
    for (const received of replies.slice(0, asked)) {
      this.#answer(received)
      if (this.#failure) return
    }
    const surplus = replies[asked]
    if (surplus) this.#surplus(surplus)
    else if (malformed !== null) this.fail('malformed-reply', malformed)
    else if (replies.length >= asked && this.#reader.midReply) this.fail('malformed-reply', 'data nobody asked for')
    else if (replies.length > 0) this.#watchNext()
  }

  /** Ends the dialogue. Only the first call counts. */
  fail(kind: Failure['kind'], detail: string, phase: Phase = this.#outstanding[0] ?? this.#phase): void {
    if (this.#failure) return
    this.#failure = { phase, kind, detail, inDoubt: phase === 'dot' }
    this.#transcribe('!', `${phase}: ${kind}: ${detail}`)
    const exchange = this.#exchange
    this.#end()
    if (exchange) exchange.done({ replies: exchange.replies, failure: this.#failure })
    else if (!this.#socket) this.#options.setupFailed(this.#failure)
  }

  #end(): void {
    this.#outstanding.length = 0
    this.#exchange = null
    this.#unwatch()
    this.#disarm()
    this.#options.close()
    this.#flushed?.()
  }

  #ask(phases: readonly Phase[]): void {
    this.#outstanding.push(...phases)
    this.#phase = phases.at(-1)!
    this.#watch()
  }

  #write(pieces: readonly Buffer[], flushed?: () => void): void {
    const socket = this.#socket!
    if (pieces.length === 1) {
      socket.write(pieces[0]!, flushed)
      return
    }
    socket.cork()
    for (const piece of pieces.slice(0, -1)) socket.write(piece)
    socket.write(pieces.at(-1)!, flushed)
    socket.uncork()
  }

  #answer(received: Received): void {
    const phase = this.#outstanding[0]!
    if (!fits(phase, received.reply)) {
      this.fail('malformed-reply', excerptOf(received.raw))
      return
    }
    this.#outstanding.shift()
    this.#transcribe('<', received.raw)
    if (this.#exchange) this.#collect(this.#exchange, received.reply)
    else this.#options.setup(received, phase)
  }

  #collect(exchange: Exchange, reply: Reply): void {
    exchange.replies.push(reply)
    // RFC 5321 §3.8: after 421 the host closes; nothing more is answered.
    if (exchange.replies.length < exchange.count && reply.code !== 421) return
    this.#exchange = null
    exchange.done({ replies: exchange.replies, failure: null })
    if (reply.code === 421) this.fail('closed', 'the host said 421')
  }

  /** A reply before its command: a refusal of content under way, the farewell of an idle session, or out of step. */
  #surplus({ reply, raw }: Received): void {
    if (this.#pouring && reply.code >= 400) {
      this.#earlyReply = reply
      this.fail('closed', excerptOf(raw))
    } else if (reply.code === 421) this.fail('closed', excerptOf(raw))
    else this.fail('malformed-reply', `a reply nobody asked for: ${excerptOf(raw)}`)
  }

  /** One deadline per reply: a host that trickles its bytes gets no more time than a silent one. */
  #watch(): void {
    const { clock, limits } = this.#options
    const timeoutMs = timeoutOf(this.#outstanding[0] ?? this.#phase, limits)
    const at = clock.monotonic() + timeoutMs
    const mayBeLate = this.#timer !== null && this.#timerAt > at
    this.#deadline = { at, timeoutMs }
    if (mayBeLate) this.#disarm()
    if (this.#timer === null) this.#arm(at, timeoutMs)
  }

  #arm(at: number, ms: number): void {
    this.#timerAt = at
    this.#timer = this.#options.clock.after(ms, () => this.#look())
  }

  #disarm(): void {
    this.#timer?.()
    this.#timer = null
  }

  #look(): void {
    this.#timer = null
    if (this.#deadline === null) return
    const { at, timeoutMs } = this.#deadline
    const left = at - this.#options.clock.monotonic()
    if (left > 0) this.#arm(at, left)
    else this.fail('timeout', `no reply within ${timeoutMs} ms`)
  }

  /** While the session is being set up something is always awaited: a TLS handshake when it is no reply. */
  #watchNext(): void {
    if (this.#outstanding.length > 0 || !this.#socket) this.#watch()
    else this.#unwatch()
  }

  #unwatch(): void {
    this.#deadline = null
  }

  #transcribe(direction: '>' | '<' | '!', text: string): void {
    this.#conversation.add(direction, text)
    if (!this.#options.log.debugs) return
    for (const line of text.trimEnd().split(/\r?\n/)) this.#options.log.debug({}, `${direction} ${line}`)
  }
}

/** Nothing depends on the answer to QUIT; a host that gives none must not hold up a stop. */
const quitTimeoutMs = 3000

function timeoutOf(phase: Phase, { commandTimeoutMs, dotTimeoutMs }: TransportLimits): number {
  if (phase === 'idle') return Math.min(quitTimeoutMs, commandTimeoutMs)
  return phase === 'dot' ? dotTimeoutMs : commandTimeoutMs
}
