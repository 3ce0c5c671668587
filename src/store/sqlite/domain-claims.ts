/**
 * Open claims of sender domains, and the move of a domain to the account that proved its claim.
 *
 * In the same transaction the keys of the former holder are retired, so that none of them ever signs for the new one, and
 * its sender addresses at the domain are removed: a sender uses only addresses of its account (design invariant 4).
 * Fails with NotFound, and with Conflict when the domain changed hands meanwhile.
 */
import type { SenderAddress } from '../../mail/account.ts'
import type { DomainClaim } from '../../mail/domain-claim.ts'
import type { NewEvent } from '../../mail/event.ts'
import type { DkimKey, SenderDomain } from '../../mail/sender-domain.ts'
import { sameLimits } from '../../policy/token-bucket.ts'
import { Conflict, type DomainMove, NotFound } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import { openDomainsReader } from './domains-reader.ts'
import type { Events } from './events.ts'
import type { Replan } from './replan.ts'
import { eventRow } from './rows.ts'
import type { Transaction } from './transaction.ts'

export function openDomainClaims(db: Connection, events: Events, replan: Replan) {
  const put = db.prepare('insert or replace into domain_claim (domain, account, data) values (?, ?, ?)')
  const removeClaims = db.prepare('delete from domain_claim where domain = ?')
  const move = db.prepare('update domain set account = ?, next_check_at = ?, data = ? where name = ?')
  const putKey = db.prepare('insert or replace into dkim_key (domain, selector, data) values (?, ?, ?)')
  const removeShareLinks = db.prepare('delete from share_link where domain = ?')
  const removeChecks = db.prepare("delete from latest_check where domain = ? and purpose = 'dkim'")
  const sendersAt: Statement<string> = db.prepare(
    'select data from sender where account = ? and substr(address, -length(?)) = ?',
  )
  sendersAt.pluck()
  const removeSender = db.prepare('delete from sender where address = ?')
  const { domain: read } = openDomainsReader(db)

  const writeKey = (key: DkimKey) => putKey.run(key.domain, key.selector, JSON.stringify(key))

  function removeSenders(tx: Transaction, { name, from, to, at }: DomainMove): NewEvent[] {
    const ending = `@${name}`
    return sendersAt.all(from, ending, ending).map(data => {
      const { address } = JSON.parse(data) as SenderAddress
      removeSender.run(address.toLowerCase())
      tx.changes.push({ kind: 'sender', address })
      return { type: 'sender.removed', at, account: from, domain: name, data: { address, to } }
    })
  }

  return {
    putClaim(_tx: Transaction, claim: DomainClaim, told: readonly NewEvent[]): void {
      put.run(claim.domain, claim.account, JSON.stringify(claim))
      events.write(told.map(eventRow))
    },

    moveDomain(tx: Transaction, domainMove: DomainMove, told: readonly NewEvent[]): void {
      const { name, from, to, at, key, keyFailure } = domainMove
      const before = read(name)
      if (!before) throw new NotFound(`${name} is not registered`)
      if (before.account !== from)
        throw new Conflict(`${name} is registered by account ${before.account}`, before.account)
      const { keys } = before
      const after: Omit<SenderDomain, 'keys' | 'checks'> = {
        ...{
          name,
          account: to,
          createdAt: before.createdAt,
          archivedAt: null,
          limits: {},
          keyFailure,
          nextCheckAt: at,
        },
        // What was seen in DNS stays true, whoever has the domain.
        ...(before.delegation ? { delegation: before.delegation } : {}),
      }
      move.run(to, at, JSON.stringify(after), name)
      for (const old of keys) if (old.state !== 'retired') writeKey({ ...old, state: 'retired', stateSince: at })
      if (key !== null) writeKey(key)
      removeChecks.run(name)
      removeClaims.run(name)
      removeShareLinks.run(name)
      const removed = removeSenders(tx, domainMove)
      if (!sameLimits(before.limits, {})) replan(tx, `domain:${name}`)
      events.write([...told, ...removed].map(eventRow))
      tx.changes.push({ kind: 'domain', name })
    },
  }
}

export function openDomainClaimsReader(db: Connection) {
  const ofDomain: Statement<string> = db.prepare('select data from domain_claim where domain = ? order by account')
  ofDomain.pluck()
  return {
    claims: (domain: string): DomainClaim[] => ofDomain.all(domain).map(data => JSON.parse(data) as DomainClaim),
  }
}
