/**
 * Looks for mail that waits for nothing: due, at a site that is open and has nothing to do in any worker. Reads the database
 * beside the store, so that it neither waits for its answers nor disturbs their order.
 */
import { join } from 'node:path'
import type { Config } from '../../src/base/config.ts'
import { openReading, type Statement } from '../../src/store/sqlite/connection.ts'
import { databaseFile } from '../../src/store/sqlite/group-commit.ts'
import type { ManualClock } from './manual-clock.ts'
import type { SimulatedWorker } from './simulated-worker.ts'
import { type SimulatedSite, second } from './simulated-world.ts'

/** Nothing runs at an open site with room, and still its due mail waits. */
const stallSeconds = 20

export interface StallParts {
  readonly clock: ManualClock
  readonly sites: readonly SimulatedSite[]
  readonly workers: readonly SimulatedWorker[]
  readonly config: Config
  fault(what: string): void
}

export class StallWatch {
  readonly #parts: StallParts
  readonly #stalledSince = new Map<string, number>()
  readonly #dueNow: Statement<string>
  readonly #leasedNow: Statement<number>
  readonly #left: Statement<number>
  readonly #close: () => void

  constructor(parts: StallParts) {
    this.#parts = parts
    const db = openReading(join(parts.config.dataDir, databaseFile))
    this.#dueNow = db.prepare(
      'select distinct domain from entry where lease_until is null and held_reason is null and next_attempt_at <= ?',
    )
    this.#leasedNow = db.prepare('select count(*) from entry where lease_until is not null')
    this.#left = db.prepare('select count(*) from entry')
    for (const statement of [this.#dueNow, this.#leasedNow, this.#left]) statement.pluck()
    this.#close = () => db.close()
  }

  /** Every recipient has come to its end. */
  get nothingIsLeft(): boolean {
    return this.#left.get() === 0
  }

  close(): void {
    this.#close()
  }

  /** Due mail of sites that are open and have nothing to do, in any worker. */
  look(): void {
    const [leased = 0] = this.#leasedNow.all()
    const hasRoom = leased < this.#parts.config.delivery.maxAttempts * 5
    const at = this.#parts.clock.monotonic()
    const busy = this.#busySites()
    const idle = hasRoom
      ? this.#dueNow.all(this.#parts.clock.now()).filter(domain => !busy.has(this.#siteOf(domain).name))
      : []
    for (const domain of [...this.#stalledSince.keys()]) if (!idle.includes(domain)) this.#stalledSince.delete(domain)
    for (const domain of idle) {
      const since = this.#stalledSince.get(domain) ?? at
      this.#stalledSince.set(domain, since)
      if (at - since === stallSeconds * second)
        this.#parts.fault(`mail for ${domain} waits though nothing goes on at its site; ${leased} are leased in all`)
    }
  }

  /** Closed, or with something to do; of those that share limits all, when one of them has. */
  #busySites(): ReadonlySet<string> {
    const busy = new Set<string>()
    const shared = this.#parts.sites.filter(one => one.shared).map(({ name }) => name)
    for (const { dispatcher } of this.#parts.workers) {
      for (const { site, running, waiting, closedUntil } of dispatcher.sites()) {
        if (closedUntil !== null || running + waiting > 0) busy.add(site)
        if (running + waiting > 0 && shared.includes(site)) for (const name of shared) busy.add(name)
      }
    }
    return busy
  }

  #siteOf(domain: string): SimulatedSite {
    return this.#parts.sites.find(({ domains }) => domains.includes(domain))!
  }
}
