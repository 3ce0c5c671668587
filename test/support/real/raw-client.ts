/**
 * A client without manners: puts bytes on the wire as they are, where real clients would mend them first.
 */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export interface RawClient extends AsyncDisposable {
  /** Hands in one message; answers the reply to the final dot, or the first refusal before it. */
  submit(from: string, to: readonly string[], message: Buffer): Promise<string>
}

export interface RawClientOptions {
  readonly host: string
  /** Of an implicit TLS listener. */
  readonly port: number
  readonly username: string
  readonly password: string
}

export async function openRawClient(options: RawClientOptions): Promise<RawClient> {
  const socket = connect({ host: options.host, port: options.port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const ask = conversation(socket)
  await ask(null)
  await ask('EHLO [127.0.0.1]')
  const token = Buffer.from(`\0${options.username}\0${options.password}`).toString('base64')
  const login = await ask(`AUTH PLAIN ${token}`)
  if (!login.startsWith('235')) throw new Error(`login: ${login}`)
  return {
    async submit(from, to, message) {
      for (const command of [
        `MAIL FROM:<${from}> BODY=8BITMIME`,
        ...to.map(address => `RCPT TO:<${address}>`),
        'DATA',
      ]) {
        const reply = await ask(command)
        if (/^[45]/.test(reply)) {
          await ask('RSET')
          return reply
        }
      }
      const stuffed = message.toString('latin1').replace(/(^|\r\n)\./g, '$1..')
      socket.write(Buffer.from(stuffed, 'latin1'))
      return ask(stuffed.endsWith('\r\n') ? '.' : '\r\n.')
    },
    async [Symbol.asyncDispose]() {
      socket.end('QUIT\r\n')
      socket.resume()
      await once(socket, 'close')
    },
  }
}

/** Writes a line (or nothing) and waits for a whole reply. */
function conversation(socket: TLSSocket): (line: string | null) => Promise<string> {
  let received = ''
  let wake: () => void = () => {}
  socket.on('data', chunk => {
    received += chunk
    wake()
  })
  socket.once('close', () => wake())
  return async line => {
    if (line !== null) socket.write(`${line}\r\n`)
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r\n/.exec(received)
      if (match) {
        received = received.slice(match[0].length)
        return match[0].trim()
      }
      if (socket.destroyed) throw new Error(`the connection closed after ${JSON.stringify(line)}: ${received}`)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
}
