/**
 * As many data planes as the machine carries: worker threads in production, one in the caller's thread in tests.
 *
 * Several share the listening ports (`reusePort`) and nothing else: leases keep their entries apart, and limits are
 * taken in the store. Fails to start when one of them does, after stopping the others.
 */
import { availableParallelism, hostname } from 'node:os'
import type { MessagePort } from 'node:worker_threads'
import type { LiveState } from './admin/dependencies.ts'
import type { Clock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import type { Lifecycle } from './base/lifecycle.ts'
import type { LogSink } from './base/log.ts'
import type { Seal } from './base/seal.ts'
import { asThread, type DataPlaneThread, startDataPlaneThread } from './data-plane-thread.ts'
import type { Resolver } from './dns/resolver.ts'
import { verpKeyOf } from './feedback/verp.ts'
import type { Store } from './store/store.ts'

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
  for (let number = 0; number < count; number++) {
    const plane = await openPlane(parts, verpKey, `${hostname()}/${number}`, count > 1)
    parts.lifecycle.add({ name: `data plane ${number}`, stop: () => plane.stop(), timeoutMs: 60_000 })
    planes.push(plane)
  }
  return planes
}

/** What the API shows of all of them together. */
export async function liveState(planes: readonly DataPlaneThread[]): Promise<LiveState> {
  const states = await Promise.all(planes.map(plane => plane.state()))
  return {
    ports: states[0]?.ports ?? [],
    sessions: states.reduce((sum, { sessions }) => sum + sessions, 0),
    unsettled: states.reduce((sum, { unsettled }) => sum + unsettled, 0),
    sites: states.flatMap(({ sites }) => sites),
  }
}

function workerCount({ delivery: { workers } }: Config): number {
  if (workers !== 'auto') return workers
  return availableParallelism() < coresForTwo ? 1 : 2
}

async function openPlane(parts: DataPlanesParts, verpKey: Buffer, owner: string, reusePort: boolean) {
  const { config, sink, sealKey } = parts
  if (parts.inProcess) return openHere(parts, verpKey, owner)
  const data = { config, owner, sealKey, verpKey, storePort: parts.port(), reusePort }
  return startDataPlaneThread({ data, log: sink, onDeath: error => parts.onDeath?.(error) })
}

/** Loaded only here: in production this thread has no use for the data plane's libraries. */
async function openHere(parts: DataPlanesParts, verpKey: Buffer, owner: string): Promise<DataPlaneThread> {
  const { openDataPlane } = await import('./data-plane.ts')
  return asThread(await openDataPlane({ ...parts, log: parts.sink.log, owner, verpKey }))
}
