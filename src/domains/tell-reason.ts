/**
 * The sentence and the fix of a check, filled in.
 */
import type { Check, RecordPurpose } from '../mail/sender-domain.ts'
import { type Bilingual, notes, type ReasonCode, reasons, recordNames } from './reasons.ts'
import type { RelayRecord } from './relay-records.ts'

export interface ToldReason {
  readonly message: Bilingual
  readonly fix: Bilingual
}

/** A record of a sender domain, or of the relay itself. */
export interface ToldRecord {
  readonly purpose: RecordPurpose | RelayRecord['purpose']
  readonly type: string
  readonly name: string
  readonly value: string
}

export type ToldCheck = Pick<Check, 'reason' | 'detail'>

/** A code that is no longer in the table (written by another version) is told as it stands. */
export function tellReason({ purpose, type, name, value }: ToldRecord, check: ToldCheck | null): ToldReason {
  const code = check?.reason ?? 'unchecked'
  const record = purpose in recordNames ? recordNames[purpose as RecordPurpose] : type
  const values = { name, type, value, record, ...check?.detail }
  if (!(code in reasons)) return { message: { ja: code, en: code }, fix: { ja: value, en: value } }
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

function notesOf(check: ToldCheck | null): Bilingual[] {
  const codes = check?.detail.notes?.split(' ') ?? []
  return codes.flatMap(code => (code in notes ? [notes[code as keyof typeof notes]] : []))
}

/** A value that is missing stays visible as its placeholder. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder)
}
