/**
 * Source addresses in pools, and which pool a message leaves from: its credential's, its sender domain's or its account's.
 *
 * The most specific wins: a credential is one stream of mail (bulk beside transactional), a domain is a customer's name, an
 * account is all of a customer. Asked anew for each message, so that a change counts for what waits already. A pool that
 * the configuration doesn't know any more is told once and the default takes its place. Fails with StoreUnavailable.
 */
import { isIPv6 } from 'node:net'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { HostName } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { Directory } from '../store/directory.ts'
import type { LeasedEntry } from '../store/store.ts'

export interface Source {
  /** Null: the system chooses one. */
  readonly ip: string | null
  readonly ehlo: HostName
  /** Of the addresses it can reach; absent: what `ip` says, or both. */
  readonly family?: 4 | 6
}

export interface Pool {
  readonly name: string
  readonly sources: readonly Source[]
  /** The same one by one: for when one of them is being warmed up. */
  readonly apart?: readonly Source[]
}

export interface PoolsParts {
  readonly config: Pick<Config, 'hostname' | 'delivery' | 'pools'>
  readonly directory: Pick<Directory, 'account' | 'credentialById'>
  readonly log: Log
}

export const defaultPool = 'default'

export class Pools {
  readonly #parts: PoolsParts
  readonly #pools: ReadonlyMap<string, Pool>
  readonly #default: Pool
  readonly #missing = new Set<string>()

  constructor(parts: PoolsParts) {
    this.#parts = parts
    const pools = parts.config.pools.map(({ name, sources }): Pool => ({ name, sources }))
    this.#pools = new Map(pools.map(pool => [pool.name, pool]))
    this.#default = this.#pools.get(defaultPool) ?? plainPool(parts.config)
  }

  /** There is nothing to choose from. */
  get isSingle(): boolean {
    return this.#pools.size === 0
  }

  async poolOf({ account, credential }: Message, domain: SenderDomain | null): Promise<Pool> {
    if (this.isSingle) return this.#default
    const { directory } = this.#parts
    const stream = credential === null ? null : await directory.credentialById(credential)
    const customer = account === null ? null : await directory.account(account)
    return this.#named(stream?.pool ?? domain?.pool ?? customer?.pool ?? null)
  }

  #named(name: string | null): Pool {
    if (name === null) return this.#default
    const pool = this.#pools.get(name)
    if (pool !== undefined) return pool
    if (!this.#missing.has(name)) {
      this.#missing.add(name)
      this.#parts.log.warn({ pool: name }, `there is no pool ${name} in the configuration: the default one is used`)
    }
    return this.#default
  }
}

/** One source that leaves from `delivery.sourceIpv4` and `sourceIpv6`, whichever fits, as if there were no pools. */
function plainPool({ hostname: ehlo, delivery }: PoolsParts['config']): Pool {
  const families = [[delivery.sourceIpv4, 4] as const, [delivery.sourceIpv6, 6] as const]
  return {
    name: defaultPool,
    sources: [{ ip: null, ehlo }],
    apart: families.map(([ip, family]) => ({ ip, ehlo, family })),
  }
}

/**
 * Messages begin at different ones; after a failure the next has its try. Not after greylisting: it knows a sender by its
 * address, and another one would begin to wait anew (RFC 6647 §2.2).
 */
export function inTurn(sources: readonly Source[], { message, entry }: LeasedEntry): readonly Source[] {
  if (sources.length === 1) return sources
  const tries = greylisted.test(entry.lastReply ?? '') ? 0 : entry.attempts
  const first = (hashOf(message.id) + tries) % sources.length
  return [...sources.slice(first), ...sources.slice(0, first)]
}

const greylisted = /gr[ae]y-?list/i

/** Of the random end of an id (`base/ids.ts`). */
function hashOf(id: string): number {
  let sum = 0
  for (let i = Math.max(id.length - 8, 0); i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0
  return sum
}

export function canReach({ ip, family }: Source, address: string): boolean {
  if (ip !== null) return isIPv6(ip) === isIPv6(address)
  return family === undefined || (family === 6) === isIPv6(address)
}
