/**
 * A relay under measurement: Kitte or a peer, with the same work to do.
 */
import type { Case } from './cases.ts'

export interface Subject extends AsyncDisposable {
  readonly name: string
  /** Takes mail from loopback without AUTH: smtp-source can't authenticate. */
  readonly port: number
  /** What a client of ours uses in place of that: STARTTLS where the case wants it, AUTH where the relay knows it. */
  readonly client: {
    readonly port: number
    readonly auth: { readonly username: string; readonly password: string } | null
  }
  readonly from: string
  /** Its processes hang below this one, or are this one. */
  readonly pids: readonly number[]
  /** Where its DKIM key is published. */
  readonly key: { readonly name: string; readonly text: string }
  /** Messages or recipients that have no outcome yet. */
  queued(): Promise<number>
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
}

export const senderDomain = 'customer.bench.test'
export const hostOf = (name: string) => `${name}.bench.test`
