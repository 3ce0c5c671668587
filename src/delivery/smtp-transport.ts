/**
 * The outbound transport: nodemailer opens the session (EHLO, STARTTLS, AUTH), `SmtpConnection` carries the mail.
 *
 * Why not nodemailer's `send`: it takes `25 ok` for success, 250 for 354 and a stale reply for the next answer, doesn't
 * tell in which phase a connection died, has one NOTIFY and ORCPT for all recipients, and rewrites line ends in a
 * byte-by-byte stream. So every byte from the host goes through a `Wire` first, which hands the library one well-formed,
 * asked-for reply at a time, and nothing once the session is open.
 *
 * Relied on in nodemailer 10.6.0, and watched by `test/delivery/smtp-transport.test.ts`: `_onData` takes what the host
 * sends, `_sendCommand(command, masked)` writes every command, `_onConnect` runs once the banner is due, `_socket` is
 * the live socket, a given `connection` is used as it is.
 *
 * Network trouble is answered, never thrown. Passwords reach neither log nor failure.
 */
import type net from 'node:net'
import { createSecureContext, rootCertificates, type SecureContext, TLSSocket } from 'node:tls'
import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Failure, Phase } from '../mail/attempt-result.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { certificateProblem, tlsOptions } from './peer-proof.ts'
import { SmtpConnection } from './smtp-connection.ts'
import { detailOf, dial, kindOf } from './smtp-dial.ts'
import { readExtensions } from './smtp-envelope.ts'
import type { Received } from './smtp-replies.ts'
import { Wire } from './smtp-wire.ts'
import type { HostSpec, OpenResult, Transport, TransportLimits } from './transport.ts'

export interface SmtpTransportOptions {
  readonly clock: Clock
  readonly log: Log
  /** PEM certificates trusted besides the well-known authorities. */
  readonly trusted?: readonly string[]
}

interface Library extends SMTPConnection {
  _onData(chunk: Buffer): void
  _onConnect(): void
  _sendCommand(command: string, masked?: string): void
}

const Library = SMTPConnection as unknown as new (options: SMTPConnectionOptions) => Library

/** The library's own timers run on the system clock; ours end every phase earlier. */
const neverMs = 2 ** 31 - 1
const maxAuthSteps = 4

export function createSmtpTransport(options: SmtpTransportOptions): Transport {
  let context: SecureContext | undefined
  const secureContext = () => {
    context ??= createSecureContext(options.trusted ? { ca: [...rootCertificates, ...options.trusted] } : {})
    return context
  }
  return {
    async open(spec, limits) {
      const dialled = await dial(spec, limits.connectTimeoutMs, options.clock)
      if ('kind' in dialled) return { failure: dialled, tlsFailed: false }
      return new Promise(
        done => new Opening({ ...options, spec, limits, secureContext: secureContext(), socket: dialled, done }),
      )
    },
  }
}

interface OpeningOptions {
  readonly clock: Clock
  readonly log: Log
  readonly spec: HostSpec
  readonly limits: TransportLimits
  readonly secureContext: SecureContext
  readonly socket: net.Socket
  readonly done: (result: OpenResult) => void
}

/** A session until it can carry mail; afterwards it only passes on what the socket says. */
class Opening extends Library {
  readonly #options: OpeningOptions
  readonly #wire: Wire
  #ehloReply = ''
  #verb = ''
  #authSteps = 0

