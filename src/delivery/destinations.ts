/**
 * Recipient domain → its site and the hosts to try: looked up once for all mail of a while.
 *
 * Answers are shared by everyone who asks meanwhile and kept for seconds only, below any sensible TTL; the resolver
 * keeps the records themselves. DNS trouble is an answer (LookupFailure); fails with bugs only, and then forgets them.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import { findAddresses, findHosts, type LookupFailure, type LookupOptions, type MxHost } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import { type Detour, type DetourId, siteOfDetour } from '../mail/detour.ts'
import type { DomainName } from '../mail/ids.ts'
import type { TlsLevel } from '../mail/tls-level.ts'
import { endsInLabels } from '../policy/site-rules.ts'
import type { Detoured } from '../store/detoured.ts'
import type { DomainPolicies, FoundSts } from '../tls/domain-policies.ts'
import type { DomainTls } from '../tls/plan.ts'

export type Destination =
  | {
      readonly site: string
      readonly hosts: readonly MxHost[]
      /** What the domain asks of TLS; absent: nothing. */
      readonly tls?: DomainTls
      /** What the site's rule asks of it; absent: nothing. */
      readonly siteTls?: TlsLevel
      /** It leads to other hosts than its MX. */
      readonly detour?: DetourId
    }
  | { readonly failure: LookupFailure }

interface Known {
  readonly destination: Promise<Destination>
  /** Set once it is known; stays when the answer grows old, for questions that can't wait. */
  site: string | null
  freshUntil: number
}

/** As many as the resolver keeps by default; a destination weighs about 1 kB. */
const maxDestinations = 10_000
/** A host taken out of DNS is still tried this long; its neighbours are tried as well. */
const keepMs = 30_000
const noSts: FoundSts = { policy: null, trouble: null }
/** A failure is kept just long enough that a burst to one broken domain costs one lookup. */
const keepFailureMs = 5_000

export class Destinations {
  readonly #resolver: Resolver
  readonly #options: LookupOptions
  readonly #clock: Clock
  readonly #policies: DomainPolicies | undefined
  readonly #detoured: Pick<Detoured, 'list' | 'onChange'> | undefined
  readonly #known = new LRUCache<DomainName, Known>({ max: maxDestinations })

  constructor(
    resolver: Resolver,
    options: LookupOptions,
    clock: Clock,
    policies?: DomainPolicies,
    detoured?: Pick<Detoured, 'list' | 'onChange'>,
  ) {
    this.#resolver = resolver
    this.#options = options
    this.#clock = clock
    this.#policies = policies
    this.#detoured = detoured
    detoured?.onChange(() => this.#known.clear())
  }

  find(domain: DomainName): Promise<Destination> {
    const known = this.#known.get(domain)
    if (known !== undefined && known.freshUntil > this.#clock.monotonic()) return known.destination
    return this.#lookUp(domain, known?.site ?? null)
  }

  /** The site as last known, without waiting; null: never looked up. */
  siteOf(domain: DomainName): string | null {
    return this.#known.get(domain)?.site ?? null
  }

  #lookUp(domain: DomainName, lastSite: string | null): Promise<Destination> {
    const known: Known = { destination: this.#ask(domain), site: lastSite, freshUntil: Number.POSITIVE_INFINITY }
    this.#known.set(domain, known)
    known.destination.then(
      destination => this.#remember(known, destination),
      () => this.#known.delete(domain),
    )
    return known.destination
  }

  #remember(known: Known, destination: Destination): void {
    const failed = 'failure' in destination
    if (!failed) known.site = destination.site
    known.freshUntil = this.#clock.monotonic() + (failed ? keepFailureMs : keepMs)
  }

  async #ask(domain: DomainName): Promise<Destination> {
    const around = this.#detourOf([domain], (name, wanted) => name === wanted)
    if (around !== null) return this.#goAround(around)
    const [found, sts] = await Promise.all([
      findHosts(this.#resolver, domain, this.#options),
      this.#policies?.sts(domain) ?? noSts,
    ])
    if ('failure' in found) return found
    const { hosts, exchanges } = found
    const tls = await this.#policies?.of(
      domain,
      hosts.map(({ host }) => host),
      sts,
    )
    const site = siteNameOf(exchanges)
    const aroundSite = this.#detourOf(site.split(','), endsInLabels)
    if (aroundSite !== null) return this.#goAround(aroundSite)
    const siteTls = this.#policies?.levelOf(site.split(','))
    return { site, hosts, ...(tls && { tls }), ...(siteTls && { siteTls }) }
  }

  #detourOf(names: readonly string[], fits: (name: string, domain: string) => boolean): Detour | null {
    const now = this.#clock.now()
    const inForce = this.#detoured?.list.filter(({ until }) => until === null || until > now) ?? []
    return inForce.find(({ domain }) => names.some(name => fits(name, domain))) ?? null
  }

  /** Trouble with a detour says nothing about the recipients: whatever it is, it is temporary. */
  async #goAround(detour: Detour): Promise<Destination> {
    const found = await Promise.all(
      detour.hosts.map(async ({ host, port }, preference) => {
        const answer = await findAddresses(this.#resolver, host, this.#options)
        return 'failure' in answer ? answer : { host, preference, ...answer, ...(port !== null && { port }) }
      }),
    )
    const hosts = found.flatMap(host => ('failure' in host ? [] : [host]))
    const site = siteOfDetour(detour)
    if (hosts.length === 0) {
      const details = found.flatMap(host => ('failure' in host ? [host.failure.detail] : []))
      return { failure: { kind: 'dns-trouble', detail: `${site}: ${details.join('; ')}` } }
    }
    const siteTls = detour.tls ?? this.#policies?.levelOf(hosts.map(({ host }) => host))
    return { site, hosts, detour: detour.id, ...(siteTls && { siteTls }) }
  }
}

/**
 * All MX hosts, sorted, and not only those that will be tried: which ones are tried changes with the shuffle of equal
 * preferences, and all domains of one provider must share its limits.
 */
function siteNameOf(hosts: readonly string[]): string {
  return [...new Set(hosts)].sort().join(',')
}
