/**
 * Whom the bounce host takes mail for: reverse-paths of ours, the address for complaints, and who answers for the host.
 *
 * A signed address is proof enough whatever host it ends in, since the host is signed along: bounce hosts of customers
 * need no list. Null: nobody here.
 */
import { domainOf, localPartOf, parseMailbox } from '../mail/address.ts'
import type { DomainName, HostName } from '../mail/ids.ts'
import { readVerp, type VerpSubject } from './verp.ts'

export type IntakeAddress =
  | { readonly kind: 'token'; readonly subject: VerpSubject }
  | { readonly kind: 'complaints' }
  | { readonly kind: 'postmaster'; readonly role: 'postmaster' | 'abuse' }

export interface IntakeHosts {
  readonly hostname: HostName
  readonly relayDomain: { readonly name: DomainName; readonly bounceHost: DomainName }
  readonly domains: { readonly returnPathHost: string }
}

export interface IntakeNames extends IntakeHosts {
  /** Local part of the address for complaints. */
  readonly complaints: string
  readonly verpKey: Buffer
}

export function intakeAddress(address: string, names: IntakeNames): IntakeAddress | null {
  const mailbox = parseMailbox(address)?.toLowerCase()
  if (mailbox === undefined) return null
  const subject = readVerp(mailbox, names.verpKey)
  if (subject !== null) return { kind: 'token', subject }
  const local = localPartOf(mailbox)
  if (!isHostOfOurs(domainOf(mailbox), names)) return null
  if (local === names.complaints) return { kind: 'complaints' }
  return local === 'postmaster' || local === 'abuse' ? { kind: 'postmaster', role: local } : null
}

/** Customers' bounce hosts by their first label: that one is not theirs matters to nobody, no mail is passed on. */
export function isHostOfOurs(host: string, { hostname, relayDomain, domains }: IntakeHosts): boolean {
  return (
    host === hostname ||
    host === relayDomain.name ||
    host === relayDomain.bounceHost ||
    host.startsWith(`${domains.returnPathHost}.`)
  )
}
