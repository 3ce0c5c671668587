/**
 * The listening sockets: smtp-server's connections, with a `Session` behind each. Door of smtp-server.
 *
 * The library brings sockets, TLS, the command line reader and SASL. What it does otherwise than we need is overridden
 * here, by name (3.21.6, pinned; `test/submission/` shows each): MAIL, RCPT and DATA (syntax, unknown parameters; the
 * content in `content-parser.ts`), EHLO (AUTH only where it is allowed), replies (generic enhanced codes), its idle
 * time-out (extended by every byte) and the 100 ms it waits before the greeting. Fails to open when a port is taken.
 */
import { randomBytes } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SMTPServer, type SMTPServerAuthentication, type SMTPServerSession } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import { ConfigError } from '../base/config-error.ts'
import { listenTrouble } from '../base/listen-trouble.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { connectionLost, connectionRefused } from '../outcome/delivery-log.ts'
import { openCertificate } from './certificate.ts'
import { ContentParser } from './content-parser.ts'
import { Deadlines, overdueReply } from './deadlines.ts'
import { extensionsFor, readGreeting } from './greeting.ts'
import { createHost, type Host, type SubmissionParts } from './host.ts'
import { linesOf, replies, replyOfLibrary } from './replies.ts'
import { type Listener, serverOptions } from './server-options.ts'
import { Session } from './session.ts'

export interface Submission {
  /** In the order of `submission.listeners`. */
  readonly ports: readonly number[]
  reloadCertificate(): void
  /** Open sessions. */
  sessions(): number
  /** No new sessions; messages on their way may finish, within a bound. */
  stop(): Promise<void>
}

export type { SubmissionParts } from './host.ts'

type Done = (error?: Error | null) => void

interface ListenerHost extends Host {
  readonly open: Set<Connection>
  stopping: boolean
}

