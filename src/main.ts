/**
 * The relay: wiring only. Config → log → store → domains → data plane → HTTP, stopped in reverse order.
 *
 * Fails to start with the first error met, after stopping what had started: a listener's port that is taken, a database
 * newer than the program, a seal key that does not open what it sealed.
 */
import { join } from 'node:path'
import { openAdmin } from './admin/app.ts'
import type { LiveState } from './admin/dependencies.ts'
import { wakeChangedPools } from './admin/pool-fields.ts'
import { renderEvent } from './admin/routes/events.ts'
import { openCalendar } from './base/calendar.ts'
import { type Clock, systemClock } from './base/clock.ts'
import type { Config, Secrets } from './base/config.ts'
import { makeDataDir } from './base/data-dir.ts'
import { Lifecycle } from './base/lifecycle.ts'
import { type LogSink, openLog } from './base/log.ts'
import { createSeal, loadSealKey } from './base/seal.ts'
import { openBounceHost } from './bounce-host.ts'
import { liveState, loopDelays, openPlanes, whereaboutsIn } from './data-planes.ts'
import { openOwnServerTester } from './delivery/own-server-test.ts'
import { openAuthorities, openResolver } from './dns/open.ts'
import type { Resolver } from './dns/resolver.ts'
import { createExplainer } from './domains/explain.ts'
import { startRechecker } from './domains/rechecker.ts'
import { openRelayDns } from './domains/relay-dns.ts'
import { type Domains, openDomains } from './domains/service.ts'
import { startBulkOrders } from './outcome/bulk-orders.ts'
import { startClockWatch } from './outcome/clock-watch.ts'
import { startDailyRound } from './outcome/daily-round.ts'
import { Meter } from './outcome/meter.ts'
import { logSuppressions } from './outcome/suppression-log.ts'
import { startSuspensions } from './outcome/suspensions.ts'
import { queueVerbs } from './queue-verbs.ts'
import type { Sandbox, SandboxParts } from './sandbox/world.ts'
import { openSettler } from './settler.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'
import { startTlsUpkeep } from './tls/open.ts'
import { startReportSender } from './tls/report-sender.ts'
import { openWebhooks } from './webhooks/service.ts'

export interface RelayOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly sandbox: boolean
  /** About the configuration, for the log. */
  readonly warnings?: readonly string[]
  /** The rest is for tests: a clock to turn by hand, a zone, no threads. */
  readonly clock?: Clock
  readonly log?: LogSink
  readonly resolver?: Resolver
  readonly inProcess?: boolean
  /** PEM certificates trusted besides the well-known authorities. */
  readonly trusted?: readonly string[]
  /** Told when a thread of ours died: the process should end. */
  readonly onDeath?: (error: Error) => void
}

