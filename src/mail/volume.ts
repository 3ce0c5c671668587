/**
 * What went out on a day: of a sender domain to one receiver, or from one source address.
 */
import type { CalendarDay } from './ids.ts'

/** Whose count it is: `domain` a sender domain's, `organisation` that of all subdomains of one together, `source` a source address's. */
export type VolumeScope = 'domain' | 'organisation' | 'source'

export interface VolumeCounts {
  readonly delivered: number
  /** Attempts the receiver answered with "not now"; greylisting and silence are not among them. */
  readonly deferred: number
  readonly bounced: number
  readonly complained: number
  /** Of the deliveries, those under TLS … */
  readonly tls: number
  /** … and those that can be unsubscribed from with one click (RFC 8058). */
  readonly oneClick: number
}

/** `receiver`: one of `policy/receivers.ts`; empty for a source address. */
export interface Volume extends VolumeCounts {
  readonly scope: VolumeScope
  readonly name: string
  readonly day: CalendarDay
  readonly receiver: string
}

/** What an outcome counts for; the sender domain is the message's. */
export interface VolumeKey {
  readonly day: CalendarDay
  readonly receiver: string
  /** Null: the system chose it. */
  readonly source: string | null
}

/** Beside the outcome it belongs to. */
export interface VolumeNote {
  readonly key: VolumeKey
  readonly tls: boolean
  readonly oneClick: boolean
}
