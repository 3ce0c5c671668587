/**
 * How the contract suite gets a store: a fresh one, closed and forgotten at the end of the scope.
 */
import type { Clock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type OpenStore, type OpenStoreOptions, openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { temporaryFolder } from './fixtures.ts'

export interface TestStore extends AsyncDisposable {
  readonly store: Store
  readonly clock: ManualClock
  readonly dataDir: string
  readonly open: OpenStore
}

export type StoreFactory = (options?: Partial<OpenStoreOptions>) => Promise<TestStore>

export function storeOptions(dataDir: string, clock: Clock): OpenStoreOptions {
  return { dataDir, clock, inlineContentBytes: 131_072, minFreeBytes: 1_000_000, log: silentLog }
}

export function sqliteFactory(inProcess: boolean): StoreFactory {
  return async (options = {}) => {
    const folder = temporaryFolder()
    const clock = manualClock()
    const open = await openStore({ ...storeOptions(folder.path, clock), inProcess, ...options })
    return {
      store: open.store,
      clock,
      dataDir: folder.path,
      open,
      async [Symbol.asyncDispose]() {
        await open.close()
        folder[Symbol.dispose]()
      },
    }
  }
}
