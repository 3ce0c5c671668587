/**
 * Which detours are in force, as delivery asks when it looks up where a recipient domain's mail goes.
 *
 * Fails at the start with StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import type { Detour } from '../mail/detour.ts'
import { openRemembered, type Remembered } from './remembered.ts'
import type { Store } from './store.ts'

export interface Detoured extends Remembered<Detour> {
  /** Told after every change; replaces whoever was told before. */
  onChange(listener: () => void): void
}

export interface DetouredParts {
  readonly store: Pick<Store, 'detours' | 'onChange'>
  readonly clock: Pick<Clock, 'after'>
}

export async function openDetoured({ store, clock }: DetouredParts): Promise<Detoured> {
  let told = () => {}
  const read = () => store.detours()
  const remembered = await openRemembered<Detour>({ store, clock, kind: 'detour', read, onChange: () => told() })
  return {
    get list() {
      return remembered.list
    },
    onChange(listener) {
      told = listener
    },
    close: () => remembered.close(),
  }
}
