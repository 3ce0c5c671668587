/**
 * A table of DNS situations as real zones, asked by real DNS messages: each has the stated state and reason, and what
 * Kitte calls published a receiver accepts.
 *
 * The receivers share nothing with the judgement: SPF by mailauth and by an evaluation of its own (test/support/second-spf.ts),
 * DKIM by mailauth and by node:crypto over a message that was really signed, DMARC by mailauth, hosts by node:dns; all ask
 * through node:dns. What a receiver refuses may be called anything but published.
 */
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto'
import { Resolver as NodeResolver } from 'node:dns/promises'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { dmarc as mailauthDmarc } from 'mailauth/lib/dmarc/index.js'
import { spf as mailauthSpf } from 'mailauth/lib/spf/index.js'
import { loadConfig } from '../../src/base/config.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import { systemResolver } from '../../src/dns/system-resolver.ts'
import { aliasTarget } from '../../src/domains/fixed-selectors.ts'
import { reasons } from '../../src/domains/reasons.ts'
import { dkim } from '../../src/domains/records/dkim.ts'
import { dmarc } from '../../src/domains/records/dmarc.ts'
import type { RecordConfig, RecordKind } from '../../src/domains/records/record-kind.ts'
import { returnPath, returnPathSpf } from '../../src/domains/records/return-path.ts'
import { spf } from '../../src/domains/records/spf.ts'
import { tracking } from '../../src/domains/records/tracking.ts'
import type { DkimKey } from '../../src/mail/sender-domain.ts'
import { newDkimKey } from '../../src/signing/key-factory.ts'
import { sign } from '../../src/signing/signer.ts'
import { patienceMs } from '../support/patience.ts'
import { type Nsd, startNsd } from '../support/real/nsd.ts'
import { freePort } from '../support/real/program.ts'
import { secondSpf } from '../support/second-spf.ts'
import { steadyClock } from '../support/steady-clock.ts'
import { startZoneDns, type ZoneDns } from '../support/zone-dns.ts'
import { domainWith, keyWith } from './domain-with.ts'
import { dkimSituations } from './situations/dkim.ts'
import {
  dmarcSituations,
  returnPathSituations,
  returnPathSpfSituations,
  trackingSituations,
} from './situations/hosts.ts'
import {
  type Keys,
  name,
  relayHost,
  relayZone,
  type Situation,
  sendingIp,
  trackingTarget,
} from './situations/situation.ts'
import { spfSituations } from './situations/spf.ts'

const loaded = loadConfig([], {})
const baseConfig: RecordConfig = {
  ...loaded,
  hostname: relayHost,
  relayDomain: { name: 'relay.example', bounceHost: 'bounce.relay.example' },
  spf: {
    mechanisms: [`ip4:${sendingIp}`, 'include:spf.relay.example'],
    all: '~all',
    sendingIps: [sendingIp],
    acceptHardFail: false,
  },
  domains: { ...loaded.domains, trackingTarget },
}
const content = Buffer.from(
  `From: Sales <sales@${name}>\r\nTo: someone@there.example\r\nSubject: Hello\r\nDate: Thu, 15 Jan 2026 12:00:00 +0900\r\n` +
    'Message-ID: <1@ours.example>\r\n\r\nHow do you do?\r\n',
)
const now = Date.UTC(2026, 0, 15, 3)
/** Where the server never answers, and a wait is all there is to see. */
const hastyMs = 250

/** Whether a receiver finds what it needs. */
type Receiver = (situation: Situation, by: Fresh) => Promise<boolean>
/** Each asks on a socket of its own: our server answers one question per connection. */
type Fresh = () => NodeResolver

const privateKeys = new Map<string, KeyObject>()
let dns: ZoneDns
let patient: Resolver
let hasty: Resolver
let receiversRefused = 0
let situationsSeen = 0

const keys = await makeKeys()
const target = aliasTarget(domainWith({ name }), keys.alias.selector, baseConfig)

const tables: readonly (readonly [kind: RecordKind, situations: readonly Situation[], receiver: Receiver])[] = [
  [spf, spfSituations, ({ spf: change }, by) => spfPasses(name, change?.sendingIps ?? [sendingIp], by)],
  [dkim, dkimSituations(keys, target), ({ domain }, by) => dkimPasses(domain?.keys?.[0] ?? keys.rsa, by)],
  [dmarc, dmarcSituations, (_, by) => dmarcApplies(by)],
  [returnPath, returnPathSituations, (_, by) => takesBounces(`bounce.${name}`, by)],
  [returnPathSpf, returnPathSpfSituations, (_, by) => spfPasses(`bounce.${name}`, [sendingIp], by)],
  [tracking, trackingSituations, (_, by) => leadsToRelay(`click.${name}`, by)],
]

