/**
 * SPF records as real domains have them, and a zone of ours for all they refer to, shaped like that of real providers.
 */
import type { Zone } from '../../src/dns/zone.ts'

/** Of both kinds, so that no sender's lookup is void. */
const tenHosts: Zone = Object.fromEntries(
  Array.from({ length: 10 }, (_, n) => [`h${n}.example`, { A: [`192.0.2.${130 + n}`], AAAA: [`2001:db8:7000::${n}`] }]),
)

/** What the records refer to. */
export const providers: Zone = {
  // A suite with netblocks behind one include: four lookups.
  '_spf.suite.example': { TXT: ['v=spf1 include:_net1.suite.example include:_net2.suite.example include:_net3.suite.example ~all'] },
  '_net1.suite.example': { TXT: ['v=spf1 ip4:192.0.2.0/28 ip4:192.0.2.16/29 ~all'] },
  '_net2.suite.example': { TXT: ['v=spf1 ip6:2001:db8:1000::/40 ip6:2001:db8:2000::/40 ~all'] },
  '_net3.suite.example': { TXT: ['v=spf1 ip4:192.0.2.32/30 ~all'] },
  'spf.protection.office.example': { TXT: ['v=spf1 ip4:192.0.2.64/29 ip4:192.0.2.72/31 ip6:2001:db8:3000::/46 -all'] },
  'bulk.example': { TXT: ['v=spf1 ip4:192.0.2.80/30 ip4:192.0.2.84/31 ?all'] },
  'mail.desk.example': { TXT: ['v=spf1 ip4:192.0.2.88/30 ~all'] },
  'cloudmail.example': { TXT: ['v=spf1 ip4:192.0.2.92/30 ip6:2001:db8:4000::/48 -all'] },
  '_spf.crm.example': { TXT: ['v=spf1 exists:%{i}._spf.mta.crm.example -all'] },
  '192.0.2.97._spf.mta.crm.example': { A: ['127.0.0.2'] },
  'u1234.wl.sender.example': { TXT: ['v=spf1 ip4:192.0.2.100 ip4:192.0.2.101 -all'] },
  'spf.sender.rental.example': { TXT: ['v=spf1 ip4:192.0.2.104/29 ~all'] },
  'sv1234.rental.example': { A: ['192.0.2.112'], AAAA: ['2001:db8:5000::112'] },
  'www9876.other-rental.example': { A: ['192.0.2.113'] },
  '_spf.redirected.example': { TXT: ['v=spf1 ip4:192.0.2.116/31 include:mail.desk.example ~all'] },
  '_spf-hard.redirected.example': { TXT: ['v=spf1 ip4:192.0.2.118 -all'] },
  'spf.alias.example': { CNAME: 'spf.target.example' },
  'spf.target.example': { TXT: ['v=spf1 ip4:192.0.2.119 ~all'] },
  'deep1.example': { TXT: ['v=spf1 include:deep2.example ~all'] },
  'deep2.example': { TXT: ['v=spf1 include:deep3.example ~all'] },
  'deep3.example': { TXT: ['v=spf1 a:deep-host.example ~all'] },
  'deep-host.example': { A: ['192.0.2.120'] },
  '97.2.0.192.in-addr.shield.example': { TXT: ['v=spf1 ip4:192.0.2.97 ~all'] },
  'mail.pointed.example': { A: ['192.0.2.121'] },
  '121.2.0.192.in-addr.arpa': { PTR: ['mail.pointed.example'] },
  ...tenHosts,
} // biome-ignore format: a table

/** Beside the record: hosts of the domain itself, so that `a`, `mx` and `%{d}` find something. */
export function ownHosts(domain: string): Zone {
  return {
    [domain]: { A: ['192.0.2.124'], MX: [[10, `mx1.${domain}`], [20, `mx2.${domain}`]] },
    [`mx1.${domain}`]: { A: ['192.0.2.125'], AAAA: ['2001:db8:6000::125'] },
    [`mx2.${domain}`]: { A: ['192.0.2.126'] },
    [`192.0.2.127.ok.${domain}`]: { A: ['127.0.0.2'] },
  } // biome-ignore format: a table
}

/** Addresses that are not ours: in the records above, beside them, and in nobody's. */
export const others = [
  ...[3, 20, 33, 65, 72, 81, 85, 89, 93, 97, 98, 100, 105, 112, 113, 117, 118, 119, 120, 121].map(n => `192.0.2.${n}`),
  ...[124, 125, 126, 127, 130, 139, 200].map(n => `192.0.2.${n}`),
  '198.51.100.99',
  '203.0.113.9',
  '2001:db8:1000::1',
  '2001:db8:3000::1',
  '2001:db8:5000::112',
  '2001:db8:6000::125',
  '2001:db8:ffff::1',
]

const nine = Array.from({ length: 9 }, (_, n) => `a:h${n}.example`).join(' ')

