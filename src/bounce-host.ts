/**
 * Opens the bounce host, where the configuration wants one, with the certificate of the submission listeners. Wiring only.
 */
import type { Clock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import type { Lifecycle } from './base/lifecycle.ts'
import type { Log } from './base/log.ts'
import type { Seal } from './base/seal.ts'
import { verpKeyOf } from './feedback/verp.ts'
import type { Meter } from './outcome/meter.ts'
import type { Store } from './store/store.ts'
import { openCertificate } from './submission/certificate.ts'

export interface BounceHostParts {
  readonly config: Config
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  readonly lifecycle: Lifecycle
  readonly meter: Meter
}

export interface BounceHost {
  readonly ports: readonly number[]
  reloadCertificate(): void
}

export async function openBounceHost(parts: BounceHostParts): Promise<BounceHost> {
  const { config, clock, log, lifecycle } = parts
  if (config.feedback.listeners.length === 0) return { ports: [], reloadCertificate() {} }
  // Loaded only when it is wanted, like the library behind it.
  const { openFeedback } = await import('./feedback/service.ts')
  const certificate = await openCertificate({ config, clock, log, onChange: made => listener.useCertificate(made) })
  lifecycle.add({ name: 'certificate of the bounce host', stop: () => certificate.stop() })
  const listener = await openFeedback({ ...parts, verpKey: await verpKeyOf(parts), certificate: certificate.current })
  lifecycle.add({ name: 'bounce host', stop: () => listener.stop() })
  return { ports: listener.ports, reloadCertificate: certificate.reload }
}
