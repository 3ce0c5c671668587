/**
 * The sentence and the fix of a check, filled in.
 */
import type { Check, DnsRecord } from '../mail/sender-domain.ts'
import { type Bilingual, notes, type ReasonCode, reasons, recordNames } from './reasons.ts'

export interface ToldReason {
  readonly message: Bilingual
  readonly fix: Bilingual
}

/** A code that is no longer in the table (written by another version) is told as it stands. */
export function tellReason(record: DnsRecord, check: Check | null): ToldReason {
  const code = check?.reason ?? 'unchecked'
  const values = { name: record.name, value: record.value, record: recordNames[record.purpose], ...check?.detail }
  if (!(code in reasons)) return { message: { ja: code, en: code }, fix: { ja: record.value, en: record.value } }
  const { message, fix } = reasons[code as ReasonCode]
  const remarks = notesOf(check)
  return {
    message: {
      ja: [message, ...remarks].map(text => fill(text.ja, values)).join(''),
      en: [message, ...remarks].map(text => fill(text.en, values)).join(' '),
    },
    fix: { ja: fill(fix.ja, values), en: fill(fix.en, values) },
  }
}

function notesOf(check: Check | null): Bilingual[] {
  const codes = check?.detail.notes?.split(' ') ?? []
  return codes.flatMap(code => (code in notes ? [notes[code as keyof typeof notes]] : []))
}

/** A value that is missing stays visible as its placeholder. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder)
}
