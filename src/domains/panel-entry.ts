/**
 * A record as a provider's panel wants it typed in: the host without the zone, the value in its form.
 */
import type { DomainName } from '../mail/ids.ts'
import type { DnsRecord } from '../mail/sender-domain.ts'
import type { Provider } from './providers.ts'
import { hostIn, quotedStrings } from './record-forms.ts'

export interface PanelEntry {
  /** For the host field; empty: the field stays empty. */
  readonly host: string
  readonly value: string
  /** MX only: panels have a field of its own for it. */
  readonly priority: string | null
  /** The whole record as one line, for panels that are a text. */
  readonly line: string | null
}

/** `zone`: what the panel appends to hosts; unknown, the sender domain. */
export function panelEntry(
  provider: Provider | null,
  { type, name, value }: Pick<DnsRecord, 'type' | 'name' | 'value'>,
  zone: DomainName,
): PanelEntry {
  const host = name === zone ? (provider?.apex ?? '@') : hostIn(zone, name)
  const [priority, target] = type === 'MX' ? splitMx(value) : [null, value]
  const typed = typedValue(provider, type, target)
  const line = type === 'MX' ? undefined : provider?.line?.[type]
  return {
    host,
    value: typed,
    priority,
    line: line === undefined ? null : line.replace('{host}', () => host).replace('{value}', () => typed),
  }
}

function splitMx(value: string): [string, string] {
  const [priority = '', exchange = ''] = value.split(' ')
  return [priority, exchange]
}

function typedValue(provider: Provider | null, type: DnsRecord['type'], value: string): string {
  if (type !== 'TXT') return provider?.dottedTargets ? `${value}.` : value
  return provider?.text === 'quoted' ? quotedStrings(value) : value
}
