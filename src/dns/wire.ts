/**
 * DNS messages as bytes (RFC 1035 §4), by dns-packet: questions out, replies in.
 *
 * Fails by answering null for bytes that are no DNS message, or one with more records than anybody needs.
 */
import { AUTHENTIC_DATA, decode, encode, type OptRecord, RECURSION_DESIRED, type ResourceRecord } from 'dns-packet'
import type { DomainName } from '../mail/ids.ts'

export type RecordType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'CNAME' | 'NS' | 'PTR' | 'TLSA'

export interface WireRecord {
  readonly type: string
  /** Lower case, without trailing dot; the root is the empty string. */
  readonly name: DomainName
  readonly ttl: number
  /** As dns-packet has it: text for A, AAAA, CNAME, NS, PTR; `{ preference, exchange }`; Buffers for TXT; fields of SOA, TLSA. */
  readonly data: unknown
}

export interface WireReply {
  readonly id: number
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL` … */
  readonly rcode: string
  /** The reply did not fit: ask again by TCP (RFC 7766 §5). */
  readonly truncated: boolean
  /** The server answers from a zone of its own (AA, RFC 1035 §4.1.1). */
  readonly authoritative: boolean
  /** The server says that it has validated all of it (AD, RFC 4035 §3.2.3); worth as much as the server and the way to it. */
  readonly authentic: boolean
  readonly questionName: DomainName | null
  readonly questionType: string | null
  readonly answers: readonly WireRecord[]
  readonly authorities: readonly WireRecord[]
}

/**
 * In all sections. A reply of 64 KB holds thousands whose long names compress to two octets; to unfold them costs half a
 * second.
 */
const maxRecords = 1000
const headerOctets = 12

/** RFC 9715: a reply of this size is not fragmented on today's networks. */
const udpPayloadSize = 1232

/**
 * `recursion`: the server may ask others. `edns`: false for servers that don't know EDNS(0) (RFC 6891 §7).
 * `authentic`: the answer is to say whether it was validated. The AD bit asks for just that (RFC 6840 §5.7); the DO bit
 * would bring the signatures as well, which nobody here reads, and forwarders pass on what it brings unchecked.
 */
export interface QuestionForm {
  readonly recursion?: boolean
  readonly edns?: boolean
  readonly authentic?: boolean
}

export function encodeQuestion(id: number, name: DomainName, type: RecordType, form: QuestionForm = {}): Buffer {
  return encode({
    type: 'query',
    id,
    flags: (form.recursion === false ? 0 : RECURSION_DESIRED) | (form.authentic === true ? AUTHENTIC_DATA : 0),
    questions: [{ type, name }],
    additionals: form.edns === false ? [] : [{ type: 'OPT', name: '.', udpPayloadSize }],
  })
}

export function decodeReply(bytes: Buffer): WireReply | null {
  try {
    if (recordsOf(bytes) > maxRecords) return null
    const message = decode(bytes)
    if (message.type !== 'response') return null
    return {
      id: message.id,
      rcode: message.rcode,
      truncated: message.flag_tc,
      authoritative: message.flag_aa,
      authentic: message.flag_ad,
      questionName: message.questions[0] ? canonicalName(message.questions[0].name) : null,
      questionType: message.questions[0]?.type ?? null,
      answers: message.answers.filter(isData).map(asWireRecord),
      authorities: message.authorities.filter(isData).map(asWireRecord),
    }
  } catch {
    return null
  }
}

/** What the header promises (RFC 1035 §4.1.1), questions included. */
function recordsOf(bytes: Buffer): number {
  let records = 0
  for (let at = 4; at < headerOctets; at += 2) records += bytes.readUInt16BE(at)
  return records
}

export function canonicalName(name: string): DomainName {
  return name.toLowerCase().replace(/\.$/, '')
}

/** Whether the name can stand in a question at all (RFC 1035 §2.3.4); one that can't does not exist. */
export function isAskable(name: DomainName): boolean {
  return name.length <= 253 && name.split('.').every(label => label.length > 0 && Buffer.byteLength(label) <= 63)
}

function isData(record: ResourceRecord | OptRecord): record is ResourceRecord {
  return record.type !== 'OPT'
}

function asWireRecord(record: ResourceRecord): WireRecord {
  // RFC 2181 §8: a TTL with its highest bit set counts as zero.
  const ttl = record.ttl === undefined || record.ttl > 0x7fffffff ? 0 : record.ttl
  return { type: record.type, name: canonicalName(record.name), ttl, data: record.data }
}
