/**
 * The world of a simulation of the dispatcher, drawn from a seed: sites with their rules, the zone they stand in, the
 * configuration of the relay. The same seed draws the same world. It cannot fail.
 */
import { type Config, loadConfig } from '../../src/base/config.ts'
import { seededRandom } from './random.ts'

export const second = 1000
export const leaseMs = 120 * second
export const accounts = ['crm', 'shop', 'club', 'news']

export type Lot = ReturnType<typeof lotOf>

export function lotOf(seed: number) {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random() * n)
  return {
    random,
    below,
    chance: (share: number) => random() < share,
    oneOf: <T>(list: readonly T[]): T => list[below(list.length)]!,
  }
}

export interface SimulatedSite {
  readonly name: string
  readonly host: string
  readonly shared: boolean
  readonly domains: readonly string[]
  readonly rule: Config['sites'][number]
}

export function drawSites(lot: Lot): SimulatedSite[] {
  const ruleFor = (suffix: string): Config['sites'][number] => ({
    suffix,
    connections: 1 + lot.below(lot.chance(0.5) ? 3 : 12),
    messagesPerConnection: lot.oneOf([1, 2, 10, 100]),
    perMinute: lot.chance(0.3) ? lot.oneOf([60, 240, 1200]) : null,
  })
  const own = Array.from({ length: 1 + lot.below(5) }, (_, n): SimulatedSite => {
    const host = `mx.site${n}.example`
    const domains = Array.from({ length: lot.oneOf([1, 1, 3, 20]) }, (_, d) => `d${d}.site${n}.example`)
    return { name: host, host, shared: false, domains, rule: ruleFor(host) }
  })
  const rule = { ...ruleFor('big.example'), name: 'Big', shared: true }
  const shared = Array.from({ length: lot.oneOf([0, 3, 40, 150]) }, (_, n): SimulatedSite => {
    const host = `c${n}.big.example`
    return { name: host, host, shared: true, domains: [`customer${n}.example`], rule }
  })
  return [...own, ...shared]
}

export function zoneOf(sites: readonly SimulatedSite[]) {
  const names = sites.flatMap(({ host, domains }, n) => [
    [host, { A: [`127.0.${n >> 8}.${n & 255}`] }] as const,
    ...domains.map(domain => [domain, { MX: [[10, host]] as [number, string][], ttl: 30 }] as const),
  ])
  return Object.fromEntries(names)
}

export function configOf(lot: Lot, dataDir: string, sites: readonly SimulatedSite[]): Config {
  const config = loadConfig([], {
    KITTE_DATA_DIR: dataDir,
    KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true',
    KITTE_DELIVERY_WORKERS: '1',
    KITTE_DELIVERY_MAX_ATTEMPTS: String(lot.oneOf([3, 10, 40])),
    KITTE_DELIVERY_FIRST_CONNECTIONS: String(lot.oneOf([1, 2, 5])),
    KITTE_QUEUE_LEASE: `${leaseMs / second}s`,
    KITTE_QUEUE_RETRY_JITTER: '0',
    KITTE_QUEUE_RETRY_AFTER: '[5s, 20s, 60s]',
    KITTE_QUEUE_SITE_CLOSED: '3s',
    KITTE_QUEUE_SITE_CLOSED_MAXIMUM: '20s',
  })
  return { ...config, sites: [...new Set(sites.map(({ rule }) => rule))] }
}

/** In a line per site, for whoever reads of a fault. */
export function describeWorld(sites: readonly SimulatedSite[], config: Config): string {
  const ways = [...new Set(sites.map(({ rule }) => rule))].map(
    ({ suffix, connections, messagesPerConnection, perMinute }) => {
      const those = sites.filter(({ rule }) => rule.suffix === suffix)
      const domains = those.reduce((sum, one) => sum + one.domains.length, 0)
      const rate = perMinute === null ? 'no rate' : `${perMinute} a minute`
      return `${suffix}: ${those.length} sites, ${domains} domains, ${connections} connections, ${messagesPerConnection} messages on each, ${rate}`
    },
  )
  const { maxAttempts, firstConnections } = config.delivery
  return [`${maxAttempts} attempts at most, ${firstConnections} connections at first`, ...ways].join('\n')
}
