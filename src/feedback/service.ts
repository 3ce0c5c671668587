/**
 * What comes back, as a whole: the listener, the reading and matching behind it, and what follows. Wiring only.
 */
import { openCalendar } from '../base/calendar.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import { createClassifier } from '../outcome/classify.ts'
import { reportSettingsOf } from '../outcome/dsn.ts'
import type { Meter } from '../outcome/meter.ts'
import { createOriginalReader } from '../outcome/original.ts'
import { openSpool } from '../store/spool.ts'
import type { Store } from '../store/store.ts'
import { createConclude } from './consequences.ts'
import { createForwarder, type Forwarder } from './forward.ts'
import { createIntake } from './intake.ts'
import { type FeedbackCertificate, type FeedbackListener, openFeedbackListener } from './listener.ts'

export interface FeedbackServiceParts {
  readonly config: Config
  readonly store: Store
  readonly verpKey: Buffer
  readonly certificate: FeedbackCertificate
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
}

export function openFeedback(parts: FeedbackServiceParts): Promise<FeedbackListener> {
  const { config, store, clock, log, meter, verpKey } = parts
  const intake = createIntake({
    ...{ store, clock, log, meter, verpKey, hostname: config.hostname, tokenMaxAgeMs: config.feedback.tokenMaxAge },
    explain: createClassifier(config.classification.rules).explain,
    conclude: createConclude({
      ...{ store, clock, log, calendar: openCalendar(config.timeZone), suppressions: config.suppressions },
      reports: reportSettingsOf(config),
      original: createOriginalReader({ store, spool: openSpool(config.dataDir) }),
    }),
  })
  return openFeedbackListener({ ...parts, intake, forwarder: forwarderOf(parts) })
}

function forwarderOf({ config, store, clock, log }: FeedbackServiceParts): Forwarder | null {
  const { feedback, hostname, relayDomain, queue } = config
  if (feedback.postmaster === null) return null
  const to = feedback.postmaster
  return createForwarder({
    store,
    clock,
    log,
    to,
    hostname,
    relayDomain: relayDomain.name,
    expireAfterMs: queue.expireAfter,
  })
}
