/**
 * How the value to publish came about: what of it is new, what was changed in the live record, and what it costs.
 */
import type { Check, DnsRecord } from '../../mail/sender-domain.ts'
import type { Bilingual } from '../reasons.ts'
import { tellChange } from '../spf-changes.ts'
import { isInPlace, type RecordConfig } from './record-kind.ts'
import { proposeSpf, type RecordPart } from './spf-merge.ts'
import { maxLookups } from './spf-walk.ts'

export interface MergedValue {
  /** The value in pieces, joined by spaces. */
  readonly parts: readonly RecordPart[]
  /** What is changed in the live record, in words. */
  readonly changes: readonly Bilingual[]
  /** DNS lookups of an SPF record (RFC 7208 §4.6.4); null: not counted. */
  readonly lookups: {
    /** Of the live record; null: there is none that counts. */
    readonly before: number | null
    /** With the value published; beyond the limit the merge is refused. */
    readonly after: number
    readonly limit: number
  } | null
}

export function mergedValue(
  { purpose, value }: Pick<DnsRecord, 'purpose' | 'value'>,
  check: Pick<Check, 'state' | 'reason' | 'found' | 'detail'> | null,
  config: RecordConfig,
): MergedValue {
  if (purpose !== 'spf')
    return { parts: [{ text: value, isNew: !(check && isInPlace(check)) }], changes: [], lookups: null }
  const { parts, changes } = proposeSpf(check, config)
  return { parts, changes: changes.map(tellChange), lookups: lookupsOf(check) }
}

function lookupsOf(check: Pick<Check, 'detail'> | null): MergedValue['lookups'] {
  const { lookups, after = lookups } = check?.detail ?? {}
  if (after === undefined) return null
  return { before: lookups === undefined ? null : Number(lookups), after: Number(after), limit: maxLookups }
}
