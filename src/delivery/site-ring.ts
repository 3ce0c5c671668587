/**
 * All sites with mail in memory, and whose turn it is: one group of each site in turn, within all limits.
 *
 * A site may run only as many attempts as there remain free for others, so slow sites can never take all of them: ten
 * of them leave a free eleventh part (dynamic threshold, Choudhury and Hahne 1998). One timer for all rates. Never fails.
 */

import type { Cancel, Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { siteRule } from '../policy/site-rules.ts'
import type { Route } from './route.ts'
import { type Group, Site } from './throttle.ts'

export interface SiteRingOptions {
  readonly clock: Clock
  readonly rules: Config['sites']
  /** Attempts under way at once, in all. */
  readonly maxAttempts: number
  /** Whether anything may be attempted now. */
  open(): boolean
  /** Begins the attempt; whoever runs it calls `sent` and `ended`. */
  run(site: Site, group: Group): void
}

/** Sites are kept while nothing goes there, because they may be closed; beyond this many the oldest such are forgotten. */
const manySites = 10_000

export class SiteRing {
  readonly #options: SiteRingOptions
  readonly #sites = new Map<string, Site>()
  /** Sites with waiting groups that may start as far as their own limits go, in the order of their turn. */
  readonly #ready = new Set<Site>()
  /** Sites whose rate makes them wait. */
  readonly #paced = new Set<Site>()
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
    const hosts = route.kind === 'mx' ? route.site.split(',') : route.hosts.map(({ host }) => host)
    const site = new Site(route, siteRule(this.#options.rules, hosts), this.#options.clock)
    this.#sites.set(route.key, site)
    return site
  }

  /** By key; undefined: nothing known. */
  known(key: string): Site | undefined {
    return this.#sites.get(key)
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

  /** The connection is free again for the site's next group. */
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
    this.#ready.delete(site)
    this.#paced.delete(site)
    return site.drain()
  }

  /** Starts whatever may start. */
  turn(): void {
    const { open, maxAttempts } = this.#options
    if (this.#turning || !open()) return
    this.#turning = true
    for (const site of this.#ready) {
      const free = maxAttempts - this.#running
      if (free <= 0) break
      if (site.running < free) this.#start(site)
    }
    this.#turning = false
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** To the end of the ring: visited again in the same turn, after all others. */
  #start(site: Site): void {
    this.#ready.delete(site)
    this.#running++
    const group = site.start()
    this.#consider(site)
    this.#options.run(site, group)
  }

  /** Puts a site where it belongs: ready, waiting for its rate, or neither. */
  #consider(site: Site): void {
    if (site.waiting === 0 || site.running >= site.connections || site.closedUntil !== null) {
      this.#ready.delete(site)
      return
    }
    if (site.paceMs <= 0) {
      this.#ready.add(site)
      return
    }
    this.#ready.delete(site)
    this.#paced.add(site)
    this.#setTimer(site.paceMs)
  }

  #setTimer(ms: number): void {
    const { clock } = this.#options
    const at = clock.monotonic() + ms
    if (this.#timer !== null && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = { at, cancel: clock.after(Math.ceil(ms), () => this.#nextSlots()) }
  }

  #nextSlots(): void {
    this.#timer = null
    const paced = [...this.#paced]
    this.#paced.clear()
    for (const site of paced) this.#consider(site)
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
