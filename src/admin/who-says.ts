/**
 * Who was asked about a record and what each said, in the API's answers.
 */
import { z } from 'zod'
import type { ServerView, WhoSays } from '../domains/who-says.ts'
import { bilingual, time, timestamp } from './fields.ts'

const serverAnswer = z.object({
  server: z.string(),
  address: z.string().meta({ description: 'Empty: it has none' }),
  name: z.string().meta({ description: 'What it was asked for: the name of the record, or one that a CNAME leads to' }),
  state: z
    .enum(['published', 'not-published', 'dns-error'])
    .meta({ description: 'dns-error: its answer does not count' }),
  reason: z.string().meta({ description: 'A reason code, or what is wrong with the server' }),
  message: bilingual,
  found: z.array(z.string()),
  ttl: z.int().meta({ description: 'Seconds for which others may keep this answer, also that there is no record' }),
})

export const whoSaysFields = {
  servers: z.array(serverAnswer).meta({ description: 'The authoritative servers, each asked itself' }),
  resolvers: z.array(serverAnswer).meta({ description: 'The configured resolvers: what receivers see now' }),
  asked: bilingual.nullable().meta({ description: 'Who decided; null before the first check' }),
  visibleAt: timestamp
    .nullable()
    .meta({ description: 'Where servers or resolvers differ: when receivers see the record at the latest' }),
  visibleWithin: z.int().nullable().meta({
    description: 'Seconds from the moment when the record is put right until receivers see it, at the latest',
  }),
}

export function renderWhoSays({ servers, resolvers, asked, visibleAt, visibleWithin }: WhoSays) {
  return {
    servers: servers.map(renderServer),
    resolvers: resolvers.map(renderServer),
    asked,
    visibleAt: time(visibleAt),
    visibleWithin,
  }
}

function renderServer({ found, ...answer }: ServerView) {
  return { ...answer, found: [...found] }
}
