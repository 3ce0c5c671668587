/**
 * NSD, a real authoritative name server, on loopback: serves zone literals from zone files.
 *
 * A name outside of the given zones is REFUSED, as from any authoritative server.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import type { Zone, ZoneEntry } from '../../../src/dns/zone.ts'
import { tlsaText } from '../../../src/tls/dane.ts'
import { needProgram, run, start, temporaryFolder, waitFor } from './program.ts'

export interface Nsd extends AsyncDisposable {
  readonly port: number
  /** Replaces the records of all zones; resolves when they are served. */
  publish(zone: Zone): Promise<void>
}

export interface NsdOptions {
  readonly port: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** The names of the zones it serves. An entry with NS at such a name replaces its name server. */
  readonly zones: readonly string[]
  readonly zone: Zone
  /** Zones it is to serve, but whose files are missing: it answers SERVFAIL. */
  readonly broken?: readonly string[]
  /** Zones as text instead, signed ones for instance. Their serial is 1, and they don't change. */
  readonly written?: Readonly<Record<string, string>>
  /** Seconds; default 0: every change counts at once. */
  readonly ttl?: number
  /** How long an absence holds (RFC 2308 §4); default 0. */
  readonly minimum?: number
}

export async function startNsd(test: Context, options: NsdOptions): Promise<Nsd> {
  const nsd = needProgram(test, 'nsd')
  const dig = needProgram(test, 'dig')
  const { port, zones, host = '127.0.0.1', broken = [] } = options
  const folder = temporaryFolder('kitte-nsd-')
  chmodSync(folder.path, 0o755)
  mkdirSync(join(folder.path, 'zones'))
  let serial = 1
  const write = (zone: Zone) => {
    for (const apex of zones) {
      const text = options.written?.[apex] ?? zoneFile(apex, zone, serial, options)
      writeFileSync(join(folder.path, 'zones', apex), text)
    }
  }
  const isServed = async () => {
    const asked = zones.map(apex =>
      run(dig, [`@${host}`, '-p', String(port), '+short', '+time=1', '+tries=1', 'SOA', apex]),
    )
    return (await Promise.all(asked)).every(({ stdout }) => stdout.split(' ')[2] === String(serial))
  }
  write(options.zone)
  writeFileSync(join(folder.path, 'nsd.conf'), configurationOf(folder.path, `${host}@${port}`, [...zones, ...broken]))
  const running = await start(nsd, ['-d', '-c', join(folder.path, 'nsd.conf')], isServed)
  return {
    port,
    async publish(zone) {
      serial++
      write(zone)
      process.kill(running.process.pid!, 'SIGHUP')
      await waitFor('nsd to serve the new zones', isServed)
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function configurationOf(folder: string, address: string, zones: readonly string[]): string {
  return `server:
  ip-address: ${address}
  do-ip6: no
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${folder}/zones"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  verbosity: 1
remote-control:
  control-enable: no
${zones.map(apex => `zone:\n  name: ${apex}\n  zonefile: ${apex}\n`).join('')}`
}

/** RFC 1035 §5. */
export function zoneFile(
  apex: string,
  zone: Zone,
  serial: number,
  { ttl = 0, minimum = 0 }: Pick<NsdOptions, 'ttl' | 'minimum'>,
): string {
  const named = zone[apex]?.NS ?? []
  const names = Object.entries(zone).filter(([name]) => name === apex || name.endsWith(`.${apex}`))
  return [
    `$TTL ${ttl}`,
    `${apex}. ${minimum} SOA ns.${apex}. hostmaster.${apex}. ${serial} 3600 600 86400 ${minimum}`,
    ...(named.length > 0 ? [] : [`${apex}. NS ns.${apex}.`, `ns.${apex}. A 127.0.0.1`]),
    ...names.flatMap(([name, entry]) => recordLines(`${name}.`, entry)),
    '',
  ].join('\n')
}

function recordLines(owner: string, entry: ZoneEntry): string[] {
  return [
    ...(entry.A ?? []).map(address => `${owner} A ${address}`),
    ...(entry.AAAA ?? []).map(address => `${owner} AAAA ${address}`),
    ...(entry.MX ?? []).map(([preference, exchange]) => `${owner} MX ${preference} ${exchange}.`),
    ...(entry.TXT ?? []).map(text => `${owner} TXT ${[text].flat().flatMap(quoted).join(' ')}`),
    ...(entry.NS ?? []).map(host => `${owner} NS ${host}.`),
    ...(entry.PTR ?? []).map(name => `${owner} PTR ${name}.`),
    ...(entry.TLSA ?? []).map(record => `${owner} TLSA ${tlsaText(record)}`),
    ...(entry.CNAME === undefined ? [] : [`${owner} CNAME ${entry.CNAME}.`]),
  ]
}

/** Character-strings of at most 255 octets; what is no graphic ASCII as three decimal digits (RFC 1035 §5.1). */
function quoted(text: string): string[] {
  const octets = Buffer.from(text)
  const pieces: string[] = []
  for (let at = 0; at === 0 || at < octets.length; at += 255)
    pieces.push(`"${[...octets.subarray(at, at + 255)].map(escaped).join('')}"`)
  return pieces
}

function escaped(octet: number): string {
  const sign = String.fromCharCode(octet)
  if (sign === '"' || sign === '\\') return `\\${sign}`
  return octet >= 0x20 && octet < 0x7f ? sign : `\\${String(octet).padStart(3, '0')}`
}
