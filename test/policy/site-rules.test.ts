import assert from 'node:assert/strict'
import { siteRule } from '../../src/policy/site-rules.ts'

const rule = (suffix: string, connections: number) => ({
  suffix,
  connections,
  messagesPerConnection: 100,
  perMinute: null,
})
const rules = [rule('', 20), rule('docomo.example', 2), rule('.google.example', 10), rule('L.Google.example', 5)]

describe('the rule of a site', () => {
  for (const [hosts, connections] of [
    [['mx.docomo.example'], 2],
    [['docomo.example'], 2],
    [['a.other.example', 'mx.docomo.example'], 2],
    [['alt1.l.google.example'], 10],
    [['notgoogle.example'], 20],
    [['mx.docomo.example.org'], 20],
    [[], 20],
  ] as const)
    it(`of ${hosts.join(' and ') || 'nobody'} allows ${connections} connections`, () => {
      assert.equal(siteRule(rules, hosts).connections, connections)
    })

  it('is the one for everybody else when the list has none', () => {
    assert.deepEqual(siteRule([rule('docomo.example', 2)], ['mx.other.example']), {
      suffix: '',
      connections: 20,
      messagesPerConnection: 100,
      perMinute: null,
    })
  })
})