/** Deadlines are looked at this often: exact enough for seconds, free of a timer per command. */
const sweepEveryMs = 1000
/** A message that is not in by then has its client try again. Shorter than what a supervisor waits before it kills. */
const stopWithinMs = 20_000
export async function openSubmission(parts: SubmissionParts): Promise<Submission> {
  const { config, clock, log } = parts
  const host: ListenerHost = { ...createHost(parts), open: new Set(), stopping: false }
  const servers: Server[] = []
  const certificate = await openCertificate({
    config,
    clock,
    log,
    onChange: ({ key, cert }) => {
      for (const server of servers) server.updateSecureContext({ key, cert })
    },
  })
  // One key for the session tickets of all listeners, so that a client resumes on any of them (RFC 5077).
  const tls = { ...certificate.current, minVersion: 'TLSv1.2', ticketKeys: randomBytes(48) } as const
  for (const listener of config.submission.listeners) servers.push(new Server(host, listener, tls))
  const stopSweeping = clock.every(sweepEveryMs, () => {
    for (const connection of host.open) connection.enforceDeadlines()
  })
  const stop = async () => {
    certificate.stop()
    await stopServers(host, servers)
    stopSweeping()
  }
  try {
    const ports = await Promise.all(servers.map(server => server.start(parts.reusePort ?? false)))
    return { ports, reloadCertificate: certificate.reload, sessions: () => host.open.size, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function stopServers(host: ListenerHost, servers: readonly Server[]): Promise<void> {
  host.stopping = true
  const closed = Promise.all(servers.map(server => new Promise<void>(resolve => server.close(resolve))))
  for (const connection of host.open) connection.retire()
  const done = new AbortController()
  const late = host.parts.clock.sleep(stopWithinMs, done.signal)
  await Promise.race([closed, late])
  done.abort()
  for (const connection of host.open) connection.drop()
  await closed
  // A server is closed before its last sockets have said so.
  await Promise.all([...host.open].map(connection => connection.gone))
}

class Server extends SMTPServer {
  readonly host: ListenerHost
  readonly #listener: Listener
  readonly #bySession = new WeakMap<SMTPServerSession, Connection>()

  constructor(host: ListenerHost, listener: Listener, tls: { key: string; cert: string }) {
    super({ ...tls, ...serverOptions(listener, host.parts.config.hostname, host.parts.log) })
    this.host = host
    this.#listener = listener
    this.on('error', error => host.parts.log.debug({ err: error }, 'a connection failed'))
  }

  start(reusePort: boolean): Promise<number> {
    const { host, port } = this.#listener
    return new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new ConfigError('the configuration', [`submission.listeners: ${listenTrouble(error, host, port)}`]))
      this.server.once('error', fail)
      this.listen({ host, port, reusePort }, () => {
        this.server.off('error', fail)
        resolve((this.server.address() as AddressInfo).port)
      })
    })
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new Connection(this, socket, options)
    this.connections.add(connection)
    this.#bySession.set(connection.session, connection)
    connection.on('error', error => this._onError(error))
    connection.init()
  }

  /** A client that never finishes its handshake has no session; it counts here. */
  override _acceptSocket(socket: Socket, handshake: boolean): (() => void) | false {
    if (!handshake) return super._acceptSocket(socket, handshake)
    const entered = this.host.handshakes.enter(socket.remoteAddress ?? '')
    if ('bound' in entered) {
      socket.on('error', () => {})
      socket.destroy()
      return false
    }
    socket.once('close', entered.leave)
    const release = super._acceptSocket(socket, handshake)
    return () => {
      entered.leave()
      if (release) release()
    }
  }

  override onConnect(_session: SMTPServerSession, callback: Done): void {
    callback()
  }

  override onSecure(socket: Socket | TLSSocket, session: SMTPServerSession, callback: Done): void {
    this.#bySession.get(session)?.secured(socket as TLSSocket)
    callback()
  }

  override onAuth(
    login: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error: Error | null, response?: { user: string }) => void,
  ): void {
    const { username = '', password, authzid } = login
    const answer = this.#bySession.get(session)!.login({ username, password: password ?? '', authzid: authzid ?? '' })
    answer.then(
      reply => (reply === null ? callback(null, { user: username }) : callback(libraryError(reply))),
      error => callback(error),
    )
  }

  get startTls(): boolean {
    return this.#listener.tls === 'starttls'
  }
}

class Connection extends SMTPConnection {
  readonly #host: ListenerHost
  readonly #server: Server
  readonly #session: Session
  readonly #deadlines: Deadlines
  readonly #gone = Promise.withResolvers<void>()
  /** Set while the session is counted. */
  #leave: (() => void) | null = null
  #corked = false

  constructor(server: Server, socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null) {
    super(server, socket, options)
    const { parts } = server.host
    this.#host = server.host
    this.#server = server
    this.#session = new Session(parts, this.remoteAddress)
    this.#deadlines = new Deadlines(parts.config.submission, parts.clock.monotonic())
  }

  get gone(): Promise<void> {
    return this.#gone.promise
  }

  override init(): void {
    this._setListeners(() => {
      const entered = this.#host.admission.enter(this.remoteAddress)
      if ('bound' in entered) this.#turnAway(entered.bound)
      else this.#admit(entered.leave)
    })
  }

  secured(socket: TLSSocket): void {
    this.#session.secured(`${socket.getProtocol()} ${socket.getCipher().name}`)
  }

  login(login: { username: string; password: string; authzid: string }): Promise<Reply | null> {
    return this.#session.login(login)
  }

