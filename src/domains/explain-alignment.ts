/**
 * Whether an authenticated domain counts for the domain of From (RFC 7489 §3.1).
 */
import { getDomain } from 'tldts'
import type { DomainName } from '../mail/ids.ts'
import { alignmentModes, alignmentTexts, fillBoth } from './explain-texts.ts'
import type { Bilingual } from './reasons.ts'

export type AlignmentMode = keyof typeof alignmentModes

export interface Alignment {
  readonly aligned: boolean
  readonly message: Bilingual
}

export function tellAlignment(domain: DomainName, from: DomainName, mode: AlignmentMode): Alignment {
  const aligned = mode === 'strict' ? domain === from : organizational(domain) === organizational(from)
  const text = aligned ? alignmentTexts.aligned : alignmentTexts.unaligned
  return { aligned, message: fillBoth(text, { from, mode: alignmentModes[mode] }) }
}

/** RFC 7489 §3.2. */
function organizational(name: DomainName): DomainName {
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}
