/**
 * Speaks SMTP by hand: sends lines, expects replies. For tests that must see every byte.
 */
import assert from 'node:assert/strict'
import { connect as connectPlain, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { patienceMs } from './patience.ts'

export interface DialogueOptions {
  readonly port: number
  readonly host?: string
  /** From the first byte. */
  readonly tls?: ConnectionOptions | boolean
  /** Source address. */
  readonly localAddress?: string
}

export class Dialogue implements AsyncDisposable {
  #socket: Socket
  #text = ''
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  static async open({ port, host = '127.0.0.1', tls = false, localAddress }: DialogueOptions): Promise<Dialogue> {
    const where = { port, host, ...(localAddress === undefined ? {} : { localAddress }) }
    const secure = tls === false ? null : { rejectUnauthorized: false, ...(tls === true ? {} : tls) }
    const socket = secure === null ? connectPlain(where) : connectTls({ ...where, ...secure })
    return new Dialogue(socket)
  }

  /** Opens, and hears the greeting. */
  static async greeted(options: DialogueOptions): Promise<Dialogue> {
    const dialogue = await Dialogue.open(options)
    await dialogue.expect(/^220 /)
    return dialogue
  }

  get socket(): Socket {
    return this.#socket
  }

  /** The next complete reply, lines joined by LF; it must match. */
  async expect(pattern: RegExp): Promise<string> {
    const reply = await this.#reply(pattern)
    assert.match(reply, pattern)
    return reply
  }

  /** Sends a line and expects its reply. */
  async say(line: string | Buffer, pattern: RegExp): Promise<string> {
    this.send(line)
    this.send('\r\n')
    return this.expect(pattern)
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes)
  }

  /** `injected`: sent in plain text behind the command, in the same write. */
  async startTls(options: ConnectionOptions = {}, injected = ''): Promise<void> {
    this.send(`STARTTLS\r\n${injected}`)
    await this.expect(/^220 /)
    this.#socket.removeAllListeners()
    this.#socket = connectTls({ socket: this.#socket, rejectUnauthorized: false, ...options })
    this.#listen()
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('secureConnect', resolve)
      this.#socket.once('error', reject)
    })
  }

  /** AUTH PLAIN with the response in the command (RFC 4616). */
  login(username: string, password: string, pattern = /^235 2\.7\.0 /): Promise<string> {
    return this.say(`AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`, pattern)
  }

  /** One whole transaction after MAIL and RCPT were fine: DATA, content, the final reply. */
  async content(content: string | Buffer, pattern: RegExp): Promise<string> {
    await this.say('DATA', /^354 /)
    this.send(stuffed(content))
    return this.expect(pattern)
  }

  /** The other side has closed. */
  async closed(): Promise<void> {
    await this.#until(() => this.#ended, 'the end of the connection')
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.#until(() => this.#ended, 'our own end')
  }

  async #reply(pattern: RegExp): Promise<string> {
    const complete = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/
    await this.#until(() => complete.test(this.#text) || this.#ended, `a reply like ${pattern}`)
    const [reply] = complete.exec(this.#text) ?? []
    if (reply === undefined) throw new Error(`the connection ended where a reply like ${pattern} was awaited`)
    this.#text = this.#text.slice(reply.length)
    return reply.replaceAll('\r\n', '\n').trimEnd()
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = setTimeout(() => this.#socket.destroy(new Error(`waited in vain for ${what}`)), patienceMs)
    try {
      while (!condition()) await new Promise<void>(resolve => (this.#wake = resolve))
    } finally {
      clearTimeout(deadline)
    }
  }

  #listen(): void {
    this.#socket.setNoDelay(true)
    this.#socket.on('data', chunk => {
      this.#text += chunk.toString('utf8')
      this.#wake()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }
}

/** Dot-stuffed, with the final dot (RFC 5321 §4.5.2). */
export function stuffed(content: string | Buffer): Buffer {
  const text = Buffer.isBuffer(content) ? content.toString('latin1') : Buffer.from(content).toString('latin1')
  const ended = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
  return Buffer.from(`${ended.replace(/(^|\r\n)\./g, '$1..')}.\r\n`, 'latin1')
}
