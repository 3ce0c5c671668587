/**
 * A certificate for test servers, made on the spot.
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import forge from 'node-forge'

export interface CertificateFiles {
  readonly keyFile: string
  readonly certFile: string
}

/** Self-signed for that host name, valid for a day around now. */
export function writeCertificate(folder: string, host: string): CertificateFiles {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey)
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date(Date.now() - 43_200_000)
  certificate.validity.notAfter = new Date(Date.now() + 43_200_000)
  const name = [{ name: 'commonName', value: host }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }])
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create())
  const files = { keyFile: join(folder, 'key.pem'), certFile: join(folder, 'cert.pem') }
  writeFileSync(files.keyFile, privateKey, { mode: 0o600 })
  writeFileSync(files.certFile, forge.pki.certificateToPem(certificate))
  return files
}
