/**
 * Whether mail may leave now, and from which address: warm-ups and pools, between routing and the throttle of a site.
 *
 * Every source address is a site of its own to the throttle, with connections, rate and closings of its own, since receivers
 * judge and count by address: one that is blocked leaves the others of its pool alone, and they take over. What no source may
 * take now goes back into the queue with the reason; a cap waits for its next day. Mail whose pool has no address on this
 * machine waits as well, and is looked at every minute: it never leaves from an address of others, for receivers would hold
 * it against them. Mail without pools and warm-ups isn't asked.
 * Fails with StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import type { Instant } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { LeasedEntry } from '../store/store.ts'
import type { Decision } from './decision.ts'
import { canReach, inTurn, type Pool, type Pools, type Source } from './pools.ts'
import type { Route } from './route.ts'
import type { Group } from './throttle.ts'
import type { TakenPlace, WarmUpGate } from './warm-up-gate.ts'

export interface DeparturesParts {
  readonly pools: Pools
  readonly gate: WarmUpGate
  readonly clock: Clock
}

/** What the throttle says of a way: null: there is room; else when to ask again. */
export type Room = (route: Route) => Instant | null

/** Entries that may leave this way now. */
export interface Going {
  readonly leased: readonly LeasedEntry[]
  readonly route: Route
  readonly places: readonly TakenPlace[]
}

/** Entries that may not, until when, and what for. */
export interface Staying {
  readonly leased: readonly LeasedEntry[]
  readonly until: Instant
  readonly waitsFor?: string
}

export interface Plan {
  readonly going: readonly Going[]
  readonly staying: readonly Staying[]
}

/** A source whose address this machine doesn't have is tried again after this time. */
export const unusableMs = 60_000
/** When a pool that can't reach a site at all is looked at again: somebody has to change something first. */
const unreachableMs = 15 * 60_000

export class Departures {
  readonly #parts: DeparturesParts
  /** Source address → monotonic moment until which it is left alone. */
  readonly #unusable = new Map<string, number>()

  constructor(parts: DeparturesParts) {
    this.#parts = parts
  }

  /** Mail that neither pools nor warm-ups have anything to do with goes its way without being asked for. */
  isFree(message: Message): boolean {
    const { pools, gate } = this.#parts
    return pools.isSingle && !gate.hasSources && !gate.has('domain', message.senderDomain)
  }

  /** Recipient domains are reached by several ways: none of them may close their lanes for the others. */
  get isBranched(): boolean {
    return !this.#parts.pools.isSingle || this.#parts.gate.hasSources
  }

  async plan(leased: readonly LeasedEntry[], route: Route, decision: Decision, room: Room): Promise<Plan> {
    const { message } = leased[0]!
    const staying: Staying[] = []
    const allowed = await this.#allowed(leased, message, staying)
    if (allowed.leased.length === 0) return { going: [], staying }
    const pool = await this.#parts.pools.poolOf(message, decision.domain)
    const going = await this.#spread(allowed, route, pool, room, staying)
    const left = allowed.leased.length - going.reduce((sum, one) => sum + one.leased.length, 0)
    for (const place of allowed.places) if (left > 0) await this.#parts.gate.give(place, left)
    return { going, staying }
  }

  /** They were not tried after all. */
  async giveBack(groups: readonly Pick<Group, 'leased' | 'places'>[]): Promise<void> {
    for (const { leased, places = [] } of groups) {
      for (const place of places) await this.#parts.gate.give(place, leased.length)
    }
  }

  /** No connection can begin at this address: the machine doesn't have it. */
  noteUnusable(ip: string): void {
    this.#unusable.set(ip, this.#parts.clock.monotonic() + unusableMs)
  }