  enforceDeadlines(): void {
    const overdue = this.#deadlines.overdue(this.#now(), this.#session.isInTransaction)
    if (overdue === null) return
    const reply = overdueReply(overdue, this.#host.parts.config.submission)
    connectionLost(this.#host.parts.log, { ...this.#session.describe(), reason: formatReply(reply) })
    this.#session.close()
    this.#reply(reply)
  }

  /** The server stops: goodbye, unless a command or a message is on its way. */
  retire(): void {
    if (!this.#deadlines.isBusy && !this.#session.isReceiving) this.#reply(replies.stopping)
  }

  drop(): void {
    this._socket.destroy()
  }

  // ── What smtp-server calls ──

  override _createParser(): ContentParser {
    const parser = new ContentParser()
    parser.oncommand = (command, callback) => this._onCommand(command, callback)
    parser.on('error', error => this.send(421, `Error: ${error.message}`))
    return parser
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    this.#deadlines.busy()
    const done = () => {
      this.#deadlines.awaitCommand(this.#now())
      callback?.()
    }
    const answer = this.#isOpen ? this.#transactionCommand(command) : null
    if (answer === null) super._onCommand(command, done)
    else {
      this._handlerPending = true
      this.#answer(answer, () => {
        this._handlerPending = false
        this._whenWritable(done)
      })
    }
  }

  /** Greeted, and nothing else to be done before a command than the command. */
  get #isOpen(): boolean {
    const { _upgrading, _ready, _nextHandler, hostNameAppearsAs } = this
    const isQuiet = _ready && !_upgrading && !_nextHandler && !this.#host.stopping
    return isQuiet && Boolean(hostNameAppearsAs) && !this.#host.parts.log.debugs
  }

