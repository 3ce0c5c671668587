/**
 * Where a message's recipients are taken to: the MX hosts of their domains, or the sender's own SMTP server.
 *
 * Recipients whose domains share a site travel together (design section 1). Addresses that aren't to be connected to
 * (loopback, private …) are refused by the lookup, for both kinds of route alike. Fails as `Destinations` does, and
 * with SealBroken when an own server's password doesn't open.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Seal } from '../base/seal.ts'
import { findAddresses, type LookupFailure, type LookupOptions, type MxHost } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { OwnSmtp } from '../mail/account.ts'
import type { DetourId } from '../mail/detour.ts'
import type { DomainName, HostName, Mailbox } from '../mail/ids.ts'
import type { TlsLevel } from '../mail/tls-level.ts'
import { ownServerRule } from '../policy/own-server-rule.ts'
import type { SiteRule } from '../policy/site-rules.ts'
import type { LeasedEntry } from '../store/store.ts'
import { type DomainTls, type HostTls, planHost } from '../tls/plan.ts'
import { noRequirement, type TlsRequirement } from '../tls/requirement.ts'
import type { Decision } from './decision.ts'
import type { Destination, Destinations } from './destinations.ts'
import type { Source } from './pools.ts'
import type { HostSpec } from './transport.ts'

export interface Route {
  readonly kind: 'mx' | 'own-smtp'
  /** What limits and kept connections belong to. With an own server each login is its own: one must not close another's. */
  readonly key: string
  /** As in `AttemptFacts`. */
  readonly site: string
  readonly hosts: readonly MxHost[]
  /** Null for MX. */
  readonly own: Decision['own']
  /** What the recipient domain asks of TLS; absent: nothing. */
  readonly tls?: DomainTls
  /** What the site's rule asks of it; absent: nothing. */
  readonly siteTls?: TlsLevel
  /** It leads to other hosts than the MX. */
  readonly detour?: DetourId
  /** Where it leaves from; absent: from `delivery.sourceIpv4` and `sourceIpv6`, whichever fits. */
  readonly source?: Source
  /** Limits of its own; absent: those of the site. */
  readonly rule?: SiteRule
}

/** Entries that travel together. */
export interface Routed {
  readonly leased: readonly LeasedEntry[]
  readonly route: Route
}

/** Entries whose way could not be found. */
export interface Unrouted {
  readonly leased: readonly LeasedEntry[]
  readonly kind: Route['kind']
  readonly site: string
  readonly failure: LookupFailure
}

export interface RouteParts {
  readonly destinations: Destinations
  readonly clock: Clock
  readonly resolver: Resolver
  readonly lookup: LookupOptions
  readonly seal: Seal
  readonly config: Pick<Config, 'ownSmtp' | 'delivery'>
}

/** Lookups that take longer are stragglers: their timeout is seconds, a good answer takes some 10 ms. */
const promptMs = 500
/** Port 465 speaks TLS from the first byte (RFC 8314 §3.3). */
const implicitTlsPort = 465

/**
 * `leased`: entries of one message. Routes come in batches: those that were found promptly together, so that domains of
 * one site share a transaction; then each straggler alone, so that one domain's broken DNS delays nobody else.
 */
export async function* findRoutes(
  leased: readonly LeasedEntry[],
  decision: Decision,
  parts: RouteParts,
): AsyncGenerator<readonly (Routed | Unrouted)[]> {
  if (decision.own !== null) {
    yield [await ownRoute(leased, decision.own, parts)]
    return
  }
  const waiting = new Map<DomainName, Promise<Destination>>()
  for (const { entry } of leased) {
    if (!waiting.has(entry.domain)) waiting.set(entry.domain, parts.destinations.find(entry.domain))
  }
  const found = new Map<DomainName, Destination>()
  for (const [domain, lookup] of waiting)
    lookup.then(
      destination => found.set(domain, destination),
      () => {},
    )
  if (waiting.size > 1) await promptly(waiting.values(), parts.clock)
  while (waiting.size > 0) {
    if (found.size === 0) await Promise.race(waiting.values())
    const batch = new Map(found)
    found.clear()
    for (const domain of batch.keys()) waiting.delete(domain)
    yield bySite(leased, batch)
  }
}

/** What nearly all messages are: a group of one domain needs neither waiting for others nor sorting. */
export function areForOneDomain(leased: readonly LeasedEntry[]): boolean {
  const { domain } = leased[0]!.entry
  return leased.length === 1 || leased.every(({ entry }) => entry.domain === domain)
}

/** As `findRoutes`, for entries of one domain that go by MX. */
export async function findRoute(
  leased: readonly LeasedEntry[],
  { destinations }: Pick<RouteParts, 'destinations'>,
): Promise<Routed | Unrouted> {
  return byMx(leased, await destinations.find(leased[0]!.entry.domain))
}

function byMx<L extends readonly LeasedEntry[]>(leased: L, destination: Destination) {
  if ('failure' in destination) return { leased, kind: 'mx' as const, site: '', ...destination }
  return { leased, route: { kind: 'mx' as const, key: destination.site, own: null, ...destination } }
}

async function promptly(lookups: Iterable<Promise<unknown>>, clock: Clock): Promise<void> {
  const done = new AbortController()
  const late = clock.sleep(promptMs, done.signal)
  await Promise.race([Promise.allSettled(lookups), late])
  done.abort()
}

