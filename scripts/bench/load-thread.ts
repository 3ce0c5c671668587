/**
 * The load of our own: sessions that hand in numbered messages and time each answer to the final dot.
 *
 * Runs in a thread. Fails with the first reply that is not the wanted one: a relay that refuses is not measured.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { answerCalls } from '../../src/base/thread-call.ts'
import { numberField } from './cases.ts'
import { ClientConnection, type Door } from './client-connection.ts'

export interface LoadOrder {
  readonly door: Door
  readonly sessions: number
  readonly messagesPerConnection: number
  readonly messages: number
  readonly bytes: number
  readonly from: string
  readonly recipients: readonly string[]
  /** Stands before each number, so that no two runs share one. */
  readonly label: string
  /** Null: as fast as the relay takes it. */
  readonly perSecond: number | null
}

export interface LoadResult {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  /** From the final dot to its 250. */
  readonly latenciesMs: readonly number[]
}

export type LoadMethods = { run(order: LoadOrder): Promise<LoadResult> }

const lineOfBody = `${'Kitte bears the postage of this line. '.repeat(2).trimEnd()}\r\n`

async function run(order: LoadOrder): Promise<LoadResult> {
  const latenciesMs: number[] = []
  const startedAt = Date.now()
  const started = performance.now()
  let number = 0
  // Whichever session is free takes the next message, at its time.
  const next = async (): Promise<number | null> => {
    if (number === order.messages) return null
    const own = number++
    if (order.perSecond !== null) await sleepUntil(started + (own * 1000) / order.perSecond)
    return own
  }
  const body = bodyOf(order)
  await Promise.all(Array.from({ length: order.sessions }, () => runSession(order, body, next, latenciesMs)))
  return { startedAt, endedAt: Date.now(), latenciesMs }
}

async function runSession(
  order: LoadOrder,
  body: Buffer,
  next: () => Promise<number | null>,
  latenciesMs: number[],
): Promise<void> {
  let connection: ClientConnection | null = null
  let sent = 0
  for (let number = await next(); number !== null; number = await next()) {
    connection ??= await ClientConnection.open(order.door)
    latenciesMs.push(await submit(order, connection, Buffer.concat([headerOf(order, number), body])))
    if (++sent < order.messagesPerConnection) continue
    await connection.quit()
    connection = null
    sent = 0
  }
  await connection?.quit()
}

/** Milliseconds to the answer. */
async function submit(order: LoadOrder, connection: ClientConnection, content: Buffer): Promise<number> {
  await connection.command(`MAIL FROM:<${order.from}>`, '250')
  for (const recipient of order.recipients) await connection.command(`RCPT TO:<${recipient}>`, '250')
  await connection.command('DATA', '354')
  const dotAt = performance.now()
  await connection.content(content)
  return performance.now() - dotAt
}

function headerOf({ from, recipients, label }: LoadOrder, number: number): Buffer {
  return Buffer.from(
    `From: Bench <${from}>\r\nTo: ${recipients.join(',\r\n ')}\r\nSubject: Message ${number} of a measurement\r\n` +
      `Date: ${new Date().toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: <${label}-${number}@bench.test>\r\n` +
      `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n${numberField}: ${label}-${number}\r\n\r\n`,
  )
}

/** What header and body need to reach the wanted size, up to a line. */
function bodyOf(order: LoadOrder): Buffer {
  const left = order.bytes - headerOf(order, order.messages).length
  return Buffer.from(`${lineOfBody.repeat(Math.max(1, Math.round(left / lineOfBody.length)))}.\r\n`)
}

async function sleepUntil(at: number): Promise<void> {
  const ms = at - performance.now()
  if (ms > 0) await sleep(ms)
}

if (parentPort) answerCalls(parentPort, { run } satisfies LoadMethods)
