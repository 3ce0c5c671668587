/**
 * What DMARC makes of SPF and DKIM at a receiver (RFC 7489 §6.6).
 */
import type { Resolver } from '../dns/resolver.ts'
import type { DomainName } from '../mail/ids.ts'
import type { AlignmentMode } from './explain-alignment.ts'
import { alignmentModes, dmarcTexts, fillBoth, policyNames, policyTexts } from './explain-texts.ts'
import { dmarc } from './records/dmarc.ts'
import type { RecordConfig } from './records/record-kind.ts'
import { readTags } from './records/tag-list.ts'
import type { DmarcVerdict, ReceivedPolicy, SignatureVerdict, SpfVerdict } from './verdicts.ts'

export async function readPolicy(
  domain: DomainName,
  resolver: Resolver,
  config: RecordConfig,
): Promise<ReceivedPolicy> {
  const name = `_dmarc.${domain}`
  const { state, found, detail } = await dmarc.judge({ name }, { name: domain, keys: [] }, resolver, config)
  const isKnown = state !== 'dns-error'
  const record = state === 'published' ? found[0]! : null
  if (record === null) {
    const message = fillBoth(isKnown ? policyTexts.absent : policyTexts.unknown, { domain })
    return { policy: null, at: null, found: null, isKnown, aspf: 'relaxed', adkim: 'relaxed', message }
  }
  const at = detail.parent === undefined ? name : `_dmarc.${detail.parent}`
  const modes = { aspf: modeOf(record, 'aspf'), adkim: modeOf(record, 'adkim') }
  const policy = detail.policy as NonNullable<ReceivedPolicy['policy']>
  const told = { aspf: alignmentModes[modes.aspf], adkim: alignmentModes[modes.adkim] }
  return { policy, at, found: record, isKnown, ...modes, message: fillBoth(policyTexts.found, { at, policy, ...told }) }
}

/** RFC 7489 §6.3: relaxed unless it says `s`. */
function modeOf(record: string, tag: 'aspf' | 'adkim'): AlignmentMode {
  const list = readTags(record)
  return 'tags' in list && list.tags.get(tag)?.toLowerCase() === 's' ? 'strict' : 'relaxed'
}

export function judgeDmarc(spf: SpfVerdict, dkim: readonly SignatureVerdict[], policy: ReceivedPolicy): DmarcVerdict {
  const signed = dkim.filter(({ result, aligned }) => result === 'valid' && aligned)
  const isSpf = spf.result === 'pass' && spf.aligned
  const by = [...(isSpf ? (['spf'] as const) : []), ...(signed.length > 0 ? (['dkim'] as const) : [])]
  const result = resultOf(by, spf, dkim, policy)
  const values = {
    by: by.map(name => name.toUpperCase()).join(' + '),
    policy: policyNames[policy.policy ?? 'none'],
  }
  return { result, by, message: fillBoth(dmarcTexts[result], values) }
}

function resultOf(
  by: DmarcVerdict['by'],
  spf: SpfVerdict,
  dkim: readonly SignatureVerdict[],
  policy: ReceivedPolicy,
): DmarcVerdict['result'] {
  if (!policy.isKnown) return 'unknown'
  if (policy.policy === null) return 'none'
  if (by.length > 0) return 'pass'
  const mayPass =
    (spf.result === 'temperror' && spf.aligned) || dkim.some(({ result, aligned }) => result === 'unknown' && aligned)
  return mayPass ? 'unknown' : 'fail'
}
