/**
 * What the certificates of a path forbid: how long it may be, names it must not be for, other purposes (RFC 5280 §6.1).
 *
 * Node checks this in a handshake for its own roots only; below a DANE trust anchor (RFC 7671 §5.2) nobody else would. Where
 * the anchor is a public authority its intermediates are strangers, bound by these limits alone. An extension that is
 * critical and not known here, or one that can't be read, refuses the path (§4.2). Names are judged as DNS names, for
 * those are what prove a host; policies are not, since DANE asks for none. Pure; never throws.
 */
import type { X509Certificate } from 'node:crypto'
import type { HostName } from '../mail/ids.ts'
import { type Element, elementsOf } from './der.ts'
import { dnsIdsOf, isFor } from './dns-id.ts'

export type PathProblem =
  | 'PATH_LENGTH_EXCEEDED'
  | 'INVALID_PURPOSE'
  | 'CERT_NAME_NOT_PERMITTED'
  | 'CERT_CRITICAL_EXTENSION'
  | 'CERT_UNREADABLE'
  | null

interface Extension {
  readonly id: string
  readonly critical: boolean
  readonly value: Buffer
}

/** Object identifiers 2.5.29.x as their octets. */
const basicConstraints = '551d13'
const nameConstraints = '551d1e'
/**
 * Critical ones that are obeyed, here or by Node: key usage, names, constraints, purposes; or that mean nothing where no policy
 * is asked for: policies 32, mappings 33, policy constraints 36, any-policy 54. CRLs (31) are not looked at.
 */
const known: ReadonlySet<string> = new Set(
  ['0f', '11', '12', '13', '1e', '1f', '20', '21', '24', '25', '36'].map(last => `551d${last}`),
)
const serverAuth = '1.3.6.1.5.5.7.3.1'
const anyPurpose = '2.5.29.37.0'
/** Tags: [3] of a certificate holds its extensions; [2] of a GeneralName is a DNS name (§4.2.1.6). */
const extensionsTag = 0xa3
const dnsNameTag = 0x82

/** `path`: the host's certificate first, each issued by the next. */
export function pathProblem(path: readonly X509Certificate[], names: readonly HostName[]): PathProblem {
  try {
    const extensions = path.map(({ raw }) => extensionsOf(raw))
    if (extensions.flat().some(({ id, critical }) => critical && !known.has(id))) return 'CERT_CRITICAL_EXTENSION'
    if (!path.every(isForServers)) return 'INVALID_PURPOSE'
    const authorities = extensions.slice(1)
    if (authorities.some((held, i) => intermediates(path, i) > pathLength(held))) return 'PATH_LENGTH_EXCEEDED'
    const dnsIds = dnsIdsOf(path[0]!.subjectAltName)
    const judged = [...dnsIds, ...names.filter(name => isFor(dnsIds, [name]))]
    return authorities.every(held => judged.every(name => isPermitted(name, held))) ? null : 'CERT_NAME_NOT_PERMITTED'
  } catch {
    return 'CERT_UNREADABLE'
  }
}

function extensionsOf(certificate: Buffer): Extension[] {
  const [whole] = elementsOf(certificate)
  const [signed] = elementsOf(whole!.content)
  const field = elementsOf(signed!.content).find(({ tag }) => tag === extensionsTag)
  if (field === undefined) return []
  return elementsOf(sole(field.content).content).map(({ content }) => {
    const parts = elementsOf(content)
    return {
      id: parts[0]!.content.toString('hex'),
      critical: parts.length === 3 && parts[1]!.content[0] !== 0,
      value: parts.at(-1)!.content,
    }
  })
}

function isForServers({ keyUsage: purposes }: X509Certificate): boolean {
  return purposes === undefined || purposes.includes(serverAuth) || purposes.includes(anyPurpose)
}

/** Between an authority and the host; those that an authority issued to itself don't count (§4.2.1.9). */
function intermediates(path: readonly X509Certificate[], authority: number): number {
  return path.slice(1, authority + 1).filter(({ subject, issuer }) => subject !== issuer).length
}

/** BasicConstraints: a BOOLEAN, an INTEGER; each may be missing. */
function pathLength(extensions: readonly Extension[]): number {
  const value = extensionOf(extensions, basicConstraints)
  const integer = value === undefined ? undefined : elementsOf(sole(value).content).find(({ tag }) => tag === 0x02)
  return integer === undefined ? Number.POSITIVE_INFINITY : lengthOf(integer.content)
}

function lengthOf(integer: Buffer): number {
  if (integer.length === 0 || integer[0]! >= 0x80) throw new RangeError('a length below zero')
  return Number.parseInt(integer.toString('hex'), 16)
}

/** NameConstraints: [0] permitted, [1] excluded (§4.2.1.10). */
function isPermitted(name: string, extensions: readonly Extension[]): boolean {
  const value = extensionOf(extensions, nameConstraints)
  if (value === undefined) return true
  const trees = elementsOf(sole(value).content)
  const [permitted, excluded] = [0xa0, 0xa1].map(tag => namesOf(trees.find(tree => tree.tag === tag)))
  if (excluded!.some(base => isWithin(name, base))) return false
  return permitted!.length === 0 || permitted!.some(base => isWithin(name, base))
}

/** GeneralSubtrees: each a sequence that begins with its base. */
function namesOf(subtrees: Element | undefined): string[] {
  const bases = subtrees === undefined ? [] : elementsOf(subtrees.content).map(({ content }) => elementsOf(content)[0]!)
  return bases.filter(({ tag }) => tag === dnsNameTag).map(({ content }) => content.toString('latin1').toLowerCase())
}

/** A base with a leading dot is of names below it only; an empty one, of all. */
function isWithin(name: string, base: string): boolean {
  if (base === '' || name === base) return true
  return name.endsWith(base.startsWith('.') ? base : `.${base}`)
}

function extensionOf(extensions: readonly Extension[], wanted: string): Buffer | undefined {
  return extensions.find(({ id }) => id === wanted)?.value
}

function sole(der: Buffer): Element {
  const [element, ...more] = elementsOf(der)
  if (element === undefined || more.length > 0) throw new RangeError('not one element')
  return element
}
