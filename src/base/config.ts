/**
 * The configuration: one schema, defaults from `config/default.yaml`, then the file, then the environment.
 *
 * The only place that reads `process.env` (`environment.ts` changes it). Fails with ConfigError, which lists every
 * mistake at once, each naming the key and how to mend it. Durations come out as milliseconds.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { parseDocument, parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { contradictions, exampleWarnings } from './config-rules.ts'
import { type Config, configSchema } from './config-schema.ts'
import { poolWarnings } from './pool-rules.ts'
import { suggest } from './suggest.ts'

export type { Config }

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
  const parsed = configSchema.safeParse(merge(readTree(defaultFile, mistakes), given), { reportInput: true })
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
  return [...exampleWarnings(config, path => valueAt(stated, path)), ...poolWarnings(config)]
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
  return keysOf(configSchema, [])
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
