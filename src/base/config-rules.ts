/**
 * Rules between configuration keys: what each key allows alone but not together, and what real mail needs.
 *
 * Answers mistakes and warnings as lines that name the key and the mend; never throws.
 */
import { existsSync } from 'node:fs'
import ipaddr from 'ipaddr.js'
import type { Config } from './config-schema.ts'
import { poolMistakes } from './pool-rules.ts'

/** True for any use of the relay. Paths are absolute already. */
export function contradictions(config: Config): string[] {
  return [
    ...tlsFiles(config),
    ...sharedPorts(config),
    ...sizes(config),
    ...durations(config),
    ...workers(config),
    ...poolMistakes(config),
  ]
}

/**
 * Keys whose defaults are examples: mail that leaves under them is refused everywhere, bounces to nobody, and makes
 * customers publish SPF records for somebody else's servers. The relay starts with them all the same, and warns: who is
 * just setting up must be able to see its records (`kitte relay show`) and to try it out.
 */
const ownValues = [
  ['hostname', 'set the name of this relay: it must resolve to the sending address, and back (PTR)'],
  ['relayDomain.name', 'set the domain this relay signs with'],
  ['relayDomain.bounceHost', 'set the host that bounces come back to; its MX must be this relay'],
  ['spf.mechanisms', 'set the SPF mechanisms that cover this relay, such as ["ip4:203.0.113.1"]'],
  ['spf.sendingIps', 'set the addresses this relay sends from'],
] as const

/** The names of our own examples, and the address blocks for documentation (RFC 5737, RFC 3849). */
const exampleValue =
  /(?:^|[.:])relay\.example\.jp$|^(?:ip[46]:)?(?:192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|2001:0?db8:)/i

type Look = (path: readonly string[]) => unknown

/**
 * `stated`: the value a file or the environment gave a key, undefined without. Port 25 and public addresses only are
 * what real mail means: tests and sandboxes use other ports or private addresses.
 */
export function exampleWarnings(config: Config, stated: Look): string[] {
  if (config.delivery.port !== 25 || config.delivery.allowPrivateAddresses) return []
  return ownValues.flatMap(([key, mend]) => {
    const value = stated(key.split('.'))
    if (value === undefined) return [`${key}: ${mend} (the default is only an example)`]
    const example = [value].flat().find(text => exampleValue.test(String(text)))
    return example === undefined ? [] : [`${key}: ${mend} (${example} is only an example)`]
  })
}

function tlsFiles({ submission: { tls } }: Config): string[] {
  if (tls.keyFile !== null && tls.certFile === null)
    return ['submission.tls.certFile: give the certificate that belongs to keyFile, or set keyFile to null']
  if (tls.keyFile === null && tls.certFile !== null)
    return ['submission.tls.keyFile: give the key that belongs to certFile, or set certFile to null']
  return Object.entries(tls)
    .filter(([, file]) => file !== null && !existsSync(file))
    .map(
      ([name, file]) => `submission.tls.${name}: there is no file ${file}; correct the path or make the file readable`,
    )
}

/** Two listeners on one port and overlapping addresses: the second could never open. */
function sharedPorts({ submission, http, feedback }: Config): string[] {
  const listening = [
    ...submission.listeners.map(({ host, port }, index) => ({ key: `submission.listeners.${index}.port`, host, port })),
    { key: 'http.port', host: http.host, port: http.port },
    ...feedback.listeners.map(({ host, port }, index) => ({ key: `feedback.listeners.${index}.port`, host, port })),
  ]
  return listening.flatMap((second, index) => {
    const first = listening
      .slice(0, index)
      .find(other => other.port === second.port && overlaps(other.host, second.host))
    return first && second.port !== 0
      ? [`${second.key}: ${second.port} is taken by ${first.key} already; choose another port or address`]
      : []
  })
}

function overlaps(a: string, b: string): boolean {
  return a === b || isUnspecified(a) || isUnspecified(b)
}

function isUnspecified(host: string): boolean {
  return ipaddr.isValid(host) && ipaddr.parse(host).range() === 'unspecified'
}

function sizes({ submission }: Config): string[] {
  return submission.maxHeaderFieldBytes > submission.maxHeaderBytes
    ? ['submission.maxHeaderFieldBytes: must not be larger than submission.maxHeaderBytes']
    : []
}

function durations({ queue, signing }: Config): string[] {
  const rotatesTooSoon = signing.rotateAfter !== 'off' && signing.rotateAfter <= queue.expireAfter
  return [
    rotatesTooSoon && 'signing.rotateAfter: must be longer than queue.expireAfter, or off',
    queue.siteClosed > queue.siteClosedMaximum && 'queue.siteClosed: must not be longer than queue.siteClosedMaximum',
    queue.delayNoticeAfter >= queue.expireAfter && 'queue.delayNoticeAfter: must be shorter than queue.expireAfter',
  ].filter(line => line !== false)
}

/** `auto` keeps to it by itself. */
function workers(config: Config): string[] {
  const { key, limit } = scarcestLimit(config)
  const wanted = config.delivery.workers
  return wanted !== 'auto' && wanted > limit
    ? [`delivery.workers: ${wanted} workers can't share ${key} (${limit}); raise that limit, or set at most ${limit}`]
    : []
}

/** Limits that are kept in memory, so that each worker gets its part of them (`policy/worker-share.ts`). */
function sharedLimits({ sites, delivery, submission }: Config): readonly (readonly [key: string, limit: number])[] {
  const ofSites = sites.flatMap(({ connections, perMinute }, index) => [
    [`sites.${index}.connections`, connections] as const,
    ...(perMinute === null ? [] : [[`sites.${index}.perMinute`, perMinute] as const]),
  ])
  return [
    ...ofSites,
    ['delivery.maxAttempts', delivery.maxAttempts],
    ['submission.maxAuthFailuresPerAddress', submission.maxAuthFailuresPerAddress],
  ]
}

/** There can't be more workers than the smallest of those limits: a part is never nothing. */
export function scarcestLimit(config: Config): { readonly key: string; readonly limit: number } {
  const [key, limit] = sharedLimits(config).reduce((least, other) => (other[1] < least[1] ? other : least))
  return { key, limit }
}
