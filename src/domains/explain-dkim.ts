/**
 * Which signatures a domain's mail carries now, and whether a receiver can verify them.
 */
import { DnsTrouble, type Resolver } from '../dns/resolver.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { SendingDecision } from '../policy/sending-mode.ts'
import { dkimRecord, type PublicKeyPart } from '../signing/key-ring.ts'
import { tellAlignment } from './explain-alignment.ts'
import { fillBoth, joinBoth, signatureTexts } from './explain-texts.ts'
import { judgeTexts } from './records/dkim-text.ts'
import { type JudgedKey, type Judgement, notPublished, unknown } from './records/record-kind.ts'
import { tellReason } from './tell-reason.ts'
import type { ReceivedPolicy, SignatureVerdict } from './verdicts.ts'

export interface SignatureSurroundings {
  readonly resolver: Resolver
  readonly relayKey: PublicKeyPart
  readonly policy: ReceivedPolicy
  /** `signing.relayToo`. */
  readonly relayToo: boolean
}

const results = { published: 'valid', 'not-published': 'invalid', 'dns-error': 'unknown' } as const

export function judgeSignatures(
  domain: SenderDomain,
  { dkim }: SendingDecision,
  surroundings: SignatureSurroundings,
): Promise<SignatureVerdict[]> {
  const own = dkim === 'domain' ? domain.keys.filter(({ state }) => state === 'active') : []
  const relay: JudgedKey = { ...surroundings.relayKey, state: 'active', createdAt: 0 }
  // Without a key that can sign the relay's takes its place.
  const keys = own.length > 0 ? [...own, ...(surroundings.relayToo ? [relay] : [])] : dkim === 'none' ? [] : [relay]
  return Promise.all(keys.map(key => judgeSignature(key, domain, surroundings)))
}

async function judgeSignature(
  key: JudgedKey,
  from: SenderDomain,
  { resolver, policy }: SignatureSurroundings,
): Promise<SignatureVerdict> {
  const keys = key.domain === from.name ? from.keys : [key]
  const judgement = await judgementOf(key, keys, resolver)
  const { domain, selector, algorithm } = key
  const result = results[judgement.state]
  const { aligned, message } = tellAlignment(domain, from.name, policy.adkim)
  const said = fillBoth(signatureTexts[result], { domain, selector })
  const why = result === 'invalid' ? [tellReason(dkimRecord(key), judgement).message] : []
  return {
    ...{ domain, selector, algorithm, result, aligned },
    reason: judgement.reason,
    found: judgement.found,
    message: joinBoth([said, ...why, ...(result === 'valid' ? [message] : [])]),
  }
}

/** As a verifier asks: the TXT under the selector, wherever CNAMEs lead (RFC 6376 §3.6.2). */
async function judgementOf(key: JudgedKey, keys: readonly JudgedKey[], resolver: Resolver): Promise<Judgement> {
  try {
    const { records } = await resolver.txt(dkimRecord(key).name)
    return records.length === 0 ? notPublished('absent') : judgeTexts(records, key, keys)
  } catch (error) {
    if (error instanceof DnsTrouble) return unknown(error.message)
    throw error
  }
}
