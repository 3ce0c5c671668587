/**
 * The relay's records about reports on TLS (RFC 8460): its key declared for them, and where it wants them itself.
 *
 * Judged by meaning, like the others; fails with nothing but what a judgement can say.
 */
import { DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { RelayRecord } from '../relay-records.ts'
import { type Judgement, notPublished, published, unknown } from './record-kind.ts'
import { readTags } from './tag-list.ts'

export async function judgeTlsReports(record: RelayRecord, resolver: Resolver): Promise<Judgement> {
  try {
    const { records } = await resolver.txt(record.name)
    return record.name.startsWith('_smtp._tls.') ? judgeWish(records) : judgeKey(records, record)
  } catch (error) {
    if (error instanceof DnsTrouble) return unknown(error.message)
    throw error
  }
}

/** Whatever address stands there: it is the operator's choice. */
function judgeWish(texts: readonly string[]): Judgement {
  const found = texts.filter(text => /^v=TLSRPTv1\s*;/.test(text))
  if (found.length === 0) return notPublished('absent')
  if (found.length > 1) return notPublished('two-records', found, { count: String(found.length) })
  return /;\s*rua=\S/.test(found[0]!) ? published(found) : notPublished('syntax', found, { problem: 'rua=' })
}

function judgeKey(found: readonly string[], { value }: RelayRecord): Judgement {
  if (found.length === 0) return notPublished('absent')
  if (found.length > 1) return notPublished('two-records', found, { count: String(found.length) })
  const [ours, theirs] = [readTags(value), readTags(found[0]!)]
  if ('problem' in theirs) return notPublished('syntax', found, { problem: theirs.problem })
  const key = theirs.tags.get('p')?.replace(/\s+/g, '')
  if ('problem' in ours || key !== ours.tags.get('p')) return notPublished('key-differs', found)
  const services = (theirs.tags.get('s') ?? '*').split(':').map(service => service.trim())
  const isFit = services.includes('tlsrpt') || services.includes('*')
  return isFit ? published(found) : notPublished('syntax', found, { problem: `s=${services.join(':').slice(0, 40)}` })
}
