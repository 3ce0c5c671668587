import assert from 'node:assert/strict'
import { type Config, loadConfig } from '../../src/base/config.ts'
import { scarcestLimit } from '../../src/base/config-rules.ts'
import { siteRules } from '../../src/policy/site-rules.ts'
import { workerShare } from '../../src/policy/worker-share.ts'

const config = loadConfig([], {
  KITTE_SITES: '[{ suffix: a.example, connections: 5, messagesPerConnection: 7, perMinute: 100 }]',
  KITTE_DELIVERY_MAX_ATTEMPTS: '200',
})

function parts(count: number): Config[] {
  return Array.from({ length: count }, (_, number) => workerShare(config, number, count))
}

describe('the parts of several workers', () => {
  it('add up to the limit, and none is nothing', () => {
    for (const count of [1, 2, 3, 5]) {
      const rules = parts(count).map(part => part.sites[0]!)
      const sum = (of: (rule: Config['sites'][number]) => number) => rules.reduce((all, rule) => all + of(rule), 0)
      assert.equal(
        sum(rule => rule.connections),
        5,
      )
      assert.equal(
        sum(rule => rule.perMinute!),
        100,
      )
      assert.ok(rules.every(rule => rule.connections > 0 && rule.messagesPerConnection === 7))
      assert.equal(
        parts(count).reduce((all, part) => all + part.delivery.maxAttempts, 0),
        200,
      )
      assert.ok(parts(count).every(({ delivery }) => delivery.firstConnections >= 1))
    }
  })

  it('are as many as the scarcest limit allows', () => {
    assert.deepEqual(scarcestLimit(config), { key: 'sites.0.connections', limit: 5 })
  })

  it('leave a single worker everything', () => {
    assert.deepEqual(workerShare(config, 0, 1), { ...config, sites: siteRules(config.sites) })
  })
})
