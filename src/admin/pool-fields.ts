/**
 * Pools of source addresses in requests and answers.
 */
import { z } from 'zod'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import { defaultPool } from '../delivery/pools.ts'
import { poolChanged } from '../outcome/delivery-log.ts'
import type { Store } from '../store/store.ts'
import { mend } from './fields.ts'
import { invalidField } from './problem.ts'

/** The pools as they were at the last start. */
const poolsSetting = 'pools'

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

/**
 * At the start: what waits for a pool that the configuration has changed, or has no more, is looked at at once. Its mail
 * leaves by the default pool when it is gone (`delivery/pools.ts`); by the changed one as far as that takes it.
 */
export async function wakeChangedPools(parts: {
  readonly store: Pick<Store, 'wakeWaiting' | 'setting' | 'setSetting'>
  readonly config: Pools
  readonly log: Log
}): Promise<void> {
  const { store, config, log } = parts
  const now = Object.fromEntries(poolsOf(config).map(({ name, ips }) => [name, ips.join()]))
  const before = JSON.parse((await store.setting(poolsSetting)) ?? '{}') as Readonly<Record<string, string>>
  for (const [pool, ips] of Object.entries(before)) {
    if (now[pool] === ips) continue
    const entries = await wakePool(store, pool)
    if (entries > 0) poolChanged(log, { pool, entries, isGone: now[pool] === undefined })
  }
  if (JSON.stringify(now) !== JSON.stringify(before)) await store.setSetting(poolsSetting, JSON.stringify(now))
}

/** Mail leaves by another pool from now on: what waits for a day or an address of any may have one that takes it at once. */
export async function wakePools(store: Pick<Store, 'wakeWaiting'>, config: Pools): Promise<void> {
  for (const { name } of poolsOf(config)) await wakePool(store, name)
}

async function wakePool(store: Pick<Store, 'wakeWaiting'>, pool: string): Promise<number> {
  let entries = 0
  for (const reason of ['warm-up pool', 'source pool', 'source address'])
    entries += await store.wakeWaiting(`${reason} ${pool}`)
  return entries
}
