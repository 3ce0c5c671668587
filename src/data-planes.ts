/**
 * As many data planes as the machine carries: worker threads in production, one in the caller's thread in tests.
 *
 * Several share the listening ports (`reusePort`) and a count of sessions: leases keep their entries apart, limits of
 * senders are taken in the store, and of the limits that stand in memory each has its part (`worker-share.ts`). Fails to start when one of them does, after stopping the others.
 */
import { availableParallelism, hostname } from 'node:os'
import type { MessagePort } from 'node:worker_threads'
import type { LiveState } from './admin/dependencies.ts'
import type { Clock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import { scarcestLimit } from './base/config-rules.ts'
import type { Lifecycle } from './base/lifecycle.ts'
import type { LogSink } from './base/log.ts'
import type { LoopDelay } from './base/loop-delay.ts'
import type { Seal } from './base/seal.ts'
import { asThread, type DataPlaneThread, startDataPlaneThread } from './data-plane-thread.ts'
import type { Lesson } from './delivery/lessons.ts'
import type { SiteState } from './delivery/throttle.ts'
import type { Sought, Whereabouts } from './delivery/whereabouts.ts'
import type { Resolver } from './dns/resolver.ts'
import { verpKeyOf } from './feedback/verp.ts'
import { type Meter, sumOfMeters } from './outcome/meter.ts'
import { workerShare } from './policy/worker-share.ts'
import type { Store } from './store/store.ts'
import { type AdmissionCounters, admissionCounters } from './submission/admission.ts'

export interface DataPlanesParts {
  readonly config: Config
  readonly store: Store
  readonly resolver: Resolver
  readonly seal: Seal
  readonly sealKey: Buffer
  readonly clock: Clock
  readonly sink: LogSink
  readonly lifecycle: Lifecycle
  /** A new port to the store's writer, for a thread. */
  readonly port: () => MessagePort
  readonly inProcess?: boolean
  readonly onDeath?: (error: Error) => void
}

/** Below this many cores the event loop is not what ends first: RSA on the thread pool is. */
const coresForTwo = 8

export async function openPlanes(parts: DataPlanesParts): Promise<readonly DataPlaneThread[]> {
  const verpKey = await verpKeyOf(parts)
  const count = parts.inProcess ? 1 : workerCount(parts.config)
  const planes: DataPlaneThread[] = []
  const shared = { verpKey, sessionCounters: admissionCounters(), reusePort: count > 1 }
  for (let number = 0; number < count; number++) {
    const config = workerShare(parts.config, number, count)
    const onLesson = (lesson: Lesson) => tellOthers(planes, number, lesson)
    const plane = await openPlane({ ...parts, ...shared, config, onLesson }, `${hostname()}/${number}`)
    parts.lifecycle.add({ name: `data plane ${number}`, stop: () => plane.stop(), timeoutMs: 60_000 })
    planes.push(plane)
  }
  return planes
}

/** Of one that ends meanwhile `onDeath` or `stop` hears; what it would have learned is of no use any more. */
function tellOthers(planes: readonly DataPlaneThread[], from: number, lesson: Lesson): void {
  for (const [number, plane] of planes.entries()) if (number !== from) plane.hear(lesson).catch(() => {})
}

/** What the API shows of all of them together. `meter`: of the caller's thread, where operators cancel. */
export async function liveState(planes: readonly DataPlaneThread[], meter: Meter): Promise<LiveState> {
  const states = await Promise.all(planes.map(plane => plane.state()))
  return {
    ports: states[0]?.ports ?? [],
    sessions: states.reduce((sum, { sessions }) => sum + sessions, 0),
    unsettled: states.reduce((sum, { unsettled }) => sum + unsettled, 0),
    sites: mergeSites(states.flatMap(({ sites }) => sites)),
    meter: sumOfMeters([meter.reading, ...states.map(state => state.meter)]),
  }
}

/** Of what is sought, in all of them. */
export async function whereaboutsIn(planes: readonly DataPlaneThread[], sought: Sought): Promise<Whereabouts> {
  const found = await Promise.all(planes.map(plane => plane.whereabouts(sought)))
  return {
    entries: found.flatMap(({ entries }) => entries),
    lanes: found.flatMap(({ lanes }) => lanes),
    slowed: found.flatMap(({ slowed }) => slowed),
    sites: mergeSites(found.flatMap(({ sites }) => sites)),
  }
}

/** By the name of the thread, since the last call. */
export async function loopDelays(planes: readonly DataPlaneThread[]): Promise<Record<string, LoopDelay>> {
  const delays = await Promise.all(planes.map(plane => plane.loopDelay()))
  return Object.fromEntries(delays.map((delay, number) => [`data-plane-${number}`, delay]))
}

/** One line per site: what its workers use and may use together. */
export function mergeSites(sites: readonly SiteState[]): SiteState[] {
  const merged = new Map<string, SiteState>()
  for (const state of sites) {
    const other = merged.get(state.site)
    merged.set(state.site, other ? mergeSite(other, state) : state)
  }
  return [...merged.values()]
}

function mergeSite(one: SiteState, other: SiteState): SiteState {
  return {
    site: one.site,
    running: one.running + other.running,
    waiting: one.waiting + other.waiting,
    closedUntil: Math.max(one.closedUntil ?? 0, other.closedUntil ?? 0) || null,
    closing: latest(one.closing, other.closing),
    free: one.free + other.free,
    nextSlotAt: one.nextSlotAt && other.nextSlotAt && Math.min(one.nextSlotAt, other.nextSlotAt),
    rule: { ...one.rule, ...together(one.rule, other.rule) },
    senders: [...one.senders, ...other.senders.filter(({ domain }) => !one.senders.some(own => own.domain === domain))],
    limits: {
      ...one.limits,
      ...together(one.limits, other.limits),
      messagesPerConnection: Math.min(one.limits.messagesPerConnection, other.limits.messagesPerConnection),
      slowStart: one.limits.slowStart || other.limits.slowStart,
      adapted: latest(one.limits.adapted, other.limits.adapted),
    },
  }
}

type Numbers = Pick<SiteState['limits'], 'connections' | 'perMinute'>

function together(one: Numbers, other: Numbers): Numbers {
  const none = one.perMinute === null || other.perMinute === null
  return {
    connections: one.connections + other.connections,
    perMinute: none ? null : one.perMinute + other.perMinute,
  }
}

function latest<T extends { readonly at: number }>(one: T | null, other: T | null): T | null {
  return other === null || (one !== null && one.at >= other.at) ? one : other
}

function workerCount(config: Config): number {
  const { workers } = config.delivery
  if (workers !== 'auto') return workers
  return availableParallelism() < coresForTwo ? 1 : Math.min(2, scarcestLimit(config).limit)
}

interface DataPlaneWiring extends DataPlanesParts {
  readonly verpKey: Buffer
  readonly reusePort: boolean
  readonly sessionCounters: AdmissionCounters
  readonly onLesson: (lesson: Lesson) => void
}

async function openPlane(parts: DataPlaneWiring, owner: string): Promise<DataPlaneThread> {
  const { config, sink, sealKey, verpKey, reusePort, sessionCounters, onLesson } = parts
  if (parts.inProcess) return openHere(parts, owner)
  const data = { config, owner, sealKey, verpKey, storePort: parts.port(), reusePort, sessionCounters }
  return startDataPlaneThread({ data, log: sink, onLesson, onDeath: error => parts.onDeath?.(error) })
}

/** Loaded only here: in production this thread has no use for the data plane's libraries. */
async function openHere(parts: DataPlaneWiring, owner: string): Promise<DataPlaneThread> {
  const { openDataPlane } = await import('./data-plane.ts')
  return asThread(await openDataPlane({ ...parts, log: parts.sink.log, owner }))
}