  constructor(options: OpeningOptions) {
    super(libraryOptions(options))
    const { clock, limits, spec } = options
    this.#options = options
    this.#wire = new Wire(
      {
        clock,
        limits,
        log: options.log.debugs ? options.log.child({ host: spec.host, address: spec.address }) : options.log,
        conceal: spec.auth && concealing(spec.auth),
        close: () => this.close(),
        setup: (received, phase) => this.#advance(received, phase),
        setupFailed: failure => this.#giveUp(failure),
      },
      spec.implicitTls ? 'starttls' : 'banner',
    )
    this.on('error', (error: Error) => this.#broke(error))
    this.on('end', () => this.#wire.fail('closed', 'closed by the host'))
    this.connect(error => (error ? this.#broke(error) : queueMicrotask(() => this.#ready())))
  }

  override _onConnect(): void {
    this.#wire.expect('banner')
    super._onConnect()
  }

  override _onData(chunk: Buffer): void {
    this.#wire.receive(chunk)
  }

  override _sendCommand(command: string, masked?: string): void {
    this.#verb = command.slice(0, 4)
    if (this.#authSteps > 0) this.#sendCredentials(command, masked)
    else {
      this.#wire.sent(this.#verb === 'STAR' ? 'starttls' : 'ehlo', command)
      super._sendCommand(command, masked)
    }
  }

  /** RFC 4954 §4: each 334 asks for one more line; an honest exchange has three, so more would be a host that never ends. */
  #sendCredentials(command: string, masked?: string): void {
    if (this.#authSteps++ > maxAuthSteps) {
      this.#wire.fail('malformed-reply', '334 without end', 'auth')
      return
    }
    this.#wire.sent('auth', this.#verb === 'AUTH' ? command.split(' ', 2).join(' ') : '[credentials]')
    super._sendCommand(command, masked)
  }

  /** The library goes on from successes, and from refusals that leave it another way. */
  #advance({ reply, raw }: Received, phase: Phase): void {
    if (phase === 'ehlo') this.#ehloReply = this.#verb === 'EHLO' && reply.code < 400 ? raw : ''
    if (reply.code < 400 || this.#hasAnotherWay(reply, phase)) super._onData(Buffer.from(`${raw}\n`, 'latin1'))
    else this.#refused(reply, phase)
  }

  #hasAnotherWay({ code }: Reply, phase: Phase): boolean {
    const { tls, auth } = this.#options.spec
    // RFC 5321 §3.2: a host that does not know EHLO may know HELO, but then has no STARTTLS.
    if (phase === 'ehlo') return this.#verb === 'EHLO' && code >= 500 && tls !== 'required'
    // RFC 3207 §4: a host that can't do TLS now goes on in plain text. A password does not.
    return phase === 'starttls' && code !== 421 && tls === 'opportunistic' && !auth
  }

  #refused(reply: Reply, phase: Phase): void {
    if (phase === 'starttls' && reply.code !== 421) this.#wire.fail('tls', formatReply(reply))
    this.#options.done({ reply, phase, conversation: this.#wire.conversation })
    this.#wire.fail('closed', 'refused')
  }

  #ready(): void {
    if (this.#wire.failure || !this.#isProven()) return
    const { auth } = this.#options.spec
    if (!auth) this.#open()
    else if (!readExtensions(this.#ehloReply, false).has('AUTH')) {
      this.#wire.fail('unsupported', 'the host does not offer AUTH', 'auth')
    } else this.#authenticate(auth)
  }

  /** Before anything of worth is said: TLS where it must be, and with DANE the right certificate (RFC 7672 §3.1). */
  #isProven(): boolean {
    const { spec, clock } = this.#options
    const socket = this._socket as net.Socket
    const isPlain = spec.tls === 'required' && !(socket instanceof TLSSocket)
    const problem = isPlain ? 'plain text' : spec.plan?.dane ? certificateProblem(socket, spec, clock.now()) : null
    if (problem !== null) this.#wire.fail('tls', problem, 'starttls')
    return problem === null
  }

  #authenticate({ username, password }: NonNullable<HostSpec['auth']>): void {
    this.#authSteps = 1
    this.login({ user: username, pass: password }, error => {
      if (error) this.#wire.fail('malformed-reply', 'unexpected answer to AUTH', 'auth')
      else queueMicrotask(() => this.#open())
    })
  }

  #open(): void {
    if (this.#wire.failure) return
    const socket = this._socket as net.Socket
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    this.#wire.attach(socket)
    const { spec, clock, done } = this.#options
    const problem = certificateProblem(socket, spec, clock.now())
    const tls = describeTls(socket, problem)
    const extensions = readExtensions(this.#ehloReply, tls !== null)
    const session = { spec, tls, certificateProblem: problem, extensions, wire: this.#wire, closed }
    done({ connection: new SmtpConnection(session) })
  }

  /** The socket died; during a TLS handshake that is the handshake's failure. */
  #broke(error: Error): void {
    const kind = kindOf(error)
    this.#wire.fail(this.upgrading && kind !== 'timeout' ? 'tls' : kind, detailOf(error))
  }

  #giveUp(failure: Failure): void {
    const { conversation } = this.#wire
    // RFC 8446 §4.4.2: in TLS 1.3 the host may refuse us, for want of a client certificate, when the handshake seems over.
    const tlsFailed = failure.phase === 'starttls' || failure.kind === 'tls'
    this.#options.done({ failure, tlsFailed, conversation })
  }
}

function libraryOptions({ spec, socket, secureContext }: OpeningOptions): SMTPConnectionOptions {
  const starttls = spec.implicitTls ? 'off' : spec.tls
  return {
    connection: socket,
    host: spec.host,
    port: spec.port,
    name: spec.ehlo,
    secure: spec.implicitTls,
    ignoreTLS: starttls === 'off',
    requireTLS: starttls === 'required',
    opportunisticTLS: starttls === 'opportunistic' && !spec.auth,
    tls: { secureContext, ...tlsOptions(spec) },
    connectionTimeout: neverMs,
    greetingTimeout: neverMs,
    socketTimeout: neverMs,
    // Destroyed, not half-closed: what was to be said was said by QUIT.
    socketCloseTimeout: 0,
  }
}

/** A password that is hardly one would be found in the host's own words. */
const shortestConcealed = 4

/** Some hosts repeat what they were sent: a password, or its AUTH line, must not come back in a reply that is told on. */
function concealing({ username, password }: NonNullable<HostSpec['auth']>): ((line: string) => string) | undefined {
  if (password.length < shortestConcealed) return undefined
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const secrets = [base64(`\0${username}\0${password}`), base64(password), Buffer.from(password).toString('latin1')]
  return line => secrets.reduce((told, secret) => told.replaceAll(secret, '[credentials]'), line)
}

function describeTls(socket: net.Socket, problem: string | null): string | null {
  if (!(socket instanceof TLSSocket)) return null
  const { standardName, name } = socket.getCipher()
  return `${socket.getProtocol()} ${standardName ?? name} ${problem === null ? 'verified' : 'unverified'}`
}
