/**
 * Looks for one record everywhere: at each authoritative server and at each configured resolver.
 *
 * Every answer is judged by its record kind as if it were all of DNS (`seen-by.ts`), then `everywhere.ts` makes one
 * judgement of them. Fails with nothing: trouble is a judgement.
 */
import type { Authority, AuthorityFault, Said, Testimony, Witness } from '../dns/authority.ts'
import { DnsTrouble, type Lookups, type Resolver } from '../dns/resolver.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { Check, ServerAnswer } from '../mail/sender-domain.ts'
import { judgeEverywhere, type Sighting, type Sightings } from './everywhere.ts'
import { type Judged, type Judgement, type RecordConfig, type RecordKind, unknown } from './records/record-kind.ts'
import { type Heard, lookUp, seenBy } from './seen-by.ts'

export interface Look {
  readonly judgement: Judgement
  readonly servers: readonly ServerAnswer[]
  readonly resolvers: readonly ServerAnswer[]
  readonly authorityFault: AuthorityFault | null
  readonly visibleAt: Instant | null
}

export interface Looking {
  readonly domain: Judged
  readonly kind: Pick<RecordKind, 'judge'>
  readonly record: Sought
  /** The last check; null: there is none. */
  readonly before: Check | null
  readonly config: RecordConfig
  /** The resolvers together, past our cache, and within the time of a check. */
  readonly resolver: Resolver
  /** The resolvers one by one. */
  readonly each: NonNullable<Resolver['each']>
  /** Null: only the resolvers are asked. */
  readonly authority: Authority | null
  readonly authoritySignal: AbortSignal
  readonly now: Instant
  readonly timeText: (at: Instant) => string
}

/** `judged`: by what was said. Most servers say the same, and to judge thousands of terms costs a tenth of a second. */
interface Judging extends Looking {
  readonly judged: Map<string, Promise<Judgement>>
}

/** A record of a sender domain, or of the relay itself. */
export type Sought = Pick<Heard, 'name' | 'type'> & Pick<Sightings, 'purpose'>

/** More would only repeat what these say. */
const maxResolvers = 3
/** DNS answers hold up to 64 KB, and there may be twenty who answer. */
const textsShown = 10
const longestShown = 1000
const notAsked: Testimony = { witnesses: [], fault: 'not-asked' }

export async function lookEverywhere(given: Looking): Promise<Look> {
  const looking: Judging = { ...given, judged: new Map() }
  const { domain, kind, record, before, config, resolver, authority, authoritySignal, now, timeText } = looking
  const [resolved, testimony, resolvers] = await Promise.all([
    kind.judge(record, domain, resolver, config),
    authority?.ask(record.name, questionFor(record), resolver, authoritySignal) ?? notAsked,
    askResolvers(looking),
  ])
  const servers = await Promise.all(
    testimony.witnesses.map(witness => sightingOf(witness, testimony.witnesses, looking)),
  )
  const { purpose } = record
  return {
    ...judgeEverywhere({ purpose, servers, resolvers, resolved, before, now, timeText }),
    servers: servers.map(withoutJudgement),
    resolvers: resolvers.map(withoutJudgement),
    authorityFault: testimony.fault,
  }
}

/** What a check keeps of it beside the judgement. */
export function witnessesOf({ servers, resolvers, authorityFault, visibleAt }: Look) {
  return {
    ...(servers.length > 0 ? { servers } : {}),
    resolvers,
    ...(authorityFault === null || authorityFault === 'not-asked' ? {} : { authorityFault }),
    ...(visibleAt === null ? {} : { visibleAt }),
  } satisfies Partial<Check>
}

/** A DKIM key is looked for as verifiers do, also where a CNAME is to be published (RFC 6376 §3.6.2). */
function questionFor({ purpose, type }: Sought): Heard['type'] {
  return purpose === 'dkim' ? 'TXT' : type
}

async function askResolvers(looking: Judging): Promise<readonly Sighting[]> {
  const { each, resolver } = looking
  if (each.length < 2) return [await askResolver(each[0]?.server ?? 'resolver', resolver, looking)]
  const asked = each.slice(0, maxResolvers)
  return Promise.all(asked.map(({ server, lookups }) => askResolver(server, lookups, looking)))
}

