/**
 * Which TLS a connection to a host asks for, and for how long broken TLS is remembered.
 *
 * To an MX: opportunistic (RFC 7435), in plain text for a while after its handshake broke, so that not every message
 * pays for a handshake that is known to fail. What asks for `required`, whoever asks it (tls/plan.ts), is never weakened.
 * Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { HostName, Instant } from '../mail/ids.ts'
import type { HostSpec } from './transport.ts'

/** A handshake breaks for weeks (expired library, odd cipher) or for minutes (restart): ask again within the hour. */
const rememberMs = 3_600_000
/** Hosts with broken TLS are few; the oldest is asked again when there are more. */
const maxHosts = 1000

export class TlsPolicy {
  readonly #clock: Clock
  /** Oldest first. */
  readonly #brokenUntil = new Map<HostName, Instant>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The same spec, or without TLS where opportunistic TLS is known to break. */
  apply(spec: HostSpec): HostSpec {
    return isOpportunistic(spec) && this.#isBroken(spec.host) ? { ...spec, tls: 'off' } : spec
  }

  /** The handshake with this host broke. */
  noteBroken(spec: HostSpec): void {
    if (!isOpportunistic(spec)) return
    this.#brokenUntil.delete(spec.host)
    this.#brokenUntil.set(spec.host, this.#clock.monotonic() + rememberMs)
    if (this.#brokenUntil.size > maxHosts) this.#brokenUntil.delete(this.#brokenUntil.keys().next().value!)
  }

  #isBroken(host: HostName): boolean {
    const until = this.#brokenUntil.get(host)
    if (until === undefined) return false
    if (until > this.#clock.monotonic()) return true
    this.#brokenUntil.delete(host)
    return false
  }
}

/** A password makes even opportunistic TLS worth insisting on: its owner chose plain text only for hosts without TLS. */
function isOpportunistic({ tls, implicitTls, auth }: HostSpec): boolean {
  return tls === 'opportunistic' && !implicitTls && !auth
}
