/**
 * The seam to the other side of the wire: one connection to one host, one transaction at a time.
 *
 * A transport judges nothing: it tells what each recipient was answered and in which phase a connection died; what
 * that means is decided in `outcome/classify.ts`.
 */
import type { Failure, Phase, RecipientResult } from '../mail/attempt-result.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { HostName, Mailbox } from '../mail/ids.ts'
import type { Reply } from '../mail/reply.ts'
import type { HostTls } from '../tls/plan.ts'

export type TlsWish = 'off' | 'opportunistic' | 'required'

export interface HostSpec {
  /** Name as in the MX record or the configured server: log, SNI, certificate check. */
  readonly host: HostName
  /** IPv4 or IPv6 address to connect to, already judged safe. */
  readonly address: string
  readonly port: number
  readonly tls: TlsWish
  /** TLS from the first byte (port 465). */
  readonly implicitTls: boolean
  /** Check the certificate against `host`; opportunistic TLS to an MX does not (RFC 7435). */
  readonly verifyCertificate: boolean
  readonly auth?: { readonly username: string; readonly password: string }
  /** EHLO name. */
  readonly ehlo: string
  readonly sourceIp?: string
  /** What asks for more than opportunistic TLS to an MX. Absent: nothing does. */
  readonly plan?: HostTls
}

export interface TransportLimits {
  readonly connectTimeoutMs: number
  /** RFC 5321 §4.5.3.2: 5 minutes for most commands. */
  readonly commandTimeoutMs: number
  /** RFC 5321 §4.5.3.2.6: 10 minutes for the reply to the final dot. */
  readonly dotTimeoutMs: number
}

/** The bytes after DATA, CRLF line ends, not dot-stuffed: signature fields first, then the stored content. */
export interface Outgoing {
  readonly prefix: Buffer
  readonly content: Buffer | { readonly path: string }
  readonly size: number
}

export interface Connection {
  readonly spec: HostSpec
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384 verified|unverified`; null: plain text. */
  readonly tls: string | null
  /** Why the certificate does not prove the host, as a code of Node's; null or absent: it does, or there is none. */
  readonly certificateProblem?: string | null
  /** Extensions the host announced after the last EHLO, upper case keyword → parameters. */
  readonly extensions: ReadonlyMap<string, string>
  readonly sent: number
  /** One mail transaction; one result per recipient, in order. Never throws for what the network does. */
  send(envelope: Envelope, reversePath: Mailbox | null, outgoing: Outgoing): Promise<readonly RecipientResult[]>
  /** What was said in the last transaction and when the session was set up, a line each; never credentials or content. */
  readonly conversation: readonly string[]
  /** Usable for another transaction. False after any failure, 421, or an odd reply. */
  readonly reusable: boolean
  /** QUIT, then close; resolves when the socket is gone. */
  quit(): Promise<void>
  destroy(): void
}

export type OpenResult =
  | { readonly connection: Connection }
  | { readonly failure: Failure; readonly tlsFailed: boolean; readonly conversation?: readonly string[] }
  /** The host answered connect, EHLO, STARTTLS or AUTH with a reply that is no success. */
  | { readonly reply: Reply; readonly phase: Phase; readonly conversation?: readonly string[] }

export interface Transport {
  open(spec: HostSpec, limits: TransportLimits): Promise<OpenResult>
}
