/**
 * The SPF record of a sender domain: one record that lets the relay's addresses pass (RFC 7208).
 *
 * Judged by meaning: every sending address is evaluated as a receiver would (by mailauth, in its strict mode), and the
 * wanted mechanisms are looked for in the record and in what it includes. With a live record the answer is that record
 * with what is missing put before its `all`; never a second one (RFC 7208 §3.2).
 */
import { spf as evaluate } from 'mailauth/lib/spf/index.js'
import { type Answer, DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import { addressOfReverseName } from '../../dns/reverse-name.ts'
import type { DomainName } from '../../mail/ids.ts'
import type { Check, DnsRecord, SenderDomain } from '../../mail/sender-domain.ts'
import {
  type Judgement,
  lastCheck,
  notPublished,
  published,
  type RecordConfig,
  type RecordKind,
  unknown,
} from './record-kind.ts'
import { gives, isSpfRecord, mergeRecords, readTerm, readTerms } from './spf-terms.ts'
import { maxLookups, type SpfWalk, walkSpf } from './spf-walk.ts'

/** What a receiver would say about one address. `trouble`: nobody could say. */
interface Evaluation {
  readonly ip: string
  readonly result: string
  readonly text: string
}

export const spf: RecordKind = {
  purpose: 'spf',
  isAdvice: false,

  expected(domain, config) {
    const record = { purpose: 'spf', type: 'TXT', name: domain.name } as const
    return [{ ...record, value: valueFor(domain, record, config) }]
  },

  async judge({ name }, _domain, resolver, config) {
    try {
      const answer = await resolver.txt(name)
      const records = answer.records.filter(isSpfRecord)
      if (answer.status === 'nxdomain') return notPublished('no-domain', [], { domain: name })
      if (records.length === 0) return judgeAbsence(answer.records)
      if (records.length > 1) return notPublished('two-records', records, { count: String(records.length) })
      return await judgeRecord(records[0]!, name, resolver, config)
    } catch (error) {
      if (error instanceof DnsTrouble) return unknown(error.message)
      throw error
    }
  },
}

/** A record that nearly begins with v=spf1: quoted, indented, misspelt. */
const nearlySpf = /^[\s"'“”]*(?:v\s*=\s*)?spf1?\b/i

function judgeAbsence(texts: readonly string[]): Judgement {
  const near = texts.filter(text => nearlySpf.test(text))
  return near.length > 0 ? notPublished('syntax', near, { problem: near[0]!.slice(0, 20) }) : notPublished('absent')
}

async function judgeRecord(
  record: string,
  name: DomainName,
  resolver: Resolver,
  config: RecordConfig,
): Promise<Judgement> {
  const found = [record]
  const invalid = readTerms(record).find(term => term.kind === 'invalid')
  if (invalid) return notPublished('syntax', found, { problem: invalid.text })
  const walk = await walkSpf(resolver, record)
  const missing = config.spf.mechanisms.filter(text => !walk.passing.some(term => gives(term, readTerm(text))))
  const detail = { lookups: String(walk.lookups), ...(missing.length > 0 ? { missing: missing.join(' ') } : {}) }
  if (walk.all?.qualifier === '+') return notPublished('pass-all', found, detail)
  const evaluations = await Promise.all(config.spf.sendingIps.map(ip => evaluateFor(ip, name, resolver, config)))
  return (
    judgeErrors(evaluations, found, detail) ??
    judgeCoverage(evaluations, missing, found, detail) ??
    judgeEnding(walk, found, detail, config)
  )
}

/** RFC 7208 §2.6.6, §2.6.7. The error of one address is the error of the record. */
function judgeErrors(
  evaluations: readonly Evaluation[],
  found: string[],
  detail: Judgement['detail'],
): Judgement | null {
  const trouble = evaluations.find(({ result }) => result === 'temperror')
  if (trouble) return unknown(trouble.text, found)
  const broken = evaluations.find(({ result }) => result === 'permerror')
  if (!broken) return null
  if (/too many dns requests/i.test(broken.text))
    return notPublished('too-many-lookups', found, { ...detail, limit: String(maxLookups) })
  if (/too many void/i.test(broken.text)) return notPublished('void-lookups', found, detail)
  const included = /SPF records found for (\S+?)\)?$/i.exec(broken.text)?.[1]
  if (included !== undefined) return notPublished('include-broken', found, { ...detail, include: included })
  return notPublished('syntax', found, { ...detail, problem: broken.text })
}

function judgeCoverage(
  evaluations: readonly Evaluation[],
  missing: readonly string[],
  found: string[],
  detail: Judgement['detail'],
): Judgement | null {
  if (missing.length > 0) return notPublished('mechanism-missing', found, detail)
  const uncovered = evaluations.filter(({ result }) => result !== 'pass')
  if (uncovered.length === 0) return null
  const ips = uncovered.map(({ ip }) => ip).join(' ')
  return notPublished('ip-not-covered', found, { ...detail, ip: ips, result: uncovered[0]!.result })
}

function judgeEnding(walk: SpfWalk, found: string[], detail: Judgement['detail'], config: RecordConfig): Judgement {
  const isHard = walk.all?.qualifier === '-'
  if (isHard && !acceptsHardFail(config)) return notPublished('hard-fail', found, detail)
  const notes = [isHard ? 'note-hard-fail' : '', walk.lookups > maxLookups ? 'note-lookups' : ''].filter(Boolean)
  return published(found, notes.length > 0 ? { ...detail, notes: notes.join(' ') } : detail)
}

/** A record that Kitte itself asks to end in -all can't be wrong for it. */
function acceptsHardFail({ spf }: RecordConfig): boolean {
  return spf.acceptHardFail || spf.all === '-all'
}

function valueFor(domain: SenderDomain, record: Pick<DnsRecord, 'purpose' | 'name'>, config: RecordConfig): string {
  const check = lastCheck(domain, record)
  if (check?.state === 'published') return check.found[0] ?? ''
  const live = check?.found.map(repaired) ?? []
  if (check?.reason === 'ip-not-covered') return withAddressesFirst(live, check, config)
  // An included -all only means "no match"; a redirect takes it over (RFC 7208 §5.2, §6.1).
  const kept = check?.reason === 'hard-fail' ? live.map(text => text.replace(/\bredirect=/i, 'include:')) : live
  return mergeRecords(kept, wantedTerms(check, live, config), endingOf(live, config))
}

/** Before whatever else the record says about them. */
function withAddressesFirst(live: readonly string[], check: Check, config: RecordConfig): string {
  const addresses = check.detail.ip?.split(' ').map(ip => (ip.includes(':') ? `ip6:${ip}` : `ip4:${ip}`)) ?? []
  return mergeRecords(live, [], endingOf(live, config)).replace(/^v=spf1/, ['v=spf1', ...addresses].join(' '))
}

/** As its owner meant it, so that nothing of it is dropped. */
function repaired(text: string): string {
  return isSpfRecord(text) ? text : text.replace(nearlySpf, 'v=spf1').replace(/["'“”]/g, '')
}

/** What an included record gives already need not be said again. */
function wantedTerms(check: Check | null, live: readonly string[], config: RecordConfig): readonly string[] {
  if (!check || live.length !== 1 || check.reason === 'syntax') return config.spf.mechanisms
  return check.detail.missing?.split(' ') ?? []
}

/** The live `all`, unless it is one that would not be accepted. */
export function endingOf(live: readonly string[], config: RecordConfig): string {
  const all = live.flatMap(readTerms).find(term => term.kind === 'mechanism' && term.name === 'all')
  if (!all || all.qualifier === '+') return config.spf.all
  return all.qualifier === '-' && !acceptsHardFail(config) ? config.spf.all : all.text
}

async function evaluateFor(
  ip: string,
  domain: DomainName,
  resolver: Resolver,
  config: RecordConfig,
): Promise<Evaluation> {
  const { status } = await evaluate({
    ip,
    sender: `postmaster@${domain}`,
    helo: config.hostname,
    mta: config.hostname,
    strict: true,
    resolver: (name: string, type: string) => nodeAnswer(resolver, name, type),
  } as Parameters<typeof evaluate>[0])
  return { ip, result: String(status.result), text: readableText(String(status.comment ?? '')) }
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
