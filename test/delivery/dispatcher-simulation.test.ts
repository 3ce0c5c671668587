/**
 * Dispatchers with everything around them drawn by lot: nothing is lost, forgotten, sent twice or left waiting. A seed shows
 * again what it showed; `node scripts/simulate-dispatcher.ts` tries others.
 */
import assert from 'node:assert/strict'
import { simulateDispatchers } from '../support/dispatcher-simulation.ts'

const worlds = [
  { seed: 23, troubled: 40, recipients: 150, failing: false },
  // Mail stayed outside a site that a hold had emptied.
  { seed: 11, troubled: 60, recipients: 600, failing: false },
  { seed: 12, troubled: 40, recipients: 150, failing: true },
]

describe('mail, whatever receivers, the store and operators do,', () => {
  for (const one of worlds)
    it(`comes to its end and never waits for nothing: ${JSON.stringify(one)}`, async () => {
      const { faults, world, delivered } = await simulateDispatchers(one)
      assert.deepEqual(faults, [], `${JSON.stringify(one)}\n${world}`)
      assert.ok(delivered > 0)
    })
})
