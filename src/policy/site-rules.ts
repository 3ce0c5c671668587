/**
 * Which rule of the configuration limits a site: found by the names of its MX hosts.
 */
import type { Config } from '../base/config.ts'
import type { HostName } from '../mail/ids.ts'

export type SiteRule = Config['sites'][number]

/** For a list without suffix "": what `config/default.yaml` gives everybody else. */
const everybodyElse: SiteRule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }

/**
 * The first rule whose suffix matches one of the hosts; a rule with suffix "" is for those that no other matches,
 * wherever it stands. Suffixes match whole labels: `google.com` is no suffix of `notgoogle.com`.
 */
export function siteRule(rules: readonly SiteRule[], mxHosts: readonly HostName[]): SiteRule {
  const named = rules.find(({ suffix }) => suffix !== '' && mxHosts.some(host => endsInLabels(host, suffix)))
  return named ?? rules.find(({ suffix }) => suffix === '') ?? everybodyElse
}

function endsInLabels(host: HostName, suffix: string): boolean {
  const labels = suffix.toLowerCase().replace(/^\./, '').replace(/\.$/, '')
  return host === labels || host.endsWith(`.${labels}`)
}
