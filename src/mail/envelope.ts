/**
 * What MAIL and RCPT said: the envelope of a message (RFC 5321 §2.3.1) with the DSN requests of RFC 3461.
 */
import type { Mailbox } from './ids.ts'

/** null is the null reverse-path `<>` (RFC 5321 §4.5.5). */
export type ReversePath = Mailbox | null

/** RFC 3461 §4.1. `NEVER` stands alone. */
export type Notify = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY'

export interface Recipient {
  /** The forward-path's mailbox. */
  readonly address: Mailbox
  readonly notify?: readonly Notify[]
  /** ORCPT as given, xtext decoded, `type;address` (RFC 3461 §4.2). */
  readonly orcpt?: string
}

export interface Envelope {
  readonly reversePath: ReversePath
  readonly recipients: readonly Recipient[]
  readonly body: '7BIT' | '8BITMIME'
  readonly smtpUtf8: boolean
  /** ENVID, xtext decoded (RFC 3461 §4.4). */
  readonly envid?: string
  readonly ret?: 'FULL' | 'HDRS'
  /**
   * How the sender wants TLS (RFC 8689): `required` by MAIL's REQUIRETLS, `optional` by the header field
   * `TLS-Required: No`. Absent: as recipients' policies and the configuration say.
   */
  readonly tls?: 'required' | 'optional'
}
