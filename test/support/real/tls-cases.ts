/**
 * Recipient domains and what becomes of a message to each: the table of `test/real/tls-policies.test.ts`.
 */
import type { ServerResponse } from 'node:http'
import type { StsPolicy } from '../../../src/mail/sts-policy.ts'
import { policyText, sendPolicy } from '../policy-host.ts'

export const signed = 'signed.example'
export const unsigned = 'unsigned.example'
export const ours = 'ours.example'
const day = 86_400_000

/** Receivers, each at an address of its own; host names in the tables begin with one of these. */
export const receivers = [
  'good',
  'selfsigned',
  'expired',
  'wrongname',
  'nodnsid',
  'plain',
  'chain',
  'chainname',
  'chainold',
] as const
export type Receiver = (typeof receivers)[number]

/** `3 1 1 good`: the record that names the certificate of that receiver; `TA`: the authority of the chains. */
export type Tlsa = `${0 | 1 | 2 | 3} ${0 | 1} ${0 | 1 | 2} ${Receiver | 'TA'}` | '3 1 9 nonsense'

export interface Case {
  readonly title: string
  /** Label of the recipient domain. */
  readonly domain: string
  readonly zone: typeof signed | typeof unsigned
  /** MX hosts in the order to try, full names; default: the domain itself, at `at`. */
  readonly mx?: readonly string[]
  readonly at?: Receiver
  /** By host. */
  readonly tlsa?: Readonly<Record<string, readonly Tlsa[]>>
  /** Host → alias target. */
  readonly alias?: Readonly<Record<string, string>>
  /** Hosts of which the records, or their signatures, are spoilt after signing. */
  readonly spoilt?: 'TLSA' | 'MX'
  readonly sts?: {
    /** Default: one, with id 1. */
    readonly records?: readonly string[]
    readonly answer: string | ((response: ServerResponse, path: string) => void)
    /** A policy kept from before. */
    readonly kept?: Partial<StsPolicy>
    readonly certificate?: 'untrusted' | 'wrong name'
    readonly address?: string
  }
  /** As `outcomeOf` tells it. */
  readonly expect: string
  /** Whether its policy host is asked. */
  readonly asked?: boolean
}

export const inUnsigned = (label: string) => `${label}.${unsigned}`
export const inSigned = (label: string) => `${label}.${signed}`
const enforcing = (...mx: string[]) => policyText('enforce', mx.map(inUnsigned))
const testing = (...mx: string[]) => policyText('testing', mx.map(inUnsigned))
const kept = (mode: StsPolicy['mode'], mx: string, { fetched, expires }: { fetched: number; expires: number }) => {
  const now = Date.now()
  const times = { fetchedAt: now + fetched, expiresAt: now + expires, usedAt: now }
  return { id: 'old', mode, mx: [inUnsigned(mx)], lines: policyText(mode, [inUnsigned(mx)]).split('\r\n'), ...times }
}
export const gone = (response: ServerResponse) => void response.writeHead(404).end()

/** A case of MTA-STS: its hosts are named after receivers, in the unsigned zone. */
function sts(
  title: string,
  domain: string,
  mx: readonly string[],
  policy: Case['sts'],
  expect: string,
  asked = true,
): Case {
  return { title, domain, zone: unsigned, mx: mx.map(inUnsigned), ...(policy && { sts: policy }), expect, asked }
}

/** A case of DANE: one host `<receiver>.<domain>` in the signed zone with these records. */
function dane(
  title: string,
  domain: string,
  at: Receiver,
  tlsa: readonly Tlsa[],
  expect: string,
  more: Partial<Case> = {},
): Case {
  const host = inSigned(`${at}.${domain}`)
  return { title, domain, zone: signed, mx: [host], tlsa: { [host]: tlsa }, expect, ...more }
}

const refusedBySts = 'deferred (tls-policy) by mta-sts:enforce'
const refusedByDane = 'deferred (tls-policy) by dane'
const provenByDane = 'delivered verified by dane'
const asAlways = 'delivered unverified'

