/**
 * The DKIM records of a sender domain: one for each key that signs or waits to sign (RFC 6376 §3.6.1, 8301, 8463).
 *
 * Judged by meaning: the record is read as a tag list and its key compared, so order, spaces and splitting don't
 * matter. Where nothing fits, the usual slips are looked for: the domain written twice in the name, the record at the
 * domain itself, an older key of ours, quotes or backslashes published literally, the key cut off.
 */
import { type Answer, DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import { dkimRecord } from '../../signing/key-ring.ts'
import {
  type Judged,
  type Judgement,
  notPublished,
  type Place,
  published,
  type RecordKind,
  unknown,
} from './record-kind.ts'
import { listOf, readTags } from './tag-list.ts'

type Key = Judged['keys'][number]

export const dkim: RecordKind = {
  purpose: 'dkim',
  isAdvice: false,

  expected(domain) {
    return domain.keys.filter(({ state }) => state === 'active' || state === 'pending').map(dkimRecord)
  },

  async judge(record, domain, resolver) {
    const key = domain.keys.find(candidate => dkimRecord(candidate).name === record.name)!
    try {
      const answer = await resolver.txt(record.name)
      const alias = await aliasOf(record.name, resolver)
      const judgement =
        answer.records.length === 0
          ? await judgeAbsence(record, key, domain, alias, resolver)
          : judgeFound(answer, key, domain)
      return alias === null ? judgement : withNote(judgement, 'note-cname', { target: alias })
    } catch (error) {
      if (error instanceof DnsTrouble) return unknown(error.message)
      throw error
    }
  },
}

/** A record elsewhere, or of another type, tells what went wrong. */
async function judgeAbsence(
  record: Place,
  key: Key,
  domain: Judged,
  alias: DomainName | null,
  resolver: Resolver,
): Promise<Judgement> {
  if (alias !== null) return notPublished('wrong-type', [alias], { type: 'CNAME', target: alias })
  const doubled = `${record.name}.${domain.name}`
  const [apart, apex, older] = await Promise.all([
    holds(doubled, key, resolver),
    holds(domain.name, key, resolver),
    publishedOlderKey(key, domain, resolver),
  ])
  if (apart !== null) return notPublished('host-doubled', [apart], { at: doubled })
  if (apex !== null) return notPublished('at-apex', [apex], { at: domain.name })
  if (older) return notPublished('old-selector', [older.text], { selector: older.selector })
  return notPublished('absent')
}

function judgeFound(answer: Answer<string>, key: Key, domain: Judged): Judgement {
  const found = answer.records
  // RFC 6376 §3.6.2.2: with several records under a selector the result is undefined.
  if (found.length > 1) return notPublished('several-keys', found, { count: String(found.length) })
  const text = found[0]!
  const slip = literalSlip(text)
  if (slip !== null) return notPublished(slip, found)
  const list = readTags(text)
  if ('problem' in list) return notPublished('syntax', found, { problem: list.problem })
  return judgeTags(list.tags, found, key, domain)
}

function judgeTags(tags: ReadonlyMap<string, string>, found: readonly string[], key: Key, domain: Judged): Judgement {
  const version = tags.get('v')
  // RFC 6376 §3.6.1: v= is optional, but must come first and be exactly DKIM1.
  if (version !== undefined && (version !== 'DKIM1' || [...tags.keys()][0] !== 'v'))
    return notPublished('syntax', found, { problem: `v=${version}` })
  const data = tags.get('p')?.replace(/\s+/g, '')
  if (data === undefined) return notPublished('syntax', found, { problem: 'p=' })
  if (data === '') return notPublished('revoked', found)
  const type = (tags.get('k') ?? 'rsa').toLowerCase()
  if (type !== key.algorithm) return notPublished('wrong-key-type', found, { type, expected: key.algorithm })
  if (data !== key.publicKey) return judgeOtherKey(data, found, key, domain)
  return judgeRestrictions(tags, found)
}

function judgeOtherKey(data: string, found: readonly string[], key: Key, domain: Judged): Judgement {
  if (key.publicKey.startsWith(data.replace(/=+$/, '')))
    return notPublished('truncated', found, { length: String(data.length), full: String(key.publicKey.length) })
  const older = domain.keys.find(other => other !== key && other.publicKey === data)
  return older ? notPublished('old-key', found, { selector: older.selector }) : notPublished('key-differs', found)
}

/** Tags that let a fitting key verify nothing, or only tell verifiers to be lenient. */
function judgeRestrictions(tags: ReadonlyMap<string, string>, found: readonly string[]): Judgement {
  const services = listOf(tags.get('s') ?? '*')
  if (!services.includes('*') && !services.includes('email'))
    return notPublished('wrong-service', found, { s: tags.get('s')! })
  const hashes = tags.get('h')
  if (hashes !== undefined && !listOf(hashes).includes('sha256'))
    return notPublished('hash-excluded', found, { h: hashes })
  // RFC 6376 §3.6.1: verifiers must not treat a testing domain's mail differently, but some do.
  return listOf(tags.get('t') ?? '').includes('y') ? withNote(published(found), 'note-testing') : published(found)
}

/** What some DNS editors publish as part of the text. */
function literalSlip(text: string): 'quotes' | 'backslashes' | null {
  if (/["“”]/.test(text)) return 'quotes'
  return /\\/.test(text) ? 'backslashes' : null
}

async function aliasOf(name: DomainName, resolver: Resolver): Promise<DomainName | null> {
  return (await resolver.cname(name)).records[0] ?? null
}

/** The text under the name that has our key; trouble there is no answer about our record. */
async function holds(name: DomainName, key: Key, resolver: Resolver): Promise<string | null> {
  const texts = await resolver.txt(name).then(
    answer => answer.records,
    () => [],
  )
  return texts.find(text => text.replace(/\s+/g, '').includes(key.publicKey)) ?? null
}

async function publishedOlderKey(key: Key, domain: Judged, resolver: Resolver) {
  const older = domain.keys.filter(other => other.algorithm === key.algorithm && other.createdAt < key.createdAt)
  for (const other of older.toReversed()) {
    const text = await holds(dkimRecord(other).name, other, resolver)
    if (text !== null && other.state !== 'active') return { selector: other.selector, text }
  }
  return null
}

function withNote(judgement: Judgement, note: string, detail: Judgement['detail'] = {}): Judgement {
  const notes = [judgement.detail.notes, note].filter(text => text !== undefined).join(' ')
  return { ...judgement, detail: { ...judgement.detail, ...detail, notes } }
}
