/**
 * How a message travels when it comes back to another domain than the one it is from.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { decide } from '../../src/delivery/decision.ts'
import type { RecordState, SenderDomain } from '../../src/mail/sender-domain.ts'
import { makeMessage } from '../outcome/make.ts'
import { senderDomain } from '../store/fixtures.ts'

function domain(name: string, spf: RecordState, owner = 'account-1'): SenderDomain {
  const check = { purpose: 'spf', name, state: spf, reason: 'x', found: [], detail: {}, checkedAt: 0 } as const
  return { ...senderDomain(name, owner), checks: [check] }
}

const domains = new Map(
  [
    domain('example.co.jp', 'published'),
    domain('also.example', 'published'),
    domain('bare.example', 'not-published'),
    domain('foreign.example', 'published', 'account-2'),
  ].map(one => [one.name, one]),
)
const directory = { domain: async (name: string) => domains.get(name) ?? null, sender: async () => null }

describe('the reverse-path of a message from a domain with SPF', () => {
  const table: readonly (readonly [string | null, 'as-submitted' | 'verp', string])[] = [
    ['sales@example.co.jp', 'as-submitted', 'the same domain'],
    ['sales@also.example', 'as-submitted', 'another domain of the account that has SPF'],
    ['sales@bare.example', 'verp', 'another domain of the account without SPF'],
    ['sales@foreign.example', 'verp', "another account's by now"],
    ['sales@unknown.example', 'verp', 'a domain of which only an address is registered'],
    [null, 'as-submitted', 'nobody'],
  ]
  for (const [reversePath, expected, what] of table)
    it(`goes ${expected === 'verp' ? 'to the bounce host' : expected} when it is at ${what}`, async () => {
      const message = makeMessage()
      const envelope = { ...message.envelope, reversePath }
      const decision = await decide({ ...message, envelope }, { directory, clock: systemClock, lostGraceMs: 0 })
      assert.deepEqual([decision.mode, decision.reversePath], ['spf', expected])
      assert.equal(decision.reason.includes('reverse-path'), expected === 'verp')
    })
})
