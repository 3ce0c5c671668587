/**
 * Which names can be sender domains: real domain names that somebody can own.
 */
import { parse } from 'tldts'
import { parseDomain } from '../mail/address.ts'
import type { DomainName } from '../mail/ids.ts'

/** The name, selector or key asked for can't be used; the message says why and is fit for a stranger. */
export class DomainInvalid extends Error {
  readonly code = 'domain-invalid'
}

/** In lower case A-labels. A public suffix such as co.jp has no owner who could publish records for its names. */
export function senderDomainName(text: string): DomainName {
  const name = parseDomain(text.trim())
  if (name === null) throw new DomainInvalid(`${text.slice(0, 100)} is not a domain name such as example.jp`)
  if (parse(name, { allowPrivateDomains: true }).publicSuffix === name)
    throw new DomainInvalid(`${name} is a public suffix, under which others register domains: write a domain below it`)
  return name
}
