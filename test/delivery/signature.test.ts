/**
 * Whose signatures a message gets when one of several keys can't sign.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { signFor } from '../../src/delivery/signature.ts'
import type { SenderDomain } from '../../src/mail/sender-domain.ts'
import type { SigningKey } from '../../src/signing/signer.ts'
import { makeMessage } from '../outcome/make.ts'

const content = Buffer.from('From: sales@example.co.jp\r\n\r\nhello\r\n')
const { privateKey } = generateKeyPairSync('ed25519')
const sound = (domain: string, selector: string): SigningKey => ({ domain, selector, algorithm: 'ed25519', privateKey })
/** What Node refuses to sign with. */
const broken = (domain: string, selector: string): SigningKey => ({ ...sound(domain, selector), algorithm: 'rsa' })

async function signedBy(keys: readonly SigningKey[], relayKey: SigningKey) {
  const told: string[] = []
  const domain = { name: 'example.co.jp' } as SenderDomain
  const { fields, names } = await signFor(
    makeMessage({ size: content.length }),
    content,
    { dkim: 'domain', domain, own: null },
    {
      keyRing: { relayKey: () => relayKey, keysOf: () => keys },
      config: { signing: { relayToo: true } } as never,
      clock: systemClock,
      log: { ...silentLog, error: (_fields, text) => void told.push(text) },
    },
  )
  assert.equal(fields.toString().match(/^DKIM-Signature:/gm)?.length ?? 0, names.length)
  return { names, told: told.length }
}

describe('a key that can not sign', () => {
  const [own, relays] = ['a._domainkey.example.co.jp', 'r._domainkey.relay.example.jp']

  it('of the relay leaves the signature of the sender domain alone', async () => {
    const signed = await signedBy([sound('example.co.jp', 'a')], broken('relay.example.jp', 'r'))
    assert.deepEqual(signed, { names: [own], told: 1 })
  })

  it('of the sender domain leaves that of its other key alone', async () => {
    const keys = [sound('example.co.jp', 'a'), broken('example.co.jp', 'b')]
    assert.deepEqual(await signedBy(keys, sound('relay.example.jp', 'r')), { names: [own, relays], told: 1 })
  })

  it('and is the only one of the sender domain is replaced by the relay’s', async () => {
    const signed = await signedBy([broken('example.co.jp', 'b')], sound('relay.example.jp', 'r'))
    assert.deepEqual(signed, { names: [relays], told: 1 })
  })

  it('lets the mail go unsigned when there is no other', async () => {
    const signed = await signedBy([broken('example.co.jp', 'b')], broken('relay.example.jp', 'r'))
    assert.deepEqual(signed, { names: [], told: 2 })
  })
})
