/**
 * The certificate of the listeners: the configured one, or a self-signed one made at first start.
 *
 * The self-signed one is ECDSA P-256, because its handshake costs the server a fifth less than RSA's. node-forge has no
 * EC signing: it builds the structure (RFC 5280), `node:crypto` signs it. Changed files are taken up without restart;
 * files that can't be used leave the old certificate in place and are told in the log. Fails at start only.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import forge from 'node-forge'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { HostName, Instant } from '../mail/ids.ts'

/** PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface CertificateFiles {
  readonly keyFile: string
  readonly certFile: string
}

export interface CertificateWatch {
  readonly current: Certificate
  /** Reads the files again now. */
  reload(): void
  stop(): void
}

export interface CertificateParts {
  readonly config: Pick<Config, 'dataDir' | 'hostname' | 'submission'>
  readonly clock: Clock
  readonly log: Log
  /** Called with each new certificate. */
  onChange(certificate: Certificate): void
}

const lookEveryMs = 10_000
const lifetimeYears = 10
const yearMs = 365.25 * 86_400_000

export function openCertificate({ config, clock, log, onChange }: CertificateParts): CertificateWatch {
  const files = filesOf(config)
  if (files.selfSigned) makeOnce(files, config.hostname, clock.now())
  let current = readCertificate(files)
  let seen = changedAt(files)
  const reload = () => {
    seen = changedAt(files)
    try {
      const read = readCertificate(files)
      if (read.cert === current.cert && read.key === current.key) return
      current = read
      onChange(read)
      log.info({ certFile: files.certFile }, 'took up a new certificate')
    } catch (error) {
      log.error({ err: error, certFile: files.certFile }, 'the certificate files can not be used; the old one stays')
    }
  }
  const stop = clock.every(lookEveryMs, () => {
    if (changedAt(files) !== seen) reload()
  })
  return {
    get current() {
      return current
    },
    reload,
    stop,
  }
}

function filesOf({ dataDir, submission }: CertificateParts['config']): CertificateFiles & { selfSigned: boolean } {
  const { keyFile, certFile } = submission.tls
  if (keyFile !== null && certFile !== null) return { keyFile, certFile, selfSigned: false }
  const folder = join(dataDir, 'tls')
  return { keyFile: join(folder, 'key.pem'), certFile: join(folder, 'cert.pem'), selfSigned: true }
}

/** Modification times as one text; a file that is away for a moment counts as changed. */
function changedAt(files: CertificateFiles): string {
  return [files.keyFile, files.certFile].map(file => statSync(file, { throwIfNoEntry: false })?.mtimeMs).join(' ')
}

/** Fails when a file is missing, no PEM, or when key and certificate don't belong together. */
function readCertificate({ keyFile, certFile }: CertificateFiles): Certificate {
  const certificate = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') }
  createSecureContext(certificate)
  if (!new X509Certificate(certificate.cert).checkPrivateKey(createPrivateKey(certificate.key)))
    throw new Error(`${certFile} is not the certificate of the key in ${keyFile}`)
  return certificate
}

function makeOnce({ keyFile, certFile }: CertificateFiles, hostname: HostName, now: Instant): void {
  if (existsSync(keyFile) && existsSync(certFile)) return
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 })
  const { key, cert } = selfSigned(hostname, now)
  writeFileSync(keyFile, key, { mode: 0o600 })
  writeFileSync(certFile, cert, { mode: 0o644 })
}

// ── The self-signed certificate (RFC 5280 §4.1) ─────────────────────────────────────────────────────────────────────

const { asn1 } = forge
const { Type } = asn1
type Asn1 = forge.asn1.Asn1

const ecdsaWithSha256 = '1.2.840.10045.4.3.2'

export function selfSigned(hostname: HostName, now: Instant): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = toBeSigned(hostname, createPublicKey(privateKey), now)
  const signature = sign('sha256', der(body), privateKey)
  const certificate = sequence(body, algorithm(), bitString(signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(der(certificate)),
  }
}

function toBeSigned(hostname: HostName, publicKey: KeyObject, now: Instant): Asn1 {
  const name = sequence(set(sequence(oid('2.5.4.3'), primitive(Type.UTF8, hostname))))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  // A positive integer of 127 bits (RFC 5280 §4.1.2.2).
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return sequence(
    context(0, true, [integer(Buffer.from([2]))]),
    integer(serial),
    algorithm(),
    name,
    // An hour back: clients' clocks may be behind.
    sequence(time(now - 3_600_000), time(now + lifetimeYears * yearMs)),
    name,
    asn1.fromDer(forge.util.createBuffer(spki.toString('binary'))),
    context(3, true, [sequence(...extensions(hostname, spki))]),
  )
}

function extensions(hostname: HostName, spki: Buffer): Asn1[] {
  const names = [
    ...[hostname, 'localhost'].map(dnsName => context(2, false, dnsName)),
    ...[Buffer.from([127, 0, 0, 1]), Buffer.concat([Buffer.alloc(15), Buffer.from([1])])].map(ip =>
      context(7, false, ip.toString('binary')),
    ),
  ]
  return [
    // digitalSignature; serverAuth; not a CA.
    extension('2.5.29.15', true, primitive(Type.BITSTRING, '\x07\x80')),
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.17', false, sequence(...names)),
    extension('2.5.29.14', false, primitive(Type.OCTETSTRING, createHash('sha1').update(spki).digest('binary'))),
  ]
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const flag = critical ? [primitive(Type.BOOLEAN, '\xff')] : []
  return sequence(oid(id), ...flag, primitive(Type.OCTETSTRING, der(value).toString('binary')))
}

function algorithm(): Asn1 {
  return sequence(oid(ecdsaWithSha256))
}

function sequence(...members: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, Type.SEQUENCE, true, members)
}

function set(...members: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, Type.SET, true, members)
}

function primitive(type: forge.asn1.Type, octets: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, octets)
}

function context(tag: number, constructed: boolean, value: string | Asn1[]): Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, constructed, value)
}

function oid(id: string): Asn1 {
  return primitive(Type.OID, asn1.oidToDer(id).getBytes())
}

function integer(octets: Buffer): Asn1 {
  return primitive(Type.INTEGER, octets.toString('binary'))
}

function bitString(octets: Buffer): Asn1 {
  return primitive(Type.BITSTRING, `\x00${octets.toString('binary')}`)
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on. */
function time(at: Instant): Asn1 {
  const date = new Date(at)
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, asn1.dateToUtcTime(date) as unknown as string)
    : primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date) as unknown as string)
}

function der(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'binary')
}

function pem(octets: Buffer): string {
  const lines = octets.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