describe('a DNS situation, judged by Kitte and by receivers:', () => {
  before(async () => {
    dns = await startZoneDns()
    const asking = { servers: [dns.server], clock: steadyClock }
    patient = systemResolver({ ...asking, timeoutMs: patienceMs })
    hasty = systemResolver({ ...asking, timeoutMs: hastyMs })
  })
  after(async () => {
    patient.close()
    hasty.close()
    await dns[Symbol.asyncDispose]()
  })

  for (const [kind, situations, receiver] of tables) {
    describe(`the ${kind.purpose} record, when`, () => {
      for (const situation of situations) {
        it(`${situation.says}: ${situation.reason}`, async () => {
          dns.serve({ ...relayZone, ...situation.zone }, situation.faults)
          const isSilent = situation.faults?.silent !== undefined
          const { state, reason } = await judge(kind, situation, isSilent ? hasty : patient)
          assert.deepEqual({ state, reason }, { state: situation.state, reason: situation.reason })
          const accepted = await receiver(situation, () => fresh(isSilent ? hastyMs : patienceMs))
          assert.ok(accepted || state !== 'published', 'a receiver does not accept what is called published')
          situationsSeen++
          if (!accepted) receiversRefused++
        })
      }
    })
  }

  describe('served by NSD, which shares no code with us,', () => {
    let nsd: Nsd
    let throughNsd: Resolver
    before(async function () {
      nsd = await startNsd(this, { port: await freePort(), zones: ['example', 'exmaple'], zone: relayZone })
      throughNsd = systemResolver({ servers: [`127.0.0.1:${nsd.port}`], timeoutMs: patienceMs, clock: steadyClock })
    })
    after(async () => {
      throughNsd?.close()
      await nsd?.[Symbol.asyncDispose]()
    })

    for (const [kind, situations] of tables)
      for (const situation of situations.filter(({ faults }) => faults === undefined))
        it(`the ${kind.purpose} record is judged alike when ${situation.says}`, async () => {
          await nsd.publish({ ...relayZone, ...situation.zone })
          const { state, reason } = await judge(kind, situation, throughNsd)
          assert.deepEqual({ state, reason }, { state: situation.state, reason: situation.reason })
        })
  })

  describe('the table of DNS situations', () => {
    it('has at least 120, of each kind of record, and receivers that refuse many of them', () => {
      assert.ok(situationsSeen >= 120, `${situationsSeen} situations`)
      for (const [kind, situations] of tables) assert.ok(situations.length >= 8, kind.purpose)
      assert.ok(receiversRefused >= 80, `receivers refuse ${receiversRefused}`)
      const said = tables.flatMap(([kind, situations]) => situations.map(({ says }) => `${kind.purpose} ${says}`))
      assert.equal(new Set(said).size, said.length)
    })

    it('knows a sentence and a fix in both languages for every reason in it', () => {
      for (const [, situations] of tables)
        for (const { reason } of situations)
          for (const text of [reasons[reason].message, reasons[reason].fix]) assert.ok(text.ja !== '' && text.en !== '')
    })
  })
})

function fresh(timeout: number): NodeResolver {
  const by = new NodeResolver({ timeout, tries: 1 })
  by.setServers([dns.server])
  return by
}

function judge(kind: RecordKind, { spf: change, domain: given }: Situation, by: Resolver) {
  const config = { ...baseConfig, spf: { ...baseConfig.spf, ...change } }
  const domain = domainWith({ name, keys: [keys.rsa, keys.older], returnPath: true, tracking: true, ...given })
  return kind.judge(kind.expected(domain, config)[0]!, domain, by, config)
}

async function makeKeys(): Promise<Keys> {
  const make = async (selector: string, change: Partial<DkimKey>, bits = 2048) => {
    const algorithm = change.algorithm ?? 'rsa'
    const { privateKeyPem, publicKey } = await newTypicalKey({ algorithm, bits })
    privateKeys.set(selector, createPrivateKey(privateKeyPem))
    return keyWith({ selector, publicKey, bits, ...change })
  }
  return {
    rsa: await make('20260115', {}),
    older: await make('20240125', { state: 'retired', createdAt: 1 }, 1024),
    ed25519: await make('20260115-2', { algorithm: 'ed25519', bits: 256 }, 256),
    alias: await make('kitte1', { form: 'cname' }),
  }
}

/** One with plus signs for a panel to lose, when it is an RSA key: one key in 200 has none. */
async function newTypicalKey(wanted: Parameters<typeof newDkimKey>[0]): ReturnType<typeof newDkimKey> {
  const key = await newDkimKey(wanted)
  return wanted.algorithm === 'rsa' && !key.publicKey.includes('+') ? newTypicalKey(wanted) : key
}

async function spfPasses(domain: string, ips: readonly string[], by: Fresh): Promise<boolean> {
  const sender = `postmaster@${domain}`
  const verdicts = await Promise.all(
    ips.flatMap(ip => [
      secondSpf(by(), ip, domain, sender),
      mailauthSpf({ ip, sender, helo: relayHost, mta: relayHost, resolver: asNode(by) } as never).then(
        ({ status }) => status.result,
      ),
    ]),
  )
  return verdicts.every(result => result === 'pass')
}

