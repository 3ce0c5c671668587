/**
 * The settler with what it needs from the configuration. Wiring only.
 *
 * In a file of its own because the main thread settles too (what an operator cancels), and should not load the data
 * plane with its libraries for that: 12 MB of heap.
 */
import { openCalendar } from './base/calendar.ts'
import type { Clock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import type { Lifecycle } from './base/lifecycle.ts'
import type { Log } from './base/log.ts'
import type { EntryId, MessageId } from './mail/ids.ts'
import { returnedEvents } from './mail/returned.ts'
import { createClassifier } from './outcome/classify.ts'
import { reportSettingsOf } from './outcome/dsn.ts'
import type { Meter } from './outcome/meter.ts'
import { createOriginalReader } from './outcome/original.ts'
import { createSettler, type Settler } from './outcome/settle.ts'
import { VolumeNotes } from './outcome/volume-notes.ts'
import { openSpool } from './store/spool.ts'
import type { Store } from './store/store.ts'

export interface SettlerParts {
  readonly config: Config
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
}

export function openSettler(parts: SettlerParts, lifecycle: Lifecycle): Settler {
  const settler = settlerOf(parts)
  lifecycle.add({ name: 'settler', stop: () => settler.stop() })
  return settler
}

/** To be stopped by whoever has it. */
export function settlerOf({ config, store, clock, log, meter }: SettlerParts): Settler {
  return createSettler({
    store,
    clock,
    log,
    meter,
    dsn: {
      ...reportSettingsOf(config),
      original: createOriginalReader({ store, spool: openSpool(config.dataDir) }),
      toldLater: message => bouncedLater(store, message),
    },
    volume: new VolumeNotes(openCalendar(config.timeZone)),
    suppressions: config.suppressions,
    classify: createClassifier(config.classification.rules).classify,
    retry: { retryAfter: config.queue.retryAfter, jitter: config.queue.retryJitter },
  })
}

/** A message has a thousand recipients at most. */
async function bouncedLater(store: Store, message: MessageId): Promise<ReadonlySet<EntryId>> {
  const events = await store.events({ message, type: returnedEvents.bounce }, 1000)
  return new Set(events.flatMap(({ entry }) => entry ?? []))
}
