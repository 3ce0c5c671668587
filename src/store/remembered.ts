/**
 * A short list of the store in memory, for questions that can't wait: read whole at the start and after every change.
 *
 * A change that can't be read is read again soon; until then the list is what it was. Fails at the start with
 * StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import type { Change, Store } from './store.ts'

export interface Remembered<T> {
  readonly list: readonly T[]
  close(): void
}

export interface RememberedParts<T> {
  readonly store: Pick<Store, 'onChange'>
  readonly clock: Pick<Clock, 'after'>
  readonly kind: Change['kind']
  readonly read: () => Promise<readonly T[]>
  readonly onChange?: () => void
}

const readAgainMs = 1000

export async function openRemembered<T>(parts: RememberedParts<T>): Promise<Remembered<T>> {
  const { store, clock, kind, read, onChange } = parts
  let list: readonly T[] = []
  let changes = 0
  let again = () => {}

  async function load(): Promise<void> {
    const before = changes
    const found = await read()
    // What changed meanwhile has its own reading under way.
    if (before !== changes) return
    list = found
    onChange?.()
  }

  function follow(): void {
    again()
    changes++
    load().catch(() => {
      again = clock.after(readAgainMs, follow)
    })
  }

  const stop = store.onChange(change => {
    if (change.kind === kind) follow()
  })
  await load()
  return {
    get list() {
      return list
    },
    close() {
      stop()
      again()
    },
  }
}
