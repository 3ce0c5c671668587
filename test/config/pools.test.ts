/**
 * Source addresses in the configuration: what is refused, and what is only warned of.
 */
import assert from 'node:assert/strict'
import { configWarnings, loadConfig } from '../../src/base/config.ts'

const source = { ip: '192.0.2.2', ehlo: 'out2.relay.example.jp' }
const withPools = (...pools: object[]) => ({ KITTE_POOLS: JSON.stringify(pools) })

describe('pools in the configuration', () => {
  it('have names and addresses of their own', () => {
    const twice = withPools({ name: 'bulk', sources: [source, source] }, { name: 'bulk', sources: [source] })
    assert.throws(
      () => loadConfig([], twice),
      /pools\.1\.name: bulk is taken[\s\S]*pools\.0\.sources\.1\.ip: 192\.0\.2\.2/,
    )
    assert.throws(
      () => loadConfig([], withPools({ name: 'bulk', sources: [] })),
      /pools\.0\.sources: name at least one/,
    )
  })

  it('are warned of where customers publish no SPF for an address', () => {
    const environment = withPools({ name: 'bulk', sources: [source] })
    const warned = (more: object) => {
      const all = { ...environment, ...more }
      return configWarnings(loadConfig([], all), [], all).filter(line => line.includes('sendingIps, and'))
    }
    assert.match(warned({}).join(), /^pools\.0\.sources\.0\.ip: add 192\.0\.2\.2 to spf\.sendingIps/)
    assert.deepEqual(warned({ KITTE_SPF_SENDING_IPS: '["192.0.2.2"]' }), [])
    assert.match(warned({ KITTE_DELIVERY_SOURCE_IPV6: '2001:db8::1' }).join(), /^delivery\.sourceIpv6: add 2001:db8::1/)
  })
})
