/**
 * A record of a sender domain as the API shows it beside its state: in the forms people need, and how its value came about.
 */
import { z } from 'zod'
import type { RecordView } from '../domains/domain-view.ts'
import type { MergedValue } from '../domains/records/merged-value.ts'
import { bilingual } from './fields.ts'

/** How a value came about; of any record. */
export const mergeFields = {
  parts: z
    .array(z.object({ text: z.string(), isNew: z.boolean() }))
    .meta({ description: 'The value in pieces, joined by spaces; new ones are not in the live record' }),
  changes: z.array(bilingual).meta({ description: 'What is changed in the live record, in words' }),
  lookups: z
    .object({ before: z.int().nullable(), after: z.int(), limit: z.int() })
    .nullable()
    .meta({ description: 'DNS lookups of an SPF record; with more than the limit after, the merge is refused' }),
}

export const recordFormFields = {
  ...mergeFields,
  forms: z
    .object({
      line: z.string().meta({ description: 'As most panels want it' }),
      zone: z.string().meta({ description: 'As a zone file wants it: strings of at most 255 octets, in quotes' }),
      strings: z.array(z.string()),
      host: z.object({ full: z.string(), short: z.string().meta({ description: '@ is the zone itself' }) }),
      zoneLine: z.string(),
    })
    .meta({ description: 'The record in the forms people need; empty while no value can be given' }),
}

export type RecordForms = z.output<z.ZodObject<typeof recordFormFields>>

export function renderForms({ forms, ...merged }: RecordView): RecordForms {
  return {
    ...renderMerge(merged),
    forms: { ...forms, strings: [...forms.strings], host: { ...forms.host } },
  }
}

export function renderMerge({ parts, changes, lookups }: MergedValue): z.output<z.ZodObject<typeof mergeFields>> {
  return { parts: parts.map(part => ({ ...part })), changes: [...changes], lookups: lookups && { ...lookups } }
}
