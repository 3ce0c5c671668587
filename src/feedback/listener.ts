/**
 * The MX of the bounce hosts: takes what comes back for mail that we sent, and refuses everything else at RCPT.
 *
 * Relays nothing and answers nothing: whatever it takes ends here (or, wrapped, at the operator's own address). Everything
 * is bounded: connections in all and per address, mails a minute, recipients, octets taken and kept, silence, the session.
 * On the main thread: bounces are few, and reading one is bounded. Fails to open when a port is taken. Door of smtp-server
 * (3.21.6, pinned); trouble of ours is 451, so that nothing is lost that a sender can hand in again.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { ConfigError } from '../base/config-error.ts'
import { listenTrouble } from '../base/listen-trouble.ts'
import type { Log } from '../base/log.ts'
import { domainOf, parseMailbox } from '../mail/address.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { connectionRefused, refused } from '../outcome/delivery-log.ts'
import type { Meter } from '../outcome/meter.ts'
import { type IntakeAddress, type IntakeNames, intakeAddress, isHostOfOurs } from './addresses.ts'
import type { Forwarder } from './forward.ts'
import type { Intake } from './intake.ts'
import { RateByAddress } from './rate.ts'
import { refusal, replies, textOf } from './replies.ts'
import { looksLikeVerp } from './verp.ts'

export interface FeedbackCertificate {
  readonly key: string
  readonly cert: string
}

export interface FeedbackParts {
  readonly config: Pick<Config, 'feedback' | 'hostname' | 'relayDomain' | 'domains'>
  readonly verpKey: Buffer
  readonly intake: Intake
  /** Null: nobody reads what comes to the postmaster. */
  readonly forwarder: Forwarder | null
  readonly certificate: FeedbackCertificate
  readonly clock: Clock
  readonly log: Log
  readonly meter: Pick<Meter, 'returnIgnored'>
}

export interface FeedbackListener {
  /** In the order of `feedback.listeners`. */
  readonly ports: readonly number[]
  useCertificate(certificate: FeedbackCertificate): void
  stop(): Promise<void>
}

type Done = (error?: Error | null, message?: string) => void
type Listener = Config['feedback']['listeners'][number]

interface Accepted {
  readonly address: IntakeAddress
  /** As in RCPT, for the log. */
  readonly recipient: string
}

/** Of mail on its way when the relay stops; its sender tries again. */
const stopWithinMs = 2000
const sweepEveryMs = 1000