/** Shapes; the sentence says what is special, `<own>` is the domain. */
export const realRecords: Readonly<Record<string, string>> = {
  'a suite alone': 'v=spf1 include:_spf.suite.example ~all',
  'a suite, hard': 'v=spf1 include:_spf.suite.example -all',
  'an office alone': 'v=spf1 include:spf.protection.office.example -all',
  'a suite and an office': 'v=spf1 include:_spf.suite.example include:spf.protection.office.example ~all',
  'an office and a bulk sender': 'v=spf1 include:spf.protection.office.example include:bulk.example -all',
  'a suite, a desk and a bulk sender': 'v=spf1 include:_spf.suite.example include:mail.desk.example include:bulk.example ~all',
  'a crm by exists with macros': 'v=spf1 include:_spf.crm.example ~all',
  'a crm and an office': 'v=spf1 include:spf.protection.office.example include:_spf.crm.example -all',
  'a sender of its own subdomain': 'v=spf1 include:u1234.wl.sender.example -all',
  'a rental server as its panel writes it': 'v=spf1 +a:sv1234.rental.example +a:<own> +mx include:spf.sender.rental.example ~all',
  'another rental server': 'v=spf1 a:www9876.other-rental.example mx ~all',
  'a rental server and a suite': 'v=spf1 +a:sv1234.rental.example +a +mx include:_spf.suite.example ~all',
  'mx alone': 'v=spf1 mx ~all',
  'mx alone, hard': 'v=spf1 mx -all',
  'a and mx': 'v=spf1 a mx ~all',
  'a and mx with networks': 'v=spf1 a/31 mx/31 -all',
  'mx with networks of both kinds': 'v=spf1 mx/31//120 ~all',
  'one address': 'v=spf1 ip4:192.0.2.200 ~all',
  'one address, hard': 'v=spf1 ip4:192.0.2.200 -all',
  'many addresses': `v=spf1 ${Array.from({ length: 20 }, (_, n) => `ip4:192.0.2.${n * 10}`).join(' ')} ~all`,
  'addresses of both kinds': 'v=spf1 ip4:192.0.2.96/30 ip6:2001:db8:1000::/48 ip6:2001:db8:3000::1 ~all',
  'nobody sends': 'v=spf1 -all',
  'nobody softly': 'v=spf1 ~all',
  'neutral to all': 'v=spf1 ?all',
  'neutral after an include': 'v=spf1 include:cloudmail.example ?all',
  'no all': 'v=spf1 include:cloudmail.example ip4:192.0.2.200',
  'a redirect': 'v=spf1 redirect=_spf.redirected.example',
  'terms before a redirect': 'v=spf1 mx ip4:192.0.2.200 redirect=_spf.redirected.example',
  'a redirect to a hard end': 'v=spf1 redirect=_spf-hard.redirected.example',
  'capitals and spaces': 'V=SPF1  IP4:192.0.2.200   Include:Mail.Desk.Example  ~ALL ',
  'a written plus everywhere': 'v=spf1 +ip4:192.0.2.200 +include:bulk.example +mx ~all',
  'denied and neutral parts': 'v=spf1 -ip4:192.0.2.81 ?ip4:192.0.2.97 include:bulk.example mx ~all',
  'an include that only softly passes': 'v=spf1 ~include:bulk.example ?include:mail.desk.example mx -all',
  'our own network denied': 'v=spf1 -ip4:198.51.100.0/24 mx ~all',
  'exists of its own': 'v=spf1 exists:%{i}.ok.%{d} mx ~all',
  'a shield by macro include': 'v=spf1 exists:%{i}.ok.%{o} ip4:192.0.2.200 a:%{d} -all',
  'a reverse name': 'v=spf1 ptr:pointed.example mx ~all',
  'an explanation and an unknown modifier': 'v=spf1 ip4:192.0.2.200 op=auth exp=why.<own> -all',
  'the same twice': 'v=spf1 include:mail.desk.example mx include:mail.desk.example mx ip4:192.0.2.200 ~all',
  'an alias and a deep include': 'v=spf1 include:spf.alias.example include:deep1.example ~all',
  'terms after all': 'v=spf1 ip4:192.0.2.200 ~all ip4:192.0.2.97 include:bulk.example',
  'nine lookups, and one of ours': `v=spf1 ${nine} ~all`,
  'ten lookups, none left for our include': `v=spf1 ${nine} a:h9.example -all`,
  'a suite, an office, a crm, a desk and a bulk sender': 'v=spf1 include:_spf.suite.example include:spf.protection.office.example include:_spf.crm.example include:mail.desk.example ~all',
} // biome-ignore format: a table

export const tooLong: Readonly<Record<string, { readonly record: string; readonly before: number }>> = {
  'eleven hosts': { record: `v=spf1 ${nine} a:h9.example mx ~all`, before: 11 },
  'three suites': { record: 'v=spf1 include:_spf.suite.example include:deep1.example include:_spf.redirected.example include:_spf.crm.example a mx ~all', before: 14 },
} // biome-ignore format: a table
