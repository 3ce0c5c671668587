/**
 * The records of a sender domain as lines of a zone file.
 */
import { z } from 'zod'
import { zoneSnippet } from '../../domains/zone-snippet.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { domainName } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'

export function domainZoneRoutes({ domains }: Pick<AdminDependencies, 'domains'>): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/domains/{name}/zone',
      id: 'getDomainZone',
      summary: 'Tells which records to publish, as lines of a zone file',
      params: z.object({ name: domainName }),
      answer: { status: 200, schema: z.string(), type: 'text/plain' },
      run: async ({ params }) => zoneSnippet(await domains.view(params.name)),
    }),
  ]
}
