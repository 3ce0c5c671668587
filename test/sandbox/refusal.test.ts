/**
 * Addresses that ask to be refused.
 */
import assert from 'node:assert/strict'
import { refusalOf } from '../../src/sandbox/refusal.ts'

const cases: readonly (readonly [string, string | null])[] = [
  ['550-5.1.1', '550 5.1.1 at rcpt'],
  ['451-4.7.1', '451 4.7.1 at rcpt'],
  ['421', '421 4.0.0 at rcpt'],
  ['data-554-5.7.1', '554 5.7.1 at dot'],
  ['550-4.1.1', '550 5.0.0 at rcpt'],
  ['250', null],
  ['sales', null],
  ['550-5.1.1.extra', null],
]

describe('an address in the sandbox', () => {
  for (const [localPart, expected] of cases) {
    it(`${localPart} is ${expected ?? 'welcome'}`, () => {
      const found = refusalOf(localPart)
      assert.equal(found && `${found.code} ${found.text.split(' ')[0]} at ${found.at}`, expected)
    })
  }
})
