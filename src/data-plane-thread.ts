/**
 * The data plane seen from the main thread: starts the worker, forwards its log lines, passes calls on.
 *
 * A worker that dies takes the process down (`onDeath`): its leases come back at the next start, and a supervisor
 * restarts us, which is safer than a relay that accepts mail and delivers none.
 */
import { Worker } from 'node:worker_threads'
import type { LogSink } from './base/log.ts'
import type { LoopDelay } from './base/loop-delay.ts'
import { createCaller } from './base/thread-call.ts'
import type { DataPlane, DataPlaneState } from './data-plane.ts'
import type { DataPlaneLesson, DataPlaneLines, DataPlaneWorkerData } from './data-plane-worker.ts'
import type { Lesson } from './delivery/lessons.ts'
import type { Sought, Whereabouts } from './delivery/whereabouts.ts'

/** The data plane as a caller in another thread has it: the same, but every answer takes a turn. */
export interface DataPlaneThread {
  state(): Promise<DataPlaneState>
  whereabouts(sought: Sought): Promise<Whereabouts>
  loopDelay(): Promise<LoopDelay>
  reloadCertificate(): Promise<void>
  /** What another data plane has learned of a site. */
  hear(lesson: Lesson): Promise<void>
  stop(): Promise<void>
}

export interface DataPlaneThreadParts {
  readonly data: DataPlaneWorkerData
  readonly log: LogSink
  readonly onDeath: (error: Error) => void
  /** It has learned something that all others should know. */
  readonly onLesson?: (lesson: Lesson) => void
}

/** V8 would take three times as much for garbage that lives a millisecond: 40 MB of the process, no CPU saved. */
const youngGenerationMb = 16

export async function startDataPlaneThread(parts: DataPlaneThreadParts): Promise<DataPlaneThread> {
  const { data, log, onDeath, onLesson } = parts
  const worker = new Worker(new URL('./data-plane-worker.ts', import.meta.url), {
    workerData: data,
    transferList: [data.storePort],
    name: data.owner,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  })
  const caller = createCaller(worker)
  let stopping = false
  let cause: Error | null = null
  worker.on('message', (message: Partial<DataPlaneLines & DataPlaneLesson>) => {
    if (typeof message.lines === 'string') log.write(message.lines)
    else if (message.lesson !== undefined) onLesson?.(message.lesson)
  })
  worker.on('error', error => {
    cause = error instanceof Error ? error : new Error(String(error))
  })
  const exited = new Promise<void>(resolve =>
    worker.once('exit', () => {
      const error = cause ?? new Error(`the data plane ${data.owner} ended`)
      caller.fail(error)
      if (!stopping) onDeath(error)
      resolve()
    }),
  )
  try {
    await caller.call('start')
  } catch (error) {
    stopping = true
    await worker.terminate()
    throw error
  }
  return {
    state: async () => (await caller.call('state')) as DataPlaneState,
    whereabouts: async sought => (await caller.call('whereabouts', sought)) as Whereabouts,
    loopDelay: async () => (await caller.call('loopDelay')) as LoopDelay,
    hear: async lesson => void (await caller.call('hear', lesson)),
    reloadCertificate: async () => void (await caller.call('reloadCertificate')),
    async stop() {
      stopping = true
      await caller.call('stop')
      await worker.terminate()
      await exited
    },
  }
}

/** A data plane of this thread in the same clothes; for tests. */
export function asThread(plane: DataPlane): DataPlaneThread {
  return {
    state: async () => plane.state(),
    whereabouts: async sought => plane.whereabouts(sought),
    loopDelay: async () => plane.loopDelay(),
    hear: async lesson => plane.hear(lesson),
    reloadCertificate: async () => plane.reloadCertificate(),
    stop: () => plane.stop(),
  }
}
