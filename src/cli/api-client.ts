/**
 * Calls the HTTP API of a running relay and turns its problem documents (RFC 9457) into errors for people.
 *
 * Fails with CliError: the problem's detail, the mend of each field, or what to start when nobody answers.
 */
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import type { Clock } from '../base/clock.ts'
import { CliError } from './cli-error.ts'

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface ApiClient {
  readonly url: string
  get<T>(path: string, query?: Query): Promise<T>
  /** What is no JSON: a zone file. */
  text(path: string): Promise<string>
  /** Writes a long answer as it comes. */
  copy(path: string, query: Query, output: Writable): Promise<void>
  post<T>(path: string, body?: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
  delete<T = void>(path: string): Promise<T>
}

interface Problem {
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly message?: { readonly ja?: string; readonly en?: string }
  readonly errors?: readonly {
    readonly field: string
    readonly message: { readonly ja: string; readonly en: string }
  }[]
}

/** Making an RSA key and asking slow name servers both take seconds; longer than this nobody waits at a prompt. */
const patienceMs = 60_000

export function createApiClient(url: string, token: string | null, clock: Clock): ApiClient {
  const base = url.replace(/\/+$/, '')
  const ask = async (method: string, path: string, accept: string, body?: unknown): Promise<string> => {
    // An empty id would ask for the list.
    if (/\/(?:\/|$|\?)/.test(path)) throw new CliError('a name or id is empty', 'give the one that is meant')
    const response = await send(base, path, clock, {
      method,
      headers: {
        accept,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (response.ok) return response.text
    throw describe(base, response.status, response.text, token)
  }
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const text = await ask(method, path, 'application/json', body)
    return (text === '' ? undefined : parse(base, text)) as T
  }
  return {
    url: base,
    get: (path, query = {}) => call('GET', path + queryText(query)),
    text: path => ask('GET', path, 'text/plain'),
    async copy(path, query, output) {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` }
      const response = await begin(base, path + queryText(query), clock, { headers })
      if (!response.ok) throw describe(base, response.status, await response.text(), token)
      await pipeline(Readable.fromWeb(response.body as ReadableStream), output, { end: false })
    },
    post: (path, body) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    delete: path => call('DELETE', path),
  }
}

async function send(base: string, path: string, clock: Clock, request: RequestInit) {
  const giveUp = new AbortController()
  const cancel = clock.after(patienceMs, () => giveUp.abort())
  try {
    const response = await fetch(base + path, { ...request, signal: giveUp.signal, redirect: 'error' })
    return { ok: response.ok, status: response.status, text: await response.text() }
  } catch (cause) {
    throw unreachable(base, giveUp.signal.aborted, cause)
  } finally {
    cancel()
  }
}

/** The answer's beginning; what follows takes its time. */
async function begin(base: string, path: string, clock: Clock, request: RequestInit): Promise<Response> {
  const giveUp = new AbortController()
  const cancel = clock.after(patienceMs, () => giveUp.abort())
  try {
    return await fetch(base + path, { ...request, signal: giveUp.signal, redirect: 'error' })
  } catch (cause) {
    throw unreachable(base, giveUp.signal.aborted, cause)
  } finally {
    cancel()
  }
}

function unreachable(base: string, timedOut: boolean, cause: unknown): CliError {
  if (timedOut)
    return new CliError(`${base} did not answer within ${patienceMs / 1000} s`, 'look at the log of the relay', {
      cause,
    })
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
  return new CliError(
    `no relay answers at ${base} (${reason || 'connection refused'})`,
    'start it with "kitte start --config FILE" (the sandbox: "npm start"), or say where it runs with --api URL or --config FILE',
    { cause },
  )
}

function describe(base: string, status: number, text: string, token: string | null): CliError {
  const problem = readProblem(text)
  if (problem === null)
    return new CliError(
      `${base} answered ${status} without a problem document`,
      'is this the address of a Kitte relay?',
    )
  if (status === 401) return unauthorized(base, token)
  const fields = (problem.errors ?? []).flatMap(({ field, message }) =>
    field === '' ? [message.en, message.ja] : [`${field}: ${message.en}`, `  ${message.ja}`],
  )
  const { ja } = problem.message ?? {}
  return new CliError(
    problem.detail ?? problem.title ?? `status ${status}`,
    [...(ja ? [ja] : []), ...fields].join('\n'),
  )
}

function unauthorized(base: string, token: string | null): CliError {
  return token === null
    ? new CliError(
        `no admin token for ${base}`,
        'set KITTE_ADMIN_TOKEN, or name the configuration of the relay with --config FILE so that its admin-token file is found',
      )
    : new CliError(`${base} does not know this admin token`, 'set KITTE_ADMIN_TOKEN to the token of this relay')
}

function readProblem(text: string): Problem | null {
  try {
    const problem: unknown = JSON.parse(text)
    return typeof problem === 'object' && problem !== null ? problem : null
  } catch {
    return null
  }
}

function parse(base: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CliError(`${base} answered something that is not JSON`, 'is this the address of a Kitte relay?', {
      cause,
    })
  }
}

function queryText(query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) parameters.set(name, String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}
