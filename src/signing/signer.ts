/**
 * Puts DKIM signatures on a message (RFC 6376, 8301, 8463).
 *
 * mailauth's `dkimSign` is not used, because it can't list From once more than present (oversigning), parses the PEM
 * for every message (260 µs), runs RSA on the event loop, and reads folded header lines in quadratic time. Here keys are
 * parsed once and RSA runs on the thread pool; the canonical form is ours, proven equal to mailauth's by tests. A
 * content in a file is read in chunks.
 * Fails with SigningFailed when there is no From field or a key can't sign, and with what the file system says.
 */
import { createHash, type KeyObject, sign as signBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { DomainName, Instant } from '../mail/ids.ts'
import { RelaxedBodyHash } from './body-hash.ts'
import { type HeaderCanonicalization, signedHeader } from './header-canonicalization.ts'
import { type HeaderField, headerFields } from './header-fields.ts'
import { foldedSignature, unsignedField } from './signature-field.ts'

export interface SigningKey {
  readonly domain: DomainName
  readonly selector: string
  readonly algorithm: 'rsa' | 'ed25519'
  readonly privateKey: KeyObject
}

export interface Signatures {
  /** DKIM-Signature fields, each ended by CRLF: to be put before the content. */
  readonly fields: Buffer
  /** `selector._domainkey.domain` of each, in the same order. */
  readonly names: readonly string[]
}

export class SigningFailed extends Error {
  readonly code = 'signing-failed'
}

interface Prepared {
  /** Signed fields in the order of h=; a name of `names` beyond them stands for its absence. */
  readonly fields: readonly HeaderField[]
  readonly names: readonly string[]
  readonly headerCanonicalization: HeaderCanonicalization
  readonly bodyHash: string
}

/** RFC 6376 §5.4.1 with what later documents and receivers ask for: List-Unsubscribe-Post (RFC 8058 §4), MIME fields. */
const signedNames = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'list-id',
  'list-help',
  'list-subscribe',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-post',
  'list-owner',
  'list-archive',
  'resent-date',
  'resent-from',
  'resent-sender',
  'resent-to',
  'resent-cc',
  'resent-message-id',
  'feedback-id',
  'tls-report-domain',
  'tls-report-submitter',
] as const

/**
 * Bytes that are no white space for RFC 6376 §2.8 but are for somebody: VT and FF trip dkimpy and Mail::DKIM under
 * relaxed, NBSP (the last octet of `à`) tripped mailauth before 7, FS to US and NEL are in reach of any Unicode trim.
 */
const ambiguousSpace = /[\x0b\x0c\x1c-\x1f\x85\xa0]/
const headerEnd = '\r\n\r\n'
/** Well above what submission accepts (`submission.maxHeaderBytes`); a file whose header never ends is broken. */
const maxHeaderBytes = 4 * 1024 * 1024
const readBytes = 256 * 1024

/** One field per key. The content must have CRLF line ends; its bytes are signed as they stand. */
export async function sign(
  content: Buffer | { readonly path: string },
  keys: readonly SigningKey[],
  now: Instant,
): Promise<Signatures> {
  const prepared = 'path' in content ? await prepareFile(content.path) : prepareBuffer(content)
  const fields = await Promise.all(keys.map(key => signatureField(prepared, key, now)))
  return {
    fields: Buffer.from(fields.join('')),
    names: keys.map(key => `${key.selector}._domainkey.${key.domain}`),
  }
}

async function signatureField(prepared: Prepared, key: SigningKey, now: Instant): Promise<string> {
  const { headerCanonicalization, names, bodyHash } = prepared
  const field = unsignedField({
    algorithm: `${key.algorithm}-sha256`,
    canonicalization: `${headerCanonicalization}/relaxed`,
    domain: key.domain,
    selector: key.selector,
    signedAt: now,
    names,
    bodyHash,
  })
  const signed = Buffer.from(signedHeader(prepared.fields, field, headerCanonicalization), 'latin1')
  const signature = await signatureOf(signed, key)
  return `${field}${foldedSignature(signature.toString('base64'))}\r\n`
}

/** The callback form runs on the thread pool. RFC 8463 §3: Ed25519 signs the SHA-256 of the header. */
function signatureOf(header: Buffer, key: SigningKey): Promise<Buffer> {
  const isRsa = key.algorithm === 'rsa'
  const data = isRsa ? header : createHash('sha256').update(header).digest()
  return new Promise((resolve, reject) => {
    const done = (cause: Error | null, signature: Buffer) =>
      cause
        ? reject(new SigningFailed(`the key ${key.selector}._domainkey.${key.domain} can't sign`, { cause }))
        : resolve(signature)
    signBytes(isRsa ? 'sha256' : null, data, key.privateKey, done)
  })
}

function prepareBuffer(content: Buffer): Prepared {
  const end = content.indexOf(headerEnd)
  const header = end === -1 ? content : content.subarray(0, end)
  const body = end === -1 ? content.subarray(content.length) : content.subarray(end + headerEnd.length)
  return prepare(header, RelaxedBodyHash.of(body))
}

async function prepareFile(path: string): Promise<Prepared> {
  const file = await open(path, 'r')
  try {
    let head = Buffer.alloc(0)
    const bodyHash = new RelaxedBodyHash()
    let header: Buffer | null = null
    const chunk = Buffer.allocUnsafe(readBytes)
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, readBytes)
      if (bytesRead === 0) break
      if (header !== null) {
        bodyHash.update(chunk.subarray(0, bytesRead))
        continue
      }
      head = Buffer.concat([head, chunk.subarray(0, bytesRead)])
      const end = head.indexOf(headerEnd)
      if (end === -1 && head.length > maxHeaderBytes) throw new SigningFailed(`${path} has no end of its header`)
      if (end === -1) continue
      header = head.subarray(0, end)
      bodyHash.update(head.subarray(end + headerEnd.length))
    }
    return prepare(header ?? head, bodyHash.digest())
  } finally {
    await file.close()
  }
}

function prepare(header: Buffer, bodyHash: string): Prepared {
  const { fields, names } = selectFields(headerFields(header.toString('latin1')))
  const headerCanonicalization = fields.some(({ line }) => ambiguousSpace.test(line)) ? 'simple' : 'relaxed'
  return { fields, names, headerCanonicalization, bodyHash }
}

/**
 * Every instance of the names above, from the bottom up (RFC 6376 §5.4.2), and From once more than present: another
 * From put on top later would break the signature (RFC 6376 §8.15).
 */
function selectFields(present: readonly HeaderField[]): { fields: HeaderField[]; names: string[] } {
  const byName = Map.groupBy(present, field => field.name.toLowerCase())
  const from = byName.get('from')
  if (!from) throw new SigningFailed('there is no From field to sign')
  const fields = signedNames.flatMap(name => byName.get(name)?.toReversed() ?? [])
  const names = fields.map(field => field.name)
  names.splice(from.length, 0, from[0]!.name)
  return { fields, names }
}
