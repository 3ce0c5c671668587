/**
 * Bearer tokens (RFC 6750 §2.1) in front of the API, compared in constant time, and a bound on wrong ones per address.
 *
 * Over the bound an address waits, whatever it sends: otherwise the bound would not slow down guessing. The same wrong
 * token again is no guess: an old script beside the CRM must not lock the CRM out.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import { Problem } from './problem.ts'
import { problemKinds } from './texts.ts'

/** Somebody with the wrong token in a script notices; somebody who guesses gets nowhere. */
const failuresAllowed = 20
const windowMs = 60_000
/** More addresses than this fail at once only in an attack; the oldest are then forgotten. */
const addressesKept = 10_000

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** `tokenHash`: of the one token that opens the API; requests wait until it is known. */
export function requireToken(tokenHash: Promise<string>, clock: Clock): RequestHandler {
  const failures: Failures = new LRUCache({ max: addressesKept })
  return async (request, response, next) => {
    const expected = await tokenHash
    const address = blockOf(request.ip ?? '')
    const failed = failures.get(address)
    if (failed && clock.monotonic() >= failed.until) failures.delete(address)
    else if (failed && failed.wrong.size >= failuresAllowed) return next(tooMany(failed.until - clock.monotonic()))
    const token = /^Bearer +([\x21-\x7e]+)$/i.exec(request.get('authorization') ?? '')?.[1]
    const hash = token === undefined ? null : hashToken(token)
    if (hash !== null && same(hash, expected)) return next()
    // Without any token nobody guesses: it is a browser or a first try.
    if (hash !== null) countFailure(failures, address, hash, clock.monotonic())
    response.setHeader('WWW-Authenticate', `Bearer realm="kitte"${hash === null ? '' : ', error="invalid_token"'}`)
    next(new Problem('unauthorized', { detail: problemKinds.unauthorized.meaning }))
  }
}

/** By address: the hashes of wrong tokens, and when they are forgotten. */
type Failures = LRUCache<string, { readonly wrong: Set<string>; readonly until: number }>

function countFailure(failures: Failures, address: string, hash: string, now: number): void {
  const failed = failures.get(address)
  if (failed) failed.wrong.add(hash)
  else failures.set(address, { wrong: new Set([hash]), until: now + windowMs })
}

function tooMany(waitMs: number): Problem {
  return new Problem('too-many-failures', {
    detail: problemKinds['too-many-failures'].meaning,
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  })
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** One customer of an IPv6 provider has a /64 at least, so that counts as one address. */
function blockOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return parsed.toNormalizedString().split(':').slice(0, 4).join(':')
}
