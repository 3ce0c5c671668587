/**
 * Tries a proposed SPF record out before anybody is asked to publish it: its lookups are counted, and every sending
 * address is evaluated as if the record stood there.
 *
 * What that shows is written into the check's `detail`, from which `spf-merge.ts` makes the same record again: terms to
 * leave out, our addresses instead of our include, addresses that must stand first. A record that would take more than
 * ten lookups (RFC 7208 §4.6.4) is refused, and the reason says what each term costs. Fails with DnsTrouble.
 */
import type { Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import { type Judgement, notPublished, type RecordConfig } from './record-kind.ts'
import { type Evaluation, evaluateRecord } from './spf-evaluation.ts'
import { listed, proposeSpf } from './spf-merge.ts'
import { gives, readTerm, readTerms, type SpfTerm } from './spf-terms.ts'
import { maxLookups, maxVoids, type SpfWalk, type WalkedSender, walkSpf } from './spf-walk.ts'

/** Of documentation (RFC 5737); without an address of ours macros and `a` are walked for this one. */
const nobody = '192.0.2.1'

export function senderOf(domain: DomainName, { spf, hostname }: RecordConfig): WalkedSender {
  return { domain, ip: spf.sendingIps[0] ?? nobody, helo: hostname }
}

/** The judgement with what a record that can be published needs, or refused. */
export async function proven(
  judgement: Judgement,
  name: DomainName,
  resolver: Resolver,
  config: RecordConfig,
): Promise<Judgement> {
  if (judgement.state !== 'not-published' || judgement.found.length === 0) return judgement
  const trial = { name, resolver, config }
  const cleaned = await withoutFaults(judgement, trial)
  const walk = await tryOut(cleaned, trial)
  const merged = withDetail(cleaned, { merged: String(walk.lookups), limit: String(maxLookups) })
  if (walk.lookups <= maxLookups) return withAddressesFirst(settled(merged, walk), trial)
  const flat = await flattened(merged, trial)
  if (flat !== null) return withAddressesFirst(flat, trial)
  const goesOn = walk.lookups <= Number(cleaned.detail.lookups ?? 0) && (await uncovered(cleaned, trial)).length === 0
  return goesOn ? settled(merged, walk) : refused(merged, walk, config)
}

interface Trial {
  readonly name: DomainName
  readonly resolver: Resolver
  readonly config: RecordConfig
}

function settled(judgement: Judgement, { lookups }: SpfWalk): Judgement {
  return { ...judgement, detail: { ...judgement.detail, after: String(lookups) } }
}

function tryOut(judgement: Judgement, { name, resolver, config }: Trial): Promise<SpfWalk> {
  return walkSpf(resolver, proposeSpf(judgement, config).value, senderOf(name, config))
}

/** Terms at which every receiver would end with permerror, and those that let anybody pass. */
async function withoutFaults(judgement: Judgement, trial: Trial): Promise<Judgement> {
  const walk = await tryOut(judgement, trial)
  const own = trial.config.spf.mechanisms.map(readTerm)
  const others = walk.costs.filter(({ term }) => !own.some(asked => gives(term, asked)))
  const tooManyVoids = walk.voids > maxVoids
  const drop = others.filter(({ fault }) => fault !== null && (fault !== 'void' || tooManyVoids))
  const open = others.filter(({ isOpen }) => isOpen)
  return withDetail(judgement, {
    drop: drop.map(({ term }) => term.text).join(' '),
    open: open.map(({ term }) => term.text).join(' '),
  })
}

/** Our includes as the addresses they stand for, where that fits. */
async function flattened(judgement: Judgement, trial: Trial): Promise<Judgement | null> {
  const wanted = listed(judgement.detail.missing ?? trial.config.spf.mechanisms.join(' '))
  const addresses = await Promise.all(wanted.map(text => addressesOf(readTerm(text), trial)))
  const flat = wanted.filter((_, at) => addresses[at] !== null)
  if (flat.length === 0) return null
  const own = wanted.flatMap((text, at) => addresses[at]?.map(term => term.text) ?? [text])
  const asked = withDetail(judgement, { own: [...new Set(own)].join(' '), flattened: flat.join(' ') })
  const walk = await tryOut(asked, trial)
  return walk.lookups <= maxLookups ? settled(asked, walk) : null
}

const maxTold = 15
/** Each is evaluated alone; a customer's record may have thousands. */
const maxTried = 100
/** More would make a record that nobody can read. */
const maxFlattened = 10

/** Null: it is no include, or it includes more than addresses. */
async function addressesOf(term: SpfTerm, { name, resolver, config }: Trial): Promise<readonly SpfTerm[] | null> {
  if (term.name !== 'include') return null
  const { passing, trouble } = await walkSpf(resolver, `v=spf1 ${term.text}`, senderOf(name, config))
  const inside = passing.filter(({ name }) => name !== 'include')
  const isFlat = inside.every(({ name }) => name === 'ip4' || name === 'ip6')
  return trouble === null && isFlat && inside.length > 0 && inside.length <= maxFlattened ? inside : null
}

/** The mechanisms asked for that the record gives neither itself nor by what it includes, nor by their addresses. */
export async function missingMechanisms(
  { passing }: SpfWalk,
  name: DomainName,
  resolver: Resolver,
  config: RecordConfig,
): Promise<readonly string[]> {
  const given = (asked: SpfTerm) => passing.some(term => gives(term, asked))
  const absent = config.spf.mechanisms.filter(text => !given(readTerm(text)))
  const addresses = await Promise.all(absent.map(text => addressesOf(readTerm(text), { name, resolver, config })))
  return absent.filter((_, at) => !(addresses[at]?.every(given) ?? false))
}

/** Something in the record decides about an address before our mechanism is reached. */
async function withAddressesFirst(judgement: Judgement, trial: Trial): Promise<Judgement> {
  const ips = await uncovered(judgement, trial)
  if (ips.length === 0) return judgement
  const moved = withDetail(judgement, { first: ips.join(' ') })
  return (await uncovered(moved, trial)).length === 0 ? moved : withoutUnreadable(moved, trial)
}

/** What our grammar takes and a receiver's does not would make the whole record invalid (RFC 7208 §4.6). */
async function withoutUnreadable(judgement: Judgement, trial: Trial): Promise<Judgement> {
  const terms = readTerms(proposeSpf(judgement, trial.config).value).slice(0, maxTried)
  const alone = await Promise.all(terms.map(({ text }) => results(`v=spf1 ${text} -all`, trial)))
  const unreadable = terms.filter((_, at) => alone[at]!.some(({ result }) => result === 'permerror'))
  const drop = [...listed(judgement.detail.drop), ...unreadable.map(({ text }) => text)]
  return withDetail(judgement, { drop: drop.join(' ') })
}

/** Addresses of ours that the proposed record would not let pass. */
async function uncovered(judgement: Judgement, trial: Trial): Promise<readonly string[]> {
  const found = await results(proposeSpf(judgement, trial.config).value, trial)
  return found.filter(({ result }) => result !== 'pass' && result !== 'temperror').map(({ ip }) => ip)
}

function results(record: string, { name, resolver, config }: Trial): Promise<Evaluation[]> {
  const sender = senderOf(name, config)
  return Promise.all(config.spf.sendingIps.map(ip => evaluateRecord(record, { ...sender, ip }, resolver)))
}

function refused(judgement: Judgement, walk: SpfWalk, { spf }: RecordConfig): Judgement {
  const needed = judgement.detail.missing ?? ''
  const own = spf.mechanisms.map(readTerm)
  const others = walk.costs.filter(({ term }) => !own.some(asked => gives(term, asked)))
  const costs = others.toSorted((one, other) => other.lookups - one.lookups)
  const inside = new Set(others.flatMap(({ inside }) => inside.filter(isInclude).map(({ value }) => value)))
  const redundant = others.filter(({ term }) => isInclude(term) && inside.has(term.value))
  return notPublished('too-many-lookups', judgement.found, {
    ...judgement.detail,
    lookups: judgement.detail.lookups ?? String(walk.lookups),
    after: String(walk.lookups),
    costs: shortened(costs.map(({ term, lookups }) => `${term.text} (${lookups})`)).join(', '),
    needed: needed || neededBy(spf).join(' '),
    refused: 'yes',
    ...(redundant.length > 0
      ? { notes: 'note-redundant', redundant: shortened(redundant.map(({ term }) => term.text)).join(' ') }
      : {}),
  })
}

/** The relay's own hosts need no mechanism but their addresses. */
function neededBy({ mechanisms, sendingIps }: RecordConfig['spf']): readonly string[] {
  return mechanisms.length > 0 ? mechanisms : sendingIps.map(ip => (ip.includes(':') ? `ip6:${ip}` : `ip4:${ip}`))
}

function isInclude({ name }: SpfTerm): boolean {
  return name === 'include'
}

/** A record may fill 64 KB; a sentence should not. */
function shortened(texts: readonly string[]): readonly string[] {
  return texts.length <= maxTold ? texts : [...texts.slice(0, maxTold), '…']
}

/** Empty values are left out. */
function withDetail(judgement: Judgement, more: Readonly<Record<string, string>>): Judgement {
  const said = Object.entries(more).filter(([, value]) => value !== '')
  return { ...judgement, detail: { ...judgement.detail, ...Object.fromEntries(said) } }
}
