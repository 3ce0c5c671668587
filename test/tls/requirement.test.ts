import assert from 'node:assert/strict'
import { noRequirement, requirementOf, strictest } from '../../src/tls/requirement.ts'

describe('what we ask of TLS', () => {
  for (const [demands, level, by, ignored] of [
    [{}, 'opportunistic', '', false],
    [{ site: 'opportunistic', account: 'opportunistic' }, 'opportunistic', '', false],
    [{ site: 'required' }, 'required', 'site:required', false],
    [{ site: 'required', account: 'verified' }, 'verified', 'site:required account:verified', false],
    [{ account: 'required', message: 'required' }, 'verified', 'account:required requiretls', false],
    [{ message: 'optional' }, 'opportunistic', '', true],
    [{ site: 'required', message: 'optional' }, 'required', 'site:required', false],
  ] as const)
    it(`${JSON.stringify(demands)} asks for ${level}${ignored ? ', whatever the recipient asks' : ''}`, () => {
      const asked = requirementOf(demands)
      assert.deepEqual([asked.level, asked.by.join(' '), asked.policiesIgnored], [level, by, ignored])
    })

  it('is one and the same object when nothing is asked', () => {
    assert.equal(requirementOf({}), noRequirement)
  })

  it('is the strictest of any number', () => {
    const all = [requirementOf({ site: 'verified' }), noRequirement, requirementOf({ message: 'optional' })]
    assert.deepEqual(strictest(...all), { level: 'verified', by: ['site:verified'], policiesIgnored: false })
  })
})
