/**
 * A self-signed certificate for tests, made once per process.
 */
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

const made: { certificate?: Certificate } = {}

/** For `mx.sink.example`, `localhost`, 127.0.0.1 and ::1. */
export function testCertificate(): Certificate {
  made.certificate ??= make()
  return made.certificate
}

function make(): Certificate {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const forgeKey = forge.pki.privateKeyFromPem(key)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000)
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000)
  const name = [{ name: 'commonName', value: 'mx.sink.example' }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'mx.sink.example' },
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
        { type: 7, ip: '::1' },
      ],
    },
  ])
  certificate.sign(forgeKey, forge.md.sha256.create())
  return { key, cert: forge.pki.certificateToPem(certificate) }
}
