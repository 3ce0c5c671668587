/**
 * A DKIM key for a peer: RSA with 2048 bits, as Kitte makes them (RFC 8301 §3.2).
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subject } from './subject.ts'
import { senderDomain } from './subject.ts'

export interface SigningKeyFile {
  readonly selector: string
  readonly keyFile: string
  readonly key: Subject['key']
}

const selector = 'bench'

export function writeSigningKey(folder: string): SigningKeyFile {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keyFile = join(folder, 'dkim.pem')
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  const text = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
  return { selector, keyFile, key: { name: `${selector}._domainkey.${senderDomain}`, text } }
}
