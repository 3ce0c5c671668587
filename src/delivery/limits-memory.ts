/**
 * What sites have taught this worker, kept over a restart.
 *
 * One row of settings for each worker, written a minute after a change at the earliest, read once at the start. Each worker
 * learns its own part of the limits (`policy/worker-share.ts`), so what is kept says of how many workers it was: with
 * another number of them the parts are divided anew. Fails softly: what can't be read or written is learned again.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Instant } from '../mail/ids.ts'
import { type AdaptedLimit, forgetMs, rescaled } from '../policy/adaptive-limit.ts'
import type { Store } from '../store/store.ts'
import type { Learned, SiteLimits } from './site-limits.ts'

export interface LimitsMemoryParts {
  readonly store: Pick<Store, 'setting' | 'setSetting'>
  readonly clock: Clock
  readonly log: Log
  /** `<node>/<worker>`. */
  readonly owner: string
  /** Workers of this node. */
  readonly workers: number
}

interface Kept {
  readonly workers: number
  readonly sites: readonly (readonly [key: string, learned: Learned])[]
}

const writeAfterMs = 60_000
/** Those whose limits changed last; a site weighs about 300 bytes. */
const maxSites = 1000

export class LimitsMemory {
  readonly #parts: LimitsMemoryParts
  /** Oldest change first. */
  readonly #learned = new Map<string, Learned>()
  #cancelWrite: Cancel | null = null

  constructor(parts: LimitsMemoryParts) {
    this.#parts = parts
  }

  /** Before the first site. */
  async load(): Promise<void> {
    const { clock, log, workers } = this.#parts
    try {
      const kept = await this.#read()
      if (kept === null) return
      const factor = kept.workers / workers
      const now = clock.now()
      for (const [key, learned] of kept.sites) if (!isOld(learned, now)) this.#learned.set(key, part(learned, factor))
    } catch (error) {
      log.warn({ err: error }, 'what sites had taught about their limits could not be read')
    }
  }

  of(key: string): Learned | undefined {
    return this.#learned.get(key)
  }

  /** These limits have just changed. */
  note({ key, learned }: Pick<SiteLimits, 'key' | 'learned'>): void {
    if (isOfOneLogin(key)) return
    this.#learned.delete(key)
    if (learned !== null) this.#learned.set(key, learned)
    if (this.#learned.size > maxSites) this.#learned.delete(this.#learned.keys().next().value!)
    this.#cancelWrite ??= this.#parts.clock.after(writeAfterMs, () => void this.#write())
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    if (this.#cancelWrite !== null) await this.#write()
  }

  async #write(): Promise<void> {
    const { store, log, owner, workers } = this.#parts
    this.#cancelWrite?.()
    this.#cancelWrite = null
    const kept: Kept = { workers, sites: [...this.#learned] }
    try {
      await store.setSetting(settingOf(owner), JSON.stringify(kept))
    } catch (error) {
      log.warn({ err: error }, 'what sites have taught about their limits could not be written')
    }
  }

  /** A worker that was not there before begins with what the first one knows. */
  async #read(): Promise<Kept | null> {
    const { store, owner } = this.#parts
    const own = await store.setting(settingOf(owner))
    const text = own ?? (await store.setting(settingOf(owner.replace(/\/\d+$/, '/0'))))
    return text === null ? null : (JSON.parse(text) as Kept)
  }
}

function settingOf(owner: string): string {
  return `site-limits ${owner}`
}

/** A sender's own server: its key is made from a password, and no such thing is stored. */
function isOfOneLogin(key: string): boolean {
  return key.startsWith('smtp:')
}

function isOld({ connections, rate, messages }: Learned, now: Instant): boolean {
  const said = [connections?.loweredAt, rate?.loweredAt, messages?.at]
  return now - Math.max(...said.map(at => at ?? 0)) >= forgetMs
}

function part(learned: Learned, factor: number): Learned {
  const scaled = (limit: AdaptedLimit | null) => (limit === null ? null : rescaled(limit, factor))
  return { ...learned, connections: scaled(learned.connections), rate: scaled(learned.rate) }
}
