/**
 * What a receiver makes of a sender domain's mail: its DMARC policy, SPF, each signature, and DMARC over all of them.
 */
import type { DomainName } from '../mail/ids.ts'
import type { DkimKey } from '../mail/sender-domain.ts'
import type { AlignmentMode } from './explain-alignment.ts'
import type { Bilingual } from './reasons.ts'
import type { Evaluation } from './records/spf-evaluation.ts'

export interface ReceivedPolicy {
  /** Null: there is none that counts. */
  readonly policy: 'none' | 'quarantine' | 'reject' | null
  /** Where it was found; null: nowhere, or nobody could say. */
  readonly at: DomainName | null
  readonly found: string | null
  readonly isKnown: boolean
  readonly aspf: AlignmentMode
  readonly adkim: AlignmentMode
  readonly message: Bilingual
}

export interface SpfVerdict {
  readonly domain: DomainName
  readonly result: Evaluation['result']
  /** The term that decided, after the includes and redirects that lead to it; empty: none did. */
  readonly terms: readonly string[]
  /** With the domain of From, as its DMARC policy wants it compared. */
  readonly aligned: boolean
  readonly message: Bilingual
}

export interface SignatureVerdict {
  readonly domain: DomainName
  readonly selector: string
  readonly algorithm: DkimKey['algorithm']
  /** `invalid`: not published, or not so that it verifies. `unknown`: DNS gave no answer. */
  readonly result: 'valid' | 'invalid' | 'unknown'
  /** A code of `reasons.ts`. */
  readonly reason: string
  readonly found: readonly string[]
  readonly aligned: boolean
  readonly message: Bilingual
}

export interface DmarcVerdict {
  readonly result: 'pass' | 'fail' | 'none' | 'unknown'
  /** What passed and is aligned. */
  readonly by: readonly ('spf' | 'dkim')[]
  readonly message: Bilingual
}
