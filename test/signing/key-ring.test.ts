import assert from 'node:assert/strict'
import { createPublicKey, randomBytes } from 'node:crypto'
import { createSeal, SealBroken } from '../../src/base/seal.ts'
import type { DkimKey, KeyState, SenderDomain } from '../../src/mail/sender-domain.ts'
import { newDkimKey } from '../../src/signing/key-factory.ts'
import { keyPurpose, openKeyRing } from '../../src/signing/key-ring.ts'
import type { SettingStore } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'

const seal = createSeal(randomBytes(32))

function settings(): SettingStore & { readonly values: Map<string, string> } {
  const values = new Map<string, string>()
  return {
    values,
    setting: async name => values.get(name) ?? null,
    initSetting: async (name, value) => values.set(name, values.get(name) ?? value).get(name)!,
    setSetting: async (name, value) => void values.set(name, value),
  }
}

function ring(store: SettingStore, change: { seal?: typeof seal; relayDomain?: string } = {}) {
  const clock = manualClock(Date.UTC(2026, 0, 15))
  return openKeyRing({ store, seal, clock, relayDomain: 'relay.example', rsaBits: 1024, timeZone: 'UTC', ...change })
}

async function domainWith(...states: KeyState[]): Promise<SenderDomain> {
  const keys = await Promise.all(states.map((state, i) => newKey(`s${i}`, state)))
  const dates = { createdAt: 0, archivedAt: null, nextCheckAt: 0 }
  return { name: 'ours.example', account: 'a', limits: {}, keys, checks: [], keyFailure: null, ...dates }
}

async function newKey(selector: string, state: KeyState): Promise<DkimKey> {
  const { privateKeyPem, publicKey } = await newDkimKey({ algorithm: 'ed25519', bits: 256 })
  const sealedPrivateKey = seal.seal(privateKeyPem, keyPurpose('ours.example', selector))
  const dates = { createdAt: 0, stateSince: 0 }
  return {
    domain: 'ours.example',
    selector,
    algorithm: 'ed25519',
    bits: 256,
    publicKey,
    sealedPrivateKey,
    state,
    ...dates,
  }
}

describe('the key ring', () => {
  it("makes the relay's own key at first start and keeps it, sealed", async () => {
    const store = settings()
    const first = await ring(store)
    const second = await ring(store)
    assert.deepEqual(second.relayRecord(), first.relayRecord())
    assert.equal(first.relayKey().selector, '20260115')
    assert.equal(first.relayRecord().name, '20260115._domainkey.relay.example')
    assert.doesNotMatch([...store.values.values()].join(), /PRIVATE KEY/)
  })

  it('publishes the key it signs with', async () => {
    const opened = await ring(settings())
    const published = Buffer.from(opened.relayRecord().value.split('p=')[1]!, 'base64')
    const key = createPublicKey({ key: published, format: 'der', type: 'spki' })
    assert.match(opened.relayRecord().value, /^v=DKIM1; k=rsa; p=/)
    assert.ok(createPublicKey(opened.relayKey().privateKey as never).equals(key))
  })

  it('has another key for another relay domain', async () => {
    const store = settings()
    const first = await ring(store)
    const other = await ring(store, { relayDomain: 'other.example' })
    assert.notEqual(other.relayRecord().value, first.relayRecord().value)
  })

  it('answers only the active keys of a domain, opened once', async () => {
    const domain = await domainWith('retired', 'active', 'pending', 'retiring')
    const opened = await ring(settings())
    const keys = opened.keysOf(domain)
    assert.deepEqual(
      keys.map(key => [key.selector, key.algorithm]),
      [['s1', 'ed25519']],
    )
    assert.equal(opened.keysOf(domain)[0]!.privateKey, keys[0]!.privateKey)
  })

  it('refuses keys sealed with another key', async () => {
    const store = settings()
    const opened = await ring(store)
    const strange = createSeal(randomBytes(32))
    await assert.rejects(ring(store, { seal: strange }), SealBroken)
    const domain = await domainWith('active')
    const moved = { ...domain, keys: [{ ...domain.keys[0]!, selector: 'elsewhere' }] }
    assert.throws(() => opened.keysOf(moved), SealBroken)
  })
})