export const cases: readonly Case[] = [
  // ── MTA-STS ──
  sts(
    'enforce, and all is well',
    'e1',
    ['good'],
    { answer: enforcing('good') },
    'delivered verified by mta-sts:enforce',
  ),
  sts(
    'enforce, certificate of an unknown authority',
    'e2',
    ['selfsigned'],
    { answer: enforcing('selfsigned') },
    refusedBySts,
  ),
  sts('enforce, certificate expired', 'e3', ['expired'], { answer: enforcing('expired') }, refusedBySts),
  sts('enforce, certificate of another name', 'e4', ['wrongname'], { answer: enforcing('wrongname') }, refusedBySts),
  sts(
    'enforce, certificate with a common name only',
    'e5',
    ['nodnsid'],
    { answer: enforcing('nodnsid') },
    refusedBySts,
  ),
  sts('enforce, STARTTLS taken out', 'e6', ['plain'], { answer: enforcing('plain') }, refusedBySts),
  sts(
    'enforce, the second host is the good one',
    'e7',
    ['selfsigned', 'plain', 'good'],
    { answer: enforcing('*') },
    'delivered verified by mta-sts:enforce',
  ),
  sts('enforce, the host is not in the policy', 'e8', ['good'], { answer: enforcing('other') }, refusedBySts),
  sts(
    'enforce, a wildcard for the host',
    'e9',
    ['good.mail'],
    { answer: enforcing('*.mail') },
    'delivered verified by mta-sts:enforce',
  ),
  sts(
    'enforce, a wildcard is for one label only',
    'e10',
    ['good.deep.mail'],
    { answer: enforcing('*.mail') },
    refusedBySts,
  ),
  sts(
    'testing, certificate of an unknown authority',
    't1',
    ['selfsigned'],
    { answer: testing('selfsigned') },
    'delivered unverified by mta-sts:testing',
  ),
  sts(
    'testing, STARTTLS taken out',
    't2',
    ['plain'],
    { answer: testing('plain') },
    'delivered plain by mta-sts:testing',
  ),
  sts(
    'testing, the host is not in the policy',
    't3',
    ['good'],
    { answer: testing('other') },
    'delivered verified by mta-sts:testing',
  ),
  sts('mode none', 'n1', ['plain'], { answer: policyText('none', []) }, 'delivered plain'),
  sts(
    'a kept policy while its host is gone',
    'k1',
    ['selfsigned'],
    { answer: gone, kept: kept('enforce', 'selfsigned', { fetched: -2 * day, expires: day }) },
    refusedBySts,
  ),
  sts(
    'a kept policy while its record is gone',
    'k2',
    ['plain'],
    { records: [], answer: gone, kept: kept('enforce', 'plain', { fetched: -1000, expires: day }) },
    refusedBySts,
    false,
  ),
  sts(
    'an expired policy whose host is gone',
    'k3',
    ['plain'],
    { answer: gone, kept: kept('enforce', 'plain', { fetched: -9 * day, expires: -day }) },
    'delivered plain',
  ),
  sts(
    'an expired policy and a new one',
    'k4',
    ['selfsigned'],
    { answer: enforcing('selfsigned'), kept: kept('testing', 'selfsigned', { fetched: -9 * day, expires: -day }) },
    refusedBySts,
  ),
  sts(
    'a policy host with a certificate of an unknown authority',
    'h1',
    ['plain'],
    { answer: enforcing('plain'), certificate: 'untrusted' },
    'delivered plain',
    false,
  ),
  sts(
    'a policy host with a certificate of another name',
    'h2',
    ['plain'],
    { answer: enforcing('plain'), certificate: 'wrong name' },
    'delivered plain',
    false,
  ),
  sts('a policy host that redirects', 'h3', ['plain'], { answer: redirect }, 'delivered plain'),
  sts(
    'a policy that is too large',
    'h4',
    ['plain'],
    { answer: `${enforcing('plain')}${'x: y\n'.repeat(20_000)}` },
    'delivered plain',
  ),
  sts(
    'a policy host that never ends',
    'h5',
    ['plain'],
    { answer: response => void response.writeHead(200, { 'content-type': 'text/plain' }).write('version: STSv1\n') },
    'delivered plain',
  ),
  sts(
    'a policy that is HTML',
    'h6',
    ['plain'],
    { answer: response => sendPolicy(response, enforcing('plain'), 'text/html') },
    'delivered plain',
  ),
  sts('a policy that is nonsense', 'h7', ['plain'], { answer: 'version: STSv1\nmode: enforce\n' }, 'delivered plain'),
  sts(
    'a policy host at an address nobody may be sent to',
    'h8',
    ['plain'],
    { answer: enforcing('plain'), address: '0.0.0.0' },
    'delivered plain',
    false,
  ),
  sts(
    'two records that announce a policy',
    'r1',
    ['plain'],
    { records: ['v=STSv1; id=1;', 'v=STSv1; id=2;'], answer: enforcing('plain') },
    'delivered plain',
    false,
  ),
  sts('no policy at all', 'p1', ['plain'], undefined, 'delivered plain', false),
  // ── DANE ──
  dane('the key of the host', 'd1', 'selfsigned', ['3 1 1 selfsigned'], provenByDane),
  dane('the whole certificate, though it expired', 'd2', 'expired', ['3 0 0 expired'], provenByDane),
  dane('a certificate of another name', 'd3', 'wrongname', ['3 0 2 wrongname'], provenByDane),
  dane('another certificate', 'd4', 'good', ['3 1 1 selfsigned'], refusedByDane),
  dane('a new key beside the old one', 'd5', 'good', ['3 1 1 selfsigned', '3 1 1 good'], provenByDane),
  dane('the authority', 'd6', 'chain', ['2 0 1 TA'], provenByDane, {
    mx: [inSigned('chain')],
    tlsa: { [inSigned('chain')]: ['2 0 1 TA'] },
  }),
  dane('the key of the authority, and the name of the domain', 'd7', 'chain', ['2 1 1 TA'], provenByDane),
  dane('the authority, and another name', 'd8', 'chainname', ['2 0 1 TA'], refusedByDane),
  dane('the authority, and an expired certificate', 'd9', 'chainold', ['2 0 1 TA'], refusedByDane, {
    mx: [inSigned('chainold')],
    tlsa: { [inSigned('chainold')]: ['2 0 1 TA'] },
  }),
  dane('STARTTLS taken out', 'd10', 'plain', ['3 1 1 plain'], refusedByDane),
  dane(
    'records of no use',
    'd11',
    'selfsigned',
    ['1 1 1 good', '0 0 1 TA', '3 1 9 nonsense'],
    'delivered unverified by dane:unusable',
  ),
  dane('records of no use, and no STARTTLS', 'd12', 'plain', ['1 1 1 good'], 'deferred (tls-policy) by dane:unusable'),
  dane('a spoilt signature of the records', 'd13', 'good', ['3 1 1 good'], refusedByDane, { spoilt: 'TLSA' }),
  dane('a spoilt signature of the MX', 'd14', 'good', ['3 1 1 good'], 'deferred (dns-trouble)', { spoilt: 'MX' }),
  dane('a second host with good records', 'd15', 'good', [], provenByDane, {
    mx: [inSigned('good.first.d15'), inSigned('good.d15')],
    tlsa: { [inSigned('good.first.d15')]: ['3 1 1 selfsigned'], [inSigned('good.d15')]: ['3 1 1 good'] },
  }),
  dane('records, and MTA-STS that could not be met', 'd16', 'selfsigned', ['3 1 1 selfsigned'], provenByDane, {
    sts: { answer: policyText('enforce', ['nobody.example']) },
  }),
  dane('no match, though MTA-STS is met', 'd17', 'good', ['3 1 1 selfsigned'], refusedByDane, {
    mx: [inSigned('good.d17')],
    sts: { answer: policyText('enforce', [inSigned('good.d17')]) },
  }),
  dane(
    'records of no use, and MTA-STS',
    'd18',
    'selfsigned',
    ['1 1 1 good'],
    'deferred (tls-policy) by dane:unusable+mta-sts:enforce',
    {
      sts: { answer: policyText('enforce', [inSigned('selfsigned.d18')]) },
    },
  ),
  dane('no records, vouched for', 'd19', 'selfsigned', [], asAlways),
  dane('no MX: the domain itself', 'd20', 'selfsigned', [], provenByDane, {
    mx: [],
    at: 'selfsigned',
    tlsa: { [inSigned('d20')]: ['3 1 1 selfsigned'] },
  }),
  dane('an alias inside of the zone, records at its end', 'd21', 'selfsigned', [], provenByDane, {
    mx: [inSigned('alias.d21')],
    alias: { [inSigned('alias.d21')]: inSigned('selfsigned.d21') },
    tlsa: { [inSigned('selfsigned.d21')]: ['3 1 1 selfsigned'] },
  }),
  dane('an alias inside of the zone, records at its beginning', 'd22', 'selfsigned', [], refusedByDane, {
    mx: [inSigned('alias.d22')],
    alias: { [inSigned('alias.d22')]: inSigned('selfsigned.d22') },
    tlsa: { [inSigned('alias.d22')]: ['3 1 1 good'] },
  }),
  dane('an alias out of the zone, records at its beginning', 'd23', 'selfsigned', [], provenByDane, {
    mx: [inSigned('alias.d23')],
    alias: { [inSigned('alias.d23')]: inUnsigned('selfsigned') },
    tlsa: { [inSigned('alias.d23')]: ['3 1 1 selfsigned'] },
  }),
  dane('a host in a zone nobody vouches for', 'd24', 'selfsigned', [], asAlways, {
    mx: [inUnsigned('selfsigned.d24')],
    tlsa: { [inUnsigned('selfsigned.d24')]: ['3 1 1 good'] },
  }),
  {
    title: 'MX records nobody vouches for, though the host is vouched for',
    ...{ domain: 'd25', zone: unsigned, mx: [inSigned('selfsigned.d25')], expect: asAlways },
    tlsa: { [inSigned('selfsigned.d25')]: ['3 1 1 good'] },
  },
  // ── What we ask ourselves ──
  {
    title: 'a site that must prove itself',
    domain: 's1',
    zone: unsigned,
    mx: [inUnsigned('selfsigned.verified')],
    expect: 'deferred (tls-policy) by site:verified',
  },
  {
    title: 'a site that must prove itself, and does',
    domain: 's2',
    zone: unsigned,
    mx: [inUnsigned('good.verified')],
    expect: 'delivered verified by site:verified',
  },
  {
    title: 'a site that must do TLS',
    domain: 's3',
    zone: unsigned,
    mx: [inUnsigned('plain.required')],
    expect: 'deferred (tls-policy) by site:required',
  },
  {
    title: 'a site that must do TLS, and does',
    domain: 's4',
    zone: unsigned,
    mx: [inUnsigned('selfsigned.required')],
    expect: 'delivered unverified by site:required',
  },
]

