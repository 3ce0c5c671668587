/**
 * A certificate authority of our own for tests, and certificates from it: good ones, and each kind of bad one.
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import forge from 'node-forge'

export interface Issued {
  /** PEM. */
  readonly key: string
  /** PEM: the certificate itself, then those of its issuers that are to be shown with it. */
  readonly cert: string
  readonly x509: X509Certificate
}

export interface IssueOptions {
  /** DNS-IDs; the first is the common name as well. */
  readonly names: readonly string[]
  /** Default: from yesterday until tomorrow. */
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Signed by itself. */
  readonly selfSigned?: boolean
  /** No subjectAltName: the common name alone. */
  readonly withoutDnsIds?: boolean
  /** Signed by a certificate that is no authority's. */
  readonly by?: TestAuthority
  /** Show the authority's certificate as well. Default: no, as with well-known authorities. */
  readonly showAuthority?: boolean
  readonly extensions?: readonly TestExtension[]
}

/** As node-forge takes them: `{ name: 'extKeyUsage', serverAuth: true }`, or `{ id, critical, value }` with DER. */
export type TestExtension = Readonly<Record<string, unknown>>

export interface TestAuthority {
  /** PEM. */
  readonly certificate: string
  readonly x509: X509Certificate
  readonly key: forge.pki.rsa.PrivateKey
  issue(options: IssueOptions): Issued
  /** An authority below this one; with `ca: false` it must not issue anything. */
  below(
    name: string,
    options?: { readonly ca?: boolean; readonly pathLength?: number; readonly extensions?: readonly TestExtension[] },
  ): TestAuthority
}

const day = 86_400_000
let serial = 1000

export function testAuthority(name: string): TestAuthority {
  const pair = keyPair()
  const certificate = forge.pki.createCertificate()
  fill(certificate, { pair, subject: name, issuer: name, ca: true })
  certificate.sign(pair.key, forge.md.sha256.create())
  return authorityOf(name, pair, certificate)
}

interface Pair {
  readonly key: forge.pki.rsa.PrivateKey
  readonly pem: string
}

function authorityOf(name: string, pair: Pair, certificate: forge.pki.Certificate): TestAuthority {
  const pem = forge.pki.certificateToPem(certificate)
  return {
    certificate: pem,
    x509: new X509Certificate(pem),
    key: pair.key,
    issue(options) {
      const own = keyPair()
      const issued = forge.pki.createCertificate()
      const subject = options.names[0]!
      fill(issued, { pair: own, subject, issuer: options.selfSigned ? subject : name, ca: false, ...options })
      issued.sign(options.selfSigned ? own.key : pair.key, forge.md.sha256.create())
      const text = forge.pki.certificateToPem(issued)
      return { key: own.pem, cert: options.showAuthority ? `${text}${pem}` : text, x509: new X509Certificate(text) }
    },
    below(lower, { ca = true, ...limits } = {}) {
      const own = keyPair()
      const issued = forge.pki.createCertificate()
      fill(issued, { pair: own, subject: lower, issuer: name, ca, ...limits })
      issued.sign(pair.key, forge.md.sha256.create())
      return authorityOf(lower, own, issued)
    },
  }
}

interface Filling extends Partial<IssueOptions> {
  readonly pair: Pair
  readonly subject: string
  readonly issuer: string
  readonly ca: boolean
  readonly pathLength?: number
}

function fill(certificate: forge.pki.Certificate, filling: Filling): void {
  const { pair, subject, issuer, ca, names = [], withoutDnsIds = false, pathLength, extensions = [] } = filling
  const now = Date.now()
  certificate.publicKey = forge.pki.setRsaPublicKey(pair.key.n, pair.key.e)
  certificate.serialNumber = (serial++).toString(16).padStart(4, '0')
  certificate.validity.notBefore = filling.notBefore ?? new Date(now - day)
  certificate.validity.notAfter = filling.notAfter ?? new Date(now + day)
  certificate.setSubject([{ name: 'commonName', value: subject }])
  certificate.setIssuer([{ name: 'commonName', value: issuer }])
  const altNames = names.map(value => ({ type: 2, value }))
  certificate.setExtensions([
    {
      name: 'basicConstraints',
      cA: ca,
      critical: true,
      ...(pathLength !== undefined && { pathLenConstraint: pathLength }),
    },
    ...(ca ? [{ name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true }] : []),
    ...(altNames.length > 0 && !withoutDnsIds ? [{ name: 'subjectAltName', altNames }] : []),
    ...extensions,
  ])
}

function keyPair(): Pair {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return {
    key: forge.pki.privateKeyFromPem(pem),
    pem: createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}