export interface Relay {
  readonly httpPort: number
  /** Printed once, when it was made just now. */
  readonly madeToken: string | null
  readonly store: Store
  readonly domains: Domains
  readonly sandbox: Sandbox | null
  /** Of the bounce host, in the order of `feedback.listeners`. */
  readonly bouncePorts: readonly number[]
  state(): Promise<LiveState>
  reloadCertificate(): Promise<void>
  stop(): Promise<void>
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { config, clock = systemClock } = options
  makeDataDir(config.dataDir)
  const sink =
    options.log ?? (await openLog({ ...config.log, folder: config.log.file ? join(config.dataDir, 'log') : null }))
  const { log } = sink
  const lifecycle = new Lifecycle(clock, (name, error) =>
    log.error({ name, error: String(error) }, `${name} did not stop`),
  )
  lifecycle.add({ name: 'log', stop: () => sink.close() })
  for (const warning of options.warnings ?? []) log.warn({}, `configuration: ${warning}`)
  try {
    return await wire({ ...options, clock, sink, lifecycle })
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}

interface Wiring extends RelayOptions {
  readonly clock: Clock
  readonly sink: LogSink
  readonly lifecycle: Lifecycle
}

async function wire(wiring: Wiring): Promise<Relay> {
  const { config, secrets, clock, sink, lifecycle } = wiring
  const { log } = sink
  const sealKey = loadSealKey(join(config.dataDir, 'seal.key'), secrets.sealKey)
  const seal = createSeal(sealKey)
  const opened = await openStore({
    dataDir: config.dataDir,
    ...config.store,
    log,
    clock,
    inProcess: wiring.inProcess ?? false,
  })
  lifecycle.add({ name: 'store', stop: () => opened.close() })
  opened.failed.then(error => wiring.onDeath?.(error))
  const { store } = opened
  const clockWatch = await startClockWatch({ store, clock, log })
  lifecycle.add({ name: 'clock watch', stop: () => clockWatch.stop() })
  const resolver = wiring.resolver ?? openResolver({ ...config.dns, clock })
  lifecycle.add({ name: 'resolver', stop: () => resolver.close() })
  // A zone of a test or of the sandbox is all there is: nothing may be asked outside of it.
  const isClosed = wiring.sandbox || wiring.resolver !== undefined
  const authority = isClosed ? null : openAuthorities(config.dns, resolver, clock)
  lifecycle.add({ name: 'authority', stop: () => authority?.close() })
  const domains = openDomains({ store, resolver, authority, seal, clock, log, config })
  lifecycle.add({ name: 'domains', stop: () => domains.stop() })
  const sandbox = wiring.sandbox ? await openSandbox({ config, store, domains, seal, clock, log }) : null
  if (sandbox) lifecycle.add({ name: 'sandbox', stop: () => sandbox.stop() })
  const meter = new Meter()
  const planes = await openPlanes({ ...wiring, store, resolver, seal, sealKey, port: () => opened.port() })
  const tlsUpkeep = startTlsUpkeep({ config, store, resolver, clock, log, trusted: wiring.trusted })
  lifecycle.add({ name: 'TLS upkeep', stop: () => tlsUpkeep.stop() })
  const state = () => liveState(planes, meter)
  const relay = await openRelayDns({ store, resolver, authority, seal, clock, config })
  const rechecker = startRechecker({ domains, store, clock, log })
  lifecycle.add({ name: 'rechecker', stop: () => rechecker.stop() })
  await wakeChangedPools({ store, config, log })
  const calendar = openCalendar(config.timeZone)
  const dailyRound = startDailyRound({ store, clock, calendar, rules: config.warmUp, log })
  lifecycle.add({ name: 'daily round', stop: () => dailyRound.stop() })
  const webhooks = await openWebhooks({
    ...{ store, resolver, seal, clock, log, render: renderEvent },
    config: { ...config.webhooks, ipv6: config.delivery.ipv6 },
  })
  lifecycle.add({ name: 'webhooks', stop: () => webhooks.stop() })
  // In a sandbox there is nobody to report to.
  if (config.tlsReports.enabled && !wiring.sandbox) {
    const tlsReports = startReportSender({ store, resolver, clock, log, config })
    lifecycle.add({ name: 'tls reports', stop: () => tlsReports.stop() })
  }
  lifecycle.add({ name: 'log of suppressions', stop: logSuppressions(store, log) })
  const bounceHost = await openBounceHost({ config, store, seal, clock, log, lifecycle, meter })
  const settler = openSettler({ config, store, clock, log, meter }, lifecycle)
  const verbs = queueVerbs({ store, settler, clock, log, leaseMs: config.queue.lease })
  await verbs.resume()
  const bulkOrders = await startBulkOrders({ store, verbs, clock, log })
  lifecycle.add({ name: 'orders to the queue', stop: () => bulkOrders.stop() })
  const suspensions = startSuspensions({ store, clock, log })
  lifecycle.add({ name: 'suspensions', stop: () => suspensions.stop() })
  const admin = await openAdmin({
    config,
    store,
    domains,
    relay,
    explainer: createExplainer({ store, resolver, clock, config, relayKey: relay.key }),
    tlsPolicies: tlsUpkeep.explainer,
    webhooks,
    queue: verbs,
    bulkOrders,
    suspensions,
    ownServers: openOwnServerTester({ config, resolver, clock, log }),
    live: state,
    whereabouts: sought => whereaboutsIn(planes, sought),
    loopDelays: () => loopDelays(planes),
    seal,
    clock,
    log,
    eraseFromLog: sink.erase ?? null,
    adminToken: secrets.adminToken,
    extra: sandbox?.handler ?? null,
  })
  lifecycle.add({ name: 'http', stop: () => admin.stop() })
  return {
    httpPort: admin.port,
    madeToken: admin.madeToken,
    store,
    domains,
    sandbox,
    state,
    bouncePorts: bounceHost.ports,
    async reloadCertificate() {
      bounceHost.reloadCertificate()
      await Promise.all(planes.map(plane => plane.reloadCertificate()))
    },
    stop: () => lifecycle.stop(),
  }
}

/** Loaded only when it is wanted: a production relay has no use for it. */
async function openSandbox(parts: SandboxParts): Promise<Sandbox> {
  const { startSandbox } = await import('./sandbox/world.ts')
  return startSandbox(parts)
}
