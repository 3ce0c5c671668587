/**
 * Makes the self-signed certificate of a first start (RFC 5280 §4.1).
 *
 * ECDSA P-256, because its handshake costs the server a fifth less than RSA's. node-forge has no EC signing: it builds the
 * structure, `node:crypto` signs it. Never fails.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import forge from 'node-forge'
import type { HostName, Instant } from '../mail/ids.ts'

/** PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

const lifetimeYears = 10
const yearMs = 365.25 * 86_400_000

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
