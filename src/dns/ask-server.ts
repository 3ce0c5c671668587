/**
 * One question to one DNS server: by UDP, and by TCP when the reply does not fit (RFC 1035 §4.2, RFC 7766).
 *
 * Only a reply from the asked address with our id and our question counts; others are ignored until the time is over
 * (RFC 5452 §9). Fails with NoReply, whose message is fit for a log line.
 */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { DomainName } from '../mail/ids.ts'
import { decodeReply, encodeQuestion, type QuestionForm, type RecordType, type WireReply } from './wire.ts'

export interface DnsServer {
  readonly address: string
  readonly port: number
}

export interface Asking extends QuestionForm {
  readonly timeoutMs: number
  readonly clock: Clock
  /** Ends the question at once. */
  readonly signal: AbortSignal
}

/** `not-waited`: the signal ended the question. */
export type NoReplyCause = 'timeout' | 'unreachable' | 'malformed' | 'not-waited'

export class NoReply extends Error {
  readonly code = 'no-reply'
  readonly why: NoReplyCause
  constructor(why: NoReplyCause, message: string) {
    super(message)
    this.why = why
  }
}

interface Question {
  readonly id: number
  readonly name: DomainName
  readonly type: RecordType
}

export async function askServer(server: DnsServer, name: DomainName, type: RecordType, asking: Asking) {
  const question: Question = { id: randomInt(65_536), name, type }
  const reply = await askByUdp(server, question, asking)
  return reply.truncated ? askByTcp(server, question, asking) : reply
}

function askByUdp(server: DnsServer, question: Question, asking: Asking): Promise<WireReply> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  return awaited(
    server,
    asking,
    () => socket.close(),
    (done, fail) => {
      socket.on('error', error => fail('unreachable', sentenceOf(error)))
      socket.on('message', bytes => {
        const reply = decodeReply(bytes)
        if (reply && answers(reply, question)) done(reply)
      })
      // A connected socket takes datagrams from that address only, and hears when nobody listens there.
      socket.once('connect', () => socket.send(bytesOf(question, asking)))
      socket.connect(server.port, server.address)
    },
  )
}

function askByTcp(server: DnsServer, question: Question, asking: Asking): Promise<WireReply> {
  const socket = connect(server.port, server.address)
  return awaited(
    server,
    asking,
    () => socket.destroy(),
    (done, fail) => {
      const received: Buffer[] = []
      socket.on('error', error => fail('unreachable', sentenceOf(error)))
      socket.on('close', () => fail('malformed', 'closed the connection'))
      socket.on('data', bytes => {
        received.push(bytes)
        const message = wholeMessage(Buffer.concat(received))
        if (message === null) return
        const reply = decodeReply(message)
        // What is cut even here may lack anything: it says nothing about the name.
        if (reply && !reply.truncated && answers(reply, question)) done(reply)
        else fail('malformed', 'sent a reply that makes no sense')
      })
      const bytes = bytesOf(question, asking)
      socket.write(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]))
    },
  )
}

/** Settles once; then the socket is closed and nothing waits any more. */
function awaited<T>(
  server: DnsServer,
  { timeoutMs, clock, signal }: Asking,
  close: () => void,
  begin: (done: (value: T) => void, fail: (why: NoReplyCause, sentence: string) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let settled = false
    const finish = (settle: () => void) => {
      if (settled) return
      settled = true
      cancel()
      signal.removeEventListener('abort', abort)
      close()
      settle()
    }
    const fail = (why: NoReplyCause, sentence: string) =>
      finish(() => reject(new NoReply(why, `${nameOf(server)} ${sentence}`)))
    const abort = () => fail('not-waited', 'was not waited for: the resolver is closed')
    const cancel = clock.after(timeoutMs, () => fail('timeout', `did not answer within ${timeoutMs} ms`))
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    else begin(value => finish(() => resolve(value)), fail)
  })
}

function bytesOf({ id, name, type }: Question, form: QuestionForm): Buffer {
  return encodeQuestion(id, name, type, form)
}

function answers(reply: WireReply, { id, name, type }: Question): boolean {
  return reply.id === id && reply.questionName === name && reply.questionType === type
}

/** RFC 1035 §4.2.2: two octets of length come first. */
function wholeMessage(bytes: Buffer): Buffer | null {
  const end = bytes.length < 2 ? Number.POSITIVE_INFINITY : 2 + bytes.readUInt16BE(0)
  return bytes.length < end ? null : bytes.subarray(2, end)
}

/** As the configuration writes it. */
export function nameOf({ address, port }: DnsServer): string {
  const host = isIPv6(address) ? `[${address}]` : address
  return port === 53 ? address : `${host}:${port}`
}

function sentenceOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED' ? 'refused the connection' : (error.code ?? error.message)
}
