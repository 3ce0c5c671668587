/**
 * A relay under measurement: Kitte or a peer, with the same work to do.
 */
import type { Case } from './cases.ts'
import type { LoopDelays } from './loop-delays.ts'

/** Who hands mail in with a client of ours. */
export interface Sender {
  /** STARTTLS where the case wants it, AUTH where the relay knows it. */
  readonly client: {
    readonly port: number
    readonly auth: { readonly username: string; readonly password: string } | null
  }
  readonly from: string
}

export interface Subject extends Sender, AsyncDisposable {
  readonly name: string
  /** Takes mail from loopback without AUTH: smtp-source can't authenticate. */
  readonly port: number
  /** Another customer, where the case needs one. */
  readonly other: Sender | null
  /** As many more as were asked for. */
  readonly more?: readonly Sender[]
  /** Its processes hang below this one, or are this one. */
  readonly pids: readonly number[]
  /** One process of ours, whose threads can be told apart. */
  readonly isOurs?: boolean
  /** Its processes leave it for others to end: what CPU they took can't be told. */
  readonly losesProcesses?: boolean
  /** Where its DKIM key is published. */
  readonly key: { readonly name: string; readonly text: string }
  /** Messages or recipients that have no outcome yet. */
  queued(): Promise<number>
  /** How late its event loops were since the last call, by thread; null: it has none, or doesn't tell. */
  readonly loopDelays: (() => Promise<LoopDelays>) | null
  /** What it wrote on its output, for when it fails. */
  output(): string
}

export interface SubjectOptions {
  readonly work: Case
  /** The port that every site of the case listens on. */
  readonly sinkPort: number
  /** An empty folder of its own. */
  readonly folder: string
  /** Environment of its processes. */
  readonly variables: Readonly<Record<string, string>>
  /** Customers beside the first, each an account with a domain and a credential of its own. */
  readonly more?: number
}

export const senderDomain = 'customer.bench.test'
export const otherDomain = 'other.bench.test'
export const hostOf = (name: string) => `${name}.bench.test`
