/**
 * Which sender domains and source addresses are being warmed up, and places under their caps.
 *
 * Known by name in each worker, so that mail of all others costs a look into a set; the places themselves stand in the
 * store and are taken there, one call for each transaction of a warm-up's mail, which is little mail. Fails with
 * StoreUnavailable.
 */
import type { Calendar } from '../base/calendar.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { CalendarDay, Instant } from '../mail/ids.ts'
import type { WarmUp, WarmUpKind, WarmUpRules } from '../mail/warm-up.ts'
import { warmUpChanged } from '../outcome/delivery-log.ts'
import type { Store, WarmUpName } from '../store/store.ts'

export interface WarmUpGateParts {
  readonly store: Pick<Store, 'listWarmUps' | 'warmUp' | 'takePlaces' | 'givePlaces' | 'onChange'>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly rules: WarmUpRules
  readonly log: Log
}

/** Taken for each entry of a group, whichever becomes of it. */
export interface TakenPlace {
  readonly of: WarmUpName
  readonly day: CalendarDay
}

export interface GrantedPlaces {
  readonly granted: number
  readonly place: TakenPlace
  /** When the next day begins. */
  readonly nextDayAt: Instant
}

const pageSize = 1000

export class WarmUpGate {
  readonly #parts: WarmUpGateParts
  readonly #domains = new Set<string>()
  readonly #sources = new Set<string>()
  readonly #unsubscribe: () => void

  constructor(parts: WarmUpGateParts) {
    this.#parts = parts
    this.#unsubscribe = parts.store.onChange(change => {
      if (change.kind === 'warm-up') this.#lookAgain(change.of)
    })
  }

  /** Before anything is sent. */
  async load(): Promise<void> {
    const { store } = this.#parts
    let after = ''
    for (;;) {
      const page = await store.listWarmUps({ limit: pageSize, ...(after !== '' && { after }) })
      for (const warmUp of page) this.#note(warmUp, warmUp)
      const last = page.at(-1)
      if (last === undefined || page.length < pageSize) return
      after = `${last.kind}/${last.name}`
    }
  }

  has(kind: WarmUpKind, name: string): boolean {
    return this.#of(kind).has(name)
  }

  get hasSources(): boolean {
    return this.#sources.size > 0
  }

  async take(of: WarmUpName, wanted: number): Promise<GrantedPlaces> {
    const { store, clock, calendar, rules, log } = this.#parts
    const at = clock.now()
    const today = calendar.dayOf(at)
    const { granted, changes } = await store.takePlaces(of, wanted, { today, at, rules })
    for (const change of changes) warmUpChanged(log, change)
    return { granted, place: { of, day: today }, nextDayAt: calendar.nextDayAt(at) }
  }

  /** A place that can't be given back was used, as far as its cap is concerned. */
  async give({ of, day }: TakenPlace, count: number): Promise<void> {
    try {
      await this.#parts.store.givePlaces(of, count, day)
    } catch (error) {
      this.#parts.log.warn({ err: error }, `${count} places of the warm-up of ${of.name} could not be given back`)
    }
  }

  stop(): void {
    this.#unsubscribe()
  }

  /** Counted as one until it is known not to be. */
  #lookAgain(of: WarmUpName): void {
    this.#of(of.kind).add(of.name)
    this.#parts.store.warmUp(of).then(
      warmUp => this.#note(of, warmUp),
      () => {},
    )
  }

  #note({ kind, name }: WarmUpName, warmUp: WarmUp | null): void {
    if (warmUp === null || warmUp.state === 'done') this.#of(kind).delete(name)
    else this.#of(kind).add(name)
  }

  #of(kind: WarmUpKind): Set<string> {
    return kind === 'domain' ? this.#domains : this.#sources
  }
}