export async function openFeedbackListener(parts: FeedbackParts): Promise<FeedbackListener> {
  const host = new BounceHost(parts)
  const servers = parts.config.feedback.listeners.map(listener => ({ listener, server: host.serverFor(listener) }))
  const stopSweeping = parts.clock.every(sweepEveryMs, () => host.endLongSessions(servers.map(({ server }) => server)))
  const stop = async () => {
    stopSweeping()
    await Promise.all(servers.map(({ server }) => closeServer(server)))
  }
  try {
    const ports = await Promise.all(servers.map(({ listener, server }) => listen(server, listener)))
    return {
      ports,
      stop,
      useCertificate: certificate => {
        for (const { server } of servers) server.updateSecureContext(certificate)
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What all listeners share. */
class BounceHost {
  readonly #parts: FeedbackParts
  readonly #names: IntakeNames
  readonly #rate: RateByAddress
  readonly #openBy = new Map<string, number>()
  /** Recipients of the present transaction, by session id. */
  readonly #sessions = new Map<string, Accepted[]>()
  readonly #openedAt = new WeakMap<SMTPConnection, number>()

  constructor(parts: FeedbackParts) {
    this.#parts = parts
    this.#names = { ...parts.config, complaints: parts.config.feedback.complaints, verpKey: parts.verpKey }
    this.#rate = new RateByAddress(parts.config.feedback.messagesPerMinute)
  }

  serverFor({ tls }: Listener): SMTPServer {
    const { config, certificate, log } = this.#parts
    const { feedback, hostname } = config
    const server = new SMTPServer({
      name: hostname,
      banner: 'takes bounces only',
      ...certificate,
      minVersion: 'TLSv1.2',
      disabledCommands: tls === 'none' ? ['AUTH', 'STARTTLS'] : ['AUTH'],
      authOptional: true,
      disableReverseLookup: true,
      // Replies bring their status along.
      hideENHANCEDSTATUSCODES: true,
      lenientAddressParsing: true,
      size: feedback.maxMessageBytes,
      maxClients: feedback.maxConnections,
      socketTimeout: feedback.commandTimeout,
      closeTimeout: stopWithinMs,
      logger: false,
      onConnect: (session, done) => this.#connect(session, done),
      onClose: session => this.#close(session),
      onMailFrom: (_address, session, done) => this.#mail(session, done),
      onRcptTo: (address, session, done) => this.#rcpt(address, session, done),
      onData: (stream, session, done) => void this.#data(stream, session).then(reply => answer(reply, done)),
    })
    // A client that breaks its connection is no concern of the others.
    server.on('error', error => log.debug({ err: error }, 'a connection of the bounce host failed'))
    return server
  }

  /** The library only knows silence; whoever says a little now and then would stay for ever. */
  endLongSessions(servers: readonly SMTPServer[]): void {
    const now = this.#parts.clock.monotonic()
    for (const connection of servers.flatMap(server => [...server.connections])) {
      const openedAt = this.#openedAt.get(connection)
      if (openedAt === undefined) this.#openedAt.set(connection, now)
      else if (now - openedAt > this.#parts.config.feedback.sessionTimeout) {
        connection.send(replies.sessionTimeout.code, textOf(replies.sessionTimeout), false)
        connection.close()
      }
    }
  }

  #connect({ id, remoteAddress }: SMTPServerSession, done: Done): void {
    const open = (this.#openBy.get(remoteAddress) ?? 0) + 1
    this.#openBy.set(remoteAddress, open)
    this.#sessions.set(id, [])
    const { maxConnections, maxConnectionsPerAddress } = this.#parts.config.feedback
    const mayEnter = open <= maxConnectionsPerAddress && this.#sessions.size <= maxConnections
    if (!mayEnter)
      connectionRefused(this.#parts.log, { client: remoteAddress, reply: formatReply(replies.tooManyConnections) })
    done(mayEnter ? null : refusal(replies.tooManyConnections))
  }

  #close({ id, remoteAddress }: SMTPServerSession): void {
    if (!this.#sessions.delete(id)) return
    const open = (this.#openBy.get(remoteAddress) ?? 0) - 1
    if (open > 0) this.#openBy.set(remoteAddress, open)
    else this.#openBy.delete(remoteAddress)
  }

  #mail({ id, remoteAddress }: SMTPServerSession, done: Done): void {
    this.#sessions.set(id, [])
    const mayGoOn = this.#rate.take(remoteAddress, this.#parts.clock.monotonic())
    done(mayGoOn ? null : refusal(replies.tooFast))
  }

  #rcpt({ address: recipient }: SMTPServerAddress, { id, remoteAddress }: SMTPServerSession, done: Done): void {
    const accepted = this.#sessions.get(id) ?? []
    const found = this.#recipient(recipient, accepted.length)
    const isAccepted = 'kind' in found
    if (isAccepted) this.#sessions.set(id, [...accepted, { address: found, recipient }])
    else refused(this.#parts.log, { client: remoteAddress, recipient, reply: formatReply(found) })
    done(isAccepted ? null : refusal(found))
  }

  #recipient(address: string, before: number): IntakeAddress | Reply {
    if (before >= this.#parts.config.feedback.maxRecipients) return replies.tooManyRecipients
    const found = intakeAddress(address, this.#names)
    if (found === null) return this.#stranger(address)
    return found.kind === 'postmaster' && this.#parts.forwarder === null ? replies.noPostmaster : found
  }

  #stranger(address: string): Reply {
    if (looksLikeVerp(address)) this.#parts.meter.returnIgnored('forged')
    return isOurs(address, this.#names) ? replies.noSuchAddress : replies.notOurs
  }

  async #data(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Reply> {
    const { config, log } = this.#parts
    try {
      const content = await beginningOf(stream, config.feedback.readBytes)
      if (stream.sizeExceeded) return replies.tooLarge
      for (const accepted of this.#sessions.get(session.id) ?? [])
        await this.#take(accepted, content, session.remoteAddress)
      return replies.taken
    } catch (error) {
      log.error({ err: error, client: session.remoteAddress }, 'the bounce host could not take a mail')
      return replies.trouble
    }
  }

  async #take({ address, recipient }: Accepted, content: Buffer, client: string): Promise<void> {
    const { intake, forwarder } = this.#parts
    if (address.kind === 'postmaster') await forwarder?.forward({ role: address.role, recipient, content, client })
    else await intake.take({ address, recipient, content, client })
  }
}

/** The library reads on to the end; what lies beyond the bound is not kept. */
async function beginningOf(stream: SMTPServerDataStream, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(0, Math.max(0, bytes - length))
    length += wanted.length
    if (wanted.length > 0) chunks.push(wanted)
  }
  return Buffer.concat(chunks)
}

function isOurs(address: string, names: IntakeNames): boolean {
  const mailbox = parseMailbox(address)
  return mailbox !== null && isHostOfOurs(domainOf(mailbox), names)
}

function answer(reply: Reply, done: Done): void {
  if (reply.code < 400) done(null, textOf(reply))
  else done(refusal(reply))
}

/** smtp-server passes errors of its listener on to itself; before listening they mean that it can't start. */
async function listen(server: SMTPServer, { host, port }: Listener): Promise<number> {
  server.listen(port, host)
  try {
    if (!server.server.listening) await once(server.server, 'listening')
  } catch (error) {
    throw new ConfigError('the configuration', [`feedback.listeners: ${listenTrouble(error as Error, host, port)}`])
  }
  return (server.server.address() as AddressInfo).port
}

function closeServer(server: SMTPServer): Promise<void> {
  for (const connection of server.connections) if (!connection.session.envelope.rcptTo.length) connection.close()
  return server.server.listening ? new Promise(resolve => server.close(() => resolve())) : Promise.resolve()
}
