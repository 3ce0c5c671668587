/**
 * Pools of source addresses in requests and answers.
 */
import { z } from 'zod'
import type { Config } from '../base/config.ts'
import { defaultPool } from '../delivery/pools.ts'
import type { Store } from '../store/store.ts'
import { mend } from './fields.ts'
import { invalidField } from './problem.ts'

type Pools = Pick<Config, 'pools' | 'delivery'>

export const pool = z
  .string(mend('pool'))
  .nullable()
  .meta({ description: 'A pool of source addresses of the configuration; null: what is less specific decides' })

/** Refuses a name that the configuration doesn't have. */
export function assertPool(name: string | null | undefined, { pools }: Pick<Config, 'pools'>): void {
  if (name === null || name === undefined || pools.some(one => one.name === name)) return
  throw invalidField('pool', 'pool')
}

/** The default pool first, unless the configuration has one of that name. */
export function poolsOf({ pools, delivery }: Pools): { readonly name: string; readonly ips: readonly string[] }[] {
  const named = pools.map(({ name, sources }) => ({ name, ips: sources.map(({ ip }) => ip) }))
  if (named.some(({ name }) => name === defaultPool)) return named
  const plain = [delivery.sourceIpv4, delivery.sourceIpv6].filter(ip => ip !== null)
  return [{ name: defaultPool, ips: plain }, ...named]
}

export function sourcesOf(config: Pools): string[] {
  return poolsOf(config).flatMap(({ ips }) => ips)
}

export function poolsWith(ip: string, config: Pools): string[] {
  return poolsOf(config)
    .filter(({ ips }) => ips.includes(ip))
    .map(({ name }) => name)
}

/** Mail leaves by another pool from now on: what waits for a day or an address of any may have one that takes it at once. */
export async function wakePools(store: Pick<Store, 'wakeWaiting'>, config: Pools): Promise<void> {
  for (const { name } of poolsOf(config)) {
    await store.wakeWaiting(`warm-up pool ${name}`)
    await store.wakeWaiting(`source pool ${name}`)
  }
}
