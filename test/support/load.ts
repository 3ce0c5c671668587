/**
 * Clients that hand in mail without a pause, over several connections, and keep account of every reply.
 *
 * Each mail is handed in once, under a Message-ID of its own: one that was refused, or whose reply never came, is not tried
 * again, so what arrives can be held against what was promised. A lost connection is opened again at once.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { stuffed } from './dialogue.ts'
import type { Sink, SinkMessage } from './sink.ts'

/** `unknown`: everything was sent, and the connection ended before the reply. `unsent`: it ended earlier. */
export type Fate = 'unsent' | 'accepted' | 'refused' | 'unknown'

export interface LoadedMail {
  readonly messageId: string
  readonly to: readonly string[]
  readonly body: string
  readonly fate: Fate
  /** The final one; empty without. */
  readonly reply: string
}

export interface LoadOptions {
  readonly port: number
  readonly username: string
  readonly password: string
  readonly connections: number
  /** Recipients and body octets of the mail with this number. */
  readonly mail: (number: number) => { readonly to: readonly string[]; readonly size: number }
  /** While it says true no client begins a mail. */
  readonly hold?: () => boolean
  /** Numbers from 0 to this one; default: until stopped. */
  readonly count?: number
}

const from = 'sales@ours.example'
/** Long enough for a relay that is just starting, short enough not to miss its first second. */
const againMs = 20

export class Load implements AsyncDisposable {
  readonly mails: LoadedMail[] = []
  readonly #options: LoadOptions
  readonly #clients: Promise<void>
  #next = 0
  #accepted = 0
  #connected = 0
  #stopping = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#clients = Promise.all(Array.from({ length: options.connections }, () => this.#client())).then(() => {})
  }

  of(fate: Fate): LoadedMail[] {
    return this.mails.filter(mail => mail.fate === fate)
  }

  /** How many were accepted so far. */
  get accepted(): number {
    return this.#accepted
  }

  /** Clients that are logged in. */
  get connected(): number {
    return this.#connected
  }

  /** Resolves when `count` mails are handed in. */
  done(): Promise<void> {
    return this.#clients
  }

  /** Every client ends the mail it is at. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#clients
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #ended(): boolean {
    return this.#stopping || this.#next >= (this.#options.count ?? Number.POSITIVE_INFINITY)
  }

  async #client(): Promise<void> {
    while (!this.#ended) {
      const line = await this.#open()
      if (line !== null) this.#connected++
      while (line !== null && !line.ended && !this.#ended) {
        if (this.#options.hold?.()) await pause(againMs)
        else await this.#handIn(line)
      }
      line?.close()
      if (line !== null) this.#connected--
      if (!this.#ended) await pause(againMs)
    }
  }

  /** Null: nobody there, or not ready for us. */
  async #open(): Promise<Line | null> {
    const { port, username, password } = this.#options
    const line = new Line(connect(port, '127.0.0.1'))
    const token = Buffer.from(`\0${username}\0${password}`).toString('base64')
    for (const command of ['', 'EHLO client.example\r\n', `AUTH PLAIN ${token}\r\n`]) {
      if (/^2/.test((await line.ask(command)) ?? '')) continue
      line.close()
      return null
    }
    return line
  }

  async #handIn(line: Line): Promise<void> {
    const number = this.#next++
    const { to, size } = this.#options.mail(number)
    const messageId = `<${number}@load.example>`
    const mail = { messageId, to, body: bodyOf(number, size) }
    const keep = (fate: Fate, reply: string | null) => {
      if (fate === 'accepted') this.#accepted++
      this.mails.push({ ...mail, fate, reply: reply ?? '' })
    }
    const commands = [`MAIL FROM:<${from}>`, ...to.map(address => `RCPT TO:<${address}>`), 'DATA']
    const replies = await line.askAll(commands)
    const refusal = replies.find(reply => reply !== null && reply >= '4')
    if (refusal) {
      keep('refused', refusal)
      await line.ask('RSET\r\n')
      return void (await pause(againMs))
    }
    if (replies.includes(null)) return keep('unsent', null)
    const content = `From: <${from}>\r\nTo: <${to[0]}>\r\nSubject: ${number}\r\nMessage-ID: ${messageId}\r\n\r\n${mail.body}`
    const reply = await line.ask(stuffed(content))
    keep(reply === null ? 'unknown' : reply.startsWith('2') ? 'accepted' : 'refused', reply)
  }
}

function bodyOf(number: number, size: number): string {
  const text = `${number} ${'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(2)}\r\n`
  return text.repeat(Math.ceil(size / text.length))
}

/** A connection on which one reply is awaited after the other. */
class Line {
  readonly #socket: Socket
  #received = ''
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The reply; null: the connection ended before it. */
  async ask(bytes: string | Buffer): Promise<string | null> {
    this.#socket.write(bytes)
    return this.#reply()
  }

  /** Pipelined (RFC 2920). */
  async askAll(commands: readonly string[]): Promise<(string | null)[]> {
    this.#socket.write(`${commands.join('\r\n')}\r\n`)
    const replies: (string | null)[] = []
    for (const _ of commands) replies.push(await this.#reply())
    return replies
  }

  close(): void {
    this.#socket.destroy()
  }

  async #reply(): Promise<string | null> {
    for (;;) {
      const [reply] = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r\n/.exec(this.#received) ?? []
      if (reply !== undefined) {
        this.#received = this.#received.slice(reply.length)
        return reply.trim()
      }
      if (this.#ended) return null
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

export function keysOfMail({ messageId, to }: LoadedMail): string[] {
  return to.map(recipient => `${messageId} ${recipient}`)
}

/** What arrived at a sink: for each Message-ID and recipient every copy, in order. Reports count by whom they report on. */
export function arrivalsAt({ messages }: Pick<Sink, 'messages'>): Map<string, SinkMessage[]> {
  const arrivals = new Map<string, SinkMessage[]>()
  for (const message of messages) {
    for (const key of keysOf(message)) {
      const copies = arrivals.get(key)
      if (copies) copies.push(message)
      else arrivals.set(key, [message])
    }
  }
  return arrivals
}

function keysOf({ content, recipients, reversePath }: SinkMessage): string[] {
  const text = content.toString('latin1')
  const messageId = /^Message-ID: (<\d+@load\.example>)/m.exec(text)?.[1]
  if (reversePath === null) return [`${messageId} ${/^Final-Recipient: rfc822; ?(.*)\r$/m.exec(text)?.[1]}`]
  return recipients.map(recipient => `${messageId} ${recipient}`)
}
