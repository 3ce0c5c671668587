/**
 * Changes of a record as the API shows them: what was found before and after, the parts that differ, and what it means.
 */
import { z } from 'zod'
import { diffFound } from '../domains/found-diff.ts'
import { tellReason } from '../domains/tell-reason.ts'
import { type Check, type RecordPurpose, recordPurposes } from '../mail/sender-domain.ts'
import { bilingual, time, timestamp } from './fields.ts'
import { recordState } from './record-fields.ts'
import type { Bilingual } from './texts.ts'

const standing = {
  state: recordState,
  reason: z.string(),
  message: bilingual.meta({ description: 'The reason in words' }),
  found: z.array(z.string()),
}

export const checkAnswer = z.object({
  purpose: z.enum(recordPurposes),
  name: z.string(),
  ...standing,
  checkedAt: timestamp,
  before: z
    .object({ ...standing, checkedAt: timestamp })
    .nullable()
    .meta({ description: 'How it stood before; null: this was the first check' }),
  diff: z.object({
    added: z.array(z.string()).meta({ description: 'Terms of SPF, tags of DKIM and DMARC, or whole values' }),
    removed: z.array(z.string()),
    reordered: z.boolean().meta({ description: 'The same parts in another order' }),
  }),
})

export function renderChange(before: Check | null, after: Check): z.output<typeof checkAnswer> {
  const { added, removed, reordered } = diffFound(before?.found ?? [], after.found)
  return {
    purpose: after.purpose,
    name: after.name,
    ...renderStanding(after),
    before: before && renderStanding(before),
    diff: { added: [...added], removed: [...removed], reordered },
  }
}

function renderStanding(check: Check) {
  const { purpose, name, state, reason, found, checkedAt } = check
  return { state, reason, message: sentenceOf(purpose, name, check), found: [...found], checkedAt: time(checkedAt) }
}

export function sentenceOf(purpose: RecordPurpose, name: string, check: Pick<Check, 'reason' | 'detail'>): Bilingual {
  return tellReason({ purpose, name, type: 'TXT', value: '' }, check).message
}

interface EventData {
  readonly purpose: RecordPurpose
  readonly name: string
}
type Told = Pick<Check, 'reason' | 'detail'>

/** The data of `domain.check_changed` and `domain.record_lost` with the sentences of their reasons. */
export function withSentences(data: unknown): unknown {
  const { purpose, name, from, to, ...rest } = data as EventData & { readonly from?: Told | null; readonly to?: Told }
  const tell = (check: Told) => ({ ...check, message: sentenceOf(purpose, name, check) })
  if (to === undefined) return { purpose, name, ...tell(rest as unknown as Told) }
  return { purpose, name, from: from ? tell(from) : null, to: tell(to), ...rest }
}
