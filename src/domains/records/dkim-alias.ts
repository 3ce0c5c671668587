/**
 * Judges the CNAME form of a DKIM key: the alias must be the one asked for, and the key be readable through it.
 *
 * The selector whose turn it isn't has no key; its alias is right or not by itself. Some providers answer the text of the
 * target in place of the alias ("flattening"): receivers can't tell, so that counts as long as the key is the right one.
 * Fails with DnsTrouble.
 */
import type { Resolver } from '../../dns/resolver.ts'
import type { DnsRecord } from '../../mail/sender-domain.ts'
import { judgeTexts } from './dkim-text.ts'
import { type Judged, type JudgedKey, type Judgement, notPublished, published, withNote } from './record-kind.ts'

export async function judgeAlias(wanted: DnsRecord, domain: Judged, resolver: Resolver): Promise<Judgement> {
  const target = (await resolver.cname(wanted.name)).records[0]
  if (target !== undefined && target !== wanted.value) return judgeOtherTarget(target, wanted, domain)
  const key = domain.keys.find(
    ({ selector, form, state }) =>
      form === 'cname' && state !== 'retired' && `${selector}._domainkey.${domain.name}` === wanted.name,
  )
  const { records: texts } = await resolver.txt(wanted.name)
  if (target === undefined) return judgeWithoutAlias(wanted, texts, key, domain, resolver)
  return key === undefined ? published([target]) : judgeTarget(target, texts, key, domain)
}

function judgeTarget(target: string, texts: readonly string[], key: JudgedKey, domain: Judged): Judgement {
  const found = [target, ...texts]
  if (texts.length === 0) return notPublished('target-absent', found, { target })
  const isPublished = judgeTexts(texts, key, domain.keys).state === 'published'
  return isPublished ? published(found) : notPublished('target-stale', found, { target })
}

/** Panels append the domain to a target that has no dot at its end. */
function judgeOtherTarget(target: string, { value }: DnsRecord, { name }: Judged): Judgement {
  const isDoubled = target === `${value}.${name}`
  return notPublished(isDoubled ? 'target-doubled' : 'cname-elsewhere', [target], { target })
}

async function judgeWithoutAlias(
  { name }: DnsRecord,
  texts: readonly string[],
  key: JudgedKey | undefined,
  domain: Judged,
  resolver: Resolver,
): Promise<Judgement> {
  if (texts.length > 0) {
    const judgement = key && judgeTexts(texts, key, domain.keys)
    return judgement?.state === 'published'
      ? withNote(judgement, 'note-flattened')
      : notPublished('cname-replaced', texts, { type: 'TXT' })
  }
  const doubled = `${name}.${domain.name}`
  const apart = await resolver.cname(doubled).then(
    answer => answer.records[0],
    () => undefined,
  )
  return apart === undefined ? notPublished('absent') : notPublished('host-doubled', [apart], { at: doubled })
}
