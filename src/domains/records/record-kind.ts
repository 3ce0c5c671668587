/**
 * What a kind of record has to offer: what to publish given what is there, and how to judge what is published.
 */
import type { Config } from '../../base/config.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { AccountId, DomainName } from '../../mail/ids.ts'
import type {
  Check,
  DkimKey,
  DnsRecord,
  DomainOptions,
  RecordPurpose,
  RecordState,
  SenderDomain,
} from '../../mail/sender-domain.ts'
import type { notes, ReasonCode } from '../reasons.ts'

export type RecordConfig = Pick<Config, 'spf' | 'hostname' | 'relayDomain' | 'domains'>

export interface Judgement {
  readonly state: Exclude<RecordState, 'unchecked'>
  readonly reason: ReasonCode
  /** The records as they stand in DNS. */
  readonly found: readonly string[]
  /** Values for the reason's sentence. `notes`: codes of remarks, separated by spaces. */
  readonly detail: Readonly<Record<string, string>>
}

/** Whose records are judged: a sender domain, or the relay itself. */
export interface Judged extends Pick<DomainOptions, 'dkimForm'> {
  readonly name: DomainName
  /** Absent: the relay itself. */
  readonly account?: AccountId
  readonly keys: readonly JudgedKey[]
}

export type JudgedKey = Pick<
  DkimKey,
  'domain' | 'selector' | 'algorithm' | 'publicKey' | 'state' | 'createdAt' | 'form'
>

/** Where and what: the value does not count when what is published is judged. */
export type Place = Pick<DnsRecord, 'name'>

export interface RecordKind {
  readonly purpose: RecordPurpose
  /** Advice does not change how mail travels, nor how often the domain is checked. */
  readonly isAdvice: boolean
  /** The domain opted in and waits for it: checked as often as the records that matter. */
  readonly isAwaited?: true
  /** The records to publish now, with the value that fits what the last check found. */
  expected(domain: SenderDomain, config: RecordConfig): readonly DnsRecord[]
  /** Fails with nothing: DNS trouble is a judgement (`dns-error`). */
  judge(record: Place, domain: Judged, resolver: Resolver, config: RecordConfig): Promise<Judgement>
}

export function lastCheck(domain: SenderDomain, record: Pick<DnsRecord, 'purpose' | 'name'>): Check | null {
  return domain.checks.find(check => check.purpose === record.purpose && check.name === record.name) ?? null
}

/** The right record is there: wherever it can be seen already, nothing needs to be changed. */
export function isInPlace({ state, reason }: Pick<Check, 'state' | 'reason'>): boolean {
  return state === 'published' || reason === 'not-everywhere' || reason === 'not-yet-visible'
}

export function published(found: readonly string[], detail: Judgement['detail'] = {}): Judgement {
  return { state: 'published', reason: 'ok', found, detail }
}

export function notPublished(
  reason: ReasonCode,
  found: readonly string[] = [],
  detail: Judgement['detail'] = {},
): Judgement {
  return { state: 'not-published', reason, found, detail }
}

/** Nobody could say; kept apart from absence. */
export function unknown(trouble: string, found: readonly string[] = []): Judgement {
  return { state: 'dns-error', reason: 'dns-error', found, detail: { trouble } }
}

export function withNote(judgement: Judgement, note: keyof typeof notes, detail: Judgement['detail'] = {}): Judgement {
  const codes = [judgement.detail.notes, note].filter(text => text !== undefined).join(' ')
  return { ...judgement, detail: { ...judgement.detail, ...detail, notes: codes } }
}