function bySite(
  leased: readonly LeasedEntry[],
  found: ReadonlyMap<DomainName, Destination>,
): readonly (Routed | Unrouted)[] {
  const sites = new Map<string, (Routed | Unrouted) & { readonly leased: LeasedEntry[] }>()
  for (const one of leased) {
    const { domain } = one.entry
    const destination = found.get(domain)
    if (destination === undefined) continue
    const key = 'failure' in destination ? `! ${domain}` : companyOf(one, destination)
    const same = sites.get(key)
    if (same) same.leased.push(one)
    else sites.set(key, byMx([one], destination))
  }
  return [...sites.values()]
}

/**
 * A domain with a TLS policy travels by itself: what it asks is asked for nobody else, and its reports are about it alone.
 * So does every domain of a message with REQUIRETLS: each has hosts of its own to vouch for.
 */
function companyOf(
  { entry, message }: LeasedEntry,
  destination: Exclude<Destination, { failure: LookupFailure }>,
): string {
  const { site, tls } = destination
  return tls === undefined && message.envelope.tls !== 'required' ? site : `${site} ${entry.domain}`
}

async function ownRoute(
  leased: readonly LeasedEntry[],
  own: NonNullable<Route['own']>,
  { resolver, lookup, seal, config }: RouteParts,
): Promise<Routed | Unrouted> {
  const { host, port } = own.smtp
  const site = `smtp:${host}:${port}`
  const found = await findAddresses(resolver, host, lookup)
  if ('failure' in found) return { leased, kind: 'own-smtp', site, failure: found.failure }
  const hosts = [{ host, preference: 0, addresses: found.addresses }]
  const rule = ownServerRule(config, own.smtp.limits)
  return { leased, route: { kind: 'own-smtp', key: keyOf(site, own, rule, seal), site, hosts, own, rule } }
}

/**
 * Two addresses may share a login, and then its limits. With another password it is another login: somebody's wrong one
 * must not stop the mail of whoever has the right one. So it is with other limits, which then count from the next message.
 */
function keyOf(site: string, own: NonNullable<Route['own']>, rule: SiteRule, seal: Seal): string {
  const { connections, messagesPerConnection, perMinute } = rule
  const login = createHash('sha256')
    .update(`${own.smtp.username}\0${passwordOf(own, seal)}`)
    .digest('base64url')
  return `${site} ${login} ${connections}/${messagesPerConnection}/${perMinute}`
}

/** `port`: absent: that of the route. */
export interface Place {
  readonly host: HostName
  readonly address: string
  readonly port?: number
}

function ownPort({ port }: Place) {
  return port === undefined ? {} : { implicitTls: port === implicitTlsPort }
}

/** One spec for each place, made when its turn comes: most messages need only the first. */
export function* hostSpecs(
  { own, source, tls }: Route,
  places: readonly Place[],
  config: Pick<Config, 'hostname' | 'delivery'>,
  seal: Seal,
  requirement: TlsRequirement = noRequirement,
): Generator<HostSpec> {
  const common = own === null ? mxSpec(config) : ownCommon(own.smtp, passwordOf(own, seal), config)
  for (const place of places) {
    const spec = { ...common, ...place, ...ownPort(place), ...sourceFor(place.address, config, source) }
    const plan = planHost(place.host, tls ?? null, requirement)
    yield plan === null ? spec : planned(spec, plan)
  }
}

/** Never less than it was. */
function planned(spec: HostSpec, plan: HostTls): HostSpec {
  const tls = plan.tls === 'required' ? 'required' : spec.tls
  return { ...spec, tls, verifyCertificate: spec.verifyCertificate || plan.verifyCertificate, plan }
}

type CommonSpec = Omit<HostSpec, 'host' | 'address' | 'sourceIp'>

function mxSpec({ hostname, delivery }: Pick<Config, 'hostname' | 'delivery'>): CommonSpec {
  return {
    port: delivery.port,
    tls: 'opportunistic',
    implicitTls: false,
    verifyCertificate: false,
    ehlo: hostname,
  }
}

type OwnSettings = Omit<OwnSmtp, 'sealedPassword'>

function ownCommon(smtp: OwnSettings, password: string, { hostname }: { readonly hostname: string }): CommonSpec {
  return {
    port: smtp.port,
    tls: smtp.tls,
    implicitTls: smtp.port === implicitTlsPort,
    verifyCertificate: smtp.tls === 'required',
    ehlo: hostname,
    auth: { username: smtp.username, password },
  }
}

/** How a sender's own server is connected to at one of its addresses: for mail, and for a test of the settings. */
export function ownSpec(
  smtp: OwnSettings,
  password: string,
  config: Pick<Config, 'hostname' | 'delivery'>,
  place: { readonly host: HostName; readonly address: string },
): HostSpec {
  return { ...ownCommon(smtp, password, config), ...place, ...sourceFor(place.address, config) }
}

function passwordOf({ smtp, sender }: NonNullable<Route['own']>, seal: Seal): string {
  return seal.open(smtp.sealedPassword, ownSmtpPurpose(sender))
}

/** What a sender's SMTP password is sealed for (`base/seal.ts`). */
export function ownSmtpPurpose(sender: Mailbox): string {
  return `own-smtp:${sender}`
}

/** The EHLO name goes with the address: receivers compare it with the address's reverse name. */
function sourceFor(
  address: string,
  { delivery }: Pick<Config, 'delivery'>,
  source?: Source,
): { readonly sourceIp?: string; readonly ehlo?: string } {
  if (source !== undefined && source.ip !== null) return { sourceIp: source.ip, ehlo: source.ehlo }
  const sourceIp = address.includes(':') ? delivery.sourceIpv6 : delivery.sourceIpv4
  return sourceIp === null ? {} : { sourceIp }
}
