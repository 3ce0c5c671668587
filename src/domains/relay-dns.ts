/**
 * The relay's own records as they stand in DNS now, judged by the same code as those of sender domains.
 *
 * Nothing is stored: whoever looks has them judged. Opening fails with StoreUnavailable or SealBroken (the key ring);
 * DNS trouble shows in the records, never as a failure.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Seal } from '../base/seal.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { HostName, Instant } from '../mail/ids.ts'
import type { RecordState } from '../mail/sender-domain.ts'
import { openKeyRing, type PublicKeyPart } from '../signing/key-ring.ts'
import type { SettingStore } from '../store/store.ts'
import type { Bilingual } from './reasons.ts'
import { dkim } from './records/dkim.ts'
import { dmarc } from './records/dmarc.ts'
import { judgeAddress, judgeExchange, judgeReverse } from './records/mail-host.ts'
import { type Judged, type Judgement, notPublished, type RecordConfig } from './records/record-kind.ts'
import { endingOf, spf } from './records/spf.ts'
import { isSpfRecord, mergeRecords } from './records/spf-terms.ts'
import { type RelayRecord, type RelayRecordConfig, relayRecords, sendingTerms } from './relay-records.ts'
import { tellReason } from './tell-reason.ts'
import { seeingNow } from './verifier.ts'

export interface RelayDns {
  /** Its own public key: what its signatures are verified with. */
  readonly key: PublicKeyPart
  view(): Promise<RelayView>
  /** The same, past our cache. */
  verify(): Promise<RelayView>
}

export interface RelayView {
  readonly hostname: HostName
  readonly sendingIps: readonly string[]
  readonly records: readonly RelayRecordView[]
}

export interface RelayRecordView extends RelayRecord {
  readonly state: RecordState
  readonly reason: string
  readonly message: Bilingual
  readonly fix: Bilingual
  readonly found: readonly string[]
  readonly checkedAt: Instant
}

export interface RelayDnsParts {
  readonly store: SettingStore
  readonly resolver: Resolver
  readonly seal: Seal
  readonly clock: Clock
  readonly config: RelayRecordConfig & Pick<Config, 'signing' | 'timeZone'>
}

export async function openRelayDns(parts: RelayDnsParts): Promise<RelayDns> {
  const { config, clock } = parts
  const { signing, timeZone, relayDomain } = config
  const keyRing = await openKeyRing({ ...parts, relayDomain: relayDomain.name, rsaBits: signing.rsaBits, timeZone })
  const records = relayRecords(keyRing.relayRecord(), config)
  const key = keyRing.relayPublicKey()
  const relay = asJudged(key)

  async function look(resolver: Resolver): Promise<RelayView> {
    const judged = records.map(async record => {
      const judgement = await judge(record, relay, resolver, config)
      return viewOf(record, judgement, config, clock.now())
    })
    return { hostname: config.hostname, sendingIps: config.spf.sendingIps, records: await Promise.all(judged) }
  }

  return { key, view: () => look(parts.resolver), verify: () => look(seeingNow(parts)) }
}

function judge(record: RelayRecord, relay: Judged, resolver: Resolver, config: RelayRecordConfig): Promise<Judgement> {
  switch (record.purpose) {
    case 'address':
      return judgeAddress(record, resolver)
    case 'ptr':
      return judgeReverse(record, resolver)
    case 'return-path':
      return judgeExchange(record, resolver)
    case 'spf':
      return judgeSpf(record, relay, resolver, config)
    case 'dkim':
      return dkim.judge(record, relay, resolver, config)
    case 'dmarc':
      return dmarc.judge(record, relay, resolver, config)
    default:
      return record.purpose satisfies never
  }
}

/** A host below a domain of the operator's needs no name of its own before its first record. */
async function judgeSpf(record: RelayRecord, relay: Judged, resolver: Resolver, config: RelayRecordConfig) {
  const judgement = await spf.judge(record, relay, resolver, spfConfigOf(config))
  return judgement.reason === 'no-domain' ? notPublished('absent') : judgement
}

/** Whatever mechanisms it has, the addresses must pass; what customers include is none of its business. */
function spfConfigOf(config: RelayRecordConfig): RecordConfig {
  return { ...config, spf: { ...config.spf, mechanisms: [], all: '-all', acceptHardFail: true } }
}

/** One key, always in use. */
function asJudged(key: PublicKeyPart): Judged {
  return { name: key.domain, keys: [{ ...key, state: 'active', createdAt: 0 }] }
}

function viewOf(record: RelayRecord, judgement: Judgement, config: RelayRecordConfig, now: Instant): RelayRecordView {
  const { state, reason, found } = judgement
  const wanted = { ...record, value: valueAfter(record, judgement, config) }
  return { ...wanted, state, reason, found, ...tellReason(wanted, judgement), checkedAt: now }
}

/** What to publish, given what is there: nothing of a live record is dropped. */
function valueAfter({ purpose, value }: RelayRecord, { state, found, detail }: Judgement, config: RelayRecordConfig) {
  const isOwn = state === 'published' && detail.parent === undefined
  if (purpose === 'dmarc') return isOwn ? found[0]! : value
  if (purpose !== 'spf') return value
  if (isOwn) return found[0]!
  const live = found.filter(isSpfRecord)
  // Before whatever else the record says about the addresses.
  return mergeRecords([['v=spf1', ...sendingTerms(config)].join(' '), ...live], [], endingOf(live, spfConfigOf(config)))
}
