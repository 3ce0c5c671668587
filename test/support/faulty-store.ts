/**
 * A store whose answers come late and not in their order, as a lot has it, and which fails some calls when told to, with
 * StoreUnavailable, as the real one does. What it answers in the end is true.
 */
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import type { ManualClock } from './manual-clock.ts'
import type { Lot } from './simulated-world.ts'

/** Answers of the store come late, and not in their order; some calls fail. `settled` resolves when none is under way. */
export function openDelays(lot: Lot, clock: () => ManualClock) {
  let underWay = 0
  const state = { delays: false, fails: false }
  const failing = new Set(['claim', 'release', 'settle', 'postpone', 'renew', 'nextDueAt', 'content', 'health'])

  async function answered(name: string, call: () => Promise<unknown>): Promise<unknown> {
    if (state.fails && failing.has(name) && lot.chance(0.03)) throw new StoreUnavailable(`no ${name} now`)
    underWay++
    const answer = await call().finally(() => underWay--)
    if (!state.delays) return answer
    for (let turns = lot.oneOf([0, 0, 1, 3, 20]); turns > 0; turns--) await Promise.resolve()
    if (lot.chance(0.25)) await clock().sleep(lot.oneOf([1, 5, 20, 100, 400]))
    return answer
  }

  const around = (store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name)
        if (typeof member !== 'function' || name === 'onChange')
          return typeof member === 'function' ? member.bind(target) : member
        return (...args: unknown[]) => answered(String(name), () => member.apply(target, args))
      },
    })

  async function settled(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet = underWay === 0 ? quiet + 1 : 0)
      await new Promise(resolve => setImmediate(resolve))
  }
  return { around, settled, state }
}
