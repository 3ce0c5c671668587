/**
 * Judges an arrived message as a receiver does: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 9989) by mailauth.
 *
 * DNS comes from the sandbox's own name server. Never fails for what a message contains: trouble is a result, such as
 * temperror, like everywhere in mail.
 */
import { authenticate, type DNSResolver } from 'mailauth'
import type { Answer, Resolver } from '../dns/resolver.ts'

export interface ArrivedTransaction {
  readonly ip: string
  readonly helo: string
  /** `''` is the null reverse-path. */
  readonly reversePath: string
}

export interface Verdict {
  readonly spf: { readonly result: string; readonly domain: string }
  /** One per signature, in the order of the header. */
  readonly dkim: readonly { readonly result: string; readonly domain: string; readonly selector: string }[]
  readonly dmarc: { readonly result: string; readonly domain: string; readonly policy: string }
  /** Value of the Authentication-Results field (RFC 8601), unfolded. */
  readonly authenticationResults: string
}

export async function verifyArrival(
  raw: Buffer,
  { ip, helo, reversePath }: ArrivedTransaction,
  resolver: Resolver,
  authservId: string,
): Promise<Verdict> {
  const options = { disableArc: true, disableBimi: true, mta: authservId, resolver: mailauthResolver(resolver) }
  const result = await authenticate(raw, { ...options, ip, helo, ...(reversePath && { sender: reversePath }) })
  const spf = result.spf || null
  const dmarc = result.dmarc || null
  return {
    spf: { result: spf?.status.result ?? 'none', domain: spf?.domain ?? '' },
    dkim: result.dkim.results.map(({ status, signingDomain, selector }) => ({
      result: status.result,
      domain: signingDomain ?? '',
      selector: selector ?? '',
    })),
    dmarc: { result: dmarc?.status.result ?? 'none', domain: dmarc?.domain ?? '', policy: dmarc?.policy ?? '' },
    authenticationResults: authenticationResultsOf(result.headers),
  }
}

/** `spf=pass dkim=pass dmarc=pass`: the best signature counts. */
export function summaryOf({ spf, dkim, dmarc }: Verdict): string {
  const signature = dkim.find(({ result }) => result === 'pass') ?? dkim[0]
  return `spf=${spf.result} dkim=${signature?.result ?? 'none'} dmarc=${dmarc.result}`
}

function authenticationResultsOf(headers: string): string {
  const [, value = ''] = /^Authentication-Results: ([\s\S]*?)\r?\n(?![ \t])/m.exec(headers) ?? []
  return value.replace(/\r?\n[ \t]+/g, ' ').trim()
}

/** mailauth asks like `dns.promises.resolve`: records of one type, absence as an error with a code. */
function mailauthResolver(resolver: Resolver): DNSResolver {
  return async (name, type) => {
    const answer = await ask(resolver, name.toLowerCase().replace(/\.$/, ''), type)
    if (answer.status === 'found') return answer.records as string[]
    const code = answer.status === 'nxdomain' ? 'ENOTFOUND' : 'ENODATA'
    throw Object.assign(new Error(`${type} ${name}: ${answer.status}`), { code })
  }
}

async function ask(resolver: Resolver, name: string, type: string): Promise<Answer<unknown>> {
  switch (type) {
    case 'TXT': {
      const answer = await resolver.txt(name)
      return { ...answer, records: answer.records.map(text => [text]) }
    }
    case 'MX': {
      const answer = await resolver.mx(name)
      return { ...answer, records: answer.records.map(record => ({ ...record, priority: record.preference })) }
    }
    case 'A':
      return resolver.a(name)
    case 'AAAA':
      return resolver.aaaa(name)
    case 'CNAME':
      return resolver.cname(name)
    case 'NS':
      return resolver.ns(name)
    default:
      return { status: 'nodata', records: [], ttl: 0 }
  }
}
