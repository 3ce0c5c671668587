/**
 * The sink of our own: takes everything, and knows of each message by its number how often each recipient got it.
 *
 * Runs in a thread. Pipelining (RFC 2920) is offered; replies to what came in one piece go out in one.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'
import { answerCalls } from '../../src/base/thread-call.ts'
import { numberField } from './cases.ts'
import { nowMs } from './now.ts'

export interface SinkState {
  /** Copies that arrived: one per message and recipient, if all is well. */
  readonly deliveries: number
  /** Different ones among them. */
  readonly distinct: number
  /** When the last one came, milliseconds since 1970. */
  readonly lastAt: number
}

export type SinkMethods = {
  /** On the same port of every address. */
  listen(addresses: readonly string[], port: number): Promise<number>
  state(): SinkState
  /** Some of the messages, as they were sent. */
  samples(): Uint8Array[]
  /** When the first copy of each message with this label came, by its number, on the clock of `now.ts`. */
  arrivals(label: string): Map<number, number>
}

const numberOf = new RegExp(`^${numberField}: *(\\S+)\r$`, 'm')
const endOfContent = '\r\n.\r\n'
/** Every so many messages one is kept for the verifier, up to so many and so large. */
const keep = { every: 25, most: 40, bytes: 200_000 }

interface Ledger {
  readonly copies: Map<string, number>
  readonly arrivals: Map<string, number>
  readonly samples: Uint8Array[]
  deliveries: number
  messages: number
  lastAt: number
}

class SinkSession {
  readonly #ledger: Ledger
  #rest: Buffer = Buffer.alloc(0)
  /** Behind the rest, joined when they are looked at together: 30 MB are not copied with every piece that comes. */
  #pieces: Buffer[] = []
  #recipients: string[] = []
  #inContent = false
  /** Up to here the rest holds no end of content. */
  #searched = 0

  constructor(ledger: Ledger, socket: Socket) {
    this.#ledger = ledger
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      const replies = this.#take(chunk)
      if (replies !== '') socket.write(replies)
      if (replies.endsWith('221 2.0.0 Bye\r\n')) socket.end()
    })
    socket.write('220 sink.bench.test ESMTP\r\n')
  }

  #take(chunk: Buffer): string {
    if (this.#inContent && !this.#mayEnd(chunk)) {
      this.#pieces.push(chunk)
      return ''
    }
    const isFirst = this.#rest.length + this.#pieces.length === 0
    this.#rest = isFirst ? chunk : Buffer.concat([this.#rest, ...this.#pieces, chunk])
    this.#pieces = []
    let replies = ''
    for (;;) {
      const reply = this.#inContent ? this.#takeContent() : this.#takeCommand()
      if (reply === null) return replies
      replies += reply
    }
  }

  /** In it, or in it and the end of what came before. */
  #mayEnd(chunk: Buffer): boolean {
    const last = (this.#pieces.at(-1) ?? this.#rest).subarray(1 - endOfContent.length)
    return last.length < endOfContent.length - 1 || Buffer.concat([last, chunk]).includes(endOfContent)
  }

  #takeContent(): string | null {
    const end = this.#rest.indexOf(endOfContent, this.#searched)
    if (end === -1) {
      this.#searched = Math.max(0, this.#rest.length - endOfContent.length)
      return null
    }
    record(this.#ledger, this.#rest.subarray(0, end + 2), this.#recipients)
    this.#rest = this.#rest.subarray(end + endOfContent.length)
    this.#recipients = []
    this.#inContent = false
    this.#searched = 0
    return '250 2.0.0 Taken\r\n'
  }

  #takeCommand(): string | null {
    const end = this.#rest.indexOf('\r\n')
    if (end === -1) return null
    const line = this.#rest.toString('latin1', 0, end)
    this.#rest = this.#rest.subarray(end + 2)
    return this.#answer(line)
  }

  #answer(line: string): string {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return '250-sink.bench.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n'
      case 'RCPT':
        this.#recipients.push(/<(.*?)>/.exec(line)?.[1] ?? line)
        return '250 2.1.5 Ok\r\n'
      case 'DATA':
        this.#inContent = true
        return '354 Go on\r\n'
      case 'RSET':
        this.#recipients = []
        return '250 2.0.0 Ok\r\n'
      case 'QUIT':
        return '221 2.0.0 Bye\r\n'
      default:
        return '250 2.0.0 Ok\r\n'
    }
  }
}

function record(ledger: Ledger, content: Buffer, recipients: readonly string[]): void {
  // The header stands in front; a body is never searched.
  const header = content.toString('latin1', 0, Math.max(0, content.indexOf('\r\n\r\n')) + 2)
  const number = numberOf.exec(header)?.[1] ?? 'without number'
  for (const recipient of recipients) {
    const copy = `${number} ${recipient}`
    ledger.copies.set(copy, (ledger.copies.get(copy) ?? 0) + 1)
  }
  if (!ledger.arrivals.has(number)) ledger.arrivals.set(number, nowMs())
  ledger.deliveries += recipients.length
  ledger.lastAt = Date.now()
  if (ledger.messages++ % keep.every !== 0 || ledger.samples.length === keep.most) return
  if (content.length <= keep.bytes) ledger.samples.push(unstuffed(content))
}

function arrivalsOf({ arrivals }: Ledger, label: string): Map<number, number> {
  const own = [...arrivals].filter(([number]) => number.startsWith(`${label}-`))
  return new Map(own.map(([number, at]) => [Number(number.slice(label.length + 1)), at]))
}

/** RFC 5321 §4.5.2. */
function unstuffed(content: Buffer): Uint8Array {
  return Buffer.from(content.toString('latin1').replace(/^\./gm, ''), 'latin1')
}

async function listenOn(ledger: Ledger, address: string, port: number): Promise<Server> {
  const server = createServer(socket => new SinkSession(ledger, socket))
  server.listen(port, address)
  await once(server, 'listening')
  return server
}

if (parentPort) {
  const ledger: Ledger = { copies: new Map(), arrivals: new Map(), samples: [], deliveries: 0, messages: 0, lastAt: 0 }
  answerCalls(parentPort, {
    async listen(addresses, port) {
      const [first, ...others] = addresses
      const server = await listenOn(ledger, first!, port)
      const taken = (server.address() as AddressInfo).port
      for (const address of others) await listenOn(ledger, address, taken)
      return taken
    },
    state: () => ({ deliveries: ledger.deliveries, distinct: ledger.copies.size, lastAt: ledger.lastAt }),
    samples: () => ledger.samples,
    arrivals: label => arrivalsOf(ledger, label),
  } satisfies SinkMethods)
}