  /** MAIL, RCPT and DATA as clients write them; the library's way to them is 30 µs a message, for its log and AJAX. */
  #transactionCommand(command: Buffer): Promise<Reply> | null {
    const verb = command.toString('latin1', 0, 5)
    if (verb === 'MAIL ') return this.#session.mail(command)
    if (verb === 'RCPT ') return this.#session.rcpt(command)
    return verb === 'DATA' ? this.#session.data() : null
  }

  /** Ours are the deadlines; any byte would extend this one. */
  override _armTimeout(): void {}

  override _onClose(): void {
    super._onClose()
    if (this.#leave === null) return
    this.#leave()
    this.#leave = null
    this.#host.open.delete(this)
    if (this.#session.isReceiving) this.#logLost('the client vanished in the middle of a message')
    this.#session.close()
    this.#gone.resolve()
  }

  /** Texts of the library become replies of ours; a text that brings its own status keeps it alone (RFC 2034). */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const known = context === false || typeof data !== 'string' ? null : replyOfLibrary(code, data)
    const complete = context === false || (typeof data === 'string' && /^[245]\.\d{1,3}\.\d{1,3} /.test(data))
    this.#gatherReplies(code)
    if (known !== null) super.send(known.code, linesOf(known), false)
    else super.send(code, data, complete ? false : context)
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#greet('HELO', command, callback)
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#greet('EHLO', command, callback)
  }

  override handler_RSET(command: Buffer, callback: () => void): void {
    this.#session.reset()
    super.handler_RSET(command, callback)
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    const refusal = this.#session.loginRefusal()
    if (refusal === null) super.handler_AUTH(command, callback)
    else this.#answer(Promise.resolve(refusal), callback)
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.#answer(this.#session.mail(command), callback)
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    this.#answer(this.#session.rcpt(command), callback)
  }

  override handler_DATA(_command: Buffer, callback: () => void): void {
    this.#answer(this.#session.data(), callback)
  }

  // ── Private ──

  #answer(answer: Promise<Reply>, callback: () => void): void {
    answer
      .then(reply => {
        this.#reply(reply)
        if (reply === replies.sendContent) this.#awaitContent()
        callback()
      })
      .catch(error => this.#fail(error))
  }

  #awaitContent(): void {
    if (!this._parser) return
    this.#deadlines.awaitContent(this.#now())
    const parser = this._parser as ContentParser
    parser.awaitContent({ receive: content => this.#receive(content), end: () => this.#endOfData() })
  }

  #receive(content: Buffer): Promise<void> | undefined {
    this.#deadlines.received(content.length)
    const written = this.#session.receive(content)
    if (written === undefined) return undefined
    this.#deadlines.hold(this.#now())
    return written.then(() => this.#deadlines.resume(this.#now()))
  }

  async #endOfData(): Promise<void> {
    this.#deadlines.busy()
    const reply = await this.#session.endOfData()
    if (this._closed && reply.code === 250) this.#logLost(`the client was gone before it heard ${formatReply(reply)}`)
    this.#reply(reply)
    this._unrecognizedCommands = 0
    this._resetSession()
    this.#deadlines.awaitCommand(this.#now())
    if (this.#host.stopping) this.retire()
  }

  #greet(verb: 'HELO' | 'EHLO', command: Buffer, callback: () => void): void {
    const name = readGreeting(command)
    if (name === null) this.#reply(replies.greetingSyntax(verb))
    else {
      this.hostNameAppearsAs = name
      this._resetSession()
      this.#session.greet(name, verb === 'EHLO')
      this.send(250, verb === 'EHLO' ? [this.name, ...this.#extensions()] : this.name, false)
    }
    callback()
  }

  #extensions(): string[] {
    return extensionsFor({
      maxMessageBytes: this.#host.parts.config.submission.maxMessageBytes,
      startTls: this.#server.startTls && !this.secure,
      login: this.#session.mayLogIn && !this.session.user,
      secured: this.#session.isSecured,
      maxFutureRelease: this.#host.parts.config.submission.maxFutureRelease,
      now: this.#host.parts.clock.now(),
    })
  }

  #admit(leave: () => void): void {
    this.#leave = leave
    this.#host.open.add(this)
    this.connectionReady()
  }

  #turnAway(bound: 'inAll' | 'perAddress'): void {
    const { maxConnectionsPerAddress } = this.#host.parts.config.submission
    const reply = bound === 'inAll' ? replies.tooManyConnections : replies.tooManyFromAddress(maxConnectionsPerAddress)
    connectionRefused(this.#host.parts.log, { client: this.remoteAddress, reply: formatReply(reply) })
    this.#reply(reply)
  }

  #reply(reply: Reply): void {
    const lines = linesOf(reply, this.#session.mayHearUtf8)
    if (reply.code < 400 && lines.length === 1 && this.#isOpen) this.#write(reply.code, lines[0]!)
    else this.send(reply.code, lines, false)
  }

  #write(code: number, line: string): void {
    if (this._socket.destroyed || this._socket.readyState !== 'open') return
    this.#gatherReplies(code)
    this._socket.write(`${code} ${line}\r\n`)
  }

  /**
   * Replies to commands that came together leave in one write; those behind which the socket changes hands leave at
   * once, and so does the only one of its turn.
   */
  #gatherReplies(code: number): void {
    const socket = this._socket
    const isOnly = !this.#corked && !(this._parser as ContentParser | null)?.isPipelined
    const atOnce = isOnly || code === 220 || code === 221 || code === 421
    if (atOnce === !this.#corked) return
    this.#corked = !atOnce
    if (atOnce) socket.uncork()
    else {
      socket.cork()
      process.nextTick(() => {
        this.#corked = false
        socket.uncork()
      })
    }
  }

  #logLost(reason: string): void {
    connectionLost(this.#host.parts.log, { ...this.#session.describe(), reason })
  }

  /** Nothing comes here that the session could have answered; the connection is of no use any more. */
  #fail(error: unknown): void {
    this.#host.parts.log.error({ err: error, client: this.remoteAddress }, 'a connection broke')
    this._socket.destroy()
  }

  #now(): number {
    return this.#host.parts.clock.monotonic()
  }
}

/** As smtp-server takes errors; the text begins with the status. */
function libraryError(reply: Reply): Error {
  return Object.assign(new Error(linesOf(reply).join(' ')), { responseCode: reply.code })
}
