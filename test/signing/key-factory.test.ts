import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { newDkimKey, selectorFor } from '../../src/signing/key-factory.ts'

describe('a selector', () => {
  const evening = Date.UTC(2024, 0, 24, 16, 30)
  const cases: [string, string, string[], string][] = [
    ['is the date in the time zone', 'Asia/Tokyo', [], '20240125'],
    ['is another date elsewhere', 'America/New_York', [], '20240124'],
    ['of a second key of the day ends in 2', 'Asia/Tokyo', ['20240125'], '20240125-2'],
    ['of a third key of the day ends in 3', 'Asia/Tokyo', ['20240125', '20240125-2'], '20240125-3'],
    ['is not bound by other days', 'Asia/Tokyo', ['20240124', '20240125-2'], '20240125'],
  ]
  for (const [sentence, timeZone, taken, expected] of cases)
    it(sentence, () => assert.equal(selectorFor(evening, timeZone, taken), expected))
})

describe('a new key', () => {
  it('of RSA has its SubjectPublicKeyInfo as p=', async () => {
    for (const bits of [1024, 2048]) {
      const { privateKeyPem, publicKey } = await newDkimKey({ algorithm: 'rsa', bits })
      const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' })
      assert.equal(key.asymmetricKeyDetails?.modulusLength, bits)
      assert.ok(createPublicKey(createPrivateKey(privateKeyPem)).equals(key))
    }
  })

  it('of Ed25519 has its raw 32 octets as p=', async () => {
    const { privateKeyPem, publicKey } = await newDkimKey({ algorithm: 'ed25519', bits: 256 })
    const jwk = createPublicKey(createPrivateKey(privateKeyPem)).export({ format: 'jwk' })
    assert.equal(Buffer.from(jwk.x!, 'base64url').toString('base64'), publicKey)
  })

  it('of an impossible length fails', async () => {
    await assert.rejects(newDkimKey({ algorithm: 'rsa', bits: 3 }))
  })
})
