/**
 * Hands in heavy messages one by one, each over a connection of its own, until told to stop.
 *
 * Runs in a thread of its own, so that sending 30 MB doesn't delay the messages that are timed. A refusal is an answer; a
 * connection that breaks is told as one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { answerCalls } from '../../src/base/thread-call.ts'
import { numberField } from './cases.ts'
import { ClientConnection, type Door } from './client-connection.ts'
import { type Heavy, heavyMessages } from './heavy.ts'
import { nowMs } from './now.ts'

export interface HeavyOrder {
  readonly door: Door
  readonly from: string
  readonly to: string
  /** Stands before each number. */
  readonly label: string
  /** Where in the list of contents it begins: from 0 to 1. */
  readonly first: number
  /** From the beginning of one to that of the next, if that one is done by then. */
  readonly everyMs: number
  readonly most: number
}

export interface HeavyAnswer {
  readonly kind: string
  /** Code and enhanced status, or what broke the connection. */
  readonly answer: string
  /** From the first octet of the content to the answer. */
  readonly ms: number
}

export type HeavyMethods = {
  /** Makes the contents: that takes a while. */
  prepare(): void
  run(order: HeavyOrder): Promise<HeavyAnswer[]>
  stop(): void
}

interface Content {
  readonly kind: string
  readonly fields: Buffer
  readonly body: Buffer
}

let contents: readonly Content[] = []
let stopped = false

async function run(order: HeavyOrder): Promise<HeavyAnswer[]> {
  const answers: HeavyAnswer[] = []
  while (!stopped && answers.length < order.most) {
    const startedAt = nowMs()
    answers.push(await submit(order, answers.length))
    await sleep(Math.max(0, startedAt + order.everyMs - nowMs()))
  }
  return answers
}

async function submit({ door, from, to, label, first }: HeavyOrder, number: number): Promise<HeavyAnswer> {
  const { kind, fields, body } = contents[(Math.floor(first * contents.length) + number) % contents.length]!
  const connection = await ClientConnection.open(door)
  await connection.command(`MAIL FROM:<${from}>`, '250')
  await connection.command(`RCPT TO:<${to}>`, '250')
  await connection.command('DATA', '354')
  const header = `From: <${from}>\r\nTo: <${to}>\r\nSubject: Heavy\r\n${numberField}: ${label}-${number}\r\n`
  const startedAt = nowMs()
  const answer = await connection
    .offer(Buffer.from(header), fields, body)
    .then(statusOf, (error: Error) => error.message)
  const ms = nowMs() - startedAt
  connection.drop()
  return { kind, answer, ms }
}

/** RFC 5321 §4.2, RFC 3463 §2. */
function statusOf(reply: string): string {
  return /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/.exec(reply)?.[0] ?? reply.trim()
}

function contentOf({ kind, fields, body }: Heavy): Content {
  return { kind, fields: Buffer.from(`${fields}\r\n`), body: Buffer.from(`${body}.\r\n`) }
}

if (parentPort) {
  answerCalls(parentPort, {
    prepare: () => {
      contents = heavyMessages.map(make => contentOf(make()))
    },
    run,
    stop: () => {
      stopped = true
    },
  } satisfies HeavyMethods)
}
