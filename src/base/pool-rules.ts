/**
 * Rules of source addresses: what pools may not say together, and what receivers would make of them.
 *
 * Answers mistakes and warnings as lines that name the key and the mend; never throws.
 */
import ipaddr from 'ipaddr.js'
import type { Config } from './config-schema.ts'

type Pools = Pick<Config, 'pools' | 'warmUp'>

/** True for any use of the relay. */
export function poolMistakes({ pools, warmUp }: Pools): string[] {
  return [
    ...repeated(pools.map(({ name }) => name)).map(
      ([index, name]) => `pools.${index}.name: ${name} is taken by another pool already; choose another name`,
    ),
    ...pools.flatMap(({ sources }, pool) =>
      repeated(sources.map(({ ip }) => ip)).map(
        ([index, ip]) => `pools.${pool}.sources.${index}.ip: ${ip} stands in this pool already; leave it out`,
      ),
    ),
    ...repeated(warmUp.plans.map(({ name }) => name)).map(
      ([index, name]) => `warmUp.plans.${index}.name: ${name} is taken by another plan already; choose another name`,
    ),
  ]
}

/** Customers publish SPF for `spf.sendingIps`: mail from any other address fails at receivers. */
export function poolWarnings({ pools, delivery, spf }: Config): string[] {
  const named = pools.flatMap(({ sources }, pool) =>
    sources.map(({ ip }, index) => [`pools.${pool}.sources.${index}.ip`, ip] as const),
  )
  const plain = (['sourceIpv4', 'sourceIpv6'] as const).map(key => [`delivery.${key}`, delivery[key]] as const)
  const covered = new Set(spf.sendingIps.map(canonical))
  return [...plain, ...named].flatMap(([key, ip]) =>
    ip === null || covered.has(canonical(ip))
      ? []
      : [`${key}: add ${ip} to spf.sendingIps, and to spf.mechanisms unless they cover it: SPF fails for mail from it`],
  )
}

function canonical(ip: string): string {
  return ipaddr.parse(ip).toNormalizedString()
}

function repeated(names: readonly string[]): (readonly [index: number, name: string])[] {
  return names.flatMap((name, index) => (names.indexOf(name) < index ? [[index, name] as const] : []))
}
