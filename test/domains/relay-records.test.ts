import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import { relayRecords } from '../../src/domains/relay-records.ts'
import { openKeyRing } from '../../src/signing/key-ring.ts'
import { openWorld } from './world.ts'

describe('the records of the relay itself', () => {
  it('are its key, and SPF and MX of the bounce host', async () => {
    await using world = await openWorld()
    const { store, clock, parts } = world
    const keyRing = await openKeyRing({
      store,
      seal: parts.seal,
      clock,
      relayDomain: 'relay.example.jp',
      rsaBits: 1024,
      timeZone: 'UTC',
    })
    const records = relayRecords(keyRing, {
      ...loadConfig([], {}),
      spf: { ...world.config.spf, sendingIps: ['192.0.2.1', '2001:db8::1'] },
    })
    assert.deepEqual(
      records.slice(1).map(({ type, name, value }) => `${name} ${type} ${value}`),
      [
        'bounce.relay.example.jp TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all',
        'bounce.relay.example.jp MX 10 relay.example.jp',
      ],
    )
    assert.deepEqual(records[0], keyRing.relayRecord())
  })
})
