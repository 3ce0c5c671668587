/**
 * Entry of the data plane's worker thread: opens what it needs from plain data, then answers the main thread's calls.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from './base/clock.ts'
import type { Config } from './base/config.ts'
import { openForwardedLog } from './base/log.ts'
import { createSeal } from './base/seal.ts'
import { answerCalls } from './base/thread-call.ts'
import { type DataPlane, openDataPlane } from './data-plane.ts'
import type { Lesson } from './delivery/lessons.ts'
import type { Sought } from './delivery/whereabouts.ts'
import { openResolver } from './dns/open.ts'
import { connectStore } from './store/open.ts'
import type { AdmissionCounters } from './submission/admission.ts'

/** What the main thread hands to the worker at its start. */
export interface DataPlaneWorkerData {
  readonly config: Config
  readonly owner: string
  readonly sealKey: Uint8Array
  readonly verpKey: Uint8Array
  readonly storePort: MessagePort
  readonly reusePort: boolean
  readonly sessionCounters: AdmissionCounters
}

/** What the worker tells unasked: finished log lines … */
export interface DataPlaneLines {
  readonly lines: string
}

/** … and what it has learned of a site. */
export interface DataPlaneLesson {
  readonly lesson: Lesson
}

const { config, owner, sealKey, verpKey, storePort, reusePort, sessionCounters } = workerData as DataPlaneWorkerData
const main = parentPort!
const clock = systemClock
const sink = openForwardedLog(config.log.level, clock, lines => main.postMessage({ lines } satisfies DataPlaneLines))
const log = sink.log.child({ thread: owner })
let plane: DataPlane | null = null
let closeRest: (() => Promise<void>) | null = null

answerCalls(main, {
  async start() {
    const store = await connectStore({ dataDir: config.dataDir, port: storePort, log, clock })
    const resolver = openResolver({ ...config.dns, clock })
    const seal = createSeal(Buffer.from(sealKey))
    plane = await openDataPlane({
      config,
      store,
      resolver,
      seal,
      clock,
      log,
      owner,
      verpKey: Buffer.from(verpKey),
      reusePort,
      sessionCounters,
      ...(reusePort && { tell: lesson => main.postMessage({ lesson } satisfies DataPlaneLesson) }),
    })
    closeRest = async () => {
      resolver.close()
      await store.close()
      await sink.close()
    }
  },
  state: () => plane!.state(),
  whereabouts: (sought: Sought) => plane!.whereabouts(sought),
  loopDelay: () => plane!.loopDelay(),
  hear: (lesson: Lesson) => plane!.hear(lesson),
  reloadCertificate: () => plane!.reloadCertificate(),
  async stop() {
    await plane?.stop()
    await closeRest?.()
  },
})
