/**
 * The data plane: everything that touches a message's content, on one event loop. Wiring only.
 *
 * SMTP in, dispatch, signing, SMTP out, settle. Runs in a worker thread of its own (`data-plane-thread.ts`), or in the
 * caller's thread in tests. Fails to start when a listener can't be opened.
 */
import type { Clock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import { Lifecycle } from './base/lifecycle.ts'
import type { Log } from './base/log.ts'
import { type LoopDelay, openLoopDelay } from './base/loop-delay.ts'
import type { Seal } from './base/seal.ts'
import { openDispatcher } from './delivery/dispatcher.ts'
import type { Lesson } from './delivery/lessons.ts'
import { createSmtpTransport } from './delivery/smtp-transport.ts'
import type { SiteState } from './delivery/throttle.ts'
import type { Transport } from './delivery/transport.ts'
import type { Sought, Whereabouts } from './delivery/whereabouts.ts'
import type { Resolver } from './dns/resolver.ts'
import { createClassifier } from './outcome/classify.ts'
import { leasesReclaimed } from './outcome/delivery-log.ts'
import { startExpiry } from './outcome/expiry.ts'
import { Meter, type MeterReading } from './outcome/meter.ts'
import { startJanitor } from './queue/janitor.ts'
import { openSettler } from './settler.ts'
import { openKeyRing } from './signing/key-ring.ts'
import { openDetoured } from './store/detoured.ts'
import { openDirectory } from './store/directory.ts'
import { openSpool } from './store/spool.ts'
import type { Store } from './store/store.ts'
import { openSuppressed } from './store/suppressed.ts'
import { openSuspended } from './store/suspended.ts'
import type { AdmissionCounters } from './submission/admission.ts'
import { openSubmission } from './submission/listener.ts'
import { openTlsDecisions } from './tls/open.ts'
import { SessionCounts } from './tls/session-counts.ts'
import type { TlsResults } from './tls/tls-result.ts'

export interface DataPlaneParts {
  readonly config: Config
  readonly store: Store
  readonly resolver: Resolver
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  /** Holder of this worker's leases: `<node>/<worker>`. */
  readonly owner: string
  readonly verpKey: Buffer
  readonly transport?: Transport
  readonly tlsResults?: TlsResults | undefined
  /** PEM certificates trusted besides the well-known authorities, for tests. */
  readonly trusted?: readonly string[] | undefined
  /** Other workers listen on the same ports … */
  readonly reusePort?: boolean
  /** … and count their sessions together. */
  readonly sessionCounters?: AdmissionCounters | undefined
  /** … and learn from each other what sites take. */
  readonly tell?: ((lesson: Lesson) => void) | undefined
}

export interface DataPlaneState {
  /** Ports of the submission listeners, in the order of the configuration. */
  readonly ports: readonly number[]
  readonly sessions: number
  /** Outcomes that could not be written so far. */
  readonly unsettled: number
  readonly sites: readonly SiteState[]
  readonly meter: MeterReading
}

export interface DataPlane {
  state(): DataPlaneState
  whereabouts(sought: Sought): Whereabouts
  /** Of its thread, since the last call. */
  loopDelay(): LoopDelay
  reloadCertificate(): void
  /** What another worker has learned of a site. */
  hear(lesson: Lesson): void
  /** No new sessions or attempts; running ones get their time, everything else goes back to the queue. */
  stop(): Promise<void>
}

export async function openDataPlane(parts: DataPlaneParts): Promise<DataPlane> {
  const { config, store, clock, log, owner } = parts
  const lifecycle = new Lifecycle(clock, (name, error) =>
    log.error({ name, error: String(error) }, `${name} did not stop`),
  )
  const loopDelay = openLoopDelay()
  lifecycle.add({ name: 'loop delay', stop: () => loopDelay.close() })
  const spool = openSpool(config.dataDir)
  const directory = openDirectory({ store, clock })
  lifecycle.add({ name: 'directory', stop: () => directory.close() })
  const meter = new Meter()
  const settler = openSettler({ ...parts, meter }, lifecycle)
  const expiry = startExpiry({
    store,
    settler,
    clock,
    log,
    owner,
    leaseMs: config.queue.lease,
    delayNoticeAfterMs: config.queue.delayNoticeAfter,
    classify: createClassifier(config.classification.rules).classify,
  })
  lifecycle.add({ name: 'expiry', stop: () => expiry.stop() })
  const janitor = startJanitor({
    store,
    clock,
    log,
    leaseMs: config.queue.lease,
    keepHistoryMs: config.queue.keepHistory,
    onReclaimed: entries => leasesReclaimed(log, entries),
  })
  lifecycle.add({ name: 'janitor', stop: () => janitor.stop() })
  const keyRing = await openKeyRing({
    store,
    seal: parts.seal,
    clock,
    relayDomain: config.relayDomain.name,
    rsaBits: config.signing.rsaBits,
    timeZone: config.timeZone,
  })
  const tlsResults = parts.tlsResults ?? countSessions(parts, lifecycle)
  const tls = await openTlsDecisions({ ...parts, results: tlsResults })
  lifecycle.add({ name: 'TLS policies', stop: () => tls.close() })
  const suppressed = await openSuppressed(store)
  lifecycle.add({ name: 'suppressions', stop: () => suppressed.close() })
  const suspended = await openSuspended({ store, clock })
  lifecycle.add({ name: 'suspensions', stop: () => suspended.close() })
  const detoured = await openDetoured({ store, clock })
  lifecycle.add({ name: 'detours', stop: () => detoured.close() })
  const { trusted } = parts
  const transport = parts.transport ?? createSmtpTransport({ clock, log, ...(trusted && { trusted }) })
  const dispatcher = openDispatcher({
    ...parts,
    spool,
    directory,
    keyRing,
    transport,
    settler,
    tls,
    suppressed,
    suspended,
    detoured,
    tlsResults,
  })
  lifecycle.add({ name: 'dispatcher', stop: () => dispatcher.stop() })
  const { reusePort = false, sessionCounters } = parts
  const submission = await openSubmission({
    config,
    store,
    spool,
    directory,
    fresh: dispatcher.fresh,
    clock,
    log,
    meter,
    suppressed,
    reusePort,
    sessionCounters,
  })
  lifecycle.add({ name: 'submission', stop: () => submission.stop() })
  return {
    state: () => ({
      ports: submission.ports,
      sessions: submission.sessions(),
      unsettled: settler.unsettled,
      sites: dispatcher.sites(),
      meter: meter.reading,
    }),
    whereabouts: sought => dispatcher.whereabouts(sought),
    loopDelay: () => loopDelay.read(),
    hear: lesson => dispatcher.hear(lesson),
    reloadCertificate: () => submission.reloadCertificate(),
    stop: () => lifecycle.stop(),
  }
}

/** For the daily reports of RFC 8460; undefined: none are sent. */
function countSessions({ config, store, resolver, clock, log }: DataPlaneParts, lifecycle: Lifecycle) {
  const { enabled, maxDestinations } = config.tlsReports
  if (!enabled) return undefined
  const record = { resolver, maxDestinations, anyPort: config.delivery.allowPrivateAddresses }
  const counts = new SessionCounts({ store, record, clock, log })
  lifecycle.add({ name: 'TLS session counts', stop: () => counts.stop() })
  return counts
}
