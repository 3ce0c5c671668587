/**
 * Who hands the mail in, and who takes it: Postfix's smtp-source and smtp-sink where they are there and can do the
 * case, else threads of our own, which number the messages.
 *
 * smtp-source speaks no TLS, no AUTH, and knows one recipient domain. smtp-sink only counts: it knows of duplicates
 * and losses by the sum.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort } from '../../test/support/real/program.ts'
import { addressOf, type Case, domainsOf } from './cases.ts'
import type { Door } from './client-connection.ts'
import type { LoadMethods, LoadOrder, LoadResult } from './load-thread.ts'
import { startProgram } from './program.ts'
import type { SinkMethods, SinkState } from './sink-thread.ts'
import type { Sender, Subject } from './subject.ts'
import { startThread } from './threads.ts'

export interface Sink extends AsyncDisposable {
  state(): Promise<SinkState>
}

export interface OwnSink extends Sink {
  samples(): Promise<Uint8Array[]>
  arrivals(label: string): Promise<Map<number, number>>
}

/** Sessions that wait to be accepted. */
const backlog = 1000

/** Which of the two this case is measured with. */
export function toolsFor({ starttls, recipients, messagesPerConnection }: Case): 'smtp-source' | 'own' {
  const canDo = !starttls && recipients.length === 1 && [1, Number.POSITIVE_INFINITY].includes(messagesPerConnection)
  return canDo && findProgram('smtp-source') && findProgram('smtp-sink') ? 'smtp-source' : 'own'
}

/** A port that is free at every site of the case. */
export function sinkPort(work: Case): Promise<number> {
  return freePort(...sitesOf(work))
}

export function startSink(work: Case, port: number, folder: string): Promise<Sink> {
  return toolsFor(work) === 'own' ? startOwnSink(work, port) : startSmtpSink(sitesOf(work)[0]!, port, folder)
}

export async function startOwnSink(work: Case, port: number): Promise<OwnSink> {
  const thread = await startThread<SinkMethods>('sink-thread.ts')
  try {
    await thread.remote.listen(sitesOf(work), port)
  } catch (error) {
    await thread[Symbol.asyncDispose]()
    throw error
  }
  return {
    state: () => thread.remote.state(),
    samples: () => thread.remote.samples(),
    arrivals: label => thread.remote.arrivals(label),
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}

/** Its counters go to a file: cheaper for the relay's cores than a pipe somebody must be woken for. */
async function startSmtpSink(address: string, port: number, folder: string): Promise<Sink> {
  const outputFile = join(folder, `smtp-sink.${port}`)
  mkdirSync(folder, { recursive: true })
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const program = await startProgram(
    findProgram('smtp-sink')!,
    [...user, '-c', `${address}:${port}`, String(backlog)],
    {
      outputFile,
    },
  )
  return {
    state: async () => {
      const deliveries = Number(
        [
          ...readFileSync(outputFile, 'utf8')
            .slice(-200)
            .matchAll(/mesg= *(\d+)/g),
        ].at(-1)?.[1] ?? 0,
      )
      return { deliveries, distinct: deliveries, lastAt: statSync(outputFile).mtimeMs }
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** Hands in all messages of the case as fast as they are taken. Latencies are empty with smtp-source. */
export function load(work: Case, subject: Subject, label: string, signal: AbortSignal): Promise<LoadResult> {
  const pace = { label, perSecond: null, signal }
  return toolsFor(work) === 'own' ? ownLoad(work, subject, pace) : smtpSource(work, subject, signal)
}

interface Pace extends Pick<LoadOrder, 'label' | 'perSecond'> {
  readonly signal: AbortSignal
}

/** Under way, until it is done or told to stop. */
export interface OwnLoad extends AsyncDisposable {
  readonly done: Promise<LoadResult>
  stop(): Promise<void>
}

export async function ownLoad(work: Case, sender: Sender, pace: Pace): Promise<LoadResult> {
  await using load = await startOwnLoad(work, sender, pace)
  return await load.done
}

export async function startOwnLoad(
  work: Case,
  { client, from }: Sender,
  { label, perSecond, signal }: Pace,
): Promise<OwnLoad> {
  const thread = await startThread<LoadMethods>('load-thread.ts')
  const dispose = () => thread[Symbol.asyncDispose]()
  // What has happened is not told again.
  if (signal.aborted) await dispose()
  signal.throwIfAborted()
  signal.addEventListener('abort', () => void dispose(), { once: true })
  const { sessions, messagesPerConnection, messages, bytes, recipients, starttls } = work
  const order: LoadOrder = {
    door: doorOf(client, starttls),
    sessions,
    messagesPerConnection,
    messages,
    bytes,
    from,
    recipients,
    label,
    perSecond,
  }
  const done = thread.remote.run(order)
  // Whoever waits for it hears of a failure.
  done.catch(() => {})
  return { done, stop: () => thread.remote.stop(), [Symbol.asyncDispose]: dispose }
}

export function doorOf({ port, auth }: Sender['client'], starttls: boolean): Door {
  return { host: '127.0.0.1', port, starttls, auth }
}

async function smtpSource(work: Case, { port, from }: Subject, signal: AbortSignal): Promise<LoadResult> {
  const { sessions, messages, bytes, messagesPerConnection, recipients } = work
  const counts = ['-s', String(sessions), '-m', String(messages), '-l', String(bytes)]
  const keep = messagesPerConnection === 1 ? [] : ['-d']
  const startedAt = Date.now()
  const args = [...counts, ...keep, '-f', from, '-t', recipients[0]!, `127.0.0.1:${port}`]
  await using program = await startProgram(findProgram('smtp-source')!, args)
  // What has happened is not told again.
  signal.throwIfAborted()
  signal.addEventListener('abort', () => void program[Symbol.asyncDispose](), { once: true })
  const code = await program.ended
  if (code !== 0) throw new Error(`smtp-source ended with ${code}: ${program.output()}`)
  return { startedAt, endedAt: Date.now(), latenciesMs: [], transactionsMs: [], dueAt: [] }
}

function sitesOf(work: Case): string[] {
  return domainsOf(work).map((_, site) => addressOf(site))
}
