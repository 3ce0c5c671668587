/**
 * What sites have taught the workers of this node, kept over a restart.
 *
 * One row of settings for each worker, written a minute after a change at the earliest, read once at the start. Each worker
 * has its own part of the limits (`policy/worker-share.ts`). Where there are as many workers as before, each goes on with
 * its own; otherwise, and for what only others knew, the parts of all are added up and divided anew. Sites that had all
 * their connections are kept by name: they begin with them. Sender domains that sites want less from are known to all
 * workers alike: each has its own, and those that only others knew. Fails softly: what can't be read or written is learned again.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Instant } from '../mail/ids.ts'
import { forgetMs } from '../policy/adaptive-limit.ts'
import type { Store } from '../store/store.ts'
import { dividedAmong, isOld } from './learned-shares.ts'
import type { Learned, SiteLimits } from './site-limits.ts'
import type { KeptSender, SlowedSenders } from './slowed-senders.ts'

export interface LimitsMemoryParts {
  readonly store: Pick<Store, 'setting' | 'setSetting'>
  readonly clock: Clock
  readonly log: Log
  /** `<node>/<worker>`. */
  readonly owner: string
  /** Workers of this node. */
  readonly workers: number
  readonly senders: Pick<SlowedSenders, 'kept' | 'restore'>
}

interface Kept {
  readonly workers: number
  /** When it was written; absent in rows of earlier versions. */
  readonly at?: Instant
  readonly sites: readonly (readonly [key: string, learned: Learned])[]
  /** That had all their connections, and when. */
  readonly known?: readonly (readonly [key: string, at: Instant])[]
  readonly senders?: readonly KeptSender[]
}

const writeAfterMs = 60_000
/** Those whose limits changed last; a site weighs about 300 bytes. */
const maxSites = 1000
/** A name weighs about 50 bytes. */
const maxKnown = 2000
/** Rows that are looked for beyond those of the workers there are now: nobody ran more than this. */
const mostWorkers = 64

export class LimitsMemory {
  readonly #parts: LimitsMemoryParts
  /** Oldest change first. */
  readonly #learned = new Map<string, Learned>()
  readonly #known = new Map<string, Instant>()
  #cancelWrite: Cancel | null = null

  constructor(parts: LimitsMemoryParts) {
    this.#parts = parts
  }

  /** Before the first site. */
  async load(): Promise<void> {
    const { log } = this.#parts
    try {
      this.#restore(await this.#read())
    } catch (error) {
      log.warn({ err: error }, 'what sites had taught about their limits could not be read')
    }
  }

  of(key: string): Learned | undefined {
    return this.#learned.get(key)
  }

  /** It had all its connections within the last day. */
  isKnown(key: string): boolean {
    return this.#known.has(key)
  }

  /** These limits have just changed, or all connections were reached. */
  note({ key, learned, isKnown }: Pick<SiteLimits, 'key' | 'learned' | 'isKnown'>): void {
    if (isOfOneLogin(key)) return
    put(this.#learned, key, learned, maxSites)
    if (isKnown) put(this.#known, key, this.#parts.clock.now(), maxKnown)
    this.changed()
  }

  /** Something that is kept has changed. */
  changed(): void {
    this.#cancelWrite ??= this.#parts.clock.after(writeAfterMs, () => void this.#write())
  }

  /** What another worker has learned of limits that this one has nothing to do with yet. */
  adopt(key: string, learned: Learned): void {
    if (!this.#learned.has(key)) this.#learned.set(key, learned)
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    if (this.#cancelWrite !== null) await this.#write()
  }

  async #write(): Promise<void> {
    const { store, clock, log, owner, workers, senders } = this.#parts
    this.#cancelWrite?.()
    this.#cancelWrite = null
    const [sites, known] = [[...this.#learned], [...this.#known]]
    const kept: Kept = { workers, at: clock.now(), sites, known, senders: senders.kept.slice(-maxSites) }
    try {
      await store.setSetting(settingOf(owner), JSON.stringify(kept))
    } catch (error) {
      log.warn({ err: error }, 'what sites have taught about their limits could not be written')
    }
  }

  /** Those of the workers that ran last; the row of one that wrote nothing since it ran among others says nothing. */
  async #read(): Promise<(Kept | null)[]> {
    const { store, owner, workers } = this.#parts
    const node = owner.replace(/\/\d+$/, '')
    const rows: (Kept | null)[] = []
    let count = workers
    for (let number = 0; number < Math.min(count, mostWorkers); number++) {
      const text = await store.setting(settingOf(`${node}/${number}`))
      rows.push(text === null ? null : (JSON.parse(text) as Kept))
      count = Math.max(count, rows[number]?.workers ?? 0)
    }
    const last = rows.reduce((best, row) => (writtenAt(row) > writtenAt(best) ? row : best), rows[0] ?? null)
    return last === null ? [] : rows.slice(0, last.workers).map(row => (row?.workers === last.workers ? row : null))
  }

  #restore(rows: readonly (Kept | null)[]): void {
    const { clock, owner, workers } = this.#parts
    const now = clock.now()
    const number = Number(owner.slice(owner.lastIndexOf('/') + 1))
    const own = rows.length === workers ? rows[number] : null
    const parts = rows.flatMap(row => (row === null ? [] : [new Map(row.sites)]))
    for (const key of new Set(parts.flatMap(part => [...part.keys()]))) {
      const known = parts.flatMap(part => part.get(key) ?? [])
      const learned =
        own?.sites.find(([name]) => name === key)?.[1] ?? dividedAmong(known, rows.length, workers, number)
      if (!isOld(learned, now)) this.#learned.set(key, learned)
    }
    for (const [key, at] of rows.flatMap(row => row?.known ?? [])) {
      if (Math.abs(now - at) < forgetMs) this.#known.set(key, at)
    }
    this.#parts.senders.restore(sendersOf(rows, own ?? null))
  }
}

/** Of each the own; else the one that was slowed last. Oldest first. */
function sendersOf(rows: readonly (Kept | null)[], own: Kept | null): readonly KeptSender[] {
  const sendersIn = (row: Kept | null) => row?.senders ?? []
  const bySlowing = rows.flatMap(sendersIn).sort((one, other) => one.limit.loweredAt - other.limit.loweredAt)
  const found = new Map([...bySlowing, ...sendersIn(own)].map(kept => [kept.key, kept] as const))
  return [...found.values()]
}

function writtenAt(row: Kept | null): number {
  return row === null ? -1 : (row.at ?? 0)
}

/** As the latest; null: taken out. */
function put<T>(of: Map<string, T>, key: string, value: T | null, most: number): void {
  of.delete(key)
  if (value !== null) of.set(key, value)
  if (of.size > most) of.delete(of.keys().next().value!)
}

function settingOf(owner: string): string {
  return `site-limits ${owner}`
}

/** A sender's own server: its key is made from a password, and no such thing is stored. */
function isOfOneLogin(key: string): boolean {
  return key.startsWith('smtp:')
}
