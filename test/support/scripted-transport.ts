/**
 * A transport without a network: says what a test tells it to, and remembers what was asked of it.
 *
 * For timing and limits; what the wire does is tested with the real transport against a sink.
 */
import type { Connection, HostSpec, OpenResult, Outgoing, Transport } from '../../src/delivery/transport.ts'
import type { RecipientResult } from '../../src/mail/attempt-result.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import type { Mailbox } from '../../src/mail/ids.ts'
import { parseReply } from '../../src/mail/reply.ts'

export interface Sending {
  readonly spec: HostSpec
  readonly envelope: Envelope
  readonly reversePath: Mailbox | null
  readonly outgoing: Outgoing
}

export interface Script {
  /** Instead of a connection; null: one is opened. */
  open?(spec: HostSpec): Promise<OpenResult | null> | OpenResult | null
  /** One answer for all recipients, or one each; null: 250. */
  send?(sending: Sending): Promise<Answers> | Answers
}

type Answers = readonly RecipientResult[] | null

export interface ScriptedTransport extends Transport {
  readonly opened: readonly HostSpec[]
  readonly sendings: readonly Sending[]
  /** Connections in a transaction now, and the most there ever were. */
  readonly busy: number
  readonly mostBusy: number
}

export function scriptedTransport(script: Script = {}): ScriptedTransport {
  const opened: HostSpec[] = []
  const sendings: Sending[] = []
  const state = { busy: 0, mostBusy: 0 }

  function connect(spec: HostSpec): Connection {
    let sent = 0
    let reusable = true
    return {
      spec,
      tls: null,
      extensions: new Map(),
      conversation: [],
      get sent() {
        return sent
      },
      get reusable() {
        return reusable
      },
      async send(envelope, reversePath, outgoing) {
        const sending = { spec, envelope, reversePath, outgoing }
        sendings.push(sending)
        state.mostBusy = Math.max(state.mostBusy, ++state.busy)
        const results = (await script.send?.(sending)) ?? answerAll(envelope, '250 2.0.0 ok')
        state.busy--
        sent++
        reusable = reusable && results.every(result => 'reply' in result && result.reply.code !== 421)
        return results
      },
      async quit() {
        reusable = false
      },
      destroy() {
        reusable = false
      },
    }
  }

  return {
    opened,
    sendings,
    get busy() {
      return state.busy
    },
    get mostBusy() {
      return state.mostBusy
    },
    async open(spec) {
      opened.push(spec)
      return (await script.open?.(spec)) ?? { connection: connect(spec) }
    },
  }
}

/** The same reply for every recipient, after the dot unless a phase is given. */
export function answerAll(
  { recipients }: Envelope,
  line: string,
  phase: 'mail' | 'rcpt' | 'dot' = 'dot',
): RecipientResult[] {
  return recipients.map(({ address }) => ({ address, reply: parseReply(line)!, phase }))
}

export function refusedConnection(): OpenResult {
  return { failure: { phase: 'connect', kind: 'refused', detail: 'ECONNREFUSED', inDoubt: false }, tlsFailed: false }
}

export function silentHost(): OpenResult {
  return { failure: { phase: 'connect', kind: 'timeout', detail: 'no connection', inDoubt: false }, tlsFailed: false }
}
