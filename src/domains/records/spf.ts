/**
 * The SPF record of a sender domain: one record that lets the relay's addresses pass (RFC 7208).
 *
 * Judged by meaning: every sending address is evaluated as a receiver would, and the wanted mechanisms are looked for in
 * the record and in what it includes. With a live record the answer is that record with what is missing put in
 * (`spf-merge.ts`), tried out before it is asked for (`spf-proof.ts`).
 */
import { DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import type { DnsRecord, SenderDomain } from '../../mail/sender-domain.ts'
import {
  type Judgement,
  lastCheck,
  notPublished,
  published,
  type RecordConfig,
  type RecordKind,
  unknown,
} from './record-kind.ts'
import { type Evaluation, evaluateSpf } from './spf-evaluation.ts'
import { acceptsHardFail, nearlySpf, proposeSpf, type SpfProposal } from './spf-merge.ts'
import { missingMechanisms, proven, senderOf } from './spf-proof.ts'
import { isSpfRecord, readTerms, redirectTerm } from './spf-terms.ts'
import { isOpenAll, maxLookups, type SpfWalk, walkSpf } from './spf-walk.ts'

export const spf: RecordKind = {
  purpose: 'spf',
  isAdvice: false,

  expected(domain, config) {
    const record = { purpose: 'spf', type: 'TXT', name: domain.name } as const
    return [{ ...record, value: proposedSpf(domain, record, config).value }]
  },

  async judge({ name }, _domain, resolver, config) {
    try {
      return await proven(await judgeName(name, resolver, config), name, resolver, config)
    } catch (error) {
      if (error instanceof DnsTrouble) return unknown(error.message)
      throw error
    }
  },
}

/** What to publish, given what the last check found. */
export function proposedSpf(
  domain: SenderDomain,
  record: Pick<DnsRecord, 'purpose' | 'name'>,
  config: RecordConfig,
): SpfProposal {
  return proposeSpf(lastCheck(domain, record), config)
}

async function judgeName(name: DomainName, resolver: Resolver, config: RecordConfig): Promise<Judgement> {
  const answer = await resolver.txt(name)
  const records = answer.records.filter(isSpfRecord)
  if (answer.status === 'nxdomain') return notPublished('no-domain', [], { domain: name })
  if (records.length === 0) return judgeAbsence(answer.records)
  if (records.length > 1) return notPublished('two-records', records, { count: String(records.length) })
  return judgeRecord(records[0]!, name, resolver, config)
}

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
  const terms = readTerms(record)
  const invalid = terms.find(term => term.kind === 'invalid')
  if (invalid) return notPublished('syntax', found, { problem: invalid.text })
  const walk = await walkSpf(resolver, record, senderOf(name, config))
  const missing = await missingMechanisms(walk, name, resolver, config)
  const detail = {
    lookups: String(walk.lookups),
    ...(missing.length > 0 ? { missing: missing.join(' ') } : {}),
    ...(redirectTerm(terms) && walk.all ? { ending: walk.all.qualifier } : {}),
  }
  if (walk.passing.some(isOpenAll)) return notPublished('pass-all', found, detail)
  const asked = config.spf.sendingIps.map(ip => evaluateSpf({ ...senderOf(name, config), ip }, resolver))
  const evaluations = await Promise.all(asked)
  return (
    judgeErrors(evaluations, walk, found, detail) ??
    judgeTrouble(walk, missing, found, detail) ??
    judgeCoverage(evaluations, missing, found, detail) ??
    judgeEnding(walk, found, detail, config)
  )
}

/** RFC 7208 §2.6.6, §2.6.7. The error of one address is the error of the record. */
function judgeErrors(
  evaluations: readonly Evaluation[],
  { loop, costs }: SpfWalk,
  found: string[],
  detail: Judgement['detail'],
): Judgement | null {
  const trouble = evaluations.find(({ result }) => result === 'temperror')
  if (trouble) return unknown(trouble.text, found)
  const broken = evaluations.find(({ result }) => result === 'permerror')
  if (!broken) return null
  if (loop !== null) return notPublished('include-loop', found, { ...detail, loop })
  if (/too many dns requests/i.test(broken.text))
    return notPublished('too-many-lookups', found, { ...detail, merged: detail.lookups!, limit: String(maxLookups) })
  if (/too many void/i.test(broken.text)) {
    const voids = costs.filter(({ fault }) => fault !== null).map(({ term }) => term.text)
    return notPublished('void-lookups', found, { ...detail, voids: voids.join(' ') || '?' })
  }
  const included = /SPF records found for (\S+?)\)?$/i.exec(broken.text)?.[1]
  if (included !== undefined) return notPublished('include-broken', found, { ...detail, include: included })
  return notPublished('syntax', found, { ...detail, problem: broken.text })
}

/** What could not be asked for may be where the mechanism stands, or where the record ends. */
function judgeTrouble(
  { trouble }: SpfWalk,
  missing: readonly string[],
  found: string[],
  detail: Judgement['detail'],
): Judgement | null {
  const matters = missing.length > 0 || found.flatMap(readTerms).some(({ name }) => name === 'redirect')
  if (trouble === null || !matters) return null
  const judgement = unknown(trouble, found)
  return { ...judgement, detail: { ...detail, ...judgement.detail } }
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
  const notes = [
    isHard ? 'note-hard-fail' : '',
    walk.all === null || walk.all.qualifier === '?' ? 'note-neutral' : '',
    walk.lookups > maxLookups ? 'note-lookups' : '',
    walk.costs.some(({ term }) => term.name === 'ptr') ? 'note-ptr' : '',
  ].filter(Boolean)
  return published(found, notes.length > 0 ? { ...detail, notes: notes.join(' ') } : detail)
}
