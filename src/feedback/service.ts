/**
 * What comes back, as a whole: the listener, the reading and matching behind it, and who is told. Wiring only.
 */
import { openCalendar } from '../base/calendar.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { ReturnedNotice } from '../mail/returned.ts'
import { createClassifier } from '../outcome/classify.ts'
import { suppressionOfReturned } from '../outcome/suppress.ts'
import type { Store } from '../store/store.ts'
import { countComplaint } from './complaint-volume.ts'
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
  /** Told too, once per recipient and kind, after it stands in the store. */
  readonly onReturned?: (notice: ReturnedNotice) => void | Promise<void>
}

export function openFeedback(parts: FeedbackServiceParts): Promise<FeedbackListener> {
  const { config, store, clock, log, verpKey, onReturned } = parts
  const calendar = openCalendar(config.timeZone)
  const intake = createIntake({
    ...{ store, clock, log, verpKey, hostname: config.hostname, tokenMaxAgeMs: config.feedback.tokenMaxAge },
    explain: createClassifier(config.classification.rules).explain,
    async onReturned(notice) {
      if (notice.kind === 'complaint') await countComplaint(store, calendar, notice.evidence)
      const suppression = suppressionOfReturned(notice, config.suppressions)
      if (suppression !== null) await store.suppress(suppression)
      await onReturned?.(notice)
    },
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
