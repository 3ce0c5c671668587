/**
 * What all sessions of all listeners share: made once from configuration, store and delivery. Wiring only.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { FreshDelivery } from '../delivery/fresh.ts'
import type { Instant } from '../mail/ids.ts'
import type { Meter } from '../outcome/meter.ts'
import type { Directory } from '../store/directory.ts'
import type { Spool } from '../store/spool.ts'
import type { Store } from '../store/store.ts'
import type { Suppressed } from '../store/suppressed.ts'
import type { AcceptParts } from './accept.ts'
import { Admission, type AdmissionCounters } from './admission.ts'
import { Authentication } from './authentication.ts'
import { createReadiness } from './store-readiness.ts'
import { createDateWriter } from './trace-fields.ts'
import { trustedUsernames } from './trusted-networks.ts'

export interface SubmissionParts {
  readonly config: Config
  readonly store: Pick<Store, 'accept' | 'health'>
  readonly spool: Pick<Spool, 'create' | 'absolute'>
  readonly directory: Directory
  readonly fresh: FreshDelivery
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
  /** Absent: nobody is suppressed. */
  readonly suppressed?: Pick<Suppressed, 'mayBe' | 'find'>
  /** Several threads listen on the same ports. */
  readonly reusePort?: boolean
  /** Where these threads count their sessions together. */
  readonly sessionCounters?: AdmissionCounters | undefined
}

/** What a session needs. */
export interface SessionParts {
  readonly config: Config
  readonly directory: Directory
  readonly authentication: Pick<Authentication, 'check'>
  readonly acceptParts: AcceptParts
  readonly spool: Pick<Spool, 'create'>
  readonly storeAcceptsMail: () => Promise<boolean>
  readonly trustedUsername: (address: string) => string | null
  readonly dateOf: (at: Instant) => string
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
  /** Who is refused at RCPT; absent: nobody, suppressed recipients are accepted and end in delivery. */
  readonly suppressed?: Pick<Suppressed, 'mayBe' | 'find'>
}

export interface Host {
  readonly parts: SessionParts
  /** Sessions. */
  readonly admission: Admission
  /** TLS handshakes before a session. */
  readonly handshakes: Admission
}

export function createHost(parts: SubmissionParts): Host {
  const { config, directory, store, spool, fresh, clock, log, meter, suppressed } = parts
  const { maxConnections: inAll, maxConnectionsPerAddress: perAddress, trustedNetworks } = config.submission
  const maxFailuresPerAddress = config.submission.maxAuthFailuresPerAddress
  return {
    parts: {
      config,
      directory,
      spool,
      clock,
      meter,
      log,
      authentication: new Authentication({ directory, clock, maxFailuresPerAddress }),
      acceptParts: {
        store,
        fresh,
        spool,
        clock,
        expireAfterMs: config.queue.expireAfter,
        ...(suppressed && { suppressed }),
      },
      storeAcceptsMail: createReadiness(store, clock),
      trustedUsername: trustedUsernames(trustedNetworks),
      dateOf: createDateWriter(config.timeZone),
      ...(suppressed && config.suppressions.at === 'rcpt' && { suppressed }),
    },
    admission: new Admission({ inAll, perAddress }, parts.sessionCounters),
    handshakes: new Admission({ inAll, perAddress }),
  }
}
