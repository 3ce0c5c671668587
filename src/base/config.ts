/**
 * The configuration: one schema, defaults from `config/default.yaml`, then the file, then the environment.
 *
 * The only place that reads `process.env` (`environment.ts` changes it). Fails with ConfigError, which lists every
 * mistake at once, each naming the key and how to mend it. Durations come out as milliseconds.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { parseDocument, parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { parseDomain } from '../mail/address.ts'
import { ConfigError } from './config-error.ts'
import { contradictions, exampleWarnings } from './config-rules.ts'
import { suggest } from './suggest.ts'

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const mend = (error: string) => ({ error })

const duration = z
  .string(mend('write a duration such as 500ms, 30s, 5m, 4h or 4d'))
  .regex(/^\d+(ms|s|m|h|d)$/, mend('write a duration such as 500ms, 30s, 5m, 4h or 4d'))
  .transform(text => Number.parseInt(text, 10) * durationUnits[text.replace(/^\d+/, '') as keyof typeof durationUnits])
const count = z.int(mend('write a whole number')).min(1, mend('write a whole number of at least 1'))
const port = z
  .int(mend('write a port from 1 to 65535'))
  .min(1, mend('write a port from 1 to 65535'))
  .max(65535, mend('write a port from 1 to 65535'))
/** 0 lets the system choose a free port: for tests. */
const listenPort = z
  .int(mend('write a port from 0 to 65535'))
  .min(0, mend('write a port from 0 to 65535'))
  .max(65535, mend('write a port from 0 to 65535'))
const yesNo = z.boolean(mend('write true or false'))
const host = z.string(mend('write an address or a host name')).min(1, mend('write an address or a host name'))
const domain = z
  .string(mend('write a domain name such as relay.example.jp'))
  .transform(text => parseDomain(text) ?? text.toLowerCase())
  .refine(text => parseDomain(text) !== null, mend('write a domain name such as relay.example.jp'))
const label = z
  .string(mend('write one label of a host name such as bounce'))
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, mend('write one label of a host name such as bounce'))
const ip = z
  .string(mend('write an IP address'))
  .refine(text => ipaddr.isValid(text), mend('write an IPv4 or IPv6 address'))
const pemFile = z.string(mend('write the path of a PEM file, or null')).nullable()
const network = z
  .string(mend('write a network such as 10.0.0.0/8'))
  .refine(text => ipaddr.isValidCIDR(text), mend('write a network such as 10.0.0.0/8 or 127.0.0.1/32'))
const timeZone = z
  .string(mend('write a time zone such as Asia/Tokyo'))
  .refine(isTimeZone, mend('write a time zone such as Asia/Tokyo'))
