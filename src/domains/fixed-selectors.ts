/**
 * DKIM keys as CNAMEs: selectors that never change, and the names in the relay's zone that they are aliases of.
 *
 * A customer publishes two CNAMEs once. The keys behind them take turns, so a rotation needs nobody's DNS panel, and a panel
 * that cuts long TXT records holds them well. Two, because the old key must stay readable while the new one signs.
 *
 * A target is a hash of domain, account and selector (80 bits). With the account in it, CNAMEs that an earlier holder of
 * the domain left behind never lead to the key of whoever registers the domain next; the same account, registering
 * again, finds its CNAMEs fitting.
 */
import { createHash } from 'node:crypto'
import type { Config } from '../base/config.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { DkimKey, DnsRecord, SenderDomain } from '../mail/sender-domain.ts'
import { DomainInvalid } from './domain-name.ts'

type Algorithm = DkimKey['algorithm']
type Held = Pick<DkimKey, 'selector' | 'algorithm' | 'state' | 'form'>

export const fixedSelectors: Readonly<Record<Algorithm, readonly [string, string]>> = {
  rsa: ['kitte1', 'kitte2'],
  ed25519: ['kitte1-ed25519', 'kitte2-ed25519'],
}

/** Base32 of 80 bits. */
const labelOctets = 10
const letters = 'abcdefghijklmnopqrstuvwxyz234567'

/** The zone that the relay's operator publishes: `dkim.relay.example.jp`. */
export function dkimZoneName({ relayDomain }: Pick<Config, 'relayDomain'>): DomainName {
  return `dkim.${relayDomain.name}`
}

export function aliasTarget(
  { name, account }: { readonly name: DomainName; readonly account: AccountId },
  selector: string,
  config: Pick<Config, 'relayDomain'>,
): DomainName {
  const hash = createHash('sha256').update(`${name} ${account} ${selector}`).digest()
  return `${base32(hash.subarray(0, labelOctets))}.${dkimZoneName(config)}`
}

/** The CNAMEs a domain is asked for: both of each pair that is in use, or, when its form is TXT by now, those still used. */
export function aliasRecords(
  domain: { readonly name: DomainName; readonly account: AccountId; readonly keys: readonly Held[] } & Pick<
    SenderDomain,
    'dkimForm'
  >,
  config: Pick<Config, 'relayDomain'>,
): readonly DnsRecord[] {
  const inUse = domain.keys.filter(key => key.form === 'cname' && key.state !== 'retired')
  const isCname = domain.dkimForm === 'cname'
  return (['rsa', 'ed25519'] as const)
    .filter(algorithm => (isCname && algorithm === 'rsa') || inUse.some(key => key.algorithm === algorithm))
    .flatMap(algorithm => fixedSelectors[algorithm])
    .filter(selector => isCname || inUse.some(key => key.selector === selector && key.state !== 'retiring'))
    .map(selector => ({
      purpose: 'dkim',
      type: 'CNAME',
      name: `${selector}._domainkey.${domain.name}`,
      value: aliasTarget(domain, selector, config),
    }))
}

/** The selector for the next key: the one that no key signs under, nor lately did. Fails with DomainInvalid. */
export function freeSelector(keys: readonly Held[], algorithm: Algorithm): string {
  const [first, second] = fixedSelectors[algorithm]
  const isFree = (selector: string) =>
    !keys.some(key => key.selector === selector && (key.state === 'active' || key.state === 'retiring'))
  if (isFree(first)) return first
  if (isFree(second)) return second
  throw new DomainInvalid(
    `${first} and ${second} are both in use: the older key must stay published until no mail signed with it can be under way; issue the next key after that`,
  )
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  return bits.replace(/.{5}/g, five => letters[Number.parseInt(five, 2)]!)
}
