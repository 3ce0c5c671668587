/**
 * One session of the sink: a line state machine that checks little and remembers everything.
 */
import { createHmac } from 'node:crypto'
import type net from 'node:net'
import tls from 'node:tls'
import type { Certificate } from './certificate.ts'
import type { SinkMessage, SinkOptions } from './sink.ts'
import { SinkContent } from './sink-content.ts'
import { type Fault, misbehave } from './sink-faults.ts'

export interface SinkWorld {
  readonly options: SinkOptions
  readonly certificate: Certificate | null
  readonly messages: SinkMessage[]
  readonly commands: string[]
  readonly perConnection: number[]
  readonly refusedOnce: Set<string>
  readonly sockets: Set<net.Socket>
  readonly transactions: Set<SinkSession>
  fault: Fault | null
  changed(): void
}

const defaultExtensions = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 36700160', 'DSN', 'ENHANCEDSTATUSCODES']

interface Envelope {
  readonly reversePath: string | null
  readonly mailParameters: string
  readonly recipients: string[]
  readonly rcptParameters: string[]
  /** Refusal after the content. */
  verdict: string | null
}

export class SinkSession {
  readonly #world: SinkWorld
  readonly #number: number
  #socket: net.Socket
  #tls: string | null = null
  #serverName: string | null = null
  #ehlo = ''
  #user: string | null = null
  #envelope: Envelope | null = null
  #content: SinkContent | null = null
  #line = Buffer.alloc(0)
  /** Takes the next line instead of the commands: AUTH. */
  #next: ((line: string) => void) | null = null
  /** A content has come and is not answered yet. */
  #thinking = false
  /** A fault has taken over: commands are no longer answered. */
  #mute = false

  constructor(world: SinkWorld, socket: net.Socket) {
    this.#world = world
    this.#socket = socket
    this.#number = world.perConnection.push(0)
    world.sockets.add(socket)
    socket.once('close', () => {
      world.sockets.delete(socket)
      if (!this.#thinking) world.transactions.delete(this)
      world.changed()
    })
    world.changed()
    if (this.#isFaulty('connect')) {
      this.#misbehave('connect', '220 sink ready')
      // Read on, or the end of the connection would never be noticed.
      socket.resume()
    } else if (world.options.tls === 'implicit') this.#secure(() => this.#greet())
    else {
      this.#listen(socket)
      this.#greet()
    }
  }

  #greet(): void {
    this.#answer('banner', '220 mx.sink.example ESMTP ready')
  }

  #listen(socket: net.Socket): void {
    socket.on('error', () => {})
    socket.on('data', chunk => this.#receive(chunk))
  }

  #secure(ready: () => void) {
    const plain = this.#socket
    plain.removeAllListeners('data')
    plain.on('error', () => {})
    if (this.#isFaulty('handshake')) return this.#misbehave('handshake', 'hello')
    const { key, cert } = this.#world.certificate!
    const secured = new tls.TLSSocket(plain, {
      isServer: true,
      key,
      cert,
      SNICallback: (name, done) => {
        this.#serverName = name
        done(null)
      },
    })
    secured.once('secure', () => {
      this.#tls = secured.getProtocol()
      ready()
    })
    this.#socket = secured
    this.#listen(secured)
  }

