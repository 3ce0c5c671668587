/**
 * The sandbox's name server: real DNS over UDP and TCP (RFC 1035 §4.2, RFC 7766), on loopback only.
 *
 * What is no DNS message is dropped (UDP) or ends the connection (TCP); what it can't do is NOTIMP, and what can't be
 * written is SERVFAIL: a record typed by hand must never end the relay. Answers that don't
 * fit are truncated, and the client asks again over TCP. Fails to start when the port is taken.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import {
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import type { Clock } from '../base/clock.ts'
import { answerQuestion, type ZoneHosts } from './zone-answer.ts'
import type { ZoneBook } from './zone-book.ts'

export interface ZoneServer {
  readonly port: number
  stop(): Promise<void>
}

export interface ZoneServerParts {
  readonly book: ZoneBook
  readonly hosts: ZoneHosts
  readonly host: string
  /** 0: any port that is free for both UDP and TCP. */
  readonly port: number
  readonly clock: Clock
  /** Told of each question, for who counts them. */
  readonly onQuestion?: (name: string, type: string) => void
}

/** Without EDNS (RFC 1035 §2.3.4) and with it: what passes every network unfragmented (DNS flag day 2020). */
const plainUdpOctets = 512
const ednsUdpOctets = 1232
const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const
/** One machine's programs; far more than they need. */
const maxTcpConnections = 100
/** RFC 7766 §6.2.3: a few seconds. */
const tcpIdleMs = 10_000

export async function startZoneServer(parts: ZoneServerParts): Promise<ZoneServer> {
  const tcp = createServer(socket => serveTcp(parts, socket))
  tcp.maxConnections = maxTcpConnections
  const open = new Set<Socket>()
  tcp.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  tcp.listen(parts.port, parts.host)
  await once(tcp, 'listening')
  const port = (tcp.address() as { port: number }).port
  const udp = await listenUdp(parts, port).catch(error => {
    tcp.close()
    throw error
  })
  return { port, stop: () => stop(tcp, open, udp) }
}

async function listenUdp(parts: ZoneServerParts, port: number): Promise<UdpSocket> {
  const udp = createSocket(parts.host.includes(':') ? 'udp6' : 'udp4')
  udp.bind(port, parts.host)
  await once(udp, 'listening')
  udp.on('message', (bytes, from) => replyUdp(parts, udp, bytes, from))
  // A client that is gone answers with ICMP; that is no concern of the others.
  udp.on('error', () => {})
  return udp
}

async function stop(tcp: Server, open: ReadonlySet<Socket>, udp: UdpSocket): Promise<void> {
  const closed = [once(tcp, 'close'), once(udp, 'close')]
  tcp.close()
  udp.close()
  for (const socket of open) socket.destroy()
  await Promise.all(closed)
}

function replyUdp(parts: ZoneServerParts, udp: UdpSocket, bytes: Buffer, from: RemoteInfo): void {
  const query = readQuery(bytes)
  if (!query) return
  const response = respond(parts, query)
  const whole = written(response)
  const fits = whole.length <= udpLimit(query)
  const truncated = { ...response, flags: (response.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] }
  udp.send(fits ? whole : written(truncated), from.port, from.address)
}

function serveTcp(parts: ZoneServerParts, socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0)
  let cancelIdle = parts.clock.after(tcpIdleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('close', () => cancelIdle())
  socket.on('data', chunk => {
    cancelIdle()
    cancelIdle = parts.clock.after(tcpIdleMs, () => socket.destroy())
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      replyTcp(parts, socket, rest.subarray(2, end))
      rest = rest.subarray(end)
    }
  })
}

function replyTcp(parts: ZoneServerParts, socket: Socket, bytes: Buffer): void {
  const query = readQuery(bytes)
  if (!query) return void socket.destroy()
  const response = written(respond(parts, query))
  const length = Buffer.alloc(2)
  length.writeUInt16BE(response.length)
  socket.write(Buffer.concat([length, response]))
}

function written(response: Packet): Buffer {
  const { id = 0, questions = [] } = response
  const failure = { id, type: 'response', flags: rcodes.SERVFAIL } as const
  // The last without the question: it may be what can't be written.
  return encoded(response) ?? encoded({ ...failure, questions }) ?? encode(failure)
}

function encoded(response: Packet): Buffer | null {
  try {
    return encode(response)
  } catch {
    return null
  }
}

function readQuery(bytes: Buffer): DecodedPacket | null {
  try {
    const packet = decode(bytes)
    return packet.type === 'query' ? packet : null
  } catch {
    return null
  }
}

function respond(parts: ZoneServerParts, query: DecodedPacket): Packet {
  const question = query.questions[0]
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (query.flag_rd ? RECURSION_DESIRED : 0)
  const base = {
    id: query.id,
    type: 'response' as const,
    questions: query.questions,
    additionals: query.additionals.some(record => record.type === 'OPT')
      ? [{ name: '.' as const, type: 'OPT' as const, udpPayloadSize: ednsUdpOctets }]
      : [],
  }
  if (query.opcode !== 'QUERY') return { ...base, flags: flags | rcodes.NOTIMP }
  if (!question || query.questions.length > 1) return { ...base, flags: flags | rcodes.FORMERR }
  parts.onQuestion?.(question.name, question.type)
  const { rcode, answers, authorities } = answerQuestion(parts.book, parts.hosts, question.name, question.type)
  return { ...base, flags: flags | rcodes[rcode], answers, authorities }
}

function udpLimit(query: DecodedPacket): number {
  const opt = query.additionals.find(record => record.type === 'OPT')
  const offered = opt && 'udpPayloadSize' in opt ? (opt.udpPayloadSize ?? plainUdpOctets) : plainUdpOctets
  return Math.max(plainUdpOctets, Math.min(offered, ednsUdpOctets))
}
