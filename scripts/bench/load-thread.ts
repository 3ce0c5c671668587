/**
 * The load of our own: sessions that hand in numbered messages and time each answer.
 *
 * With a rate each message has a moment at which it is due, whether a session is free or not, and its transaction counts
 * from there: a relay that stalls is charged for all that it keeps waiting. Runs in a thread. Fails with the first reply that is not the wanted one: a relay that refuses is not measured.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { answerCalls } from '../../src/base/thread-call.ts'
import { numberField } from './cases.ts'
import { ClientConnection, type Door } from './client-connection.ts'
import { nowMs } from './now.ts'

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
  /** From when it was due (without a rate: begun) to its 250. */
  readonly transactionsMs: readonly number[]
  /** When each was due, by its number, on the clock of `now.ts`. */
  readonly dueAt: readonly number[]
}

export type LoadMethods = {
  run(order: LoadOrder): Promise<LoadResult>
  /** No more messages than have been begun. */
  stop(): void
}

const lineOfBody = `${'Kitte bears the postage of this line. '.repeat(2).trimEnd()}\r\n`

let stopped = false

interface Times {
  readonly latenciesMs: number[]
  readonly transactionsMs: number[]
  readonly dueAt: number[]
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const times: Times = { latenciesMs: [], transactionsMs: [], dueAt: [] }
  const startedAt = Date.now()
  const connections = await connect(order)
  const started = nowMs()
  // Whichever session is free takes the next message, at its time.
  const next = async (): Promise<number | null> => {
    const number = times.dueAt.length
    if (stopped || number === order.messages) return null
    const dueAt = order.perSecond === null ? nowMs() : started + (number * 1000) / order.perSecond
    times.dueAt.push(dueAt)
    await sleepUntil(dueAt)
    return number
  }
  const body = bodyOf(order)
  await Promise.all(connections.map(connection => runSession(order, connection, body, next, times)))
  return { startedAt, endedAt: Date.now(), ...times }
}

/** Sessions that last are connected before anything is due. */
function connect({ sessions, messagesPerConnection, door }: LoadOrder): Promise<(ClientConnection | null)[]> {
  const lasting = messagesPerConnection === Number.POSITIVE_INFINITY
  return Promise.all(Array.from({ length: sessions }, () => (lasting ? ClientConnection.open(door) : null)))
}

async function runSession(
  order: LoadOrder,
  connected: ClientConnection | null,
  body: Buffer,
  next: () => Promise<number | null>,
  times: Times,
): Promise<void> {
  let connection = connected
  let sent = 0
  for (let number = await next(); number !== null; number = await next()) {
    connection ??= await ClientConnection.open(order.door)
    const dotAt = await submit(order, connection, Buffer.concat([headerOf(order, number), body]))
    const endedAt = nowMs()
    times.latenciesMs.push(endedAt - dotAt)
    times.transactionsMs.push(endedAt - times.dueAt[number]!)
    if (++sent < order.messagesPerConnection) continue
    await connection.quit()
    connection = null
    sent = 0
  }
  await connection?.quit()
}

/** When the final dot left. */
async function submit(order: LoadOrder, connection: ClientConnection, content: Buffer): Promise<number> {
  await connection.command(`MAIL FROM:<${order.from}>`, '250')
  for (const recipient of order.recipients) await connection.command(`RCPT TO:<${recipient}>`, '250')
  await connection.command('DATA', '354')
  const dotAt = nowMs()
  await connection.content(content)
  return dotAt
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

/** Never before: timers are of whole milliseconds. */
async function sleepUntil(at: number): Promise<void> {
  for (let ms = at - nowMs(); ms > 0; ms = at - nowMs()) await sleep(Math.ceil(ms))
}

if (parentPort) {
  answerCalls(parentPort, {
    run,
    stop: () => {
      stopped = true
    },
  } satisfies LoadMethods)
}
