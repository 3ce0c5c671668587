/**
 * The relay itself: the DNS records that its operator publishes, and how they stand now.
 */
import { z } from 'zod'
import type { RelayView } from '../../domains/relay-dns.ts'
import { relayPurposes, relayRecordTypes } from '../../domains/relay-records.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { time } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { recordFields } from '../record-fields.ts'

const relayAnswer = z.object({
  hostname: z.string(),
  sendingIps: z.array(z.string()),
  records: z.array(z.object({ purpose: z.enum(relayPurposes), type: z.enum(relayRecordTypes), ...recordFields })),
})

export type RelayAnswer = z.output<typeof relayAnswer>

export function relayRoutes({ relay }: Pick<AdminDependencies, 'relay'>): Operation[] {
  const answer = { status: 200, schema: relayAnswer } as const
  return [
    operation({
      method: 'get',
      path: '/v1/relay',
      id: 'getRelay',
      summary: 'Tells which DNS records to publish for the relay itself, and how they stand',
      answer,
      run: async () => render(await relay.view()),
    }),
    operation({
      method: 'post',
      path: '/v1/relay/verify',
      id: 'verifyRelay',
      summary: "Checks the relay's own records in DNS now, past the cache",
      answer,
      run: async () => render(await relay.verify()),
    }),
  ]
}

function render({ hostname, sendingIps, records }: RelayView): RelayAnswer {
  return {
    hostname,
    sendingIps: [...sendingIps],
    records: records.map(({ found, checkedAt, ...record }) => ({
      ...record,
      found: [...found],
      checkedAt: time(checkedAt),
    })),
  }
}
