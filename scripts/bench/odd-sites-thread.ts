/**
 * Two receivers nobody likes: one that answers every command late, and one that takes so many messages a minute and then 421.
 *
 * Runs in a thread. Both know just enough SMTP (RFC 5321) for one message after the other.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'
import { answerCalls } from '../../src/base/thread-call.ts'

export interface OddCounts {
  readonly accepted: number
  readonly refused: number
}

export interface OddSites {
  /** Of each minute since it was first spoken to. */
  readonly throttling: readonly OddCounts[]
  /** Connections to the tarpit now, and what it has taken so far. */
  readonly tarpit: { readonly open: number; readonly accepted: number }
}

export interface OddSitesOrder {
  readonly port: number
  readonly tarpit: string
  /** Before each of its replies. */
  readonly delayMs: number
  readonly throttling: string
  readonly mostPerMinute: number
}

export type OddSitesMethods = {
  listen(order: OddSitesOrder): Promise<void>
  counts(): OddSites
}

/** Answers a command; null: with nothing. `421` closes. */
type Answer = (command: string) => string | null | Promise<string | null>

const minuteMs = 60_000
const refusal = '421 4.7.0 Too many messages, slow down'

async function listenOn(address: string, port: number, session: () => Answer, count: (change: 1 | -1) => void) {
  const server = createServer(socket => {
    count(1)
    socket.once('close', () => count(-1))
    socket.on('error', () => socket.destroy())
    void serve(socket, session())
  })
  server.listen(port, address)
  await once(server, 'listening')
}

async function serve(socket: Socket, answer: Answer): Promise<void> {
  let rest = ''
  let inContent = false
  let busy = Promise.resolve()
  const say = async (command: string) => {
    const reply = await answer(command)
    if (reply === null || socket.destroyed) return
    socket.write(`${reply}\r\n`)
    if (/^(?:221|421)/.test(reply)) socket.end()
    inContent = reply.startsWith('354')
  }
  busy = say('CONNECT')
  socket.on('data', chunk => {
    rest += chunk.toString('latin1')
    busy = busy.then(async () => {
      for (let end = endOf(rest, inContent); end !== -1; end = endOf(rest, inContent)) {
        const command = inContent ? '.' : rest.slice(0, end)
        rest = rest.slice(end + (inContent ? 5 : 2))
        await say(command)
      }
    })
  })
}

function endOf(text: string, inContent: boolean): number {
  return text.indexOf(inContent ? '\r\n.\r\n' : '\r\n')
}

function plainReply(command: string): string {
  switch (command.slice(0, 4).toUpperCase()) {
    case 'CONN':
      return '220 odd.bench.test ESMTP'
    case 'DATA':
      return '354 Go on'
    case 'QUIT':
      return '221 2.0.0 Bye'
    default:
      return '250 2.0.0 Ok'
  }
}

if (parentPort) {
  const tarpit = { open: 0, accepted: 0 }
  const throttling: { accepted: number; refused: number }[] = []
  let firstAt: number | null = null
  const minute = () => {
    firstAt ??= performance.now()
    const number = Math.floor((performance.now() - firstAt) / minuteMs)
    while (throttling.length <= number) throttling.push({ accepted: 0, refused: 0 })
    return throttling[number]!
  }
  answerCalls(parentPort, {
    async listen({ port, tarpit: slow, delayMs, throttling: strict, mostPerMinute }) {
      const late = async (command: string) => {
        await new Promise(resolve => setTimeout(resolve, delayMs).unref())
        if (command === '.') tarpit.accepted++
        return plainReply(command)
      }
      const counted = (command: string) => {
        const now = minute()
        if (command.startsWith('MAIL') && now.accepted >= mostPerMinute) {
          now.refused++
          return refusal
        }
        if (command === '.') now.accepted++
        return plainReply(command)
      }
      await listenOn(
        slow,
        port,
        () => late,
        change => {
          tarpit.open += change
        },
      )
      await listenOn(
        strict,
        port,
        () => counted,
        () => {},
      )
    },
    counts: () => ({ throttling, tarpit }),
  } satisfies OddSitesMethods)
}