/** What the reply must say of those that are deferred, by recipient domain. */
export const reasons: Readonly<Record<string, RegExp>> = {
  e2: /^451 4\.7\.5 .*DEPTH_ZERO_SELF_SIGNED_CERT$/,
  e3: /CERT_HAS_EXPIRED$/,
  e4: /ERR_TLS_CERT_ALTNAME_INVALID$/,
  e5: /ERR_TLS_CERT_ALTNAME_INVALID$/,
  e6: /^451 4\.7\.4 .*no STARTTLS: 502/,
  e8: /good\.unsigned\.example is not among the mx of the MTA-STS policy of e8\.unsigned\.example/,
  e10: /good\.deep\.mail\.unsigned\.example is not among the mx/,
  k1: /DEPTH_ZERO_SELF_SIGNED_CERT$/,
  k2: /no STARTTLS/,
  k4: /DEPTH_ZERO_SELF_SIGNED_CERT$/,
  d4: /dane: TLSA_MISMATCH$/,
  d8: /dane: ERR_TLS_CERT_ALTNAME_INVALID$/,
  d9: /dane: CERT_HAS_EXPIRED$/,
  d10: /dane: no STARTTLS/,
  d12: /dane:unusable: no STARTTLS/,
  d13: /whether good\.d13\.signed\.example has TLSA records can't be found out: .*SERVFAIL/,
  d14: /^451 4\.4\.3 .*SERVFAIL/,
  d17: /dane: TLSA_MISMATCH$/,
  d18: /DEPTH_ZERO_SELF_SIGNED_CERT$/,
  d22: /dane: TLSA_MISMATCH$/,
  s1: /site:verified: DEPTH_ZERO_SELF_SIGNED_CERT$/,
  s3: /site:required: no STARTTLS/,
}

function redirect(response: ServerResponse, path: string): void {
  if (path.startsWith('/elsewhere')) sendPolicy(response, enforcing('plain'))
  else response.writeHead(302, { location: '/elsewhere' }).end()
}

export function nameOf({ domain, zone }: Case): string {
  return `${domain}.${zone}`
}

export function policyOf(name: string): Case | undefined {
  return cases.find(one => `mta-sts.${nameOf(one)}` === name)
}
