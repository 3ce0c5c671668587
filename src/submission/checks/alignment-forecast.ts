/**
 * Says beforehand what recipients' DMARC rules will make of the message (design section 4; RFC 7489 §3.1).
 *
 * Mail of mode `sender-only` passes SPF for the relay's own bounce domain only and carries no signature of the From
 * domain: not aligned. Mail of mode `spf` aligns by its reverse-path, or not at all. The account decides what happens then:
 * `send`, `warn` (an event) or `refuse`, whatever policy the From domain publishes: under `p=none`, and without a record,
 * large receivers turn unaligned mail away as well. What the policy asks for, as the last check found it, is told.
 */
import { domainOf } from '../../mail/address.ts'
import { resolveSendingMode, returnPathHost } from '../../policy/sending-mode.ts'
import type { OwnedAddress } from '../originators.ts'
import { replies, SmtpError } from '../replies.ts'
import type { Check, MessageFacts } from './check.ts'

export const alignmentForecast: Check = {
  name: 'alignment-forecast',
  message(facts: MessageFacts) {
    const author = facts.from[0]
    if (!author || facts.account === null || facts.account.unaligned === 'send') return undefined
    if (isAligned(author, facts)) return undefined
    const domain = domainOf(author.address)
    const record = recordToPublish(author, facts)
    if (facts.account.unaligned === 'refuse') throw new SmtpError(replies.unalignedRefused(domain, record))
    return `not aligned for DMARC: publish ${record}; ${policyClause(author)}`
  },
}

/**
 * In mode `spf` the reverse-path decides: only its domain passes SPF, and only that of From aligns (RFC 7489 §3.1.2). With
 * the null reverse-path SPF looks at our EHLO name. Another domain of the organisation would align as well; that is rare,
 * and a warning too many here is one record that helps.
 */
function isAligned(author: OwnedAddress, { now, config, reversePath }: MessageFacts): boolean {
  const { address, domain, sender } = author
  const lostGraceMs = config.domains.lostGrace
  const { mode, dkim } = resolveSendingMode({ from: address, domain, sender, now, lostGraceMs })
  if (dkim === 'domain' || mode === 'own-smtp') return true
  // The relay's reverse-path then ends in a name of the domain's own; the null one stays as it is.
  if (mode === 'sender-only' && returnPathHost(domain, { now, lostGraceMs })) return reversePath !== null
  return mode === 'spf' && reversePath !== null && domainOf(reversePath.address) === domainOf(address)
}

/** What recipients are asked to do with such mail (RFC 7489 §6.3). */
function policyClause({ domain }: OwnedAddress): string {
  const policy = domain?.checks.find(({ purpose, state }) => purpose === 'dmarc' && state === 'published')?.detail
    .policy
  if (policy === 'reject') return 'the domain asks recipients to refuse such mail (p=reject)'
  if (policy === 'quarantine') return 'the domain asks recipients to take such mail for spam (p=quarantine)'
  return policy === 'none' ? 'the domain asks for nothing to be done (p=none)' : 'no DMARC policy is known'
}

/** The DKIM record aligns by itself; without a key, the SPF record. */
function recordToPublish({ address, domain }: OwnedAddress, { config }: MessageFacts): string {
  const name = domainOf(address)
  const key =
    domain?.keys.find(({ state }) => state === 'active') ?? domain?.keys.find(({ state }) => state === 'pending')
  if (key) return `the TXT record ${key.selector}._domainkey.${name}`
  return `the TXT record "v=spf1 ${config.spf.mechanisms.join(' ')} ${config.spf.all}" at ${name}`
}
