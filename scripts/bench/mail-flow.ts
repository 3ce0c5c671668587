/**
 * A modest, steady flow of mail over a few connections: so many a second, each with the time its acceptance took.
 *
 * A mail that is due while all connections are busy waits for one and keeps its place: its latency counts from when it was due, so that a relay that stands still for a second is not forgiven the mails it held up.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientConnection, type Door } from './client-connection.ts'

export interface MailFlowOptions {
  readonly door: Door
  readonly from: string
  readonly recipient: string
  readonly perSecond: number
  /** Absent: one. */
  readonly connections?: number
}

export interface MailFlow {
  /** What was seen since the last call. */
  take(): { readonly latenciesMs: readonly number[]; readonly refused: number }
  accepted(): number
  /** Resolves when the last mail is answered. */
  stop(): Promise<void>
}

export function startMailFlow({ door, from, recipient, perSecond, connections = 1 }: MailFlowOptions): MailFlow {
  let [latenciesMs, refused, accepted, stopped]: [number[], number, number, boolean] = [[], 0, 0, false]
  const begun = performance.now()
  let next = 0
  const ended = Promise.all(Array.from({ length: connections }, run))

  async function run(): Promise<void> {
    let connection: ClientConnection | null = null
    while (!stopped) {
      const number = next++
      const dueAt = begun + (number * 1000) / perSecond
      await sleep(Math.max(0, dueAt - performance.now()))
      try {
        connection ??= await ClientConnection.open(door)
        await submit(connection, number)
        latenciesMs.push(performance.now() - dueAt)
        accepted++
      } catch {
        refused++
        connection?.drop()
        connection = null
      }
    }
    await connection?.quit()
  }

  async function submit(connection: ClientConnection, number: number): Promise<void> {
    await connection.command(`MAIL FROM:<${from}>`, '250')
    await connection.command(`RCPT TO:<${recipient}>`, '250')
    await connection.command('DATA', '354')
    const text = 'A line of a mail that flows while domains are checked.\r\n'.repeat(60)
    await connection.content(
      Buffer.from(`From: <${from}>\r\nTo: <${recipient}>\r\nSubject: Mail ${number}\r\n\r\n${text}.\r\n`),
    )
  }

  return {
    take() {
      const seen = { latenciesMs, refused }
      latenciesMs = []
      refused = 0
      return seen
    },
    accepted: () => accepted,
    async stop() {
      stopped = true
      await ended
    },
  }
}
