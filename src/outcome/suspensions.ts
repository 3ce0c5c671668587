/**
 * Suspensions and detours at work, on the main thread: catching what waits, releasing what was held, ending what is over.
 *
 * Slice by slice, so that accepted mail never waits long for its commit; what a stop of the process interrupts goes on at
 * the next start, for the store says how far it is. Failures of slices are logged and tried again.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { inSlices } from '../base/slices.ts'
import type { Detour, DetourId } from '../mail/detour.ts'
import type { Suspension, SuspensionId } from '../mail/suspension.ts'
import type { Store } from '../store/store.ts'
import { detourAdded, detourRemoved, resumed, suspended } from './delivery-log.ts'

export interface SuspensionsParts {
  readonly store: Pick<
    Store,
    | 'addSuspension'
    | 'suspensions'
    | 'catchSuspended'
    | 'endSuspension'
    | 'releaseSuspended'
    | 'addDetour'
    | 'detours'
    | 'removeDetour'
  >
  readonly clock: Clock
  readonly log: Log
}

export interface Suspensions {
  /** In force when it resolves; most of what waits is held by then, and all of it soon. */
  suspend(wanted: Omit<Suspension, 'id' | 'createdAt'>): Promise<Suspension>
  /** Null: there is none. What it held is released, most of it when this resolves. */
  resume(id: SuspensionId): Promise<Suspension | null>
  detour(wanted: Omit<Detour, 'id' | 'createdAt'>): Promise<Detour>
  /** Null: there is none. */
  endDetour(id: DetourId): Promise<Detour | null>
  stop(): Promise<void>
}

/** Whoever ordered it waits this long for the end. */
const promptMs = 800
/** How late the end of a suspension may be noticed; delivery itself looks at the clock. */
const roundMs = 1000
const tryAgainMs = 5000

export function startSuspensions(parts: SuspensionsParts): Suspensions {
  return new WorkingSuspensions(parts)
}

class WorkingSuspensions implements Suspensions {
  readonly #parts: SuspensionsParts
  readonly #working = new Map<string, Promise<void>>()
  readonly #cancel: Cancel
  readonly #stopping = new AbortController()
  /** When the next one ends by itself. */
  #nextEndAt: number | null = 0
  #round: Promise<void> | null = null

  constructor(parts: SuspensionsParts) {
    this.#parts = parts
    this.#cancel = parts.clock.every(roundMs, () => this.#look())
    this.#look()
  }

  async suspend(wanted: Omit<Suspension, 'id' | 'createdAt'>): Promise<Suspension> {
    const { store, clock, log } = this.#parts
    const createdAt = clock.now()
    const suspension = { id: newId(createdAt), ...wanted, createdAt }
    await store.addSuspension(suspension)
    suspended(log, suspension)
    this.#endsAt(suspension.until)
    await this.#promptly(this.#catch(suspension.id))
    return suspension
  }

  async resume(id: SuspensionId): Promise<Suspension | null> {
    const ended = await this.#end(id)
    if (ended !== null) await this.#promptly(this.#release(id))
    return ended
  }

  async detour(wanted: Omit<Detour, 'id' | 'createdAt'>): Promise<Detour> {
    const { store, clock, log } = this.#parts
    const createdAt = clock.now()
    const detour = { id: newId(createdAt), ...wanted, createdAt }
    await store.addDetour(detour)
    detourAdded(log, detour)
    this.#endsAt(detour.until)
    return detour
  }

  async endDetour(id: DetourId): Promise<Detour | null> {
    const removed = await this.#parts.store.removeDetour(id)
    if (removed !== null) detourRemoved(this.#parts.log, removed)
    return removed
  }

  async stop(): Promise<void> {
    this.#cancel()
    this.#stopping.abort()
    await this.#round
    await Promise.all(this.#working.values())
  }

  /** Null: there is none. Its entries are released afterwards. */
  async #end(id: SuspensionId): Promise<Suspension | null> {
    const { store, clock, log } = this.#parts
    const ended = await store.endSuspension(id, clock.now())
    if (ended === null) return null
    resumed(log, ended)
    void this.#release(id)
    return ended
  }

  #endsAt(until: number | null): void {
    if (until !== null && (this.#nextEndAt === null || until < this.#nextEndAt)) this.#nextEndAt = until
  }

  /** Reads the store only when something ends; at the start, to go on with what was interrupted. */
  #look(): void {
    const { clock, log } = this.#parts
    const due = this.#nextEndAt
    if (due === null || due > clock.now() || this.#round) return
    // What is made meanwhile says itself when it ends.
    this.#nextEndAt = null
    this.#round = this.#endWhatIsOver()
      .catch(error => {
        this.#endsAt(due)
        log.error({ err: error }, 'suspensions could not be ended; it is tried again')
      })
      .finally(() => {
        this.#round = null
      })
  }

  async #endWhatIsOver(): Promise<void> {
    const { store, clock } = this.#parts
    const [suspensions, detours] = await Promise.all([store.suspensions(), store.detours()])
    const isOver = ({ until }: { readonly until: number | null }) => until !== null && until <= clock.now()
    for (const one of [...detours, ...suspensions]) if (!isOver(one)) this.#endsAt(one.until)
    for (const { id } of detours.filter(isOver)) await this.endDetour(id)
    for (const one of suspensions) {
      if (one.endedAt !== null) void this.#release(one.id)
      else if (isOver(one)) await this.#end(one.id)
      else if (!one.caught) void this.#catch(one.id)
    }
  }

  #catch(id: SuspensionId): Promise<void> {
    const { store, clock } = this.#parts
    return this.#once(`catch ${id}`, limit => store.catchSuspended(id, clock.now(), limit))
  }

  #release(id: SuspensionId): Promise<void> {
    const { store, clock } = this.#parts
    return this.#once(`release ${id}`, limit => store.releaseSuspended(id, clock.now(), limit))
  }

  #once(name: string, slice: (limit: number) => Promise<number>): Promise<void> {
    const underWay = this.#working.get(name)
    if (underWay !== undefined) return underWay
    const work = this.#work(slice).finally(() => this.#working.delete(name))
    this.#working.set(name, work)
    return work
  }

  async #work(slice: (limit: number) => Promise<number>): Promise<void> {
    const { clock, log } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await inSlices(slice, { clock, signal })
        return
      } catch (error) {
        log.warn({ err: error }, 'entries of a suspension could not be changed; it is tried again')
        await clock.sleep(tryAgainMs, signal)
      }
    }
  }

  async #promptly(work: Promise<void>): Promise<void> {
    const done = new AbortController()
    await Promise.race([work, this.#parts.clock.sleep(promptMs, done.signal)])
    done.abort()
  }
}
