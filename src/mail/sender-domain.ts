/**
 * A sender domain with its keys, records and checks (design section 5).
 */
import type { AccountId, DomainName, Instant } from './ids.ts'

/** `return-path` is the MX of a domain's own bounce host, `return-path-spf` the SPF record of that host. */
export const recordPurposes = ['spf', 'dkim', 'dmarc', 'return-path', 'return-path-spf', 'tracking'] as const
export type RecordPurpose = (typeof recordPurposes)[number]

/** 設定済 and 未設定; `dns-error` is kept apart because nobody knows; `unchecked` before the first check. */
export type RecordState = 'published' | 'not-published' | 'dns-error' | 'unchecked'

/** One DNS record that Kitte asks a domain to publish. */
export interface DnsRecord {
  readonly purpose: RecordPurpose
  readonly type: 'TXT' | 'CNAME' | 'MX'
  /** Full owner name without trailing dot. */
  readonly name: DomainName
  /** TXT: one unsplit string. MX: `10 host`. */
  readonly value: string
}

/** What one DNS server says about a record. */
export interface ServerAnswer {
  /** The host name of an authoritative server; a resolver as the configuration writes it. */
  readonly server: string
  /** Empty: it has none. */
  readonly address: string
  /** What it was asked for: the name of the record, or one that a CNAME leads to. */
  readonly name: DomainName
  /** `dns-error`: it gave no answer that counts. */
  readonly state: Exclude<RecordState, 'unchecked'>
  /** A code of `domains/reasons.ts`, or the server's fault. */
  readonly reason: string
  readonly found: readonly string[]
  /** Seconds for which others may keep this answer: the TTL, or how long an absence holds (RFC 2308 §5). */
  readonly ttl: number
}

/** One judgement of one record. */
export interface Check {
  readonly purpose: RecordPurpose
  /** Owner name that was asked. */
  readonly name: DomainName
  readonly state: RecordState
  /** A code of `domains/reasons.ts`; `ok` when published. */
  readonly reason: string
  /** What was found, as it stands in DNS; empty: nothing. */
  readonly found: readonly string[]
  /** Values for the reason's sentence: `{ ip: '192.0.2.1', lookups: '12' }`. */
  readonly detail: Readonly<Record<string, string>>
  readonly checkedAt: Instant
  /** When the record was last seen published, or first missed after that: a lost one still counts for a grace time from then. */
  readonly lastPublishedAt?: Instant
  /** Since when it has been found published as it is found now. */
  readonly publishedSince?: Instant
  /** The authoritative servers, each asked itself. */
  readonly servers?: readonly ServerAnswer[]
  /** The configured resolvers: what receivers see now. */
  readonly resolvers?: readonly ServerAnswer[]
  /** Why the resolvers alone decided: no authoritative server could be asked. */
  readonly authorityFault?: string
  /** When the last cache will have forgotten what differs from the record. */
  readonly visibleAt?: Instant
}

/** `pending` waits to be seen in DNS, `active` signs, `retiring` stays published for mail under way, then `retired`. */
export type KeyState = 'pending' | 'active' | 'retiring' | 'retired'

/**
 * How a domain publishes its DKIM keys: each key as a TXT record of its own, or once and for all two CNAMEs into the
 * relay's zone, for panels that can't hold a long TXT and for keys that change without the customer.
 */
export const dkimForms = ['txt', 'cname'] as const
export type DkimForm = (typeof dkimForms)[number]

export interface DkimKey {
  readonly domain: DomainName
  readonly selector: string
  readonly algorithm: 'rsa' | 'ed25519'
  /** Absent: `txt`. */
  readonly form?: DkimForm
  readonly bits: number
  /** DER SubjectPublicKeyInfo (RSA) or raw key (Ed25519), base64: the record's p= value. */
  readonly publicKey: string
  /** PKCS#8 PEM, sealed by `base/seal.ts`. */
  readonly sealedPrivateKey: string
  readonly state: KeyState
  readonly createdAt: Instant
  readonly stateSince: Instant
}

/** Who answers for a name in DNS: the zone it is in, and the hosts that zone is delegated to (RFC 1034 §4.2). */
export interface Delegation {
  readonly zone: DomainName
  readonly nameServers: readonly DomainName[]
}

/** Mails per window; absent: unlimited. */
export interface SendLimits {
  readonly perMinute?: number
  readonly perHour?: number
  readonly perDay?: number
}

/** What a domain chose beyond SPF and DKIM as TXT; absent: not. */
export interface DomainOptions {
  /** Of keys issued from now on. */
  readonly dkimForm?: DkimForm
  /** A bounce host of its own, so that SPF aligns (`domains.returnPathHost`). */
  readonly returnPath?: boolean
  /** A host of its own for tracked links (`domains.trackingHost`). */
  readonly tracking?: boolean
}

export interface SenderDomain extends DomainOptions {
  readonly name: DomainName
  readonly account: AccountId
  readonly createdAt: Instant
  readonly limits: SendLimits
  /** Pool of source addresses; absent or null: its account's. */
  readonly pool?: string | null
  /** Set when the domain was deleted; it and its keys can be restored for 30 days. */
  readonly archivedAt: Instant | null
  readonly keys: readonly DkimKey[]
  /** The latest check of each record. */
  readonly checks: readonly Check[]
  readonly nextCheckAt: Instant
  /** Why the domain has no key, when making one failed; shown with the action "issue DKIM". */
  readonly keyFailure: string | null
  /** What the first key is to be, while it is still to be made: registered in bulk (`domains/bulk.ts`). */
  readonly keyWanted?: { readonly selector?: string; readonly bits?: number } | null
  /** As last seen; absent: never seen. */
  readonly delegation?: Delegation
}
