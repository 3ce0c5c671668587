/**
 * What the state of a DKIM key means for whoever holds the DNS, in Japanese and English: publish, keep, delete.
 */
import type { DomainName, Instant } from '../mail/ids.ts'
import type { DkimKey, KeyState } from '../mail/sender-domain.ts'
import type { Bilingual } from './reasons.ts'

type Advised = Pick<DkimKey, 'selector' | 'form' | 'state' | 'stateSince'>

const advice: Readonly<Record<KeyState, Bilingual>> = {
  pending: {
    ja: '{record} のレコードが確認され次第、この鍵で署名を始めます。',
    en: 'Begins to sign when the record at {record} is seen.',
  },
  active: {
    ja: '現在この鍵で署名しています。{record} のレコードは削除しないでください。',
    en: 'Signs now: do not delete the record at {record}.',
  },
  retiring: {
    ja: '署名には使われていませんが、配送中のメールのため {until} までは {record} のレコードを残してください。',
    en: 'Does not sign any more. Keep the record at {record} until {until} for mail that is under way.',
  },
  retired: {
    ja: 'この鍵はもう使われません。{record} のレコードは削除できます。',
    en: 'Not in use any more: the record at {record} can be deleted.',
  },
}

/** The aliases stay: the next key comes back to them. */
const aliasAdvice: Partial<Readonly<Record<KeyState, Bilingual>>> = {
  retiring: {
    ja: '署名には使われていません。{record} の CNAME は次の鍵で使うため、残してください。',
    en: 'Does not sign any more. Keep the CNAME at {record}: a later key will use it.',
  },
  retired: {
    ja: 'この鍵はもう使われません。{record} の CNAME は次の鍵で使うため、残してください。',
    en: 'Not in use any more. Keep the CNAME at {record}: a later key will use it.',
  },
}

export interface KeyAdvice {
  /** Owner name of its record. */
  readonly record: DomainName
  /** Until when a retiring key's record must stay; null: the key does not retire. */
  readonly keepUntil: Instant | null
  readonly canBeDeleted: boolean
  readonly advice: Bilingual
}

export function keyAdvice(domain: DomainName, key: Advised, queueLifeMs: number): KeyAdvice {
  const record = `${key.selector}._domainkey.${domain}`
  const keepUntil = key.state === 'retiring' ? key.stateSince + queueLifeMs : null
  const text = (key.form === 'cname' ? aliasAdvice[key.state] : undefined) ?? advice[key.state]
  const until = keepUntil === null ? '' : new Date(keepUntil).toISOString()
  const fill = (sentence: string) => sentence.replaceAll('{record}', record).replaceAll('{until}', until)
  return {
    record,
    keepUntil,
    canBeDeleted: key.state === 'retired' && key.form !== 'cname',
    advice: { ja: fill(text.ja), en: fill(text.en) },
  }
}

/** What the event of a key that has just retired tells. */
export function releaseOf(domain: DomainName, key: DkimKey): Omit<KeyAdvice, 'keepUntil'> {
  const { keepUntil: _, ...release } = keyAdvice(domain, { ...key, state: 'retired' }, 0)
  return release
}
