/**
 * Requests that can be repeated (Idempotency-Key, draft-ietf-httpapi-idempotency-key-header): carried out once, answered
 * the same again.
 *
 * A client that lost an answer sends the same request with the same key and gets that answer. Only successes are kept:
 * what was refused has changed nothing, and may be sent mended under the same key. What is kept is sealed as a whole,
 * since it may hold a password or be guessed from its hash; it is gone after `http.keepAnswers`. A process that dies in
 * the middle leaves its key taken for a while; what it had made by then is found as a conflict, as without a key.
 * Fails with Problem: `key-reused`, `key-in-use`, `bad-request` for a key that is none.
 */
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Seal } from '../base/seal.ts'
import type { RequestStore } from '../store/store.ts'
import type { Operation, Performed } from './operation.ts'
import { fieldError, Problem } from './problem.ts'
import { mends, problemKinds } from './texts.ts'

export interface RepeatsParts {
  readonly store: RequestStore
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  /** `http.keepAnswers`, ms. */
  readonly keepMs: number
}

export interface Repeats {
  /** The operation, obeying the keys of its requests. */
  wrap(operation: Operation): Operation
  stop(): void
}

interface Kept {
  readonly request: string
  /** Absent while the request is under way. */
  readonly performed?: Performed
}

export const keyHeader = 'Idempotency-Key'
/** Says of an answer that it was given before. */
export const replayedHeader = 'Idempotency-Replayed'
/** Longer than any request takes; a process that died holds its keys no longer. */
const underWayMs = 300_000
const purgeEveryMs = 600_000
const retryAfterSeconds = 1
/** Levels of a body; no request of ours has ten. */
const deepest = 50

/** Whether an operation takes keys: whatever creates something. */
export function isRepeatable({ method, answer, repeatable }: Operation): boolean {
  return method === 'post' && (repeatable ?? answer?.status === 201)
}

export function openRepeats({ store, seal, clock, log, keepMs }: RepeatsParts): Repeats {
  const cancel = clock.every(purgeEveryMs, () => {
    store
      .purgeRequests(clock.now())
      .catch((error: unknown) => log.warn({ error: String(error) }, 'kept answers could not be removed'))
  })

  function wrap(operation: Operation): Operation {
    if (!isRepeatable(operation)) return operation
    return {
      ...operation,
      async perform(request) {
        const key = keyOf(request)
        return key === null ? operation.perform(request) : once(key, request, operation)
      },
    }
  }

  async function once(key: string, request: Request, operation: Operation): Promise<Performed> {
    const name = digest(key)
    const mark: Kept = { request: digestOf(request) }
    const now = clock.now()
    const found = await store.takeRequest(name, sealed(mark, name), now + underWayMs, now)
    if (found !== null) return repeat(JSON.parse(seal.open(found, purposeOf(name))) as Kept, mark)
    try {
      const performed = await operation.perform(request)
      await keep(name, { ...mark, performed })
      return performed
    } catch (error) {
      await store.dropRequest(name).catch(() => {})
      throw error
    }
  }

  /** What was done stays done: an answer that can't be kept is given all the same. */
  async function keep(name: string, kept: Kept): Promise<void> {
    try {
      await store.finishRequest(name, sealed(kept, name), clock.now() + keepMs)
    } catch (error) {
      log.warn({ error: String(error) }, 'an answer could not be kept for its Idempotency-Key')
    }
  }

  const sealed = (kept: Kept, name: string) => seal.seal(JSON.stringify(kept), purposeOf(name))
  return { wrap, stop: cancel }
}

function repeat({ request, performed }: Kept, mark: Kept): Performed {
  if (request !== mark.request) throw new Problem('key-reused', { detail: problemKinds['key-reused'].meaning })
  if (!performed)
    throw new Problem('key-in-use', {
      detail: problemKinds['key-in-use'].meaning,
      headers: { 'Retry-After': String(retryAfterSeconds) },
    })
  return { ...performed, headers: { ...performed.headers, [replayedHeader]: 'true' } }
}

/** The draft writes the key as a quoted string (RFC 9651 §3.3.3); most clients write it plain. Null: none is given. */
function keyOf(request: Request): string | null {
  const given = request.get(keyHeader)
  if (given === undefined) return null
  const [, quoted, plain] = /^(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,200})"|([\x21\x23-\x7e]{1,200}))$/.exec(given) ?? []
  const key = quoted ?? plain
  if (key !== undefined) return key
  throw new Problem('bad-request', {
    detail: problemKinds['bad-request'].title,
    errors: [fieldError(keyHeader, mends['idempotency-key'])],
  })
}

/** Method, path and body; the order of a JSON object's members says nothing. */
function digestOf({ method, path, body }: Request): string {
  if (isDeeper(body, deepest))
    throw new Problem('invalid', { detail: problemKinds.invalid.title, errors: [fieldError('', mends['too-deep'])] })
  return digest(JSON.stringify([method, path, body ?? null], inOrder))
}

function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Level by level: what is nested a hundred thousand times would overflow the stack. */
function isDeeper(body: unknown, levels: number): boolean {
  let level = [body]
  for (let left = levels; left > 0 && level.length > 0; left--) level = level.flatMap(inside)
  return level.length > 0
}

function inside(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function purposeOf(name: string): string {
  return `request:${name}`
}
