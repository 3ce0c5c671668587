/**
 * The DMARC record of a sender domain: advice, because Kitte can send without it (RFC 7489).
 *
 * A domain without a record of its own is under its organizational domain's (§6.6.3); that counts as published.
 */
import { getDomain } from 'tldts'
import { DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import type { SenderDomain } from '../../mail/sender-domain.ts'
import {
  isInPlace,
  type Judgement,
  lastCheck,
  notPublished,
  published,
  type RecordKind,
  unknown,
} from './record-kind.ts'
import { readTags } from './tag-list.ts'

/** Asks for nothing to be refused: a start that can't harm mail that is sent in other ways. */
const firstRecord = 'v=DMARC1; p=none'

export const dmarc: RecordKind = {
  purpose: 'dmarc',
  isAdvice: true,

  expected(domain) {
    const record = { purpose: 'dmarc', type: 'TXT', name: `_dmarc.${domain.name}` } as const
    return [{ ...record, value: valueFor(domain, record.name) }]
  },

  async judge({ name }, domain, resolver) {
    try {
      const own = await recordsAt(name, resolver)
      if (own.length > 0) return judgeRecords(own, {})
      const parent = organizationalDomain(domain.name)
      const inherited = parent === null ? [] : await recordsAt(`_dmarc.${parent}`, resolver)
      if (inherited.length === 0) return notPublished('absent')
      return judgeRecords(inherited, { notes: 'note-inherited', parent: parent! })
    } catch (error) {
      if (error instanceof DnsTrouble) return unknown(error.message)
      throw error
    }
  },
}

function judgeRecords(records: readonly string[], detail: Judgement['detail']): Judgement {
  if (records.length > 1) return notPublished('two-records', records, { count: String(records.length) })
  const policy = dmarcPolicy(records[0]!, detail.parent !== undefined)
  if (policy === null) return notPublished('syntax', records, { problem: records[0]!.slice(0, 40) })
  return published(records, { ...detail, policy })
}

/** What receivers are asked to do with mail that fails: of the record's own domain, or of a name below it. */
export function dmarcPolicy(record: string, isInherited: boolean): 'none' | 'quarantine' | 'reject' | null {
  const list = readTags(record)
  if ('problem' in list) return null
  const text = (isInherited ? list.tags.get('sp') : undefined) ?? list.tags.get('p')
  const policy = text?.toLowerCase()
  return policy === 'none' || policy === 'quarantine' || policy === 'reject' ? policy : null
}

async function recordsAt(name: DomainName, resolver: Resolver): Promise<readonly string[]> {
  const { records } = await resolver.txt(name)
  // RFC 7489 §6.6.3: others are discarded.
  return records.filter(text => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text))
}

function organizationalDomain(name: DomainName): DomainName | null {
  const domain = getDomain(name, { allowPrivateDomains: true })
  return domain === name ? null : domain
}

function valueFor(domain: SenderDomain, name: DomainName): string {
  const check = lastCheck(domain, { purpose: 'dmarc', name })
  const isOwn = check !== null && isInPlace(check) && check.detail.parent === undefined
  return isOwn ? (check.found[0] ?? firstRecord) : firstRecord
}
