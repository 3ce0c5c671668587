import type { Zone } from '../../../src/dns/zone.ts'
import { type Keys, name, type Situation, situation } from './situation.ts'

/** Spread over several places, as panels and people do it. `alias`: the record behind the CNAME form's first name. */
export function dkimSituations({ rsa, older, ed25519, alias }: Keys, target: string): readonly Situation[] {
  const p = rsa.publicKey
  const at = `${rsa.selector}._domainkey.${name}`
  const fixed = `${alias.selector}._domainkey.${name}`
  const there: Zone = { [name]: { A: ['203.0.113.1'] } }
  const record = (...texts: (string | string[])[]): Zone => ({ ...there, [at]: { TXT: texts } })
  const right = `v=DKIM1; k=rsa; p=${p}`
  const place = (where: string, text = right): Zone => ({ ...there, [where]: { TXT: [text] } })
  const edAt = `${ed25519.selector}._domainkey.${name}`
  const ed = { domain: { keys: [ed25519] } }
  const cname = { domain: { keys: [alias], dkimForm: 'cname' as const } }
  const aliasRight = `v=DKIM1; k=rsa; p=${alias.publicKey}`
  // biome-ignore format: a table
  return [
    situation('the record as issued', record(right), 'ok'),
    situation('it came in two character-strings', record([right.slice(0, 200), right.slice(200)]), 'ok'),
    situation('it came in ten character-strings', record(right.match(/.{1,45}/g)!), 'ok'),
    situation('the order of its tags is another', record(`v=DKIM1; p=${p}; k=rsa`), 'ok'),
    situation('it has no spaces', record(`v=DKIM1;k=rsa;p=${p};`), 'ok'),
    situation('it has many spaces', record(` v = DKIM1 ;  k = rsa ;  p = ${p} `), 'ok'),
    situation('it says the key alone', record(`p=${p}`), 'ok'),
    situation('a space stands in the key', record(`v=DKIM1; k=rsa; p=${p.slice(0, 100)} ${p.slice(100)}`), 'ok'),
    situation('it has unknown tags', record(`${right}; n=ours; zz=1`), 'ok'),
    situation('it is for mail only', record(`v=DKIM1; s=email; p=${p}`), 'ok'),
    situation('it allows SHA-256 among others', record(`v=DKIM1; h=sha1:sha256; p=${p}`), 'ok'),
    situation('it forbids subdomains', record(`v=DKIM1; t=s; p=${p}`), 'ok'),
    situation('it is a test', record(`v=DKIM1; t=y; p=${p}`), 'ok'),
    situation('it is found by way of a CNAME', { ...there, [at]: { CNAME: 'keys.other.example' }, 'keys.other.example': { TXT: [right] } }, 'ok'),
    situation('its answer comes over TCP only', record(right), 'ok', { faults: { truncated: [at] } }),
    situation('an Ed25519 key as issued', place(edAt, `v=DKIM1; k=ed25519; p=${ed25519.publicKey}`), 'ok', ed),
    situation('both CNAMEs as asked for, the key behind them', { ...there, [fixed]: { CNAME: target }, [target]: { TXT: [aliasRight] } }, 'ok', cname),
    situation('nothing is there', there, 'absent'),
    situation('the domain does not exist', {}, 'absent'),
    situation('an address stands there', { ...there, [at]: { A: ['203.0.113.1'] } }, 'absent'),
    situation('the CNAME of the fixed name is missing', { ...there, [target]: { TXT: [aliasRight] } }, 'absent', cname),
    situation('the domain was written twice', place(`${at}.${name}`), 'host-doubled'),
    situation('it stands at the domain itself', { [name]: { TXT: ['v=spf1 ~all', right] } }, 'at-apex'),
    situation('it stands without the selector', place(`_domainkey.${name}`), 'wrong-selector'),
    situation('it stands at the selector alone', place(`${rsa.selector}.${name}`), 'wrong-selector'),
    situation('the underscore is missing', place(`${rsa.selector}.domainkey.${name}`), 'wrong-selector'),
    situation('it stands under a common selector', place(`default._domainkey.${name}`), 'wrong-selector'),
    situation('it replaced the older key', place(`${older.selector}._domainkey.${name}`), 'wrong-selector'),
    situation('only the older key is there', place(`${older.selector}._domainkey.${name}`, `v=DKIM1; k=rsa; p=${older.publicKey}`), 'old-selector'),
    situation('the older key stands in its place', record(`v=DKIM1; k=rsa; p=${older.publicKey}`), 'old-key'),
    situation('a stranger’s key stands in its place', record('v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKd'), 'key-differs'),
    situation('the key was cut at 255 octets', record(right.slice(0, 255)), 'truncated'),
    situation('the last letter of the key is missing', record(right.slice(0, -1)), 'truncated'),
    situation('only the end of the key is there', record(`v=DKIM1; k=rsa; p=${p.slice(-120)}`), 'truncated'),
    situation('the key is in lower case', record(`v=DKIM1; k=rsa; p=${p.toLowerCase()}`), 'case-changed'),
    situation('the plus signs became spaces', record(`v=DKIM1; k=rsa; p=${p.replaceAll('+', ' ')}`), 'plus-lost'),
    situation('one letter of the key is another', record(`v=DKIM1; k=rsa; p=${p.slice(0, 90)}${p[90] === 'A' ? 'B' : 'A'}${p.slice(91)}`), 'key-differs'),
    situation('the key is revoked', record('v=DKIM1; k=rsa; p='), 'revoked'),
    situation('two keys stand at the selector', record(`v=DKIM1; k=rsa; p=${older.publicKey}`, right), 'several-keys'),
    situation('a wildcard’s SPF stands beside it', record(right, 'v=spf1 -all'), 'several-keys'),
    situation('it came apart into two records', record(right.slice(0, 220), right.slice(220)), 'split-records'),
    situation('it says the wrong kind of key', record(`v=DKIM1; k=ed25519; p=${p}`), 'wrong-key-type'),
    situation('it says the algorithm in place of the kind', record(`v=DKIM1; k=rsa-sha256; p=${p}`), 'wrong-key-type'),
    situation('an Ed25519 key says it is RSA', place(edAt, `v=DKIM1; k=rsa; p=${ed25519.publicKey}`), 'wrong-key-type', ed),
    situation('an Ed25519 key does not say what it is', place(edAt, `v=DKIM1; p=${ed25519.publicKey}`), 'wrong-key-type', ed),
    situation('it is for another service', record(`v=DKIM1; s=tlsrpt; p=${p}`), 'wrong-service'),
    situation('it allows SHA-1 only', record(`v=DKIM1; h=sha1; p=${p}`), 'hash-excluded'),
    situation('it has quotation marks', record(`"${right}"`), 'quotes'),
    situation('quotation marks of a zone file stand in the middle', record(`${right.slice(0, 200)}" "${right.slice(200)}`), 'quotes'),
    situation('it has backslashes', record(right.replaceAll(';', '\\;')), 'backslashes'),
    situation('it lost its semicolons', record(right.replaceAll(';', '')), 'semicolons-lost'),
    situation('it lost semicolons and spaces', record(right.replaceAll('; ', '')), 'semicolons-lost'),
    situation('it has commas for semicolons', record(right.replaceAll(';', ',')), 'semicolons-lost'),
    situation('it was typed in full width', record(`ｖ＝ＤＫＩＭ１； k=rsa； p=${p}`), 'full-width'),
    situation('a full-width space separates', record(`v=DKIM1;　k=rsa;　p=${p}`), 'full-width'),
    situation('a no-break space separates', record(`v=DKIM1;\u00a0k=rsa;\u00a0p=${p}`), 'full-width'),
    situation('its version stands last', record(`k=rsa; p=${p}; v=DKIM1`), 'syntax'),
    situation('its version is another', record(`v=DKIM2; k=rsa; p=${p}`), 'syntax'),
    situation('its version is in lower case', record(`v=dkim1; k=rsa; p=${p}`), 'syntax'),
    situation('it has no key', record('v=DKIM1; k=rsa'), 'syntax'),
    situation('it has a tag twice', record(`v=DKIM1; p=${p}; p=${p}`), 'syntax'),
    situation('it is no DKIM record', record('hello world'), 'syntax'),
    situation('a CNAME leads to nothing', { ...there, [at]: { CNAME: 'gone.example' } }, 'wrong-type'),
    situation('a CNAME leads to another key', { ...there, [at]: { CNAME: 'keys.other.example' }, 'keys.other.example': { TXT: [`v=DKIM1; p=${older.publicKey}`] } }, 'wrong-type'),
    situation('the CNAME of the fixed name leads elsewhere', { ...there, [fixed]: { CNAME: 'dkim.other.example' }, [target]: { TXT: [aliasRight] } }, 'cname-elsewhere', cname),
    situation('the CNAME of the fixed name has the domain behind it', { ...there, [fixed]: { CNAME: `${target}.${name}` }, [target]: { TXT: [aliasRight] } }, 'target-doubled', cname),
    situation('the relay’s zone lacks the key', { ...there, [fixed]: { CNAME: target }, 'relay.example': { A: ['198.51.100.20'] } }, 'target-absent', cname),
    situation('the relay’s zone has an older key', { ...there, [fixed]: { CNAME: target }, [target]: { TXT: [`v=DKIM1; k=rsa; p=${older.publicKey}`] } }, 'target-stale', cname),
    situation('a TXT stands where the CNAME was asked for', { ...there, [fixed]: { TXT: [`v=DKIM1; k=rsa; p=${older.publicKey}`] } }, 'cname-replaced', cname),
    situation('the server fails', there, 'dns-error', { faults: { servfail: [at] } }),
    situation('the server refuses', there, 'dns-error', { faults: { refused: [at] } }),
    situation('the server is silent', there, 'dns-error', { faults: { silent: [at] } }),
    situation('the target of a CNAME fails', { ...there, [at]: { CNAME: 'keys.other.example' } }, 'dns-error', { faults: { servfail: ['keys.other.example'] } }),
  ]
}
