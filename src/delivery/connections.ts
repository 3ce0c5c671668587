/**
 * Open connections that are kept for the next message to the same place.
 *
 * Kept per site, address, TLS wish, source and login; the one used last is taken first, so that the others grow idle
 * and leave. One that died meanwhile is dropped without a word. A host may still close one at the very moment it is
 * taken: its first send then fails in phase `mail`, not in doubt, and the attempt opens another. Never fails itself.
 */
import type { Clock } from '../base/clock.ts'
import type { Instant } from '../mail/ids.ts'
import type { TlsPolicy } from './tls-policy.ts'
import type { Connection, HostSpec, OpenResult, Transport, TransportLimits } from './transport.ts'

export interface ConnectionsParts {
  readonly transport: Transport
  readonly limits: TransportLimits
  readonly tlsPolicy: TlsPolicy
  readonly clock: Clock
  /** A kept connection without work is closed after this time. */
  readonly idleMs: number
  /** Kept in all; beyond it the one idle for longest leaves. */
  readonly maxIdle: number
}

export interface Use {
  /** What kept connections belong to: a site, with what else must not be shared. */
  readonly key: string
  /** Messages per connection. */
  readonly maxMessages: number
  /** Don't take a kept one. */
  readonly fresh: boolean
  /** Connections of the key at once, kept ones included: those to other addresses leave for a new one. */
  readonly maxOpen?: number
  /** A kept one was closed by the other side right after so many messages. */
  readonly noteHungUp?: ((messages: number) => void) | undefined
}

interface Kept {
  readonly connection: Connection
  readonly key: string
  readonly place: string
  readonly idleUntil: Instant
}

interface Lent {
  readonly key: string
  readonly place: string
  readonly maxMessages: number
  /** How long it was kept before; 0: it is new. */
  readonly idleForMs: number
}

/** Hanging up so soon after a message is for the number of messages; later it may be for idleness. */
const promptMs = 1000

export class Connections {
  readonly #parts: ConnectionsParts
  /** Oldest first. */
  readonly #idle = new Set<Kept>()
  readonly #idleAt = new Map<string, Kept[]>()
  readonly #lent = new Map<Connection, Lent>()
  /** Connections of each key that are lent or being opened. */
  readonly #busy = new Map<string, number>()
  /** Those that say goodbye, with their key; they count until they are gone. */
  readonly #leaving = new Map<Promise<void>, string>()
  #cancelSweep: (() => void) | null = null
  #stopped = false

  constructor(parts: ConnectionsParts) {
    this.#parts = parts
  }

  get idle(): number {
    return this.#idle.size
  }

  /** A kept connection (`sent > 0`), or a new one. It must come back by `release`, whatever happened on it. */
  async acquire(wanted: HostSpec, use: Use): Promise<OpenResult> {
    const { key, maxMessages, fresh, maxOpen } = use
    const { transport, limits, tlsPolicy } = this.#parts
    const spec = tlsPolicy.apply(wanted)
    const place = placeOf(key, spec)
    const kept = fresh ? null : this.#takeKept(place, use)
    this.#count(key, 1)
    if (kept === null && maxOpen !== undefined) await this.#makeRoom(key, maxOpen)
    const opened = kept ?? (await transport.open(spec, limits))
    if ('connection' in opened) {
      const idleForMs = kept === null ? 0 : this.#idleForMs(kept)
      this.#lent.set(opened.connection, { key, place, maxMessages, idleForMs })
    } else this.#count(key, -1)
    if ('failure' in opened && opened.tlsFailed) tlsPolicy.noteBroken(spec)
    return opened
  }

