/**
 * Types of dns-packet 5.6, which ships none: the parts in use, as read in its source.
 */
declare module 'dns-packet' {
  import type { Buffer } from 'node:buffer'

  export interface Question {
    name: string
    type: string
    class?: string
  }

  export interface ResourceRecord {
    name: string
    type: string
    class?: string
    ttl?: number
    /** By type: address, name, character-strings (TXT), `{ preference, exchange }` (MX), a SOA's fields … */
    data: unknown
  }

  /** EDNS(0) pseudo-record (RFC 6891). */
  export interface OptRecord {
    name: '.'
    type: 'OPT'
    udpPayloadSize?: number
    extendedRcode?: number
    ednsVersion?: number
    flags?: number
    flag_do?: boolean
    options?: readonly unknown[]
  }

  export interface Packet {
    id?: number
    type?: 'query' | 'response'
    /** Bits such as `RECURSION_DESIRED`, with the rcode in the lowest four. */
    flags?: number
    questions?: readonly Question[]
    answers?: readonly (ResourceRecord | OptRecord)[]
    authorities?: readonly (ResourceRecord | OptRecord)[]
    additionals?: readonly (ResourceRecord | OptRecord)[]
  }

  export interface DecodedPacket {
    id: number
    type: 'query' | 'response'
    flags: number
    flag_qr: boolean
    flag_aa: boolean
    flag_tc: boolean
    flag_rd: boolean
    flag_ra: boolean
    flag_ad: boolean
    flag_cd: boolean
    opcode: string
    rcode: string
    questions: Question[]
    answers: (ResourceRecord | OptRecord)[]
    authorities: (ResourceRecord | OptRecord)[]
    additionals: (ResourceRecord | OptRecord)[]
  }

  export const AUTHORITATIVE_ANSWER: number
  export const TRUNCATED_RESPONSE: number
  export const RECURSION_DESIRED: number
  export const RECURSION_AVAILABLE: number
  export const AUTHENTIC_DATA: number
  export const CHECKING_DISABLED: number
  export const DNSSEC_OK: number

  export function encode(packet: Packet): Buffer
  /** Throws on anything that is no DNS message. */
  export function decode(bytes: Buffer): DecodedPacket
  /** With the two length octets of DNS over TCP (RFC 1035 §4.2.2). */
  export function streamEncode(packet: Packet): Buffer
  export function streamDecode(bytes: Buffer): DecodedPacket
}
