import type { Zone } from '../../../src/dns/zone.ts'
import { name, relayHost, type Situation, situation, trackingTarget } from './situation.ts'

const there: Zone = { [name]: { A: ['203.0.113.1'] } }
const bounce = `bounce.${name}`
const click = `click.${name}`
const spf = 'v=spf1 ip4:198.51.100.20 include:spf.relay.example ~all'
const policy = (...texts: string[]): Zone => ({ ...there, [`_dmarc.${name}`]: { TXT: texts } })
const mx = (...exchanges: (readonly [number, string])[]): Zone => ({ ...there, [bounce]: { MX: exchanges } })
const text = (...texts: string[]): Zone => ({ ...there, [bounce]: { TXT: texts } })

// biome-ignore format: a table
export const dmarcSituations: readonly Situation[] = [
  situation('the record as issued', policy('v=DMARC1; p=none'), 'ok'),
  situation('it asks for quarantine and reports', policy('v=DMARC1; p=quarantine; rua=mailto:dmarc@ours.example; pct=100'), 'ok'),
  situation('it asks for rejection, with strict alignment', policy('v=DMARC1; p=reject; adkim=s; aspf=s'), 'ok'),
  situation('it has no spaces', policy('v=DMARC1;p=none;'), 'ok'),
  situation('it stands beside other texts', policy('other', 'v=DMARC1; p=none'), 'ok'),
  situation('it is found by way of a CNAME', { ...there, [`_dmarc.${name}`]: { CNAME: 'dmarc.other.example' }, 'dmarc.other.example': { TXT: ['v=DMARC1; p=none'] } }, 'ok'),
  situation('nothing is there', there, 'absent'),
  situation('it stands at the domain itself', { [name]: { TXT: ['v=DMARC1; p=none'] } }, 'absent'),
  situation('its version is in lower case', policy('v=dmarc1; p=none'), 'absent'),
  situation('two records are there', policy('v=DMARC1; p=none', 'v=DMARC1; p=reject'), 'two-records'),
  situation('it has no policy', policy('v=DMARC1; adkim=s'), 'syntax'),
  situation('its policy is none there is', policy('v=DMARC1; p=rejekt'), 'syntax'),
  situation('the server fails', there, 'dns-error', { faults: { servfail: [`_dmarc.${name}`] } }),
  situation('the server is silent', there, 'dns-error', { faults: { silent: [`_dmarc.${name}`] } }),
]

// biome-ignore format: a table
export const returnPathSituations: readonly Situation[] = [
  situation('the MX as asked for', mx([10, relayHost]), 'ok'),
  situation('its preference is another', mx([5, relayHost]), 'ok'),
  situation('another exchange stands behind it', mx([10, relayHost], [20, 'mx.other.example']), 'ok'),
  situation('nothing is there', there, 'absent'),
  situation('an address stands there', { ...there, [bounce]: { A: ['198.51.100.20'] } }, 'absent'),
  situation('it stands at the domain itself', { [name]: { MX: [[10, relayHost]] } }, 'absent'),
  situation('it is somebody else', mx([10, 'mx.other.example']), 'mx-elsewhere'),
  situation('it has the domain behind it', mx([10, `${relayHost}.${name}`]), 'mx-elsewhere'),
  situation('it takes no mail', mx([0, '']), 'mx-elsewhere'),
  situation('the server fails', there, 'dns-error', { faults: { servfail: [bounce] } }),
]

// biome-ignore format: a table
export const returnPathSpfSituations: readonly Situation[] = [
  situation('the record as issued', text(spf), 'ok'),
  situation('it forbids all others', text(spf.replace('~all', '-all')), 'ok'),
  situation('nothing is there', there, 'absent'),
  situation('only the MX is there', mx([10, relayHost]), 'absent'),
  situation('it stands at the domain itself', { [name]: { TXT: [spf] } }, 'absent'),
  situation('it is for somebody else', text('v=spf1 ip4:203.0.113.1 ~all'), 'mechanism-missing'),
  situation('it stands there twice', text(spf, 'v=spf1 ~all'), 'two-records'),
  situation('it lets anybody pass', text('v=spf1 +all'), 'pass-all'),
  situation('it has quotation marks', text(`"${spf}"`), 'syntax'),
  situation('the server is silent', there, 'dns-error', { faults: { silent: [bounce] } }),
]

// biome-ignore format: a table
export const trackingSituations: readonly Situation[] = [
  situation('the CNAME as asked for', { ...there, [click]: { CNAME: trackingTarget } }, 'ok'),
  situation('the provider answers the target’s address', { ...there, [click]: { A: ['198.51.100.80'] } }, 'ok'),
  situation('nothing is there', there, 'absent'),
  situation('it is an alias of somebody else', { ...there, [click]: { CNAME: 'click.other.example' }, 'click.other.example': { A: ['203.0.113.80'] } }, 'cname-elsewhere'),
  situation('it has the domain behind its target', { ...there, [click]: { CNAME: `${trackingTarget}.${name}` } }, 'target-doubled'),
  situation('it has an address of its own', { ...there, [click]: { A: ['203.0.113.80'] } }, 'cname-replaced'),
  situation('the server fails', there, 'dns-error', { faults: { servfail: [click] } }),
  situation('the server refuses', there, 'dns-error', { faults: { refused: [click] } }),
]