  /** Whether a lent connection was hardly idle before. */
  wasPrompt(connection: Connection): boolean {
    return (this.#lent.get(connection)?.idleForMs ?? 0) < promptMs
  }

  /** Keeps the connection if it can carry another message, else says goodbye. */
  release(connection: Connection): void {
    const lent = this.#lent.get(connection)
    if (!lent) return
    this.#lent.delete(connection)
    this.#count(lent.key, -1)
    const keep = !this.#stopped && connection.reusable && connection.sent > 0 && connection.sent < lent.maxMessages
    if (keep) this.#keep(connection, lent)
    else this.#dismiss(connection, lent.key)
  }

  /** Says goodbye to the kept ones; what is still at work is cut off, so let attempts end first. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const kept of [...this.#idle]) this.#drop(kept)
    for (const connection of this.#lent.keys()) connection.destroy()
    await Promise.all(this.#leaving.keys())
  }

  #takeKept(place: string, { noteHungUp }: Use): Kept | null {
    for (let kept = this.#idleAt.get(place)?.at(-1); kept; kept = this.#idleAt.get(place)?.at(-1)) {
      this.#forget(kept)
      if (kept.connection.reusable) return kept
      if (this.#idleForMs(kept) < promptMs) noteHungUp?.(kept.connection.sent)
      kept.connection.destroy()
    }
    return null
  }

  #idleForMs({ idleUntil }: Kept): number {
    const { clock, idleMs } = this.#parts
    return clock.monotonic() - (idleUntil - idleMs)
  }

  /**
   * Kept ones are cut off after their QUIT, for they may be dead and never answer it. One that has just carried its last
   * message is waited for: at a receiver that counts strictly, one connection too many is a 421 and closes the site.
   */
  async #makeRoom(key: string, maxOpen: number): Promise<void> {
    const surplus = this.#idleFor(key).length + this.#busyAt(key) - maxOpen
    for (const kept of this.#idleFor(key).slice(0, Math.max(0, surplus))) {
      this.#drop(kept)
      kept.connection.destroy()
    }
    for (let leaving = this.#leavingFrom(key); leaving.length > 0; leaving = this.#leavingFrom(key)) {
      if (this.#idleFor(key).length + this.#busyAt(key) + leaving.length <= maxOpen) return
      await Promise.race(leaving)
    }
  }

  #busyAt(key: string): number {
    return this.#busy.get(key) ?? 0
  }

  #idleFor(key: string): Kept[] {
    return [...this.#idle].filter(kept => kept.key === key)
  }

  #leavingFrom(key: string): Promise<void>[] {
    return [...this.#leaving].filter(([, of]) => of === key).map(([left]) => left)
  }

  #count(key: string, change: 1 | -1): void {
    const busy = this.#busyAt(key) + change
    if (busy > 0) this.#busy.set(key, busy)
    else this.#busy.delete(key)
  }

  #keep(connection: Connection, { key, place }: Lent): void {
    const { clock, idleMs, maxIdle } = this.#parts
    const kept = { connection, key, place, idleUntil: clock.monotonic() + idleMs }
    this.#idle.add(kept)
    const neighbours = this.#idleAt.get(place)
    if (neighbours) neighbours.push(kept)
    else this.#idleAt.set(place, [kept])
    if (this.#idle.size > maxIdle) this.#drop(this.#oldest()!)
    this.#cancelSweep ??= clock.after(idleMs, () => this.#sweep())
  }

  /** One timer for all: it waits for the oldest. */
  #sweep(): void {
    this.#cancelSweep = null
    const { clock } = this.#parts
    const now = clock.monotonic()
    for (const kept of this.#idle) {
      if (kept.idleUntil > now) break
      this.#drop(kept)
    }
    const next = this.#oldest()
    if (next) this.#cancelSweep = clock.after(next.idleUntil - now, () => this.#sweep())
  }

  #drop(kept: Kept): void {
    this.#forget(kept)
    this.#dismiss(kept.connection, kept.key)
  }

  #dismiss(connection: Connection, key: string): void {
    const left = connection.quit().finally(() => this.#leaving.delete(left))
    this.#leaving.set(left, key)
  }

  #forget(kept: Kept): void {
    this.#idle.delete(kept)
    const neighbours = this.#idleAt.get(kept.place)!
    neighbours.splice(neighbours.indexOf(kept), 1)
    if (neighbours.length === 0) this.#idleAt.delete(kept.place)
    if (this.#idle.size > 0) return
    this.#cancelSweep?.()
    this.#cancelSweep = null
  }

  #oldest(): Kept | undefined {
    return this.#idle.values().next().value
  }
}

/** Two messages share a connection only when everything about it would be the same. */
function placeOf(key: string, spec: HostSpec): string {
  const { host, address, port, tls, implicitTls, verifyCertificate, auth, ehlo, sourceIp, plan } = spec
  const proof = plan?.dane ? [plan.dane.names, plan.dane.strings] : undefined
  return JSON.stringify([key, host, address, port, tls, implicitTls, verifyCertificate, auth, ehlo, sourceIp, proof])
}
