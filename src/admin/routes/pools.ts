/**
 * Pools of source addresses, as the configuration has them, with what each address sent today and its warm-up.
 */
import { z } from 'zod'
import { openCalendar } from '../../base/calendar.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { type Operation, operation } from '../operation.ts'
import { poolsOf } from '../pool-fields.ts'
import { volumeDay } from './domain-volume.ts'
import { render } from './warm-ups.ts'

const answer = z.object({
  pools: z.array(
    z.object({
      name: z.string(),
      sources: z.array(
        z.object({
          ip: z.string(),
          ehlo: z.string(),
          today: volumeDay.nullable().meta({ description: 'What went out from it; null: nothing yet' }),
          warmUp: z.object({ state: z.string(), cap: z.int().nullable(), taken: z.int() }).nullable(),
        }),
      ),
    }),
  ),
})

export type PoolsAnswer = z.output<typeof answer>
type SourceAnswer = PoolsAnswer['pools'][number]['sources'][number]

export function poolRoutes({ store, clock, config }: AdminDependencies): Operation[] {
  const calendar = openCalendar(config.timeZone)
  const names = new Map(config.pools.flatMap(({ sources }) => sources.map(({ ip, ehlo }) => [ip, ehlo] as const)))

  async function sourceAnswer(ip: string): Promise<SourceAnswer> {
    const [volume] = await store.volume('source', ip, calendar.dayOf(clock.now()))
    const warmUp = await store.warmUp({ kind: 'source', name: ip })
    const { scope: _, name: __, receiver: ___, ...today } = volume ?? {}
    const shown = warmUp && render(warmUp)
    return {
      ip,
      ehlo: names.get(ip) ?? config.hostname,
      today: volume ? volumeDay.parse(today) : null,
      warmUp: shown && { state: shown.state, cap: shown.cap, taken: shown.taken },
    }
  }

  return [
    operation({
      method: 'get',
      path: '/v1/pools',
      id: 'listPools',
      summary: 'Tells the pools of source addresses, what went out from each address today, and its warm-up',
      answer: { status: 200, schema: answer },
      async run() {
        const pools = poolsOf(config).map(async ({ name, ips }) => ({
          name,
          sources: await Promise.all(ips.map(sourceAnswer)),
        }))
        return { pools: await Promise.all(pools) }
      },
    }),
  ]
}
