/**
 * The relay's own records as they stand in DNS now, judged by the same code as those of sender domains.
 *
 * Nothing is stored: whoever looks has them judged; whoever verifies has every authoritative server asked. Opening fails with StoreUnavailable or SealBroken (the key ring);
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
import { type Look, lookEverywhere, witnessesOf } from './look-everywhere.ts'
import { type LookingNow, type LookingParts, lookingNow } from './looking-now.ts'
import type { Bilingual } from './reasons.ts'
import { dkim } from './records/dkim.ts'
import { dmarc } from './records/dmarc.ts'
import { judgeAddress, judgeExchange, judgeReverse } from './records/mail-host.ts'
import { type MergedValue, mergedValue } from './records/merged-value.ts'
import {
  isInPlace,
  type Judged,
  type Judgement,
  notPublished,
  type Place,
  type RecordConfig,
} from './records/record-kind.ts'
import { spf } from './records/spf.ts'
import { proposeSpf } from './records/spf-merge.ts'
import { judgeTlsReports } from './records/tls-reports.ts'
import { type RelayRecord, type RelayRecordConfig, relayRecords, sendingIpsOf, sendingTerms } from './relay-records.ts'
import { tellReason } from './tell-reason.ts'
import { type WhoSays, whoSays } from './who-says.ts'

export interface RelayDns {
  /** Its own public key: what its signatures are verified with. */
  readonly key: PublicKeyPart
  view(): Promise<RelayView>
  /** The same past our cache, of every authoritative server and every resolver. */
  verify(): Promise<RelayView>
}

export interface RelayView {
  readonly hostname: HostName
  readonly sendingIps: readonly string[]
  readonly records: readonly RelayRecordView[]
}

type Merged = MergedValue & { readonly value: string }

export interface RelayRecordView extends RelayRecord, MergedValue, WhoSays {
  /** The relay does its work without it. */
  readonly optional: boolean
  readonly state: RecordState
  readonly reason: string
  readonly message: Bilingual
  readonly fix: Bilingual
  readonly found: readonly string[]
  readonly checkedAt: Instant
}

export interface RelayDnsParts extends LookingParts {
  readonly store: SettingStore
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

  async function look(looking: LookingNow): Promise<RelayView> {
    const views = records.map(async record => {
      const kind = { judge: judging(record) }
      const looked = await lookEverywhere({ ...looking, kind, record, domain: relay, config, before: null })
      return viewOf(record, looked, config, looking.now)
    })
    return { hostname: config.hostname, sendingIps: sendingIpsOf(config), records: await Promise.all(views) }
  }

  return {
    key,
    async view() {
      using looking = lookingNow(parts, clock.now())
      return await look({ ...looking, resolver: parts.resolver, each: [], authority: null })
    },
    async verify() {
      using looking = lookingNow(parts, clock.now())
      return await look(looking)
    },
  }
}

function judging(record: RelayRecord) {
  return (_: Place, relay: Judged, resolver: Resolver, config: RelayRecordConfig) =>
    judge(record, relay, resolver, config)
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
    case 'tls-reports':
      return judgeTlsReports(record, resolver)
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
  return {
    ...config,
    spf: { ...config.spf, sendingIps: [...sendingIpsOf(config)], mechanisms: [], all: '-all', acceptHardFail: true },
  }
}

/** One key, always in use. */
function asJudged(key: PublicKeyPart): Judged {
  return { name: key.domain, keys: [{ ...key, state: 'active', createdAt: 0 }] }
}

function viewOf(record: RelayRecord, look: Look, config: RelayRecordConfig, now: Instant): RelayRecordView {
  const { judgement } = look
  const { state, reason, found } = judgement
  const { value, parts, changes, lookups } = wantedValue(record, judgement, config)
  const wanted = { ...record, value }
  return {
    optional: record.purpose === 'tls-reports',
    ...{ ...wanted, state, reason, found, parts, changes, lookups, checkedAt: now },
    ...tellReason(wanted, judgement),
    ...whoSays({ state, reason, ...witnessesOf(look) }),
  }
}

/** What to publish, given what is there: nothing of a live record is dropped that counts. */
function wantedValue(record: RelayRecord, judgement: Judgement, config: RelayRecordConfig): Merged {
  const { purpose } = record
  const { state, found, detail } = judgement
  const isOwn = state === 'published' && detail.parent === undefined
  const value = (purpose === 'dmarc' || purpose === 'tls-reports') && isOwn ? found[0]! : record.value
  const standing = purpose === 'spf' && found.length > 0 ? withTerms(judgement, config) : null
  if (standing === null)
    return { value, parts: [{ text: value, isNew: !isInPlace(judgement) }], changes: [], lookups: null }
  const proposal = proposeSpf(standing, spfConfigOf(config))
  return { value: proposal.value, ...mergedValue({ purpose: 'spf', value }, standing, spfConfigOf(config)) }
}

/** Without known addresses none can be put first: the host by its name stands for them. */
function withTerms(judgement: Judgement, config: RelayRecordConfig): Judgement {
  if (sendingIpsOf(config).length > 0) return judgement
  return { ...judgement, detail: { ...judgement.detail, missing: sendingTerms(config).join(' ') } }
}
