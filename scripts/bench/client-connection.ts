/**
 * One SMTP connection of the load: a command, its reply, the next command (RFC 5321), like smtp-source.
 *
 * Fails with the reply that was not wanted, or when the connection closes.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface Door {
  readonly host: string
  readonly port: number
  readonly starttls: boolean
  readonly auth: { readonly username: string; readonly password: string } | null
}

export class ClientConnection {
  #socket: Socket
  #received = ''
  #waiting: PromiseWithResolvers<string> | null = null
  #failure: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  /** Connected, greeted, encrypted and authenticated. */
  static async open(door: Door): Promise<ClientConnection> {
    const connection = new ClientConnection(connect(door.port, door.host).setNoDelay(true))
    await connection.#expect('220')
    await connection.command('EHLO bench.test', '250')
    if (door.starttls) {
      await connection.command('STARTTLS', '220')
      await connection.#encrypt()
      await connection.command('EHLO bench.test', '250')
    }
    if (door.auth) await connection.command(`AUTH PLAIN ${plainResponse(door.auth)}`, '235')
    return connection
  }

  async command(line: string, wanted: string): Promise<void> {
    this.#socket.write(`${line}\r\n`)
    await this.#expect(wanted)
  }

  /** The content with its final dot. */
  async content(bytes: Buffer): Promise<void> {
    this.#socket.write(bytes)
    await this.#expect('250')
  }

  /** The content in pieces, which stand one behind the other; whatever the answer is, it is one. */
  async offer(...pieces: readonly Buffer[]): Promise<string> {
    for (const piece of pieces) this.#socket.write(piece)
    return await this.#reply()
  }

  /** Without goodbye. */
  drop(): void {
    this.#socket.destroy()
  }

  async quit(): Promise<void> {
    await this.command('QUIT', '221')
    this.#socket.destroy()
  }

  async #encrypt(): Promise<void> {
    const plain = this.#socket.removeAllListeners()
    this.#socket = connectTls({ socket: plain, rejectUnauthorized: false })
    this.#listen()
    await once(this.#socket, 'secureConnect')
  }

  #listen(): void {
    this.#socket.on('data', chunk => this.#take(chunk.toString('latin1')))
    this.#socket.on('error', error => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the relay closed the connection')))
  }

  async #reply(): Promise<string> {
    if (this.#failure) throw this.#failure
    this.#waiting = Promise.withResolvers()
    const { promise } = this.#waiting
    this.#take('')
    return await promise
  }

  async #expect(wanted: string): Promise<void> {
    const reply = await this.#reply()
    if (!reply.startsWith(wanted)) throw new Error(`the relay answered ${reply.trim()}`)
  }

  /** A reply ends with the first line without a hyphen behind its code (RFC 5321 §4.2.1). */
  #take(text: string): void {
    this.#received += text
    if (!this.#waiting || !/^\d{3}(?: .*)?\r\n/m.test(this.#received)) return
    const reply = this.#received
    this.#received = ''
    this.#waiting.resolve(reply)
    this.#waiting = null
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#waiting?.reject(this.#failure)
    this.#waiting = null
  }
}

/** RFC 4616 §2. */
function plainResponse({ username, password }: { username: string; password: string }): string {
  return Buffer.from(`\0${username}\0${password}`).toString('base64')
}
