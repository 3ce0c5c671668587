/**
 * Says beforehand what recipients' DMARC rules will make of the message (design section 4; RFC 7489 §3.1).
 *
 * Mail of mode `sender-only` passes SPF for the relay's own bounce domain only and carries no signature of the From
 * domain: not aligned. Mail of mode `spf` aligns by its reverse-path, or not at all. The account decides what happens then:
 * `send`, `warn` (an event) or `refuse`, whatever policy the From domain publishes: under `p=none`, and without a record,
 * large receivers turn unaligned mail away as well. What the policy asks for, as the last check found it, is told.
 */
import { domainOf } from '../../mail/address.ts'
import type { Bilingual } from '../../outcome/classes.ts'
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
    if (facts.account.unaligned === 'refuse') throw new SmtpError(replies.unalignedRefused(domain, record.en))
    return warning(record, author)
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

const policies: Readonly<Record<'reject' | 'quarantine' | 'none', Bilingual>> = {
  reject: {
    ja: 'このドメインは、こうしたメールの受信拒否を求めています（p=reject）。',
    en: 'the domain asks recipients to refuse such mail (p=reject)',
  },
  quarantine: {
    ja: 'このドメインは、こうしたメールを迷惑メールとして扱うことを求めています（p=quarantine）。',
    en: 'the domain asks recipients to take such mail for spam (p=quarantine)',
  },
  none: {
    ja: 'このドメインは、受信側に特別な扱いを求めていません（p=none）。',
    en: 'the domain asks for nothing to be done (p=none)',
  },
}
const noPolicy: Bilingual = { ja: 'DMARCポリシーは確認できていません。', en: 'no DMARC policy is known' }

/** What recipients are asked to do with such mail (RFC 7489 §6.3). */
function policyClause({ domain }: OwnedAddress): Bilingual {
  const policy = domain?.checks.find(({ purpose, state }) => purpose === 'dmarc' && state === 'published')?.detail
    .policy
  return policy === 'reject' || policy === 'quarantine' || policy === 'none' ? policies[policy] : noPolicy
}

function warning(record: Bilingual, author: OwnedAddress): Bilingual {
  const policy = policyClause(author)
  return {
    ja: `DMARCの整合（アライメント）が取れていません。${record.ja}を公開してください。${policy.ja}`,
    en: `not aligned for DMARC: publish ${record.en}; ${policy.en}`,
  }
}

/** The DKIM record aligns by itself; without a key, the SPF record. */
function recordToPublish({ address, domain }: OwnedAddress, { config }: MessageFacts): Bilingual {
  const name = domainOf(address)
  const key =
    domain?.keys.find(({ state }) => state === 'active') ?? domain?.keys.find(({ state }) => state === 'pending')
  const owner = `${key?.selector}._domainkey.${name}`
  if (key) return { ja: `TXTレコード ${owner} `, en: `the TXT record ${owner}` }
  const value = `v=spf1 ${config.spf.mechanisms.join(' ')} ${config.spf.all}`
  return { ja: `${name} のTXTレコード「${value}」`, en: `the TXT record "${value}" at ${name}` }
}
