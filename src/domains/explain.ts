/**
 * What a receiver would make of a domain's mail now: its sending mode, and for each sending address SPF, DKIM and DMARC.
 *
 * DNS is asked at once, past our cache, so the answer may know more than the last check. Fails with NotFound and
 * StoreUnavailable; DNS trouble is a result of its own. Follows RFC 7208, RFC 6376 and RFC 7489 §3.1, §6.6.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Resolver } from '../dns/resolver.ts'
import { parseDomain } from '../mail/address.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { SendingMode } from '../mail/sending-mode.ts'
import { resolveSendingMode, returnPathHost, type SendingDecision } from '../policy/sending-mode.ts'
import type { PublicKeyPart } from '../signing/key-ring.ts'
import { type DomainStore, NotFound } from '../store/store.ts'
import { judgeSignatures } from './explain-dkim.ts'
import { judgeDmarc, readPolicy } from './explain-dmarc.ts'
import { judgeSender } from './explain-spf.ts'
import { fillBoth, modeTexts } from './explain-texts.ts'
import { seeingNow } from './looking-now.ts'
import type { Bilingual } from './reasons.ts'
import type { RecordConfig } from './records/record-kind.ts'
import type { DmarcVerdict, ReceivedPolicy, SignatureVerdict, SpfVerdict } from './verdicts.ts'

export interface DomainExplanation {
  readonly name: DomainName
  readonly at: Instant
  readonly mode: SendingMode
  readonly modeReason: string
  readonly message: Bilingual
  /** Whose SPF record receivers look at: of the domain itself, its own bounce host, or the relay's. */
  readonly envelopeDomain: DomainName
  readonly policy: ReceivedPolicy
  /** The same whichever address the mail leaves from. */
  readonly dkim: readonly SignatureVerdict[]
  readonly addresses: readonly AddressExplanation[]
}

export interface AddressExplanation {
  readonly ip: string
  readonly spf: SpfVerdict
  readonly dmarc: DmarcVerdict
}

export interface ExplainerParts {
  readonly store: Pick<DomainStore, 'domain'>
  readonly resolver: Resolver
  readonly clock: Clock
  readonly config: RecordConfig & Pick<Config, 'relayDomain' | 'domains' | 'signing'>
  readonly relayKey: PublicKeyPart
}

export interface Explainer {
  explain(name: string): Promise<DomainExplanation>
}

export function createExplainer(parts: ExplainerParts): Explainer {
  return {
    async explain(name) {
      const domain = await parts.store.domain(parseDomain(name) ?? name)
      if (!domain) throw new NotFound(`${name} is not registered`)
      return explainDomain(domain, parts)
    },
  }
}

async function explainDomain(domain: SenderDomain, parts: ExplainerParts): Promise<DomainExplanation> {
  const { config, clock, relayKey } = parts
  const now = clock.now()
  const lostGraceMs = config.domains.lostGrace
  const { name } = domain
  const decision = resolveSendingMode({ from: `postmaster@${name}`, domain, sender: null, now, lostGraceMs })
  const envelopeDomain = envelopeDomainOf(domain, decision, parts, now)
  const resolver = seeingNow(parts)
  const policy = await readPolicy(name, resolver, config)
  const { relayToo } = config.signing
  const dkim = await judgeSignatures(domain, decision, { resolver, relayKey, policy, relayToo })
  const addresses = config.spf.sendingIps.map(async ip => {
    const sender = { ip, domain: envelopeDomain, helo: config.hostname }
    const spf = await judgeSender(sender, { from: name, resolver, policy })
    return { ip, spf, dmarc: judgeDmarc(spf, dkim, policy) }
  })
  const signers = [...new Set(dkim.map(signature => signature.domain))].join(', ')
  const values = { domain: name, relay: config.relayDomain.name, envelope: envelopeDomain, signer: signers }
  return {
    ...{ name, at: now, envelopeDomain, policy, dkim },
    mode: decision.mode,
    modeReason: decision.reason,
    message: fillBoth(modeTexts[decision.mode], values),
    addresses: await Promise.all(addresses),
  }
}

/** As an attempt chooses it (design section 4). */
function envelopeDomainOf(
  domain: SenderDomain,
  { reversePath }: SendingDecision,
  { config }: ExplainerParts,
  now: Instant,
): DomainName {
  if (reversePath === 'as-submitted') return domain.name
  return returnPathHost(domain, { now, lostGraceMs: config.domains.lostGrace }) ?? config.relayDomain.bounceHost
}
