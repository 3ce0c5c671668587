/**
 * A worker of a simulation: the real dispatcher, settler and directories over a store that is not to be trusted, with
 * scripted receivers. It hears of the others' lessons late, as through threads.
 */
import type { Config } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSeal } from '../../src/base/seal.ts'
import { type Dispatcher, openDispatcher } from '../../src/delivery/dispatcher.ts'
import type { Lesson } from '../../src/delivery/lessons.ts'
import type { Transport } from '../../src/delivery/transport.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import { Meter } from '../../src/outcome/meter.ts'
import type { Settler } from '../../src/outcome/settle.ts'
import { settlerOf } from '../../src/settler.ts'
import { SigningFailed } from '../../src/signing/signer.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { openSpool } from '../../src/store/spool.ts'
import type { Store } from '../../src/store/store.ts'
import { openSuspended } from '../../src/store/suspended.ts'
import type { ManualClock } from './manual-clock.ts'

export interface SimulatedWorker {
  readonly dispatcher: Dispatcher
  readonly settler: Settler
  close(): Promise<void>
}

export interface WorkerParts {
  readonly number: number
  readonly config: Config
  readonly clock: ManualClock
  readonly store: Store
  readonly resolver: Resolver
  readonly transport: Transport
  tell(lesson: Lesson): void
}

export async function openSimulatedWorker(parts: WorkerParts): Promise<SimulatedWorker> {
  const { number, config, clock, store, resolver, transport, tell } = parts
  const settler = settlerOf({ config, store, clock, log: silentLog, meter: new Meter() })
  const directory = openDirectory({ store, clock })
  const suspended = await openSuspended({ store, clock })
  const failed = () => {
    throw new SigningFailed('no keys here')
  }
  const dispatcher = openDispatcher({
    ...{ config, store, directory, settler, clock, suspended, resolver, transport, tell, log: silentLog },
    spool: openSpool(config.dataDir),
    keyRing: { relayKey: failed, keysOf: () => [] },
    owner: `node-1/${number}`,
    seal: createSeal(Buffer.alloc(32, 1)),
    verpKey: Buffer.alloc(32, 7),
  })
  return {
    dispatcher,
    settler,
    async close() {
      suspended.close()
      directory.close()
      await settler.stop()
    },
  }
}
