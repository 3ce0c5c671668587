/**
 * What DNSSEC says of a host's certificate: its TLSA records (RFC 7672 §2, RFC 6698, RFC 7671).
 *
 * They count only where everything that leads to them was validated: the MX records that name the host, its addresses and
 * the TLSA records themselves. An answer that can't be had, or was found forged (both come as DNS trouble), is a reason
 * not to use the host now (§2.1.1, §2.1.2): otherwise whoever can break DNS could switch DANE off. Never throws for what
 * DNS does.
 */
import { type Answer, DnsTrouble, type Resolver, type TlsaRecord } from '../dns/resolver.ts'
import type { DomainName, HostName } from '../mail/ids.ts'

export type HostDane =
  | {
      readonly kind: 'usable'
      /** Owner of the records without port and protocol: for SNI, and the first name a certificate may have (§3.2.3). */
      readonly base: HostName
      /** Names a certificate below a trust anchor may have. */
      readonly names: readonly HostName[]
      readonly records: readonly TlsaRecord[]
      /** The records as text, for reports; equal ones mean the same. */
      readonly strings: readonly string[]
    }
  /** There are records, and none that can be used: TLS is a must, and proves nothing (§2.2). */
  | { readonly kind: 'unusable'; readonly base: HostName; readonly strings: readonly string[] }
  /** Nobody could say. */
  | { readonly kind: 'failed'; readonly base: HostName; readonly detail: string }

export interface DaneParts {
  readonly resolver: Resolver
  /** Of the MX hosts. */
  readonly port: number
  readonly ipv6: boolean
}

/** The names by which DNSSEC vouches for the way to the domain's hosts. */
export interface SecureMx {
  /** MX hosts, or the domain itself where it has none. */
  readonly hosts: ReadonlySet<HostName>
  /** The recipient domain, and where its CNAMEs led. */
  readonly domains: readonly DomainName[]
}

/** Null: it does not vouch. Trouble is no such answer: the hosts may have been found by one that was remembered until now. */
export async function secureMx(
  domain: DomainName,
  { resolver }: Pick<DaneParts, 'resolver'>,
): Promise<SecureMx | DnsTrouble | null> {
  if (resolver.validating !== true || domain.startsWith('[')) return null
  const answer = await orTrouble(() => resolver.mx(domain))
  if (answer instanceof DnsTrouble) return answer
  if (answer.secure !== true) return null
  const domains = answer.end === undefined ? [domain] : [domain, answer.end]
  const exchanges = answer.records.map(({ exchange }) => exchange)
  return { hosts: new Set(answer.status === 'found' ? exchanges : [domain]), domains }
}

/** Null: DANE says nothing about this host. */
export async function findHostDane(host: HostName, mx: SecureMx, parts: DaneParts): Promise<HostDane | null> {
  if (!mx.hosts.has(host)) return null
  const bases = await secureBases(host, parts)
  if (bases instanceof DnsTrouble) return unknownFor(host, bases)
  for (const base of bases) {
    const owner = `_${parts.port}._tcp.${base}`
    const answer = await orTrouble(() => parts.resolver.tlsa(owner))
    if (answer instanceof DnsTrouble) return unknownFor(base, answer)
    if (answer.status === 'found' && answer.secure === true) return judged(host, base, mx, answer.records)
  }
  return null
}

/** Whoever can break a lookup must not switch DANE off with it. */
export function unknownFor(base: HostName, { message }: DnsTrouble): HostDane {
  return { kind: 'failed', base, detail: message }
}

/**
 * Where TLSA records may stand (RFC 7672 §2.2.3): at the end of the host's CNAMEs when all of them are secure, else at the
 * host's own name. Where the end is insecure, the name may still be vouched for by the first CNAME. Empty: nowhere.
 */
async function secureBases(host: HostName, { resolver, ipv6 }: DaneParts): Promise<HostName[] | DnsTrouble> {
  const asked: (Answer<string> | DnsTrouble)[] = await Promise.all([
    orTrouble(() => resolver.a(host)),
    ...(ipv6 ? [orTrouble(() => resolver.aaaa(host))] : []),
  ])
  const answers = asked.flatMap(answer => (answer instanceof DnsTrouble ? [] : [answer]))
  const trouble = asked.find(answer => answer instanceof DnsTrouble)
  if (answers.length === 0 && trouble !== undefined) return trouble
  const end = answers.find(answer => answer.end !== undefined)?.end
  if (answers.every(({ secure }) => secure === true)) return end === undefined ? [host] : [end, host]
  if (end === undefined) return []
  const alias = await orTrouble(() => resolver.cname(host))
  if (alias instanceof DnsTrouble) return alias
  return alias.status === 'found' && alias.secure === true ? [host] : []
}

function judged(host: HostName, base: HostName, mx: SecureMx, found: readonly TlsaRecord[]): HostDane {
  const strings = found.map(tlsaText).sort()
  const records = strongest(found.filter(isUsable))
  if (records.length === 0) return { kind: 'unusable', base, strings }
  return { kind: 'usable', base, names: [...new Set([base, host, ...mx.domains])], records, strings }
}

const digestOctets: Readonly<Record<number, number>> = { 1: 32, 2: 64 }

/** RFC 7672 §3.1.3: PKIX-TA(0) and PKIX-EE(1) are not for SMTP. What this does not know it can't use (RFC 6698 §4.1). */
function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false
  return matchingType === 0 ? data.length > 0 : digestOctets[matchingType] === data.length
}

/** RFC 7671 §9: of several digests for one usage and selector only the strongest counts. */
function strongest(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter(
    one =>
      one.matchingType !== 1 ||
      !records.some(({ usage, selector, matchingType }) => {
        return matchingType === 2 && usage === one.usage && selector === one.selector
      }),
  )
}

/** As in a zone file. */
export function tlsaText({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${data.toString('hex')}`
}

async function orTrouble<T>(lookup: () => Promise<Answer<T>>): Promise<Answer<T> | DnsTrouble> {
  try {
    return await lookup()
  } catch (error) {
    if (error instanceof DnsTrouble) return error
    throw error
  }
}
