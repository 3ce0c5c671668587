/**
 * Which way a message travels, from its From address and the state of that address's domain (design section 4).
 *
 * Pure: the same facts give the same decision, and every decision says why. A record that was lost, or that nobody
 * could ask for, counts as published for a grace time, so that a slip of a DNS editor doesn't change the mail at once.
 */
import type { SenderAddress } from '../mail/account.ts'
import { domainOf } from '../mail/address.ts'
import type { DomainName, Instant, Mailbox } from '../mail/ids.ts'
import type { Check, SenderDomain } from '../mail/sender-domain.ts'
import type { SendingMode } from '../mail/sending-mode.ts'

export interface SendingFacts {
  readonly from: Mailbox
  /** Null: the From domain is not registered (only the address is). */
  readonly domain: SenderDomain | null
  /** Null: the From address is not registered (only its domain is). */
  readonly sender: SenderAddress | null
  readonly now: Instant
  readonly lostGraceMs: number
}

export interface SendingDecision {
  readonly mode: SendingMode
  /** One English clause for log and API: `spf and dkim are published`. */
  readonly reason: string
  /** Whose key signs. `none`: a sender's own server signs for its own domain, if at all. */
  readonly dkim: 'domain' | 'relay' | 'none'
  readonly reversePath: 'as-submitted' | 'verp'
  /** What counts as published now. */
  readonly records: { readonly spf: boolean; readonly dkim: boolean }
}

type Standing = 'published' | 'lost' | 'not-published'

export function resolveSendingMode(facts: SendingFacts): SendingDecision {
  const { domain } = facts
  const spf = domain === null ? 'not-published' : spfStanding(domain, facts)
  const dkim = domain === null ? 'not-published' : dkimStanding(domain, facts)
  const records = { spf: spf !== 'not-published', dkim: dkim !== 'not-published' }
  const lost = lostClause(spf, dkim)
  const name = domainOf(facts.from)
  if (facts.sender?.smtp) return ownSmtp(facts.from, facts.sender.smtp.host, records, lost)
  if (records.spf && records.dkim)
    return {
      mode: 'spf-dkim',
      reason: `spf and dkim are published${lost}`,
      dkim: 'domain',
      reversePath: 'as-submitted',
      records,
    }
  if (records.spf)
    return {
      mode: 'spf',
      reason: `spf is published but dkim is not${lost}`,
      dkim: 'relay',
      reversePath: 'as-submitted',
      records,
    }
  return senderOnly(name, domain, records, lost)
}

function ownSmtp(from: Mailbox, host: string, records: SendingDecision['records'], lost: string): SendingDecision {
  const signed = records.dkim ? `, signed by ${domainOf(from)}` : ''
  return {
    mode: 'own-smtp',
    reason: `${from} has its own SMTP server ${host}${signed}${records.dkim ? lost : ''}`,
    dkim: records.dkim ? 'domain' : 'none',
    reversePath: 'as-submitted',
    records,
  }
}

/** DKIM alone aligns the mail for DMARC, so the domain signs; SPF can only pass for the relay's bounce domain. */
function senderOnly(
  name: DomainName,
  domain: SenderDomain | null,
  records: SendingDecision['records'],
  lost: string,
): SendingDecision {
  if (records.dkim) {
    const reason = `dkim is published but spf is not: signed by ${name}, travels as sender-only${lost}`
    return { mode: 'sender-only', reason, dkim: 'domain', reversePath: 'verp', records }
  }
  const reason = domain === null ? `${name} is not a registered sender domain` : 'neither spf nor dkim is published'
  return { mode: 'sender-only', reason, dkim: 'relay', reversePath: 'verp', records }
}

/** Whether SPF can be expected to pass for reverse-paths at this domain. */
export function spfCounts(domain: SenderDomain, facts: Pick<SendingFacts, 'now' | 'lostGraceMs'>): boolean {
  return spfStanding(domain, facts) !== 'not-published'
}

function spfStanding(domain: SenderDomain, facts: Pick<SendingFacts, 'now' | 'lostGraceMs'>): Standing {
  let best: Standing = 'not-published'
  for (const check of domain.checks) if (check.purpose === 'spf') best = better(best, standingOf(check, facts))
  return best
}

/**
 * Only keys that sign count: a pending key's record says nothing about the mail that goes out today. Nor do Ed25519 keys,
 * which many large receivers don't verify (RFC 8463): with one alone the mail would be as good as unsigned.
 */
function dkimStanding(domain: SenderDomain, facts: SendingFacts): Standing {
  let best: Standing = 'not-published'
  for (const { state, algorithm, selector } of domain.keys) {
    if (state !== 'active' || algorithm !== 'rsa') continue
    const name = `${selector}._domainkey.${domain.name}`
    for (const check of domain.checks)
      if (check.purpose === 'dkim' && check.name === name) best = better(best, standingOf(check, facts))
  }
  return best
}

function better(one: Standing, other: Standing): Standing {
  if (one === 'published' || other === 'published') return 'published'
  return one === 'lost' ? one : other
}

function standingOf(check: Check, { now, lostGraceMs }: Pick<SendingFacts, 'now' | 'lostGraceMs'>): Standing {
  if (check.state === 'published') return 'published'
  return countsUntil(check, lostGraceMs) > now ? 'lost' : 'not-published'
}

/**
 * The bounce host of the domain's own that reverse-paths can end in now: opted in to, its MX and its SPF record published.
 * Null: the relay's own bounce host.
 */
export function returnPathHost(
  domain: SenderDomain | null,
  facts: Pick<SendingFacts, 'now' | 'lostGraceMs'>,
): DomainName | null {
  if (!domain?.returnPath) return null
  const exchange = domain.checks.find(check => check.purpose === 'return-path')
  const spf = domain.checks.find(check => check.purpose === 'return-path-spf' && check.name === exchange?.name)
  const counts = [exchange, spf].every(check => check && standingOf(check, facts) !== 'not-published')
  return counts && exchange ? exchange.name : null
}

/** Until when a check that is not published still counts as published; 0: it does not. */
export function countsUntil(check: Check, lostGraceMs: number): Instant {
  return check.lastPublishedAt === undefined ? 0 : check.lastPublishedAt + lostGraceMs
}

function lostClause(spf: Standing, dkim: Standing): string {
  if (spf !== 'lost' && dkim !== 'lost') return ''
  const lost = [spf === 'lost' ? 'spf' : '', dkim === 'lost' ? 'dkim' : ''].filter(name => name !== '')
  return ` (the ${lost.join(' and ')} record${lost.length > 1 ? 's were' : ' was'} lost and still counts for a while)`
}
