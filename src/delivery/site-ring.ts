/**
 * All sites with mail in memory, and whose turn it is: one group of each site in turn, within all limits. Sites that share
 * the limits of one provider take one turn together (`crowd.ts`).
 *
 * A site may run only as many attempts as there remain free for others, so slow sites can never take all of them: ten
 * of them leave a free eleventh part (dynamic threshold, Choudhury and Hahne 1998). One timer for all rates. Never fails.
 */

import type { Cancel, Clock } from '../base/clock.ts'
import { type SiteRule, sharedName, siteRule } from '../policy/site-rules.ts'
import type { Crowd } from './crowd.ts'
import type { Route } from './route.ts'
import { type Learned, SiteLimits } from './site-limits.ts'
import { type Group, Site } from './throttle.ts'

export interface SiteRingOptions {
  readonly clock: Clock
  readonly rules: readonly SiteRule[]
  /** Attempts under way at once, in all. */
  readonly maxAttempts: number
  /** What such limits had been taught before; undefined: nothing. */
  learned?(key: string): Learned | undefined
  /** Connections to a site that was never met; absent: all that its rule allows. */
  readonly firstConnections?: number
  /** Whether limits of that name got all their connections before. */
  isKnown?(key: string): boolean
  /** Whether anything may be attempted now. */
  open(): boolean
  /** Begins the attempt; whoever runs it calls `sent` and `ended`. */
  run(site: Site, group: Group): void
}

/** Who takes a turn: a site, or all that share the limits of one provider. */
type Party = Site | Crowd

/** Sites are kept while nothing goes there, because they may be closed; beyond this many the oldest such are forgotten. */
const manySites = 10_000

export class SiteRing {
  readonly #options: SiteRingOptions
  readonly #sites = new Map<string, Site>()
  /** Of providers that have one set of limits for all their sites, by key. */
  readonly #shared = new Map<string, SiteLimits>()
  /** Who has something waiting that may start now, in the order of their turn. */
  readonly #ready = new Set<Party>()
  /** Whom the rate of their limits makes wait. */
  readonly #paced = new Set<Party>()
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null
  #running = 0
  #turning = false

  constructor(options: SiteRingOptions) {
    this.#options = options
  }

  site(route: Route): Site {
    const known = this.#sites.get(route.key)
    if (known) return known
    if (this.#sites.size >= manySites) this.#forgetUnused()
    const rule = this.#ruleOf(route)
    const site = new Site(route, this.#limitsOf(route, rule), this.#options.clock, rule)
    this.#sites.set(route.key, site)
    return site
  }

  #ruleOf(route: Route): SiteRule {
    const { rules } = this.#options
    if (route.rule !== undefined) return route.rule
    if (route.kind === 'mx') return siteRule(rules, route.site.split(','))
    const hosts = route.hosts.map(({ host }) => host)
    // Of senders' own servers only the configuration speaks.
    const configured = rules.filter(({ shipped }) => !shipped)
    return siteRule(configured, hosts)
  }

  /** A provider counts what comes from one address, so each source has its own. What a login was answered is not kept. */
  #limitsOf({ kind, key, source }: Route, rule: SiteRule): SiteLimits {
    const { clock, learned } = this.#options
    const first = this.#firstOf(key, rule)
    if (kind === 'own-smtp') return new SiteLimits({ key, rule, shared: null, clock })
    const shared = sharedName(rule)
    if (shared === null) return new SiteLimits({ key, rule, shared, clock, first, learned: learned?.(key) })
    const sharedKey = `provider:${shared}${source?.ip ? ` from ${source.ip}` : ''}`
    return this.#shared.get(sharedKey) ?? this.#addShared(sharedKey, shared)
  }

