/**
 * The world around the table of TLS cases: certificates of every kind, and the zones that name the receivers.
 */
import { createHash } from 'node:crypto'
import type { TlsaRecord } from '../../../src/dns/resolver.ts'
import type { Zone, ZoneEntry } from '../../../src/dns/zone.ts'
import { type Issued, testAuthority } from '../authority.ts'
import { cases, inSigned, inUnsigned, nameOf, type Receiver, receivers, type Tlsa } from './tls-cases.ts'

export interface Certificates {
  readonly known: ReturnType<typeof testAuthority>
  readonly of: Readonly<Record<Receiver, Issued>>
  policyHost(wanted: 'untrusted' | 'wrong name' | undefined): Issued
  record(tlsa: Tlsa): TlsaRecord
}

export function certificates(): Certificates {
  const [known, own] = [testAuthority('known authority'), testAuthority('own authority')]
  const yesterday = new Date(Date.now() - 3_600_000)
  const both = (label: string) => [inUnsigned(label), inSigned(label)]
  const goodNames = [
    ...both('good'),
    ...['mail', 'deep.mail', 'verified'].map(label => inUnsigned(`good.${label}`)),
    inSigned('good.d17'),
  ]
  const good = known.issue({ names: goodNames })
  const of = {
    good,
    plain: good,
    selfsigned: known.issue({ names: both('selfsigned'), selfSigned: true }),
    expired: known.issue({ names: both('expired'), notAfter: yesterday }),
    wrongname: known.issue({ names: ['other.example'] }),
    nodnsid: known.issue({ names: both('nodnsid'), withoutDnsIds: true }),
    chain: own.issue({ names: [inSigned('chain'), inSigned('d7')], showAuthority: true }),
    chainname: own.issue({ names: ['other.example'], showAuthority: true }),
    chainold: own.issue({ names: [inSigned('chainold')], notAfter: yesterday, showAuthority: true }),
  }
  const hosts = known.issue({ names: cases.map(one => `mta-sts.${nameOf(one)}`) })
  return {
    known,
    of,
    policyHost: wanted => (wanted === undefined ? hosts : wanted === 'untrusted' ? of.selfsigned : of.wrongname),
    record(tlsa) {
      const [usage, selector, matchingType, name] = tlsa.split(' ')
      const form = { usage: Number(usage), selector: Number(selector), matchingType: Number(matchingType) }
      if (name === 'nonsense') return { ...form, data: Buffer.from('nonsense') }
      const { x509 } = name === 'TA' ? own : of[name as Receiver]
      const whole = form.selector === 0 ? x509.raw : x509.publicKey.export({ type: 'spki', format: 'der' })
      const hash = ['', 'sha256', 'sha512'][form.matchingType]!
      return { ...form, data: hash === '' ? whole : createHash(hash).update(whole).digest() }
    },
  }
}

export function zoneOf(
  addresses: Record<Receiver, string>,
  port: number,
  policyHosts: string,
  world: Certificates,
): Zone {
  const entries: Record<string, ZoneEntry> = {}
  const add = (name: string, entry: ZoneEntry) => {
    entries[name] = { ...entries[name], ...entry }
  }
  const addHost = (name: string) => {
    const receiver = receivers.find(known => name.startsWith(`${known}.`))
    if (receiver) add(name, { A: [addresses[receiver]] })
  }
  for (const one of cases) {
    const { mx = [], at, tlsa = {}, alias = {}, sts: policy } = one
    for (const host of mx) if (!(host in alias)) addHost(host)
    if (mx.length > 0) add(nameOf(one), { MX: mx.map((host, i) => [10 * (i + 1), host] as const) })
    if (at && mx.length === 0) add(nameOf(one), { A: [addresses[at]] })
    for (const [host, target] of Object.entries(alias)) {
      add(host, { CNAME: target })
      addHost(target)
    }
    for (const [host, records] of Object.entries(tlsa))
      if (records.length > 0) add(`_${port}._tcp.${host}`, { TLSA: records.map(world.record) })
    if (policy === undefined) continue
    add(`mta-sts.${nameOf(one)}`, { A: [policy.address ?? policyHosts] })
    add(`_mta-sts.${nameOf(one)}`, { TXT: policy.records ?? ['v=STSv1; id=1;'] })
  }
  return entries
}

/** Makes the records of some names other than those that were signed. */
export function spoil(text: string): string {
  const lines = text.split('\n').map(line => {
    const spoilt = cases.find(one => one.spoilt && line.includes(`${nameOf(one)}.`))
    if (!spoilt || !new RegExp(`\\sIN\\s+${spoilt.spoilt}\\s`).test(line)) return line
    return spoilt.spoilt === 'TLSA' ? line.replace(/[0-9a-f]{8}$/i, '00000000') : line.replace(/MX\s+10/, 'MX\t11')
  })
  return lines.join('\n')
}
