/**
 * The records that make a host one that receivers take mail from: its addresses, their reverse names, the MX of bounces.
 *
 * A name must lead to the address and the address back to the name (RFC 1912 §2.1; large receivers insist on it).
 * Fails with nothing: DNS trouble is a judgement.
 */
import ipaddr from 'ipaddr.js'
import { DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import { addressOfReverseName } from '../../dns/reverse-name.ts'
import type { RelayRecord } from '../relay-records.ts'
import { type Judgement, notPublished, published, unknown } from './record-kind.ts'

/** A or AAAA: the address must be among those of the name. */
export function judgeAddress({ type, name, value }: RelayRecord, resolver: Resolver): Promise<Judgement> {
  return judging(async () => {
    const found = await addressesOf(name, type, resolver)
    if (found.length === 0) return notPublished('absent')
    if (found.some(address => isSame(address, value))) return published(found)
    return notPublished('address-differs', found, { addresses: found.join(' ') })
  })
}

/** The reverse name must be the host's, and the host must have the address (forward-confirmed). */
export function judgeReverse({ name, value: host }: RelayRecord, resolver: Resolver): Promise<Judgement> {
  return judging(async () => {
    const ip = addressOfReverseName(name)!
    const detail = { ip: ipaddr.parse(ip).toString() }
    const found = (await resolver.ptr(ip)).records
    if (found.length === 0) return notPublished('ptr-absent', [], detail)
    if (!found.includes(host)) return notPublished('ptr-differs', found, { ...detail, names: found.join(' ') })
    const addresses = await addressesOf(host, ip.includes(':') ? 'AAAA' : 'A', resolver)
    if (addresses.some(address => isSame(address, ip))) return published(found)
    return notPublished('ptr-unconfirmed', found, { ...detail, host })
  })
}

/** The host must be among those that take the name's mail. */
export function judgeExchange({ name, value }: RelayRecord, resolver: Resolver): Promise<Judgement> {
  return judging(async () => {
    const { records } = await resolver.mx(name)
    const host = value.split(' ')[1]!
    const found = records.map(({ preference, exchange }) => `${preference} ${exchange || '.'}`)
    if (found.length === 0) return notPublished('absent')
    if (records.some(({ exchange }) => exchange === host)) return published(found)
    return notPublished('mx-elsewhere', found, { exchanges: found.join(', ') })
  })
}

async function addressesOf(name: string, type: string, resolver: Resolver): Promise<readonly string[]> {
  return (await (type === 'AAAA' ? resolver.aaaa(name) : resolver.a(name))).records
}

/** IPv6 has many spellings (RFC 5952). */
function isSame(one: string, other: string): boolean {
  return ipaddr.parse(one).toString() === ipaddr.parse(other).toString()
}

async function judging(judge: () => Promise<Judgement>): Promise<Judgement> {
  try {
    return await judge()
  } catch (error) {
    if (error instanceof DnsTrouble) return unknown(error.message)
    throw error
  }
}