const publicUrl = z
  .string(mend('write an address such as https://dns.example.jp, or null'))
  .transform(text => text.replace(/\/$/, ''))
  .refine(
    text => /^https?:\/\/[^/?#@\s]+$/i.test(text) && URL.canParse(text),
    mend('write an address such as https://dns.example.jp, without a path'),
  )
  .nullable()
const dnsServer = z
  .string(mend('write a resolver such as "127.0.0.1" or "127.0.0.1:5353"'))
  .refine(isDnsServer, mend('write a resolver such as "127.0.0.1", "127.0.0.1:5353" or "[::1]:5353"'))
const mechanism = z
  .string(mend('write an SPF mechanism such as ip4:192.0.2.1 or include:spf.example.jp'))
  .refine(
    isMechanism,
    mend('write an SPF mechanism such as ip4:192.0.2.1 or include:spf.example.jp, without qualifier'),
  )

const schema = z.strictObject({
  hostname: domain,
  dataDir: z.string(mend('write a folder')).min(1, mend('write a folder')),
  timeZone,
  log: z.strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error'], mend('write debug, info, warn or error')),
    stdout: yesNo,
    file: yesNo,
    rotateMegabytes: count,
    keepFiles: count,
  }),
  submission: z.strictObject({
    listeners: z
      .array(
        z.strictObject({
          host,
          port: listenPort,
          tls: z.enum(['starttls', 'implicit', 'none'], mend('write starttls, implicit or none')),
        }),
        mend('write a list of { host, port, tls }'),
      )
      .min(1, mend('name at least one listener: { host, port, tls }')),
    tls: z.strictObject({ keyFile: pemFile, certFile: pemFile }),
    requireTlsForAuth: yesNo,
    trustedNetworks: z.array(
      z.strictObject({ network, credential: z.string(mend('write the username of a credential')) }),
      mend('write a list of { network, credential }'),
    ),
    maxMessageBytes: count,
    maxRecipients: count,
    maxHeaderFieldBytes: count,
    maxHeaderBytes: count,
    maxReceivedFields: count,
    maxConnections: count,
    maxConnectionsPerAddress: count,
    commandTimeout: duration,
    dataTimeout: duration,
    dataMinimumRate: count,
    sessionTimeout: duration,
    authFailureDelay: duration,
    maxAuthFailures: count,
    maxAuthFailuresPerAddress: count,
  }),
  http: z.strictObject({ host, port: listenPort, publicUrl, maxBodyBytes: count, keepAnswers: duration }),
  dns: z.strictObject({
    servers: z.array(dnsServer, mend('write a list of resolvers')),
    timeout: duration,
    cacheEntries: count,
    cacheMaxAge: duration,
    askAuthorities: yesNo,
    allowPrivateAuthorities: yesNo,
    authorityPort: port,
  }),
  delivery: z.strictObject({
    port,
    allowPrivateAddresses: yesNo,
    workers: z.union([z.literal('auto'), count], mend('write auto or a whole number of at least 1')),
    sourceIpv4: ip.nullable(),
    sourceIpv6: ip.nullable(),
    ipv6: yesNo,
    maxAttempts: count,
    connectTimeout: duration,
    commandTimeout: duration,
    dotTimeout: duration,
    maxHosts: count,
    maxAddressesPerHost: count,
    idleConnection: duration,
  }),
  sites: z.array(
    z.strictObject({
      suffix: z.string(mend('write a suffix of MX host names, or ""')),
      connections: count,
      messagesPerConnection: count,
      perMinute: count.nullable(),
    }),
    mend('write a list of { suffix, connections, messagesPerConnection, perMinute }'),
  ),
  queue: z.strictObject({
    expireAfter: duration,
    retryAfter: z.array(duration, mend('write a list of durations')).min(1, mend('name at least one duration')),
    retryJitter: z
      .number(mend('write a number from 0 to 0.5'))
      .min(0, mend('write a number from 0 to 0.5'))
      .max(0.5, mend('write a number from 0 to 0.5')),
    delayNoticeAfter: duration,
    siteClosed: duration,
    siteClosedMaximum: duration,
    lease: duration,
    keepHistory: duration,
  }),
  store: z.strictObject({ inlineContentBytes: count, minFreeBytes: count }),
  signing: z.strictObject({
    rsaBits: z.union([z.literal(1024), z.literal(2048)], mend('write 2048, or 1024 for panels that can hold no more')),
    rotateAfter: z.union([z.literal('off'), duration], mend('write off, or a duration such as 90d')),
  }),
  spf: z.strictObject({
    mechanisms: z.array(mechanism, mend('write a list of SPF mechanisms')).min(1, mend('name at least one mechanism')),
    all: z.enum(['~all', '-all', '?all'], mend('write "~all", "-all" or "?all"')),
    sendingIps: z.array(ip, mend('write a list of IP addresses')),
    acceptHardFail: yesNo,
  }),
  relayDomain: z.strictObject({ name: domain, bounceHost: domain }),
  domains: z.strictObject({
    checkFirst: duration,
    checkSlowest: duration,
    checkPublished: duration,
    lostGrace: duration,
    keepArchived: duration,
    shareLink: duration,
    claimExpires: duration,
    returnPathHost: label,
    trackingHost: label,
    trackingTarget: domain.nullable(),
  }),
  webhooks: z.strictObject({
    allowPrivateAddresses: yesNo,
    timeout: duration,
    retryAfter: z.array(duration, mend('write a list of durations')).min(1, mend('name at least one duration')),
    retryJitter: z
      .number(mend('write a number from 0 to 0.5'))
      .min(0, mend('write a number from 0 to 0.5'))
      .max(0.5, mend('write a number from 0 to 0.5')),
    requests: count,
    pollInterval: duration,
    secretOverlap: duration,
  }),
})

export type Config = z.output<typeof schema>

/** Variables that are no configuration keys: secrets, and what the CLI needs to reach the API. */
const otherVariables = new Set(['KITTE_ADMIN_TOKEN', 'KITTE_SEAL_KEY', 'KITTE_API', 'KITTE_CONFIG'])

export interface Secrets {
  readonly adminToken: string | null
  readonly sealKey: string | null
}

export type Environment = Readonly<Record<string, string | undefined>>
type Tree = { [key: string]: unknown }

