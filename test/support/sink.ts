/**
 * A receiving SMTP server for tests, on loopback: keeps what it gets, answers by local part, misbehaves on demand.
 *
 * Answers by local part of the recipient (`+tag` is ignored):
 * `ok` and anything else: accepted · `550-5.1.1`, `451-4.7.1`, `421-4.3.2`, `250`: that reply to RCPT ·
 * `dot-554-5.7.1`: accepted, that reply after the content · `once-451-4.7.1`: that reply the first time, then accepted.
 * 421 is followed by closing the connection. The sender's local part is read the same way for MAIL.
 */
import net from 'node:net'
import type { Zone } from '../../src/dns/zone.ts'
import { type Certificate, testCertificate } from './certificate.ts'
import { patienceMs } from './patience.ts'
import type { Fault } from './sink-faults.ts'
import { SinkSession, type SinkWorld } from './sink-session.ts'

export type { Fault, FaultKind, FaultPhase } from './sink-faults.ts'

export interface SinkOptions {
  /** Default 127.0.0.1; `::1` for IPv6. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Default `none`. */
  readonly tls?: 'none' | 'starttls' | 'implicit'
  /** Default: the self-signed one of `testCertificate`. */
  readonly certificate?: Certificate
  /** EHLO lines besides STARTTLS. Default: PIPELINING, 8BITMIME, SMTPUTF8, SIZE, DSN, ENHANCEDSTATUSCODES. */
  readonly extensions?: readonly string[]
  /** Offers AUTH PLAIN LOGIN CRAM-MD5 (or `mechanisms`) and takes mail only after it. */
  readonly auth?: { readonly username: string; readonly password: string; readonly mechanisms?: readonly string[] }
  /** EHLO is unknown, as with servers of before 1995. */
  readonly heloOnly?: boolean
  /** Closes after this many messages, with 421. */
  readonly maxMessages?: number
  /** `discard` keeps only size and hash of contents. Default `keep`. */
  readonly content?: 'keep' | 'discard'
  /** How long to think before the answer to the next content. Default: not at all. */
  readonly dotDelayMs?: () => number
  /** The reply to the content of a mail with that reverse-path, in place of taking it; null: it is taken. */
  readonly refuse?: (reversePath: string | null) => string | null
  readonly fault?: Fault
}

export interface SinkMessage {
  readonly reversePath: string | null
  readonly mailParameters: string
  readonly recipients: readonly string[]
  readonly rcptParameters: readonly string[]
  /** As sent: dot-stuffing undone, final dot removed. Empty with `content: 'discard'`. */
  readonly content: Buffer
  readonly size: number
  readonly sha256: string
  /** Protocol version; null: plain text. */
  readonly tls: string | null
  /** Name the client gave in SNI. */
  readonly serverName: string | null
  readonly ehlo: string
  /** Username of AUTH. */
  readonly user: string | null
  readonly remoteAddress: string
  /** Counted from 1. */
  readonly session: number
}

export interface Sink extends AsyncDisposable {
  readonly address: string
  readonly port: number
  /** PEM, self-signed, for `mx.sink.example`, `localhost`, 127.0.0.1 and ::1; empty without TLS. */
  readonly certificate: string
  readonly messages: readonly SinkMessage[]
  /** Every command of every session, in order, without line ends; `.` is the end of a content. */
  readonly commands: readonly string[]
  /** Connections so far. */
  readonly connections: number
  readonly open: number
  /** Transactions between MAIL and the answer to the content. */
  readonly transactions: number
  /** Messages of each session, in the order of the connections. */
  readonly messagesPerConnection: readonly number[]
  /** Content of the last message with null reverse-path to this address. */
  lastReportTo(address: string): string
  /** A zone in which these domains have this sink as MX (host names `mx.<domain>`). */
  zone(...domains: readonly string[]): Zone
  /** Resolves when so many messages have come. */
  received(count: number): Promise<void>
  /** Resolves when this is true; asked after everything that happens here. */
  when(condition: () => boolean, what?: string): Promise<void>
  /** Misbehaves from now on, or no longer. */
  setFault(fault: Fault | null): void
  /** Closes all connections, as a restart would. */
  dropConnections(): void
  close(): Promise<void>
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const waiting = new Set<() => void>()
  const world: SinkWorld = {
    options,
    certificate: (options.tls ?? 'none') === 'none' ? null : (options.certificate ?? testCertificate()),
    messages: [],
    commands: [],
    perConnection: [],
    refusedOnce: new Set(),
    sockets: new Set(),
    transactions: new Set(),
    fault: options.fault ?? null,
    changed: () => {
      for (const check of waiting) check()
    },
  }
  const server = net.createServer(socket => new SinkSession(world, socket))
  const address = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, address, resolve)
  })
  const port = (server.address() as net.AddressInfo).port
  const sink: Sink = {
    address,
    port,
    certificate: world.certificate?.cert ?? '',
    messages: world.messages,
    commands: world.commands,
    messagesPerConnection: world.perConnection,
    get connections() {
      return world.perConnection.length
    },
    get open() {
      return world.sockets.size
    },
    get transactions() {
      return world.transactions.size
    },
    lastReportTo: wanted => lastReportTo(world.messages, wanted),
    zone: (...domains) => zoneOf(address, domains),
    received: count => sink.when(() => world.messages.length >= count, `${count} messages`),
    when: (condition, what = String(condition)) => waitUntil(waiting, condition, what),
    setFault: fault => {
      world.fault = fault
    },
    dropConnections: () => {
      for (const socket of world.sockets) socket.destroy()
    },
    async close() {
      sink.dropConnections()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
    [Symbol.asyncDispose]: () => sink.close(),
  }
  return sink
}

function lastReportTo(messages: readonly SinkMessage[], address: string): string {
  const report = messages.findLast(
    ({ reversePath, recipients }) => reversePath === null && recipients.includes(address),
  )
  if (!report) throw new Error(`no report to ${address} among ${messages.length} messages`)
  return report.content.toString('utf8')
}

function zoneOf(address: string, domains: readonly string[]): Zone {
  const addresses = net.isIPv6(address) ? { AAAA: [address] } : { A: [address] }
  const entries = domains.flatMap(domain => [
    [domain, { MX: [[10, `mx.${domain}`]] as const }] as const,
    [`mx.${domain}`, addresses] as const,
  ])
  return Object.fromEntries(entries)
}

function waitUntil(waiting: Set<() => void>, condition: () => boolean, what: string): Promise<void> {
  if (condition()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      waiting.delete(check)
    }
    const check = () => {
      if (!condition()) return
      end()
      resolve()
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error(`the sink waited ${patienceMs} ms in vain for ${what}`))
    }, patienceMs)
    waiting.add(check)
  })
}
