/**
 * What transport tests hand to a transport: a host, limits, an envelope, content; and results as short lines.
 */
import { createServer, type Socket } from 'node:net'
import type { Connection, HostSpec, OpenResult, Outgoing, TransportLimits } from '../../src/delivery/transport.ts'
import type { RecipientResult } from '../../src/mail/attempt-result.ts'
import type { Envelope } from '../../src/mail/envelope.ts'

/** Short enough for a suite, long enough for a busy machine. */
export const shortLimits: TransportLimits = { connectTimeoutMs: 5000, commandTimeoutMs: 500, dotTimeoutMs: 700 }
export const longLimits: TransportLimits = {
  connectTimeoutMs: 30_000,
  commandTimeoutMs: 300_000,
  dotTimeoutMs: 600_000,
}

export function hostAt(
  at: { readonly address: string; readonly port: number },
  more: Partial<HostSpec> = {},
): HostSpec {
  return {
    host: 'mx.sink.example',
    address: at.address,
    port: at.port,
    tls: 'off',
    implicitTls: false,
    verifyCertificate: false,
    ehlo: 'relay.example.jp',
    ...more,
  }
}

export function envelopeTo(addresses: readonly string[], more: Partial<Envelope> = {}): Envelope {
  return {
    reversePath: 'a@ours.example',
    recipients: addresses.map(address => ({ address })),
    body: '7BIT',
    smtpUtf8: false,
    ...more,
  }
}

export function outgoingOf(content: string | Buffer, prefix = 'X-Prefix: yes\r\n'): Outgoing {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return { prefix: Buffer.from(prefix), content: bytes, size: prefix.length + bytes.length }
}

export const smallMail = outgoingOf('Subject: hello\r\n\r\nhello\r\n')

export function connectionOf(opened: OpenResult): Connection {
  if (!('connection' in opened)) throw new Error(`not open: ${describeOpened(opened)}`)
  return opened.connection
}

export function describeOpened(opened: OpenResult): string {
  if ('connection' in opened) return 'open'
  if ('reply' in opened) return `${opened.reply.code} ${opened.phase}`
  return `${opened.failure.kind} ${opened.failure.phase}${opened.tlsFailed ? ' tls failed' : ''}`
}

/** `250 dot`, `reset dot in doubt`. */
export function describeResult(result: RecipientResult): string {
  if ('reply' in result) return `${result.reply.code} ${result.phase}`
  return `${result.failure.kind} ${result.failure.phase}${result.failure.inDoubt ? ' in doubt' : ''}`
}

/** A host that follows a script: given everything received so far on a connection, says something or nothing. */
export async function startScriptedHost(
  script: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly address: string; readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    script(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    address: '127.0.0.1',
    port: typeof address === 'object' ? address!.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