/**
 * Reads the defaults, the files in order (later ones win) and the environment. Relative paths in the configuration
 * are relative to the last file, or to the working directory without one.
 */
export function loadConfig(files: readonly string[], environment: Environment = process.env): Config {
  const source = files.at(-1) ?? 'the configuration'
  const mistakes: string[] = []
  const given = files.map(file => readTree(file, mistakes)).reduce(merge, {})
  const variables = applyEnvironment(given, environment, mistakes)
  const parsed = schema.safeParse(merge(readTree(defaultFile, mistakes), given), { reportInput: true })
  if (!parsed.success) {
    mistakes.push(...parsed.error.issues.flatMap(issue => describeIssue(issue, variables)))
    throw new ConfigError(source, mistakes)
  }
  const config = withAbsolutePaths(parsed.data, files.length > 0 ? dirname(resolve(source)) : process.cwd())
  mistakes.push(...contradictions(config))
  if (mistakes.length > 0) throw new ConfigError(source, mistakes)
  return config
}

/** What the relay starts with but real mail would suffer from, a line each: `hostname: set …`. For files that load. */
export function configWarnings(
  config: Config,
  files: readonly string[],
  environment: Environment = process.env,
): readonly string[] {
  const stated = treeOf(files, environment)
  return exampleWarnings(config, path => valueAt(stated, path))
}

/** Every key with the value that counts, as it is written: `['queue.expireAfter', '4d']`. For files that load. */
export function effectiveValues(
  files: readonly string[],
  environment: Environment = process.env,
): readonly (readonly [key: string, value: unknown])[] {
  const tree = treeOf([defaultFile, ...files], environment)
  return configKeys().map(path => [path.join('.'), valueAt(tree, path)])
}

/** What files and environment state. */
function treeOf(files: readonly string[], environment: Environment): Tree {
  const tree = files.map(file => readTree(file, [])).reduce(merge, {})
  applyEnvironment(tree, environment, [])
  return tree
}

function valueAt(tree: Tree, [key, ...rest]: readonly string[]): unknown {
  const value = key === undefined ? tree : tree[key]
  return rest.length === 0 ? value : isTree(value) ? valueAt(value, rest) : undefined
}

export function loadSecrets(environment: Environment = process.env): Secrets {
  return { adminToken: environment.KITTE_ADMIN_TOKEN || null, sealKey: environment.KITTE_SEAL_KEY || null }
}

/** What the CLI needs to find a running relay. The token stays out of process lists because it comes from here or a file. */
export function loadCliEnvironment(environment: Environment = process.env): {
  api: string | null
  config: string | null
  adminToken: string | null
} {
  return {
    api: environment.KITTE_API || null,
    config: environment.KITTE_CONFIG || null,
    adminToken: environment.KITTE_ADMIN_TOKEN || null,
  }
}

export const defaultFile = resolve(import.meta.dirname, '../../config/default.yaml')
/** What `npm start` without arguments runs. */
export const sandboxFile = resolve(import.meta.dirname, '../../config/sandbox.yaml')
/** In dataDir: the admin token made at first start, for commands run by the relay's own user. */
export const adminTokenFile = 'admin-token'

function readTree(file: string, mistakes: string[]): Tree {
  if (!existsSync(file)) {
    mistakes.push(`${file}: there is no such file`)
    return {}
  }
  const document = parseDocument(readFileSync(file, 'utf8'))
  // The first mistake makes the others: an indentation, a quote or a bracket that is not closed.
  const [broken] = document.errors
  if (broken) {
    const where = broken.message.split('\n')[0]!.replace(/:$/, '')
    mistakes.push(`${file}: not YAML: ${where}; correct indentation, quotes or brackets there`)
    return {}
  }
  const tree: unknown = document.toJS()
  if (tree === null || tree === undefined) return {}
  if (isTree(tree)) return tree
  mistakes.push(`${file}: write keys and values, such as "hostname: relay.example.jp"`)
  return {}
}

function merge(under: Tree, over: Tree): Tree {
  const merged = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value
  }
  return merged
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `submission.maxRecipients` → `KITTE_SUBMISSION_MAX_RECIPIENTS`. */
export function variableOf(path: readonly string[]): string {
  return `KITTE_${path.map(part => part.replace(/[A-Z]/g, letter => `_${letter}`)).join('_')}`.toUpperCase()
}

/** Every key that holds a value, as paths. */
export function configKeys(): readonly (readonly string[])[] {
  return keysOf(schema, [])
}

function groupsOf(paths: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return paths.flatMap(path => path.slice(1).map((_, depth) => path.slice(0, depth + 1)))
}