async function askResolver(server: string, lookups: Lookups, looking: Judging): Promise<Sighting> {
  const { record, resolver } = looking
  const type = questionFor(record)
  const place = { server, address: server, name: record.name }
  try {
    const [answer, alias] = await Promise.all([
      lookUp(lookups, type, record.name),
      type === 'CNAME' ? null : aliasOf(record, resolver),
    ])
    return seen(place, answer.ttl, await judgeHeard({ name: record.name, type, answer, alias }, looking))
  } catch (error) {
    if (error instanceof DnsTrouble) return { ...place, ...unseen('dns-error') }
    throw error
  }
}

async function aliasOf({ name }: Sought, resolver: Resolver): Promise<DomainName | null> {
  return (await resolver.cname(name)).records[0] ?? null
}

async function sightingOf(witness: Witness, all: readonly Witness[], looking: Judging): Promise<Sighting> {
  const { server, address, name, said } = witness
  const place = { server, address, name }
  if (said.kind === 'fault') return { ...place, ...unseen(said.fault) }
  const via = name === looking.record.name ? null : firstAlias(all, looking)
  const judgement = await judgeSaid(said, via, all, looking)
  const sighting = seen(place, said.kind === 'alias' ? said.ttl : said.answer.ttl, judgement)
  return said.kind === 'alias' ? { ...sighting, found: [said.target] } : sighting
}

/** `via`: the CNAME at the record's own name that led here; null there itself. */
async function judgeSaid(said: Said, via: DomainName | null, all: readonly Witness[], looking: Judging) {
  if (said.kind === 'fault') return unknown(said.fault)
  if (said.kind === 'alias') return judgeTarget(said, via ?? said.alias, all, looking)
  return judgeHeard({ ...heardAt(looking), answer: said.answer, alias: via ?? said.alias }, looking)
}

/** A server that only knows a CNAME shows the record as far as those of its target do. */
async function judgeTarget(
  { target, ttl }: Said & { kind: 'alias' },
  via: DomainName,
  all: readonly Witness[],
  looking: Judging,
): Promise<Judgement> {
  // Each step leaves the names it came through behind, so a loop of CNAMEs ends.
  const rest = all.filter(({ name }) => name !== target)
  const behind = all.filter(({ name, said }) => name === target && said.kind !== 'fault')
  const judged = await Promise.all(behind.map(({ said }) => judgeSaid(said, via, rest, looking)))
  return judged.find(({ state }) => state !== 'published') ?? judged[0] ?? judgeByResolver(via, ttl, looking)
}

/** Nobody is authoritative for the target, as far as we could ask: the resolvers know what is there. */
async function judgeByResolver(alias: DomainName, ttl: number, looking: Judging): Promise<Judgement> {
  const heard = heardAt(looking)
  try {
    const answer = await lookUp(looking.resolver, heard.type, alias)
    return judgeHeard({ ...heard, answer: { ...answer, ttl: Math.min(ttl, answer.ttl) }, alias }, looking)
  } catch (error) {
    if (error instanceof DnsTrouble) return unknown(error.message)
    throw error
  }
}

function firstAlias(all: readonly Witness[], { record }: Looking): DomainName | null {
  const aliases = all.filter(({ name }) => name === record.name).map(({ said }) => said)
  return aliases.flatMap(said => (said.kind === 'fault' ? [] : (said.alias ?? [])))[0] ?? null
}

function heardAt({ record }: Looking): Pick<Heard, 'name' | 'type'> {
  return { name: record.name, type: questionFor(record) }
}

function judgeHeard(heard: Heard, { kind, record, domain, resolver, config, judged }: Judging): Promise<Judgement> {
  const said = JSON.stringify([heard.answer.status, heard.answer.records, heard.alias])
  const judgement = judged.get(said) ?? kind.judge(record, domain, seenBy(resolver, heard), config)
  judged.set(said, judgement)
  return judgement
}

function seen(place: Pick<Sighting, 'server' | 'address' | 'name'>, ttl: number, judgement: Judgement): Sighting {
  const { state, reason, found } = judgement
  return { ...place, state, reason, found, ttl, judgement }
}

function unseen(reason: string): Omit<Sighting, 'server' | 'address' | 'name'> {
  return { state: 'dns-error', reason, found: [], ttl: 0, judgement: null }
}

/** As it is kept, for each server and in the history: what to publish is built on the judgement's own. */
function withoutJudgement({ judgement: _, ...answer }: Sighting): ServerAnswer {
  const found = answer.found
    .slice(0, textsShown)
    .map(text => (text.length > longestShown ? `${text.slice(0, longestShown)}…` : text))
  return { ...answer, found }
}
