/**
 * The relay itself: the DNS records that its operator publishes, and how they stand now.
 */
import { z } from 'zod'
import { masterFile } from '../../domains/dkim-zone.ts'
import type { RelayView } from '../../domains/relay-dns.ts'
import { relayPurposes, relayRecordTypes } from '../../domains/relay-records.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { time } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { recordFields } from '../record-fields.ts'
import { mergeFields, renderMerge } from '../record-forms.ts'
import { bounceHostAnswer, renderBounceHost } from '../render-bounce-host.ts'
import { renderWhoSays, whoSaysFields } from '../who-says.ts'

const relayAnswer = z.object({
  hostname: z.string(),
  sendingIps: z.array(z.string()),
  bounces: bounceHostAnswer,
  records: z.array(
    z.object({
      ...{ purpose: z.enum(relayPurposes), type: z.enum(relayRecordTypes) },
      optional: z.boolean().meta({ description: 'The relay does its work without it' }),
      ...{ ...recordFields, ...mergeFields, ...whoSaysFields },
    }),
  ),
})

export type RelayAnswer = z.output<typeof relayAnswer>

const dkimZoneAnswer = z.object({
  origin: z.string().meta({ description: 'The zone, or the part of one, that the names are in' }),
  ttl: z.int().meta({ description: 'Seconds' }),
  records: z.array(
    z.object({
      name: z.string().meta({ description: 'Full owner name' }),
      type: z.literal('TXT'),
      value: z.string().meta({ description: 'One unsplit string' }),
      domain: z.string().meta({ description: 'The sender domain whose CNAME leads here' }),
      selector: z.string(),
      state: z.enum(['pending', 'active', 'retiring']),
    }),
  ),
})

export type DkimZoneAnswer = z.output<typeof dkimZoneAnswer>

export function relayRoutes({
  relay,
  domains,
  config,
}: Pick<AdminDependencies, 'relay' | 'domains' | 'config'>): Operation[] {
  const answer = { status: 200, schema: relayAnswer } as const
  return [
    operation({
      method: 'get',
      path: '/v1/relay',
      id: 'getRelay',
      summary: 'Tells which DNS records to publish for the relay itself, how they stand, and whether bounces are taken',
      answer,
      run: async () => render(await relay.view(), config),
    }),
    operation({
      method: 'post',
      path: '/v1/relay/verify',
      id: 'verifyRelay',
      summary:
        "Checks the relay's own records in DNS now, past the cache, at every authoritative server and every resolver",
      answer,
      run: async () => render(await relay.verify(), config),
    }),
    operation({
      method: 'get',
      path: '/v1/relay/dkim-zone',
      id: 'getDkimZone',
      summary: 'Tells what to publish in the zone of the relay for sender domains whose keys stand behind CNAMEs',
      answer: { status: 200, schema: dkimZoneAnswer },
      run: async () => dkimZoneAnswer.parse(await domains.dkimZone()),
    }),
    operation({
      method: 'get',
      path: '/v1/relay/dkim-zone/file',
      id: 'getDkimZoneFile',
      summary: 'The same as lines of a zone file, to be included in the zone of the relay',
      answer: { status: 200, schema: z.string(), type: 'text/plain' },
      run: async () => masterFile(await domains.dkimZone()),
    }),
  ]
}

function render({ hostname, sendingIps, records }: RelayView, config: AdminDependencies['config']): RelayAnswer {
  return {
    hostname,
    sendingIps: [...sendingIps],
    bounces: renderBounceHost(config),
    records: records.map(record => ({
      ...record,
      ...renderMerge(record),
      ...renderWhoSays(record),
      found: [...record.found],
      checkedAt: time(record.checkedAt),
    })),
  }
}