function keysOf(type: unknown, path: readonly string[]): (readonly string[])[] {
  if (!(type instanceof z.ZodObject)) return [path]
  return Object.entries(type.shape).flatMap(([key, inner]) => keysOf(inner, [...path, key]))
}

/**
 * Answers which key each variable set, so that a mistake in it can be told as the variable's. A group can be set too,
 * `KITTE_SUBMISSION_TLS='{ keyFile: … }'`; in order of name, so that a key inside it wins.
 */
function applyEnvironment(tree: Tree, environment: Environment, mistakes: string[]): Map<string, string> {
  const paths = new Map([...groupsOf(configKeys()), ...configKeys()].map(path => [variableOf(path), path]))
  const applied = new Map<string, string>()
  for (const name of Object.keys(environment).sort()) {
    const text = environment[name]
    if (!name.startsWith('KITTE_') || otherVariables.has(name) || text === undefined) continue
    const path = paths.get(name)
    if (!path) {
      mistakes.push(`${name}: there is no such key${suggest(name, [...paths.keys()])}`)
      continue
    }
    const [value, below] = [parseVariable(text), valueAt(tree, path)]
    setPath(tree, path, isTree(value) && isTree(below) ? merge(below, value) : value)
    applied.set(path.join('.'), name)
  }
  return applied
}

function parseVariable(text: string): unknown {
  try {
    return parseYaml(text)
  } catch {
    return text
  }
}

function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  let branch = tree
  for (const key of path.slice(0, -1)) {
    const next = branch[key]
    branch[key] = isTree(next) ? { ...next } : {}
    branch = branch[key] as Tree
  }
  branch[path.at(-1)!] = value
}

function describeIssue(issue: z.core.$ZodIssue, variables: ReadonlyMap<string, string>): string[] {
  const key = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') return issue.keys.map(name => describeUnknown(key, name))
  const variable = [...variables].find(([path]) => key === path || key.startsWith(`${path}.`))
  return [`${key}: ${describeInput(issue)}${mendOf(issue)}${variable ? ` (set by ${variable[1]})` : ''}`]
}

function describeUnknown(parent: string, name: string): string {
  const known = configKeys().flatMap(path => path.map((_, depth) => path.slice(0, depth + 1).join('.')))
  const full = parent === '' ? name : `${parent}.${name}`
  return `${full}: there is no such key${suggest(full, known)}; config/default.yaml lists them all`
}

/** What is there instead, where that helps: nothing, or a number that quotes turned into a text. */
function describeInput({ code, input }: z.core.$ZodIssue): string {
  if (code !== 'invalid_type') return ''
  if (input === undefined) return 'is missing; '
  if (input === null) return 'has no value; '
  return typeof input === 'string' && /^\d+$/.test(input) ? `"${input}" is a text, leave out the quotes; ` : ''
}

/** Groups have no mend of their own. */
function mendOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' && issue.expected === 'object'
    ? 'write keys with values under it, indented by two spaces'
    : issue.message
}

function withAbsolutePaths(config: Config, base: string): Config {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(base, path))
  const { keyFile, certFile } = config.submission.tls
  return {
    ...config,
    dataDir: absolute(config.dataDir),
    submission: {
      ...config.submission,
      tls: {
        keyFile: keyFile === null ? null : absolute(keyFile),
        certFile: certFile === null ? null : absolute(certFile),
      },
    },
  }
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== null
  } catch {
    return false
  }
}

/** RFC 7208 §5 without `all`, which has a key of its own, and `ptr`, which is not to be used. */
function isMechanism(text: string): boolean {
  const [, name = '', value = ''] = /^(ip4|ip6|include|a|mx|exists)(?:[:/](\S+))?$/i.exec(text) ?? []
  switch (name.toLowerCase()) {
    case 'ip4':
      return ipaddr.IPv4.isValidFourPartDecimal(value) || ipaddr.IPv4.isValidCIDR(value)
    case 'ip6':
      return ipaddr.IPv6.isValid(value) || ipaddr.IPv6.isValidCIDR(value)
    case 'include':
    case 'exists':
      return value !== ''
    default:
      return name !== ''
  }
}

function isDnsServer(text: string): boolean {
  const [, bracketed, plain, portText] = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]]+?))(?::(\d{1,5}))?$/.exec(text) ?? []
  if (ipaddr.isValid(text)) return true
  return ipaddr.isValid(bracketed ?? plain ?? '') && (portText === undefined || Number(portText) < 65536)
}