  /** The first rule of that name has the numbers. */
  #addShared(key: string, shared: string): SiteLimits {
    const { rules, clock, learned } = this.#options
    const rule = rules.find(one => sharedName(one) === shared)!
    const first = this.#firstOf(key, rule)
    const limits = new SiteLimits({ key, rule, shared, clock, first, learned: learned?.(key) })
    this.#shared.set(key, limits)
    return limits
  }

  /** Undefined: no slow start. Whoever wrote a rule for a site knows it. */
  #firstOf(key: string, { suffix, shipped }: SiteRule): number | undefined {
    const { firstConnections, isKnown } = this.#options
    return (suffix !== '' && !shipped) || isKnown?.(key) ? undefined : firstConnections
  }

  /** By key; undefined: nothing known. */
  known(key: string): Site | undefined {
    return this.#sites.get(key)
  }

  /** Of a site, or of those that share them. */
  limits(key: string): SiteLimits | undefined {
    return this.#shared.get(key) ?? this.#sites.get(key)?.limits
  }

  sites(): Iterable<Site> {
    return this.#sites.values()
  }

  /** Attempts under way, their settlement included. */
  get running(): number {
    return this.#running
  }

  push(site: Site, group: Group): void {
    site.push(group)
    this.#consider(site)
  }

  /** The connection is free again for the next group of the site, or of one that shares its limits. */
  sent(site: Site): void {
    site.finish()
    this.#consider(site)
    this.turn()
  }

  /** The outcome is written down: only now the place among `maxAttempts` is free, so that no heap of unwritten ones grows. */
  ended(): void {
    this.#running--
    this.turn()
  }

  /** Takes out everything that waits for a site. */
  drain(site: Site): readonly Group[] {
    const groups = site.drain()
    this.#consider(site)
    return groups
  }

  /** Starts whatever may start. */
  turn(): void {
    const { open, maxAttempts } = this.#options
    if (this.#turning || !open()) return
    this.#turning = true
    for (const party of this.#ready) {
      const free = maxAttempts - this.#running
      if (free <= 0) break
      if (party.running < free) this.#start(party)
    }
    this.#turning = false
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** To the end of the ring: visited again in the same turn, after all others. */
  #start(party: Party): void {
    this.#ready.delete(party)
    const next = party instanceof Site ? { site: party, group: party.take()! } : this.#nextOf(party)
    if (next === null) return
    const { site, group } = next
    this.#running++
    site.begin(group)
    this.#arrange(party)
    this.#options.run(site, group)
  }

  /** Null: none of those whose turn it is may start. */
  #nextOf(crowd: Crowd): { readonly site: Site; readonly group: Group } | null {
    for (let group = crowd.take(); group !== undefined; group = crowd.take()) {
      const site = this.#sites.get(group.route.key)!
      if (site.mayStart) return { site, group }
      site.waitAside(crowd, group)
    }
    return null
  }

  #consider(site: Site): void {
    const { crowd } = site.limits
    if (crowd !== null) site.rejoin(crowd)
    this.#arrange(crowd ?? site)
  }

  /** Puts a party where it belongs: ready, waiting for a slot of its limits, or neither. */
  #arrange(party: Party): void {
    const { limits } = party
    this.#paced.delete(party)
    if (!party.hasNext || limits.free <= 0) this.#ready.delete(party)
    else if (limits.paceMs <= 0) this.#ready.add(party)
    else {
      this.#ready.delete(party)
      this.#pace(party, limits.paceMs)
    }
  }

  #pace(party: Party, ms: number): void {
    const { clock } = this.#options
    this.#paced.add(party)
    const at = clock.monotonic() + ms
    if (this.#timer !== null && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = { at, cancel: clock.after(Math.ceil(ms), () => this.#nextSlots()) }
  }

  #nextSlots(): void {
    this.#timer = null
    for (const party of [...this.#paced]) this.#arrange(party)
    this.turn()
  }

  /** A quarter at a time, so that the search is paid for by many new sites. */
  #forgetUnused(): void {
    for (const [key, site] of this.#sites) {
      if (this.#sites.size <= (manySites * 3) / 4) return
      if (!site.inUse) this.#sites.delete(key)
    }
  }
}
