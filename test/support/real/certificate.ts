/**
 * A certificate for test servers, made on the spot.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selfSigned } from '../../../src/submission/self-signed.ts'

export interface CertificateFiles {
  readonly keyFile: string
  readonly certFile: string
}

export function writeCertificate(folder: string, host: string): CertificateFiles {
  const files = { keyFile: join(folder, 'key.pem'), certFile: join(folder, 'cert.pem') }
  const { key, cert } = selfSigned(host, Date.now())
  writeFileSync(files.keyFile, key, { mode: 0o600 })
  writeFileSync(files.certFile, cert)
  return files
}