async function dkimPasses({ selector, algorithm }: DkimKey, by: Fresh): Promise<boolean> {
  const key = { domain: name, selector, algorithm, privateKey: privateKeys.get(selector)! }
  const { fields } = await sign(content, [key], now)
  const { results } = await dkimVerify(Buffer.concat([fields, content]), { resolver: asNode(by) } as never)
  const byMailauth = results.some(({ status }: { status: { result: string } }) => status.result === 'pass')
  return byMailauth && (await verifies(fields.toString('latin1'), selector, by))
}

/** RFC 6376 §6.1, by hand: the key as published, the hash of the body, the signature over the header fields. */
async function verifies(field: string, selector: string, by: Fresh): Promise<boolean> {
  const texts = await by()
    .resolveTxt(`${selector}._domainkey.${name}`)
    .catch(() => [])
  if (texts.length !== 1) return false
  const published = tagsOf(texts[0]!.join(''))
  const signature = tagsOf(field.slice(field.indexOf(':') + 1))
  const [type, data = ''] = [published.get('k') ?? 'rsa', published.get('p')?.replace(/\s/g, '')]
  if (data === '' || !signature.get('a')!.startsWith(type.toLowerCase())) return false
  const spki =
    type === 'ed25519' ? Buffer.concat([ed25519Prefix, Buffer.from(data, 'base64')]) : Buffer.from(data, 'base64')
  const body = content.subarray(content.indexOf('\r\n\r\n') + 4)
  if (createHash('sha256').update(body).digest('base64') !== signature.get('bh')!.replace(/\s/g, '')) return false
  try {
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const signed = Buffer.from(signedHeader(field, signature.get('h')!))
    const digest = type === 'ed25519' ? createHash('sha256').update(signed).digest() : signed
    const bytes = Buffer.from(signature.get('b')!.replace(/\s/g, ''), 'base64')
    return verifySignature(type === 'ed25519' ? null : 'sha256', digest, publicKey, bytes)
  } catch {
    return false
  }
}

/** RFC 8410 §4: what stands before the raw key in its SubjectPublicKeyInfo. */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex')

function tagsOf(text: string): Map<string, string> {
  const pairs = text.split(';').map(part => /^\s*([a-z]\w*)\s*=\s*([\s\S]*?)\s*$/i.exec(part))
  return new Map(pairs.flatMap(found => (found ? [[found[1]!, found[2]!] as const] : [])))
}

/** Relaxed (RFC 6376 §3.4.2); the names in h= once each, as our content has each field once. */
function signedHeader(field: string, names: string): string {
  const lines = content.toString('latin1').split('\r\n\r\n')[0]!.split('\r\n')
  const byName = new Map(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line]))
  const listed = names.split(':').map(one => one.trim().toLowerCase())
  const present = listed.filter((one, at) => byName.has(one) && listed.indexOf(one) === at)
  const unsigned = field.replace(/\r\n$/, '').replace(/(;\s*b=)[^;]*/, '$1')
  return [...present.map(one => relaxed(byName.get(one)!)), relaxed(unsigned)].join('\r\n')
}

function relaxed(line: string): string {
  const colon = line.indexOf(':')
  const value = line
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()
  return `${line.slice(0, colon).toLowerCase().trim()}:${value}`
}

/** With aligned SPF and DKIM the result is pass wherever a policy was found, and none where not. */
async function dmarcApplies(by: Fresh): Promise<boolean> {
  const found = await mailauthDmarc({
    headerFrom: name,
    spfDomains: [{ domain: name }],
    dkimDomains: [{ domain: name }],
    resolver: asNode(by),
  } as never)
  return found !== false && found.status.result === 'pass'
}

async function takesBounces(host: string, by: Fresh): Promise<boolean> {
  const exchanges = await by()
    .resolveMx(host)
    .catch(() => [])
  const best = exchanges.toSorted((a, b) => a.priority - b.priority)
  const addresses = await Promise.all(
    best.map(({ exchange }) =>
      by()
        .resolve4(exchange)
        .catch((): string[] => []),
    ),
  )
  return addresses.find(found => found.length > 0)?.includes(sendingIp) === true
}

async function leadsToRelay(host: string, by: Fresh): Promise<boolean> {
  const [found, wanted] = await Promise.all(
    [host, trackingTarget].map(one =>
      by()
        .resolve4(one)
        .catch((): string[] => []),
    ),
  )
  return found!.length > 0 && found!.every(address => wanted!.includes(address))
}

/** As `dns.promises.resolve` answers. */
function asNode(by: Fresh) {
  return (asked: string, type: string) => by().resolve(asked, type as 'TXT')
}
