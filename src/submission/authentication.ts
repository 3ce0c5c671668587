/**
 * Checks usernames and passwords (RFC 4954), cheaply for clients that come back and slowly for guessers.
 *
 * A verified password is remembered under an HMAC with a key of this process over username, password and stored hash:
 * a client that reconnects pays no Argon2, and a changed password is not found. An unknown username costs what a
 * wrong password does. The same wrong password again counts and costs nothing: a customer's stale credential, tried for
 * ever by the one CRM that everybody's mail comes from, must not lock the others out. Fails with SmtpError: 535 for wrong, 454 when too many failed from the address, when too many
 * wait, or when the directory can't be read.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import { hashPassword, verifyPassword } from '../base/password.ts'
import type { Credential } from '../mail/account.ts'
import type { Directory } from '../store/directory.ts'
import { replies, SmtpError } from './replies.ts'

export interface AuthenticationParts {
  readonly directory: Pick<Directory, 'credential'>
  readonly clock: Clock
  readonly maxFailuresPerAddress: number
  /** Replaced in tests that count. */
  readonly verify?: (password: string, passwordHash: string) => Promise<boolean>
}

export interface Login {
  readonly username: string
  readonly password: string
  /** RFC 4616: on whose behalf; we know nobody but the one who logs in. */
  readonly authzid?: string
}

/** A CRM has few credentials; each costs about 100 bytes here. */
const rememberedCredentials = 10_000
/** Argon2 takes 20 ms and 19 MiB on the thread pool, which signing needs too. */
const maxAtOnce = 2
/** At 20 ms each the last of them waits 2 s; more would run into clients' time-outs. */
const maxWaiting = 200
const failureWindowMs = 10 * 60_000
/** Addresses whose failures are remembered; the oldest are forgotten first. */
const rememberedAddresses = 10_000

export class Authentication {
  readonly #parts: AuthenticationParts
  readonly #verify: (password: string, passwordHash: string) => Promise<boolean>
  readonly #key = randomBytes(32)
  readonly #verified = new LRUCache<string, true>({ max: rememberedCredentials })
  /** Per address what failed, by its key as above, and when first, oldest first; never more than the bound. */
  readonly #failures = new LRUCache<string, Map<string, number>>({ max: rememberedAddresses })
  readonly #waiting: (() => void)[] = []
  #running = 0
  #hashOfNobody: Promise<string> | null = null

  constructor(parts: AuthenticationParts) {
    this.#parts = parts
    this.#verify = parts.verify ?? verifyPassword
  }

  async check(login: Login, address: string): Promise<Credential> {
    const failures = this.#recentFailures(address)
    if (failures.size >= this.#parts.maxFailuresPerAddress) throw new SmtpError(replies.addressBlocked)
    const credential = await this.#find(login.username)
    const passwordHash = credential?.passwordHash ?? (await this.#nobody())
    const key = this.#cacheKey(login.username, login.password, passwordHash)
    if (failures.has(key)) throw new SmtpError(replies.loginFailed)
    const right = (await this.#isRight(key, login.password, passwordHash)) && credential !== null
    if (right) this.#verified.set(key, true)
    else this.#countFailure(address, key)
    // Whoever knows the password doesn't guess, even when it is of no use any more.
    if (!right || credential.revokedAt !== null || !actsForItself(login)) throw new SmtpError(replies.loginFailed)
    return credential
  }

  async #find(username: string): Promise<Credential | null> {
    try {
      return await this.#parts.directory.credential(username)
    } catch (cause) {
      throw new SmtpError(replies.loginTrouble, { cause })
    }
  }

  async #isRight(key: string, password: string, passwordHash: string): Promise<boolean> {
    return this.#verified.has(key) || (await this.#inTurn(() => this.#verify(password, passwordHash)))
  }

  #cacheKey(...parts: readonly string[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64')
  }

  #nobody(): Promise<string> {
    this.#hashOfNobody ??= hashPassword(randomBytes(32).toString('base64'))
    return this.#hashOfNobody
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxAtOnce) {
      if (this.#waiting.length >= maxWaiting) throw new SmtpError(replies.loginsBusy)
      // Whoever ends hands its place over, so the count stays.
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }

  #countFailure(address: string, key: string): void {
    const failures = this.#recentFailures(address)
    if (failures.size < this.#parts.maxFailuresPerAddress && !failures.has(key))
      failures.set(key, this.#parts.clock.monotonic())
    this.#failures.set(address, failures)
  }

  #recentFailures(address: string): Map<string, number> {
    const failures = this.#failures.get(address) ?? new Map<string, number>()
    const since = this.#parts.clock.monotonic() - failureWindowMs
    for (const [key, at] of failures) if (at <= since) failures.delete(key)
    return failures
  }
}

export function actsForItself({ authzid, username }: Login): boolean {
  return authzid === undefined || authzid === '' || authzid === username
}
