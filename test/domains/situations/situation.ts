/**
 * A DNS situation: what stands in a real zone, and what Kitte has to say of it.
 */
import type { Zone } from '../../../src/dns/zone.ts'
import type { ReasonCode } from '../../../src/domains/reasons.ts'
import type { RecordConfig } from '../../../src/domains/records/record-kind.ts'
import type { DkimKey, SenderDomain } from '../../../src/mail/sender-domain.ts'
import type { Faults } from '../../support/zone-dns.ts'

export type State = 'published' | 'not-published' | 'dns-error'

export interface Situation {
  readonly says: string
  readonly zone: Zone
  readonly state: State
  readonly reason: ReasonCode
  readonly faults?: Faults
  readonly spf?: Partial<RecordConfig['spf']>
  readonly domain?: Partial<SenderDomain>
}

/** `ok` is published, `dns-error` its own state, everything else not published. */
export function situation(
  says: string,
  zone: Zone,
  reason: ReasonCode,
  more: Omit<Partial<Situation>, 'says' | 'zone' | 'reason' | 'state'> = {},
): Situation {
  const state = reason === 'ok' ? 'published' : reason === 'dns-error' ? 'dns-error' : 'not-published'
  return { says, zone, reason, state, ...more }
}

export const name = 'ours.example'
export const relayHost = 'mta.relay.example'
export const trackingTarget = 'click.relay.example'
export const sendingIp = '198.51.100.20'

/** The relay's own names, as its operator publishes them. */
export const relayZone: Zone = {
  [relayHost]: { A: [sendingIp] },
  [trackingTarget]: { A: ['198.51.100.80'] },
  'spf.relay.example': { TXT: ['v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:5::/48 ~all'] },
}

export interface Keys {
  readonly rsa: DkimKey
  readonly older: DkimKey
  readonly ed25519: DkimKey
  readonly alias: DkimKey
}