  /** Those that the sender domain's warm-up lets go. */
  async #allowed(leased: readonly LeasedEntry[], message: Message, staying: Staying[]) {
    const { gate } = this.#parts
    const of = { kind: 'domain', name: message.senderDomain } as const
    if (!gate.has(of.kind, of.name)) return { leased, places: [] }
    const { granted, place, nextDayAt } = await gate.take(of, leased.length)
    if (granted < leased.length)
      staying.push({ leased: leased.slice(granted), until: nextDayAt, waitsFor: `warm-up domain ${of.name}` })
    return { leased: leased.slice(0, granted), places: [place] }
  }

  /** One source after the other takes what it may. */
  async #spread(
    { leased, places }: Pick<Going, 'leased' | 'places'>,
    route: Route,
    pool: Pool,
    room: Room,
    staying: Staying[],
  ): Promise<Going[]> {
    const going: Going[] = []
    let rest = leased
    let until: Instant | null = null
    let isBusy = false
    let nextDayAt: Instant | null = null
    for (const source of inTurn(this.#sourcesOf(pool), leased[0]!)) {
      const way = wayFrom(source, route)
      if (way === null) continue
      const usableAt = this.#usableAt(source)
      const busy = usableAt ?? room(way)
      if (busy !== null) {
        isBusy ||= usableAt === null
        until = Math.min(until ?? busy, busy)
        continue
      }
      const taken = await this.#takeFrom(source, rest.length)
      if (taken.nextDayAt !== null) nextDayAt = taken.nextDayAt
      if (taken.granted === 0) continue
      going.push({ leased: rest.slice(0, taken.granted), route: way, places: [...places, ...taken.places] })
      rest = rest.slice(taken.granted)
      if (rest.length === 0) return going
    }
    const lacks = until !== null && !isBusy && nextDayAt === null
    staying.push(
      lacks ? { leased: rest, until: until!, waitsFor: lacking(pool.name) } : this.#stay(rest, pool, until, nextDayAt),
    )
    return going
  }

  #sourcesOf({ sources, apart = [] }: Pool): readonly Source[] {
    return apart.some(({ ip }) => ip !== null && this.#parts.gate.has('source', ip)) ? apart : sources
  }

  #stay(leased: readonly LeasedEntry[], { name }: Pool, until: Instant | null, nextDayAt: Instant | null): Staying {
    if (until !== null) return { leased, until: Math.min(until, nextDayAt ?? until) }
    if (nextDayAt !== null) return { leased, until: nextDayAt, waitsFor: `warm-up pool ${name}` }
    return { leased, until: this.#parts.clock.now() + unreachableMs, waitsFor: `source pool ${name}` }
  }

  /** `nextDayAt`: set when not all could be taken. */
  async #takeFrom({ ip }: Source, wanted: number) {
    const { gate } = this.#parts
    if (ip === null || !gate.has('source', ip)) return { granted: wanted, places: [], nextDayAt: null }
    const { granted, place, nextDayAt } = await gate.take({ kind: 'source', name: ip }, wanted)
    return { granted, places: [place], nextDayAt: granted < wanted ? nextDayAt : null }
  }

  /** Null: now. */
  #usableAt({ ip }: Source): Instant | null {
    const until = ip === null ? undefined : this.#unusable.get(ip)
    if (until === undefined) return null
    const left = until - this.#parts.clock.monotonic()
    return left > 0 ? this.#parts.clock.now() + left : null
  }
}

/** What mail waits for whose pool's addresses this machine doesn't have: none of them is taken from elsewhere for it. */
export function lacking(pool: string): string {
  return `source address ${pool}`
}

/** Null: it has no address of a kind the site can be reached at. */
function wayFrom(source: Source, route: Route): Route | null {
  const hosts = route.hosts.flatMap(host => {
    const addresses = host.addresses.filter(address => canReach(source, address))
    return addresses.length > 0 ? [{ ...host, addresses }] : []
  })
  return hosts.length === 0
    ? null
    : { ...route, hosts, source, key: `${route.key} from ${source.ip ?? source.family ?? 'anywhere'}` }
}
