/**
 * Puts DKIM signatures on a content: by the sender domain's keys where they are published, else by the relay's.
 *
 * With `signing.relayToo` the relay signs below the domain. A key that can't be used never loses or refuses mail, nor takes
 * another's signature with it: where the domain is left without one the relay's key takes its place, and when that fails
 * too the mail goes unsigned; the log tells either. Fails only when the content can't be read.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import { type Signatures, SigningFailed, type SigningKey, sign } from '../signing/signer.ts'
import type { Decision } from './decision.ts'
import type { FreshContent } from './fresh.ts'

export interface SigningParts {
  readonly keyRing: Pick<KeyRing, 'relayKey' | 'keysOf'> & Partial<Pick<KeyRing, 'reportKey'>>
  readonly config: Pick<Config, 'signing'>
  readonly clock: Clock
  readonly log: Log
}

type Signers = Pick<Decision, 'dkim' | 'domain' | 'own'>

const unsigned: Signatures = { fields: Buffer.alloc(0), names: [] }

export async function signFor(
  message: Message,
  content: FreshContent,
  { dkim, domain, own }: Signers,
  parts: SigningParts,
): Promise<Signatures> {
  if (dkim === 'none') return unsigned
  const relayToo = own === null && parts.config.signing.relayToo
  const byDomain =
    dkim === 'domain' && domain !== null ? await signByDomain(message, content, domain, relayToo, parts) : null
  return byDomain ?? (await signByRelay(message, content, parts))
}

/** Null when the domain's keys can't sign. A file that can't be read fails again with the relay's key, and tells there. */
async function signByDomain(
  message: Message,
  content: FreshContent,
  domain: SenderDomain,
  relayToo: boolean,
  { keyRing, clock, log }: SigningParts,
): Promise<Signatures | null> {
  const facts = { message: message.id, senderDomain: domain.name }
  const keys: SigningKey[] = []
  try {
    keys.push(...keyRing.keysOf(domain))
    if (keys.length > 0 && relayToo) keys.push(keyRing.relayKey())
    if (keys.length > 0) return await sign(content, keys, clock.now())
    log.error(facts, `${domain.name} has no key to sign with; the relay signs instead`)
  } catch (error) {
    const rest = error instanceof SigningFailed ? await signEach(content, keys, domain.name, clock.now()) : null
    const signer = rest === null ? 'the relay signs' : 'the others sign'
    log.error({ ...facts, err: error }, `signing with the key of ${domain.name} failed; ${signer} instead`)
    return rest
  }
  return null
}

/** One of several keys failed: those that can sign by themselves. Null: none of the domain's can. */
async function signEach(
  content: FreshContent,
  keys: readonly SigningKey[],
  domain: DomainName,
  now: Instant,
): Promise<Signatures | null> {
  const tried = await Promise.allSettled(keys.map(key => sign(content, [key], now)))
  const signed = tried.flatMap((one, i) => (one.status === 'fulfilled' ? [{ ...one.value, by: keys[i]!.domain }] : []))
  if (!signed.some(({ by }) => by === domain)) return null
  return { fields: Buffer.concat(signed.map(({ fields }) => fields)), names: signed.flatMap(({ names }) => names) }
}

async function signByRelay(
  message: Message,
  content: FreshContent,
  { keyRing, clock, log }: SigningParts,
): Promise<Signatures> {
  try {
    // RFC 8460 §3: receivers may ask for a key that is declared for these reports.
    const ofReports = message.origin === 'tls-report' && keyRing.reportKey ? [keyRing.reportKey()] : []
    return await sign(content, [keyRing.relayKey(), ...ofReports], clock.now())
  } catch (error) {
    if (!(error instanceof SigningFailed)) throw error
    log.error({ message: message.id, err: error }, 'the relay could not sign; the message goes unsigned')
    return unsigned
  }
}
