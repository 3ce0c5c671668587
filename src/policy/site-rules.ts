/**
 * Which rule limits a site: found by the names of its MX hosts, first in the configuration, then in what Kitte ships.
 *
 * A rule with `shared` gives all sites that it fits one set of limits: a provider counts what comes from one address,
 * whichever of its customers it is for. Each Microsoft 365 customer has an MX host of its own, so each is a site of its
 * own, closed and opened by itself; connections and rate are those of Microsoft as a whole. Pure.
 */
import type { Config } from '../base/config.ts'
import type { HostName } from '../mail/ids.ts'
import { type ProviderRule, providerRules } from './provider-rules.ts'

export type SiteRule = Config['sites'][number] & {
  /** One of Kitte's own, for MX hosts only. */
  readonly shipped?: true
}

/** For a list without suffix "": what `config/default.yaml` gives everybody else. */
const everybodyElse: SiteRule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }

/** All rules in the order they are tried: those of the configuration, those Kitte ships, and what everybody else gets. */
export function siteRules(configured: readonly SiteRule[]): SiteRule[] {
  const named = configured.filter(({ suffix }) => suffix !== '')
  const rest = configured.find(({ suffix }) => suffix === '') ?? everybodyElse
  return [...named.map(asProvider), ...providerRules.flatMap(shipped), rest]
}

/** A rule of the configuration for hosts of a provider is for that provider as a whole, unless it says otherwise. */
function asProvider(rule: SiteRule): SiteRule {
  const provider = providerRules.find(({ suffixes }) => suffixes.some(suffix => endsInLabels(rule.suffix, suffix)))
  return provider === undefined ? rule : { name: provider.name, shared: true, ...stated(rule) }
}

function stated(rule: SiteRule): SiteRule {
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)) as SiteRule
}

function shipped({ name, suffixes, connections, messagesPerConnection, perMinute }: ProviderRule): SiteRule[] {
  return suffixes.map(suffix => ({
    suffix,
    name,
    shared: true,
    shipped: true,
    connections: connections.value,
    messagesPerConnection: messagesPerConnection.value,
    perMinute: perMinute.value,
  }))
}

/**
 * The first rule whose suffix matches one of the hosts; a rule with suffix "" is for those that no other matches,
 * wherever it stands. Suffixes match whole labels: `google.com` is no suffix of `notgoogle.com`.
 */
export function siteRule(rules: readonly SiteRule[], mxHosts: readonly HostName[]): SiteRule {
  const named = rules.find(({ suffix }) => suffix !== '' && mxHosts.some(host => endsInLabels(host, suffix)))
  return named ?? rules.find(({ suffix }) => suffix === '') ?? everybodyElse
}

/** What the limits of a shared rule belong to; null: each site has its own. */
export function sharedName({ suffix, name, shared }: SiteRule): string | null {
  return shared ? (name ?? suffix) : null
}

export function endsInLabels(host: HostName, suffix: string): boolean {
  const labels = suffix.toLowerCase().replace(/^\./, '').replace(/\.$/, '')
  const name = host.toLowerCase().replace(/^\./, '').replace(/\.$/, '')
  return name === labels || name.endsWith(`.${labels}`)
}
