/**
 * The history of a sender domain's records: each change with what stood in DNS before and after.
 *
 * Read from the checks that were kept, not from events: it lasts as long as the domain, events only for a while.
 */
import { z } from 'zod'
import type { Check } from '../../mail/sender-domain.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { domainName, next, page } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { checkAnswer, renderChange } from '../render-check.ts'

export type CheckAnswer = z.output<typeof checkAnswer>

export function domainHistoryRoutes({ store, domains }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/domains/{name}/history',
      id: 'listDomainHistory',
      summary: 'Lists the changes of its records with what differs, newest first',
      params: z.object({ name: domainName }),
      query: z.strictObject(page),
      answer: { status: 200, schema: z.object({ checks: z.array(checkAnswer), next }) },
      async run({ params, query }) {
        const wanted = pageOf(query)
        const { name } = await domains.view(params.name)
        const checks = await store.checkHistory(name, wanted)
        const changes = checks.map(async check => renderChange(await store.checkBefore(name, check), check))
        return { checks: await Promise.all(changes), next: nextOf(checks, wanted, cursorOfCheck) }
      },
    }),
  ]
}

/** As the store's `Page` wants it. */
function cursorOfCheck({ checkedAt, purpose, name }: Check): string {
  return `${checkedAt}/${purpose}/${name}`
}