  #receive(chunk: Buffer): void {
    let rest: Buffer = this.#line.length > 0 ? Buffer.concat([this.#line, chunk]) : chunk
    this.#line = Buffer.alloc(0)
    while (rest.length > 0 && !this.#mute) {
      if (this.#content) {
        const after = this.#content.push(rest)
        if (after === null) return
        rest = after
        this.#finish(this.#content)
        continue
      }
      const end = rest.indexOf('\n')
      if (end === -1) {
        this.#line = Buffer.from(rest)
        return
      }
      this.#take(rest.subarray(0, end).toString('utf8').replace(/\r$/, ''))
      rest = rest.subarray(end + 1)
    }
  }

  #take(line: string): void {
    if (this.#next) {
      const next = this.#next
      this.#next = null
      next(line)
      return
    }
    this.#world.commands.push(line)
    this.#command(line)
    this.#world.changed()
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO' || verb === 'HELO') this.#hello(verb, line)
    else if (verb === 'STAR') this.#starttls()
    else if (verb === 'AUTH') this.#auth(line)
    else if (verb === 'MAIL') this.#mail(line)
    else if (verb === 'RCPT') this.#rcpt(line)
    else if (verb === 'DATA') this.#data()
    else if (verb === 'RSET') {
      this.#envelope = null
      this.#world.transactions.delete(this)
      this.#write('250 2.0.0 reset')
    } else if (verb === 'QUIT') this.#close('221 2.0.0 bye')
    else this.#write('500 5.5.2 unknown command')
  }

  #hello(verb: string, line: string) {
    this.#ehlo = line.slice(5)
    const { options } = this.#world
    if (verb === 'EHLO' && options.heloOnly) return this.#write('502 5.5.1 never heard of it')
    if (verb === 'HELO') return this.#answer('ehlo', '250 mx.sink.example')
    const lines = ['mx.sink.example', ...(options.extensions ?? defaultExtensions)]
    if (options.tls === 'starttls' && this.#tls === null) lines.push('STARTTLS')
    if (options.auth) lines.push(`AUTH ${(options.auth.mechanisms ?? ['PLAIN', 'LOGIN', 'CRAM-MD5']).join(' ')}`)
    this.#answer('ehlo', lines.map((text, index) => `250${index === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n'))
  }

  #starttls() {
    if (this.#world.options.tls !== 'starttls') return this.#write('502 5.5.1 no TLS here')
    if (!this.#answer('starttls', '220 2.0.0 go ahead')) return
    this.#secure(() => {})
  }

  #auth(line: string) {
    const [, mechanism = '', initial] = line.split(' ')
    const decode = (text: string) => Buffer.from(text, 'base64').toString('utf8')
    if (mechanism === 'PLAIN') {
      const [, username = '', password = ''] = decode(initial ?? '').split('\0')
      this.#login(username, given => given === password)
    } else if (mechanism === 'LOGIN') {
      this.#ask('334 VXNlcm5hbWU6', user =>
        this.#ask('334 UGFzc3dvcmQ6', password => this.#login(decode(user), given => given === decode(password))),
      )
    } else this.#cramMd5()
  }

  #cramMd5(): void {
    const challenge = '<1896.697170952@mx.sink.example>'
    this.#ask(`334 ${Buffer.from(challenge).toString('base64')}`, line => {
      const [username = '', digest] = Buffer.from(line, 'base64').toString('utf8').split(' ')
      this.#login(username, password => hmacMd5(password, challenge) === digest)
    })
  }

  #ask(challenge: string, next: (line: string) => void): void {
    if (!this.#answer('auth', challenge)) return
    this.#next = next
  }

  #login(username: string, fits: (password: string) => boolean) {
    const { auth } = this.#world.options
    if (!auth || auth.username !== username || !fits(auth.password)) return this.#write('535 5.7.8 wrong password')
    if (this.#answer('auth', '235 2.7.0 welcome')) this.#user = username
  }

  #mail(line: string) {
    const path = readPath(line)
    const refusal = refusalBy(path.address)
    if (this.#envelope) return this.#write('503 5.5.1 nested MAIL')
    if (this.#world.options.auth && this.#user === null) return this.#write('530 5.7.0 log in first')
    if (refusal) return this.#refuse(refusal)
    if (!this.#answer('mail', '250 2.1.0 ok')) return
    this.#envelope = {
      reversePath: path.address === '' ? null : path.address,
      mailParameters: path.parameters,
      recipients: [],
      rcptParameters: [],
      verdict: null,
    }
    this.#world.transactions.add(this)
  }

  #rcpt(line: string) {
    if (!this.#envelope) return this.#write('503 5.5.1 MAIL first')
    const { address, parameters } = readPath(line)
    const refusal = this.#isPardoned(address) ? null : refusalBy(address)
    if (refusal) return this.#refuse(refusal)
    if (!this.#answer('rcpt', '250 2.1.5 ok')) return
    this.#envelope.recipients.push(address)
    this.#envelope.rcptParameters.push(parameters)
    this.#envelope.verdict ??= /^dot-/.test(address) ? replyIn(address.slice(4)) : null
  }

  /** `once-…`: refused the first time only. */
  #isPardoned(address: string): boolean {
    if (!address.startsWith('once-')) return false
    if (this.#world.refusedOnce.has(address)) return true
    this.#world.refusedOnce.add(address)
    return false
  }

  #data() {
    if (!this.#envelope || this.#envelope.recipients.length === 0) return this.#write('503 5.5.1 RCPT first')
    if (!this.#answer('data', '354 go ahead')) return
    this.#content = new SinkContent(this.#world.options.content !== 'discard')
  }

  #finish(content: SinkContent) {
    const envelope = this.#envelope!
    const { dotDelayMs } = this.#world.options
    this.#content = null
    this.#envelope = null
    this.#world.commands.push('.')
    this.#world.changed()
    if (dotDelayMs === undefined) return this.#conclude(envelope, content)
    this.#thinking = true
    setTimeout(() => this.#conclude(envelope, content), dotDelayMs())
  }

  /** The message counts as taken although nobody may be there any more to hear so. */
  #conclude(envelope: Envelope, content: SinkContent) {
    this.#thinking = false
    this.#world.transactions.delete(this)
    const verdict = envelope.verdict ?? this.#world.options.refuse?.(envelope.reversePath)
    if (verdict) return this.#refuse(verdict)
    if (!this.#answer('dot', '250 2.0.0 taken')) return
    const { verdict: _, ...rest } = envelope
    this.#world.messages.push({
      ...rest,
      content: content.bytes(),
      size: content.size,
      sha256: content.sha256(),
      tls: this.#tls,
      serverName: this.#serverName,
      ehlo: this.#ehlo,
      user: this.#user,
      remoteAddress: this.#socket.remoteAddress ?? '',
      session: this.#number,
    })
    const sent = ++this.#world.perConnection[this.#number - 1]!
    this.#world.changed()
    if (sent === this.#world.options.maxMessages) this.#close('421 4.7.0 that was enough')
  }

  #refuse(reply: string): void {
    if (reply.startsWith('421')) this.#close(reply)
    else this.#write(reply)
  }

  #isFaulty(phase: Fault['phase']): boolean {
    return this.#world.fault?.phase === phase
  }

  /** The good answer, or the fault. True when the good answer was given. */
  #answer(phase: Fault['phase'], good: string): boolean {
    if (this.#isFaulty(phase)) {
      const { kind } = this.#world.fault!
      this.#misbehave(phase, good)
      return kind === 'extra-reply'
    }
    this.#write(good)
    return true
  }

  #misbehave(phase: Fault['phase'], good: string): void {
    const { kind } = this.#world.fault!
    this.#mute = misbehave(this.#socket, phase, kind, good)
  }

  #write(reply: string): void {
    if (!this.#socket.destroyed) this.#socket.write(`${reply}\r\n`)
  }

  #close(reply: string): void {
    this.#mute = true
    this.#socket.end(`${reply}\r\n`)
  }
}

function readPath(line: string): { readonly address: string; readonly parameters: string } {
  const [, address = '', parameters = ''] = /^[^<]*<(.*)>\s*([^>]*)$/.exec(line) ?? []
  return { address, parameters }
}

function refusalBy(address: string): string | null {
  if (address.startsWith('dot-')) return null
  const reply = replyIn(address.startsWith('once-') ? address.slice(5) : address)
  return reply?.startsWith('2') ? null : reply
}

/** `550-5.1.1+tag@…` → `550 5.1.1 says the sink`. */
function replyIn(address: string): string | null {
  const [, code, status] = /^([245]\d\d)(?:-(\d\.\d+\.\d+))?(?:\+[^@]*)?@/.exec(address) ?? []
  return code ? `${code} ${status ? `${status} ` : ''}says the sink` : null
}

function hmacMd5(key: string, text: string): string {
  return createHmac('md5', key).update(text).digest('hex')
}
