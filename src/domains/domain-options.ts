/**
 * What a sender domain chooses beyond SPF and DKIM as TXT: the form of its keys, a bounce host, a tracking host.
 *
 * Fails with DomainInvalid when there is nothing to opt in to, or no selector free for a key of the other form, and with
 * what key generation fails with.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { DkimForm, DkimKey, DomainOptions, SenderDomain } from '../mail/sender-domain.ts'
import type { DomainStore } from '../store/store.ts'
import { DomainInvalid } from './domain-name.ts'
import { giveUpKey, issueKey, type KeyIssuer } from './key-rotation.ts'

export interface OptionParts extends KeyIssuer {
  readonly store: DomainStore
  readonly clock: Clock
  readonly config: KeyIssuer['config'] & Pick<Config, 'domains'>
}

/** Those that are given. */
export function checkedOptions(
  { dkimForm, returnPath, tracking }: DomainOptions,
  { domains }: Pick<Config, 'domains'>,
): DomainOptions {
  if (tracking && domains.trackingTarget === null)
    throw new DomainInvalid('there is no tracking host to opt in to: the operator sets domains.trackingTarget')
  return {
    ...(dkimForm === undefined ? {} : { dkimForm }),
    ...(returnPath === undefined ? {} : { returnPath }),
    ...(tracking === undefined ? {} : { tracking }),
  }
}

export async function changeOptions(parts: OptionParts, domain: SenderDomain, options: DomainOptions): Promise<void> {
  const checked = checkedOptions(options, parts.config)
  const { dkimForm } = checked
  // The key first: without one in the new form the domain keeps the old.
  if (dkimForm !== undefined && dkimForm !== formOf(domain)) await moveTo(dkimForm, { ...domain, dkimForm }, parts)
  await parts.store.updateDomain(domain.name, checked, [])
}

/** The present key signs until the one in the new form is seen. */
async function moveTo(form: DkimForm, domain: SenderDomain, parts: OptionParts): Promise<void> {
  const keys = domain.keys.filter(({ algorithm }) => algorithm === 'rsa')
  if (!keys.some(key => key.state === 'active' && formOf({ dkimForm: key.form }) === form))
    return issueKey(parts, domain, {})
  for (const key of keys.filter(isWaiting)) await giveUpKey(parts.store, domain, key, parts.clock.now())
}

function isWaiting({ state }: DkimKey): boolean {
  return state === 'pending'
}

function formOf({ dkimForm }: { readonly dkimForm?: DkimForm | undefined }): DkimForm {
  return dkimForm ?? 'txt'
}
