/**
 * A sender domain as API and console show it: its records with state, reason and fix, and what they mean for its mail.
 */
import type { Config } from '../base/config.ts'
import type { AccountId, DomainName, Instant } from '../mail/ids.ts'
import type {
  DkimForm,
  DkimKey,
  DnsRecord,
  DomainOptions,
  RecordState,
  SenderDomain,
  SendLimits,
} from '../mail/sender-domain.ts'
import type { SendingMode } from '../mail/sending-mode.ts'
import { resolveSendingMode } from '../policy/sending-mode.ts'
import { type KeyAdvice, keyAdvice } from './key-advice.ts'
import { providerOf } from './providers.ts'
import type { Bilingual } from './reasons.ts'
import { type RecordForms, recordForms } from './record-forms.ts'
import { recordKinds } from './records/index.ts'
import { type MergedValue, mergedValue } from './records/merged-value.ts'
import { lastCheck, type RecordConfig } from './records/record-kind.ts'
import { tellReason } from './tell-reason.ts'
import { type WhoSays, whoSays } from './who-says.ts'

/** `value`: empty while none can be given; the fix says what must go first. */
export interface RecordView extends DnsRecord, MergedValue, WhoSays {
  readonly state: RecordState
  readonly reason: string
  readonly message: Bilingual
  readonly fix: Bilingual
  readonly found: readonly string[]
  readonly forms: RecordForms
  /** Null before the first check. */
  readonly checkedAt: Instant | null
}

export interface KeyView extends Pick<DkimKey, 'selector' | 'algorithm' | 'bits' | 'state' | 'stateSince'>, KeyAdvice {
  readonly form: DkimForm
  /** RFC 8301 §3.2: shorter than verifiers like. */
  readonly weak: boolean
}

export interface DomainView extends Required<DomainOptions> {
  readonly name: DomainName
  readonly account: AccountId
  readonly createdAt: Instant
  readonly archivedAt: Instant | null
  readonly spf: RecordState
  /** Of the key that signs; of the one that waits, while none does. */
  readonly dkim: RecordState
  readonly mode: SendingMode
  readonly modeReason: string
  readonly limits: SendLimits
  /** Null: its account's. */
  readonly pool: string | null
  readonly keyFailure: string | null
  readonly keys: readonly KeyView[]
  /** Where its DNS is edited, as last seen; null and none: not seen yet, or nobody could say. */
  readonly zone: DomainName | null
  readonly nameServers: readonly DomainName[]
  /** Null: none of `providers.ts`. */
  readonly provider: { readonly id: string; readonly name: Bilingual } | null
  readonly records: readonly RecordView[]
}

export type ViewConfig = RecordConfig & Pick<Config, 'queue'>

const strongBits = 2048

export function viewDomain(domain: SenderDomain, config: ViewConfig, now: Instant): DomainView {
  const { name, account, createdAt, archivedAt, limits, pool = null, keyFailure } = domain
  const lostGraceMs = config.domains.lostGrace
  const decision = resolveSendingMode({ from: `postmaster@${name}`, domain, sender: null, now, lostGraceMs })
  const records = recordKinds
    .flatMap(kind => kind.expected(domain, config))
    .map(record => viewRecord(record, domain, config))
  return {
    ...{ name, account, createdAt, archivedAt, limits, pool, keyFailure },
    dkimForm: domain.dkimForm ?? 'txt',
    returnPath: domain.returnPath ?? false,
    tracking: domain.tracking ?? false,
    spf: records.find(record => record.purpose === 'spf')?.state ?? 'unchecked',
    dkim: dkimState(domain, records),
    mode: decision.mode,
    modeReason: decision.reason,
    keys: domain.keys.map(key => viewKey(key, config)),
    ...viewDelegation(domain),
    records,
  }
}

function viewRecord(record: DnsRecord, domain: SenderDomain, config: RecordConfig): RecordView {
  const check = lastCheck(domain, record)
  return {
    ...record,
    state: check?.state ?? 'unchecked',
    reason: check?.reason ?? 'unchecked',
    ...tellReason(record, check),
    found: check?.found ?? [],
    forms: recordForms(record, domain.delegation?.zone ?? domain.name),
    ...mergedValue(record, check, config),
    ...whoSays(check),
    checkedAt: check?.checkedAt ?? null,
  }
}

function viewDelegation({ delegation }: SenderDomain): Pick<DomainView, 'zone' | 'nameServers' | 'provider'> {
  const { zone = null, nameServers = [] } = delegation ?? {}
  const provider = providerOf(nameServers)
  return { zone, nameServers, provider: provider && { id: provider.id, name: provider.name } }
}

function viewKey(key: DkimKey, { queue }: ViewConfig): KeyView {
  const { domain, selector, algorithm, bits, state, stateSince, form = 'txt' } = key
  const weak = algorithm === 'rsa' && bits < strongBits
  return { selector, algorithm, form, bits, state, stateSince, weak, ...keyAdvice(domain, key, queue.expireAfter) }
}

function dkimState(domain: SenderDomain, records: readonly RecordView[]): RecordState {
  const ofState = (state: DkimKey['state']) => {
    const key = domain.keys.find(candidate => candidate.state === state && candidate.algorithm === 'rsa')
    return key && records.find(({ name }) => name === `${key.selector}._domainkey.${domain.name}`)?.state
  }
  return ofState('active') ?? ofState('pending') ?? 'not-published'
}
