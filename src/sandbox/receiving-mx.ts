/**
 * The sandbox's receiving MX: a real SMTP server on loopback that takes mail for every domain and verifies it.
 *
 * The reply to the final dot tells the number in the inbox and the verdict. Refuses only what the address asks for
 * (`refusal.ts`) and what is too large; trouble of its own is 451. Fails to start when the port is taken.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Resolver } from '../dns/resolver.ts'
import { localPartOf } from '../mail/address.ts'
import type { Inbox } from './inbox.ts'
import { readable } from './readable.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { summaryOf, verifyArrival } from './verify-arrival.ts'

export interface ReceivingMx {
  readonly port: number
  stop(): Promise<void>
}

export interface ReceivingMxParts {
  readonly inbox: Inbox
  readonly resolver: Resolver
  /** The name in the greeting, and the authserv-id of its verdicts. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** PEM; null: STARTTLS is not offered. */
  readonly certificate: { readonly key: string; readonly cert: string } | null
  readonly clock: Clock
  readonly log: Log
}

/** Above what the relay accepts (`submission.maxMessageBytes`) with room for what it adds. */
const maxMessageBytes = 40 * 1024 * 1024
/** More than the relay opens to one site. */
const maxConnections = 100
/** A stop waits this long for the sessions of our own relay. */
const closeTimeoutMs = 500

export async function startReceivingMx(parts: ReceivingMxParts): Promise<ReceivingMx> {
  const server = new SMTPServer({
    name: parts.name,
    banner: 'Kitte sandbox: nothing leaves this machine',
    disabledCommands: parts.certificate ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    ...(parts.certificate ?? {}),
    disableReverseLookup: true,
    size: maxMessageBytes,
    maxClients: maxConnections,
    closeTimeout: closeTimeoutMs,
    logger: false,
    onRcptTo: ({ address }, _session, done) => done(errorOf(refusal(address, 'rcpt'))),
    onData: (stream, session, done) =>
      receive(parts, stream, session).then(
        answer => (typeof answer === 'string' ? done(null, answer) : done(errorOf(answer))),
        error => {
          parts.log.error({ error: String(error?.stack ?? error) }, 'the sandbox could not take a message')
          done(errorOf({ code: 451, text: '4.3.0 Temporary trouble in the sandbox', at: 'dot' }))
        },
      ),
  })
  // A client that resets its connection is no concern of the others.
  server.on('error', () => {})
  server.listen(parts.port, parts.host)
  await startedListening(server)
  return {
    port: (server.server.address() as AddressInfo).port,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  }
}

/** smtp-server passes errors of its listener on to itself; before listening they mean that it can't start. */
async function startedListening(server: SMTPServer): Promise<void> {
  if (!server.server.listening) await once(server.server, 'listening')
}

/** The text after 250, or a refusal. */
async function receive(
  parts: ReceivingMxParts,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<string | Refusal> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) if (!stream.sizeExceeded) chunks.push(chunk)
  if (stream.sizeExceeded) return { code: 552, text: '5.3.4 Larger than the sandbox takes', at: 'dot' }
  const recipients = session.envelope.rcptTo.map(({ address }) => address)
  const refused = recipients.map(address => refusal(address, 'dot')).find(found => found !== null)
  if (refused) return refused
  const transaction = {
    ip: session.remoteAddress,
    helo: session.hostNameAppearsAs,
    reversePath: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
  }
  const raw = Buffer.concat(chunks)
  const verdict = await verifyArrival(raw, transaction, parts.resolver, parts.name)
  const number = parts.inbox.add({
    receivedAt: parts.clock.now(),
    helo: transaction.helo,
    remoteIp: transaction.ip,
    tls: session.tlsOptions ? `${session.tlsOptions.version} ${session.tlsOptions.name}` : null,
    reversePath: transaction.reversePath,
    recipients,
    verdict,
    raw,
    message: readable(raw),
  })
  return `2.0.0 In the sandbox as ${number}: ${summaryOf(verdict)}`
}

function refusal(address: string, at: Refusal['at']): Refusal | null {
  const found = refusalOf(localPartOf(address))
  return found?.at === at ? found : null
}

function errorOf(refused: Refusal | null): (Error & { responseCode: number }) | null {
  return refused && Object.assign(new Error(refused.text), { responseCode: refused.code })
}
