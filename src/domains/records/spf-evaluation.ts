/**
 * What a receiver's SPF would say about one address (RFC 7208 check_host), by mailauth in its strict mode.
 *
 * Fails with nothing but what is no DnsTrouble: DNS trouble is `temperror`.
 */
import { spf as evaluate } from 'mailauth/lib/spf/index.js'
import { type Answer, DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import { addressOfReverseName } from '../../dns/reverse-name.ts'
import type { DomainName } from '../../mail/ids.ts'
import { expandMacros } from './spf-macro.ts'
import { isSpfRecord, readTerms, redirectTerm, type SpfTerm } from './spf-terms.ts'
import type { WalkedSender } from './spf-walk.ts'

export interface Evaluation {
  readonly ip: string
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror'
  /** Why, where it is an error. */
  readonly text: string
}

export async function evaluateSpf({ ip, domain, helo }: WalkedSender, resolver: Resolver): Promise<Evaluation> {
  const { status } = await evaluate({
    ip,
    sender: `postmaster@${domain}`,
    helo,
    mta: helo,
    strict: true,
    resolver: (name: string, type: string) => nodeAnswer(resolver, name, type),
  } as Parameters<typeof evaluate>[0])
  return { ip, result: status.result as Evaluation['result'], text: readableText(String(status.comment ?? '')) }
}

/** The same, were this the domain's record. */
export function evaluateRecord(record: string, sender: WalkedSender, resolver: Resolver): Promise<Evaluation> {
  return evaluateSpf(sender, publishing({ [sender.domain]: record }, resolver))
}

/** Deeper than ten lookups can lead. */
const maxDepth = 10
/** In one record: each is evaluated alone, and a stranger's record may have thousands. */
const maxTerms = 200

/** The term that decided, and within includes and redirects the way to it; empty: none did. */
export async function matchedTerms(sender: WalkedSender, resolver: Resolver): Promise<readonly string[]> {
  const path: string[] = []
  let name: DomainName | null = sender.domain
  while (name !== null && path.length < maxDepth) {
    const records: readonly string[] = (await resolver.txt(name)).records.filter(isSpfRecord)
    const terms = readTerms(records[0] ?? '')
    if (terms.length > maxTerms) return path
    const matched: SpfTerm | null = (await firstMatch(terms, name, sender, resolver)) ?? redirectTerm(terms)
    if (matched === null || records.length !== 1) return path
    path.push(matched.text)
    const leads: boolean = matched.name === 'include' || matched.name === 'redirect'
    name = leads ? expandMacros(matched.value, { ...sender, domain: name, sender: sender.domain }) : null
  }
  return path
}

/** Each term is tried alone, in a record that says no otherwise. */
async function firstMatch(terms: readonly SpfTerm[], name: DomainName, sender: WalkedSender, resolver: Resolver) {
  for (const term of terms) {
    if (term.kind !== 'mechanism') continue
    const alone = { [name]: `v=spf1 ${term.text.replace(/^[+\-~?]/, '')} -all` }
    const asked = name === sender.domain ? alone : { [sender.domain]: `v=spf1 redirect=${name}`, ...alone }
    if ((await evaluateSpf(sender, publishing(asked, resolver))).result === 'pass') return term
  }
  return null
}

function publishing(records: Readonly<Record<DomainName, string>>, resolver: Resolver): Resolver {
  return {
    ...resolver,
    txt(name) {
      const record = records[name.toLowerCase()]
      return record === undefined ? resolver.txt(name) : Promise.resolve({ status: 'found', records: [record], ttl: 0 })
    },
  }
}

/** mailauth puts its sentence around the cause. */
function readableText(comment: string): string {
  return comment.replace(/^.*(?:during lookup of \S+: ?)/, '')
}

/** Answers in the shapes and with the error codes of node:dns, which mailauth expects. */
async function nodeAnswer(resolver: Resolver, name: DomainName, type: string): Promise<unknown[]> {
  switch (type) {
    case 'TXT':
      return records(await asked(resolver.txt(name))).map(text => [text])
    case 'MX':
      return records(await asked(resolver.mx(name))).map(({ preference: priority, exchange }) => ({
        priority,
        exchange,
      }))
    case 'AAAA':
      return [...records(await asked(resolver.aaaa(name)))]
    case 'PTR':
      return [...records(await asked(resolver.ptr(addressOfReverseName(name) ?? name)))]
    default:
      return [...records(await asked(resolver.a(name)))]
  }
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    // mailauth takes a time-out's text for its own; any other code keeps ours and is a temperror too.
    throw error instanceof DnsTrouble
      ? Object.assign(new Error(error.message, { cause: error }), { code: 'ESERVFAIL' })
      : error
  }
}

function records<T>(answer: Answer<T>): readonly T[] {
  if (answer.status === 'found') return answer.records
  throw Object.assign(new Error(answer.status), { code: answer.status === 'nxdomain' ? 'ENOTFOUND' : 'ENODATA' })
}
