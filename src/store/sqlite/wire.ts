/**
 * What crosses between the threads: calls in batches one way, answers in batches the other. Plain data only.
 *
 * An error crosses as its `code` and is built again as its class, so callers on every thread decide by code alone.
 */
import type { Instant } from '../../mail/ids.ts'
import { type Change, Conflict, NotFound, type StoreHealth, StoreUnavailable } from '../store.ts'

export type WireCall = readonly [id: number, method: string, args: readonly unknown[]]

/** Everything one thread asked for in one turn of its event loop. */
export interface Batch {
  /** The caller's clock, so that writer and callers agree on what is due. */
  readonly now: Instant
  readonly calls: readonly WireCall[]
}

export type Answer = readonly [id: number, value: unknown] | readonly [id: number, value: undefined, error: WireError]

export interface Reply {
  readonly answers: readonly Answer[]
  readonly changes: readonly Change[]
  readonly health: StoreHealth
}

export interface WireError {
  readonly code: string
  readonly message: string
  readonly holder: string | null
  readonly stack: string | null
}

export function packError(error: unknown): WireError {
  const { code, message, holder, stack } = error as Partial<Conflict> & Error
  return { code: code ?? 'error', message: message ?? String(error), holder: holder ?? null, stack: stack ?? null }
}

export function unpackError({ code, message, holder, stack }: WireError): Error {
  switch (code) {
    case 'conflict':
      return new Conflict(message, holder)
    case 'not-found':
      return new NotFound(message)
    case 'store-unavailable':
      return new StoreUnavailable(message)
    default:
      return Object.assign(new Error(message), stack === null ? {} : { stack })
  }
}
