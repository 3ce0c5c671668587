/**
 * The DKIM records of a sender domain (RFC 6376 §3.6.1, 8301, 8463): a TXT for each key that signs or waits to sign, or
 * two CNAMEs into the relay's zone (fixed-selectors.ts).
 *
 * What is found is judged by meaning (dkim-text.ts, dkim-alias.ts). Where nothing is found, the places are looked at where such
 * records usually end up: the domain written twice in the name, the domain itself, another selector.
 */
import { type Answer, DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import { dkimRecord } from '../../signing/key-ring.ts'
import { aliasRecords } from '../fixed-selectors.ts'
import { judgeAlias } from './dkim-alias.ts'
import { judgeTexts } from './dkim-text.ts'
import {
  type Judged,
  type JudgedKey,
  type Judgement,
  notPublished,
  type Place,
  type RecordConfig,
  type RecordKind,
  unknown,
  withNote,
} from './record-kind.ts'

export const dkim: RecordKind = {
  purpose: 'dkim',
  isAdvice: false,

  expected(domain, config) {
    const inUse = domain.keys.filter(({ state }) => state === 'active' || state === 'pending')
    return [...inUse.filter(({ form }) => form !== 'cname').map(dkimRecord), ...aliasRecords(domain, config)]
  },

  async judge(record, domain, resolver, config) {
    try {
      const alias = aliasAt(record, domain, config)
      return alias ? await judgeAlias(alias, domain, resolver) : await judgeText(record, domain, resolver)
    } catch (error) {
      if (error instanceof DnsTrouble) return unknown(error.message)
      throw error
    }
  },
}

/** The relay itself has no account, and publishes its key as TXT. */
function aliasAt({ name }: Place, { account, ...domain }: Judged, config: RecordConfig) {
  return account === undefined ? undefined : aliasRecords({ ...domain, account }, config).find(one => one.name === name)
}

async function judgeText(record: Place, domain: Judged, resolver: Resolver): Promise<Judgement> {
  const key = domain.keys.find(candidate => dkimRecord(candidate).name === record.name)!
  const { records: found } = await resolver.txt(record.name)
  const target = (await resolver.cname(record.name)).records[0]
  const judgement = found.length > 0 ? judgeTexts(found, key, domain.keys) : null
  if (target === undefined) return judgement ?? (await judgeAbsence(record, key, domain, resolver))
  // What stands behind an alias is somebody else's to mend.
  if (judgement?.state === 'published') return withNote(judgement, 'note-cname', { target })
  return withNote(notPublished('wrong-type', [target, ...found], { type: 'CNAME', target }), 'note-cname')
}

async function judgeAbsence(record: Place, key: JudgedKey, domain: Judged, resolver: Resolver): Promise<Judgement> {
  const apex = await textsAt(domain.name, resolver)
  // Nothing is below a name that does not exist (RFC 8020 §2).
  if (apex?.status === 'nxdomain') return notPublished('absent')
  const doubled = `${record.name}.${domain.name}`
  const [apart, elsewhere, older] = await Promise.all([
    holds(doubled, key, resolver),
    misplaced(key, domain, resolver),
    publishedOlderKey(key, domain, resolver),
  ])
  const atApex = apex && keyIn(apex.records, key)
  if (apart !== null) return notPublished('host-doubled', [apart], { at: doubled })
  if (atApex) return notPublished('at-apex', [atApex], { at: domain.name })
  if (elsewhere) return notPublished('wrong-selector', [elsewhere.text], { at: elsewhere.at })
  if (older) return notPublished('old-selector', [older.text], { selector: older.selector })
  return notPublished('absent')
}

/** Our key under a name that is nearly ours, or in the place of another key of ours. */
async function misplaced(key: JudgedKey, { name, keys }: Judged, resolver: Resolver) {
  const nearly = [`_domainkey.${name}`, `${key.selector}.${name}`, `${key.selector}.domainkey.${name}`]
  const others = ['default', ...keys.map(({ selector }) => selector).filter(selector => selector !== key.selector)]
  const places = [...nearly, ...others.map(selector => `${selector}._domainkey.${name}`)]
  const texts = await Promise.all(places.map(place => holds(place, key, resolver)))
  const index = texts.findIndex(text => text !== null)
  return index === -1 ? null : { at: places[index]!, text: texts[index]! }
}

async function publishedOlderKey(key: JudgedKey, domain: Judged, resolver: Resolver) {
  const older = domain.keys.filter(other => other.algorithm === key.algorithm && other.createdAt < key.createdAt)
  for (const other of older.toReversed()) {
    const text = await holds(dkimRecord(other).name, other, resolver)
    if (text !== null && other.state !== 'active') return { selector: other.selector, text }
  }
  return null
}

async function holds(name: DomainName, key: JudgedKey, resolver: Resolver): Promise<string | null> {
  const answer = await textsAt(name, resolver)
  return answer && keyIn(answer.records, key)
}

/** Trouble there is no answer about our record. */
function textsAt(name: DomainName, resolver: Resolver): Promise<Answer<string> | null> {
  return resolver.txt(name).catch(() => null)
}

function keyIn(texts: readonly string[], { publicKey }: JudgedKey): string | null {
  return texts.find(text => text.replace(/\s+/g, '').includes(publicKey)) ?? null
}
