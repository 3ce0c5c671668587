/**
 * A DNS record as the API shows it, whoever's it is: where, what, how it stands, why, and what to do.
 */
import { z } from 'zod'
import { bilingual, timestamp } from './fields.ts'

export const recordState = z.enum(['published', 'not-published', 'dns-error', 'unchecked'])

export const recordFields = {
  name: z.string().meta({ description: 'Full owner name' }),
  value: z.string(),
  state: recordState,
  reason: z.string(),
  message: bilingual.meta({ description: 'What was found, in words' }),
  fix: bilingual.meta({ description: 'What to do in the DNS' }),
  found: z.array(z.string()),
  checkedAt: timestamp.nullable(),
}
