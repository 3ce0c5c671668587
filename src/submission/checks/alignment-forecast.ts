/**
 * Says beforehand what recipients' DMARC rules will make of the message (design section 4; RFC 7489 §3.1).
 *
 * Mail of mode `sender-only` passes SPF for the relay's own bounce domain only and carries no signature of the From
 * domain: not aligned. The account decides what happens then: `send`, `warn` (an event) or `refuse`. A first form: the
 * policy that the From domain publishes is not asked yet.
 */
import { domainOf } from '../../mail/address.ts'
import { resolveSendingMode } from '../../policy/sending-mode.ts'
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
    return `not aligned for DMARC: publish ${record}`
  },
}

function isAligned(author: OwnedAddress, { now, config }: MessageFacts): boolean {
  const { address, domain, sender } = author
  const lostGraceMs = config.domains.lostGrace
  const { mode, dkim } = resolveSendingMode({ from: address, domain, sender, now, lostGraceMs })
  return mode !== 'sender-only' || dkim === 'domain'
}

/** The DKIM record aligns by itself; without a key, the SPF record. */
function recordToPublish({ address, domain }: OwnedAddress, { config }: MessageFacts): string {
  const name = domainOf(address)
  const key =
    domain?.keys.find(({ state }) => state === 'active') ?? domain?.keys.find(({ state }) => state === 'pending')
  if (key) return `the TXT record ${key.selector}._domainkey.${name}`
  return `the TXT record "v=spf1 ${config.spf.mechanisms.join(' ')} ${config.spf.all}" at ${name}`
}
