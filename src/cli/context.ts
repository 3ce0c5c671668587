/**
 * What a command may touch besides its arguments: streams, clock, environment, and the relay it talks to.
 *
 * The relay is found by --api, KITTE_API, the configuration (--config, KITTE_CONFIG) or, without any, the sandbox's.
 * Fails with CliError or ConfigError, which the program prints on stderr before it ends with 1.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { Clock } from '../base/clock.ts'
import {
  adminTokenFile,
  type Config,
  type Environment,
  loadCliEnvironment,
  loadConfig,
  sandboxFile,
} from '../base/config.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import { CliError } from './cli-error.ts'

export interface CliContext {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly errors: Writable
  readonly clock: Clock
  /** Environment variables; undefined: the process's own. */
  readonly variables: Environment | undefined
  /** Runs the relay until it is told to stop; null: the sandbox. Warnings about the configuration are for its log. */
  readonly start: (config: Config | null, warnings: readonly string[]) => Promise<void>
}

/** The options that every command knows. */
export interface CommonOptions {
  readonly json: boolean
  readonly api: string | null
  readonly config: string | null
}

export function commonOptions(context: CliContext, command: Command): CommonOptions {
  const given = command.optsWithGlobals<{ json?: boolean; api?: string; config?: string }>()
  const environment = loadCliEnvironment(context.variables)
  return {
    json: given.json === true,
    api: given.api ?? environment.api,
    config: given.config ?? environment.config,
  }
}

/** The configuration of the relay that is meant: for its address, its data folder and its log. */
export function configOf(context: CliContext, command: Command): Config {
  const { config } = commonOptions(context, command)
  return loadConfig([config ?? sandboxFile], context.variables)
}

export function connect(context: CliContext, command: Command): ApiClient {
  const { api, config } = commonOptions(context, command)
  // With an address and a token from the environment no configuration needs to be readable here.
  const { adminToken } = loadCliEnvironment(context.variables)
  if (api !== null && (adminToken !== null || config === null)) return createApiClient(api, adminToken, context.clock)
  const settings = configOf(context, command)
  const tokenFile = join(settings.dataDir, adminTokenFile)
  return createApiClient(api ?? addressOf(settings), adminToken ?? readToken(tokenFile), context.clock)
}

/** A relay that listens on every address is reached on loopback. */
function addressOf({ http }: Config): string {
  const host = http.host === '0.0.0.0' ? '127.0.0.1' : http.host === '::' ? '::1' : http.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`
}

function readToken(file: string): string | null {
  if (!existsSync(file)) return null
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new CliError(
      `the admin token in ${file} can't be read`,
      'run this as the user that runs the relay, or set KITTE_ADMIN_TOKEN',
      { cause },
    )
  }
}

export function print(context: CliContext, text: string): void {
  context.output.write(`${text}\n`)
}

/** About the configuration: `hostname: set …`. */
export function warn(context: CliContext, warnings: readonly string[]): void {
  for (const warning of warnings) context.errors.write(`warning: ${warning}\n`)
}

/** With --json the API's answer as it came, else what `render` makes of it. */
export function show<T>(context: CliContext, command: Command, answer: T, render: (answer: T) => string): void {
  print(context, commonOptions(context, command).json ? JSON.stringify(answer, null, 2) : render(printable(answer)))
}

/** What the API answers nothing to; a program that reads JSON gets some. */
export function tell(context: CliContext, command: Command, text: string): void {
  show(context, command, {}, () => text)
}

/** What strangers wrote (a reply, a DNS record, a name) must not move the cursor or colour the terminal. */
export function printable<T>(value: T): T {
  if (typeof value === 'string') return value.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '\ufffd') as T
  if (Array.isArray(value)) return value.map(printable) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, printable(inner)])) as T
}

/** Coloured on a terminal only; NO_COLOR is obeyed. */
export function colour(context: CliContext, style: 'green' | 'red' | 'yellow' | 'bold' | 'dim', text: string): string {
  return context.output.isTTY ? styleText(style, text, { stream: context.output }) : text
}
