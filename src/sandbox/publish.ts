/**
 * Plays the customer who publishes what a sender domain is asked for, or takes it out again.
 *
 * Other records of the same names stay: a text is replaced only by one of its kind (SPF, DKIM, DMARC).
 */
import type { Domains } from '../domains/service.ts'
import type { DomainName } from '../mail/ids.ts'
import type { DnsRecord } from '../mail/sender-domain.ts'
import { NotFound } from '../store/store.ts'
import type { ZoneBook } from './zone-book.ts'
import { readRecord } from './zone-record.ts'

export interface PlainRecord extends Pick<DnsRecord, 'name' | 'value'> {
  readonly type: DnsRecord['type'] | 'A' | 'AAAA' | 'PTR'
}

export interface Published {
  readonly domain: DomainName
  readonly records: readonly PlainRecord[]
}

export interface Publisher {
  /** Puts the records that a registered domain is asked for into the zone; null: no such domain. */
  publish(domain: DomainName): Promise<Published | null>
  /** Takes them out again. */
  unpublish(domain: DomainName): Promise<Published | null>
}

export function createPublisher(book: ZoneBook, domains: Pick<Domains, 'view'>): Publisher {
  const changeOf = (change: (book: ZoneBook, records: readonly PlainRecord[]) => void) => async (name: DomainName) => {
    const view = await domains.view(name).catch(error => {
      if (error instanceof NotFound) return null
      throw error
    })
    if (view === null) return null
    // Without a value there is nothing to publish: its fix says what must go first.
    const given = view.records.filter(({ value }) => value !== '')
    const records = given.map(({ type, name: owner, value }) => ({ type, name: owner, value }))
    change(book, records)
    return { domain: view.name, records }
  }
  return { publish: changeOf(publishRecords), unpublish: changeOf(removeRecords) }
}

export function publishRecords(book: ZoneBook, records: readonly PlainRecord[]): void {
  for (const { type, name, value } of records) {
    const others = type === 'TXT' ? otherTexts(book, name, value) : []
    book.set(name, { ...book.entry(name), ...readRecord(type, [...others, value]) })
  }
}

function removeRecords(book: ZoneBook, records: readonly PlainRecord[]): void {
  for (const { type, name, value } of records) {
    const { [type]: _, ...rest } = book.entry(name) ?? {}
    const others = type === 'TXT' ? otherTexts(book, name, value) : []
    book.set(name, { ...rest, ...readRecord(type, others) })
  }
}

/** `v=spf1`, `v=DKIM1`, `v=DMARC1` begin the records of that kind. */
function otherTexts(book: ZoneBook, name: DomainName, value: string): string[] {
  const kind = value.split(/[\s;]/)[0]!.toLowerCase()
  const texts = (book.entry(name)?.TXT ?? []).map(text => [text].flat().join(''))
  return texts.filter(text => text.split(/[\s;]/)[0]!.toLowerCase() !== kind)
}
