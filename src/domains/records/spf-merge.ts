/**
 * The SPF record to publish, made from the live one: what Kitte needs is put in, and everything else stays as it is.
 *
 * Terms keep their order and none is dropped, but those that make a receiver answer permerror or that can never match.
 * `all` stays unless it would not be accepted. Every change that is more than an addition is told. Never a second
 * record (RFC 7208 §3.2). Pure: works on what the last check found and wrote down (`detail`).
 */
import type { Check } from '../../mail/sender-domain.ts'
import type { ToldChange } from '../spf-changes.ts'
import { isInPlace, type RecordConfig } from './record-kind.ts'
import { gives, isSpfRecord, keyOf, readTerm, readTerms, type SpfTerm } from './spf-terms.ts'

export interface SpfProposal {
  /** Empty: none can be given; the reason says what must go first. */
  readonly value: string
  /** In order; joined by spaces they are the value. */
  readonly parts: readonly RecordPart[]
  readonly changes: readonly ToldChange[]
}

export interface RecordPart {
  readonly text: string
  /** Not in the live record. */
  readonly isNew: boolean
}

/** What is known of the live record. `detail` may say: `missing`, `own`, `drop`, `open`, `ending`, `first`, `refused`. */
export type Standing = Pick<Check, 'state' | 'reason' | 'found' | 'detail'>

interface Draft {
  readonly terms: readonly DraftTerm[]
  readonly changes: readonly ToldChange[]
}

interface DraftTerm extends SpfTerm {
  readonly isNew: boolean
}

export function proposeSpf(standing: Standing | null, config: RecordConfig): SpfProposal {
  const live = standing?.found ?? []
  if (standing && isInPlace(standing) && live.length === 1) return asItStands(live[0]!)
  if (live.length === 0 || standing === null) return wholly(['v=spf1', ...config.spf.mechanisms, config.spf.all])
  if (standing.detail.refused !== undefined) return { value: '', parts: [], changes: [] }
  const drafted = [
    live.length > 1 ? joined(live) : mended(live[0]!),
    dropInvalid,
    keepOneRedirect,
    dropNamed('hopeless-dropped', listed(standing.detail.drop)),
    dropNamed('open-dropped', listed(standing.detail.open)),
    dropDuplicates,
    endWell(config),
    openRedirect(standing, config),
    addOwn(ownTerms(standing, config), standing),
    addFirst(listed(standing.detail.first)),
  ].reduce<Draft>((draft, step) => (typeof step === 'function' ? step(draft) : step), { terms: [], changes: [] })
  return proposalOf(drafted)
}

function asItStands(record: string): SpfProposal {
  return { value: record, parts: [{ text: record, isNew: false }], changes: [] }
}

function wholly(texts: readonly string[]): SpfProposal {
  const value = texts.join(' ')
  return { value, parts: [{ text: value, isNew: true }], changes: [] }
}

/** Neighbours of the same kind make one part. */
function proposalOf({ terms, changes }: Draft): SpfProposal {
  const parts: RecordPart[] = []
  for (const { text, isNew } of [{ text: 'v=spf1', isNew: false }, ...terms]) {
    const last = parts.at(-1)
    if (last?.isNew === isNew) parts[parts.length - 1] = { text: `${last.text} ${text}`, isNew }
    else parts.push({ text, isNew })
  }
  return { value: parts.map(({ text }) => text).join(' '), parts, changes }
}

/** A record that nearly begins with v=spf1: quoted, indented, misspelt, or without the space after it. */
export const nearlySpf = /^[\s"'“”]*(?:v\s*=\s*)?spf(?:1?\b|1(?=(?:all|include|a|mx|ptr|ip\w*|exists|redirect)\b))/i
const unspaced = /^v=spf1(?=[a-z+\-~?])/
/** Slips whose meaning is plain: a space after the colon, `ipv4:`, `ip:`. */
const splitTerm = /\b(include|a|mx|ptr|ip4|ip6|exists)(\s*):\s+(?=\S)/gi
const misnamed = /^([+\-?~]?)ip(?:v4|4v)?:(?=[\d.]+(?:\/\d+)?$)/i
const misnamed6 = /^([+\-?~]?)ip(?:v6|6v)?:(?=[0-9a-f]*:[0-9a-f:.]*(?:\/\d+)?$)/i

/** As its owner meant it, so that nothing of it is dropped. */
function mended(record: string): Draft {
  const changes: ToldChange[] = []
  const versioned = isSpfRecord(record)
    ? record
    : record
        .replace(nearlySpf, 'v=spf1')
        .replace(unspaced, '$& ')
        .replace(/["'“”]/g, '')
  if (versioned !== record) changes.push({ code: 'version-mended', values: {} })
  const whole = versioned.replace(splitTerm, (from, name) => {
    changes.push({ code: 'term-mended', values: { from: from.trim(), to: `${name}:` } })
    return `${name}:`
  })
  const terms = readTerms(whole).map(term => {
    const to = term.text.replace(misnamed, '$1ip4:').replace(misnamed6, '$1ip6:')
    if (to === term.text) return { ...term, isNew: false }
    changes.push({ code: 'term-mended', values: { from: term.text, to } })
    return { ...readTerm(to), isNew: true }
  })
  return { terms, changes }
}

/** Of several records none counts (RFC 7208 §4.5): in one they do, each with what it reads before its `all`. */
function joined(live: readonly string[]): Draft {
  const drafts = live.map(mended)
  const all = drafts.flatMap(({ terms }) => terms).find(isAll)
  const terms = drafts.flatMap(draft => draft.terms.slice(0, endOf(draft.terms)))
  const opened = all === undefined ? { terms, changes: [] } : withIncludes(terms, isRedirect)
  return {
    terms: [...opened.terms, ...(all === undefined ? [] : [all])],
    changes: [
      { code: 'records-joined', values: { count: String(live.length) } },
      ...drafts.flatMap(({ changes }) => changes),
      ...opened.changes,
    ],
  }
}

function isRedirect({ name }: SpfTerm): boolean {
  return name === 'redirect'
}

function isAll({ kind, name }: SpfTerm): boolean {
  return kind === 'mechanism' && name === 'all'
}

function endOf(terms: readonly SpfTerm[]): number {
  const all = terms.findIndex(isAll)
  return all === -1 ? terms.length : all
}

/** `redirect` is ignored beside `all` (RFC 7208 §6.1); an include asks the same record. */
function withIncludes(terms: readonly DraftTerm[], isOpened: (term: DraftTerm) => boolean): Draft {
  const changes: ToldChange[] = []
  const opened = terms.map(term => {
    if (!isOpened(term)) return term
    const to = `include:${term.text.slice('redirect='.length)}`
    changes.push({ code: 'redirect-opened', values: { from: term.text, to } })
    return { ...readTerm(to), isNew: true }
  })
  return { terms: opened, changes }
}

/** With one of them the whole record is worth nothing (RFC 7208 §4.6). */
function dropInvalid({ terms, changes }: Draft): Draft {
  const dropped = terms.filter(({ kind }) => kind === 'invalid')
  return {
    terms: terms.filter(({ kind }) => kind !== 'invalid'),
    changes: [...changes, ...told('invalid-dropped', dropped)],
  }
}

function dropNamed(code: ToldChange['code'], texts: readonly string[]) {
  return ({ terms, changes }: Draft): Draft => {
    const dropped = terms.filter(({ text }) => texts.includes(text))
    return {
      terms: terms.filter(term => !dropped.includes(term)),
      changes: [...changes, ...told(code, dropped)],
    }
  }
}

/** Two make the record invalid (RFC 7208 §6); what the second one says is asked for before the first. */
function keepOneRedirect({ terms, changes }: Draft): Draft {
  const first = terms.find(isRedirect)
  const opened = withIncludes(terms, term => isRedirect(term) && term.value !== first?.value)
  return { terms: opened.terms, changes: [...changes, ...opened.changes] }
}

/** A customer's record may fill a DNS message of 64 KB: linear in its length. */
function dropDuplicates({ terms, changes }: Draft): Draft {
  const seen = new Set<string>()
  const dropped = new Set<DraftTerm>()
  for (const term of terms) {
    if (seen.has(keyOf(term))) dropped.add(term)
    seen.add(keyOf(term))
  }
  return {
    terms: terms.filter(term => !dropped.has(term)),
    changes: [...changes, ...told('duplicates-dropped', [...dropped])],
  }
}

/** `all` is kept; without one its meaning is `?all` (RFC 7208 §4.7), and only a record that says nothing at all gets one. */
function endWell(config: RecordConfig) {
  return ({ terms, changes }: Draft): Draft => {
    const at = endOf(terms)
    const all = terms[at]
    const to = readTerm(config.spf.all)
    if (all === undefined) {
      const saysSomething = terms.some(({ kind, name }) => kind === 'mechanism' || name === 'redirect')
      if (saysSomething) return { terms, changes }
      return {
        terms: [...terms, { ...to, isNew: true }],
        changes: [...changes, { code: 'all-added', values: { to: to.text } }],
      }
    }
    const isAccepted = all.qualifier !== '+' && (all.qualifier !== '-' || acceptsHardFail(config))
    if (isAccepted) return { terms, changes }
    const code = all.qualifier === '+' ? 'all-closed' : 'all-softened'
    return {
      terms: terms.with(at, { ...to, isNew: true }),
      changes: [...changes, { code, values: { from: all.text, to: to.text } }],
    }
  }
}

/** A record that Kitte itself asks to end in -all can't be wrong for it. */
export function acceptsHardFail({ spf }: RecordConfig): boolean {
  return spf.acceptHardFail || spf.all === '-all'
}

/** An included `all` only means "no match", a redirect takes it over (RFC 7208 §5.2, §6.1). */
function openRedirect({ detail }: Standing, config: RecordConfig) {
  return (draft: Draft): Draft => {
    if (detail.ending !== '-' || acceptsHardFail(config) || draft.terms.some(isAll)) return draft
    const opened = withIncludes(draft.terms, isRedirect)
    const all = { ...readTerm(config.spf.all), isNew: true }
    return { terms: [...opened.terms, all], changes: [...draft.changes, ...opened.changes] }
  }
}

/** What an included record gives already need not be said again. */
function ownTerms({ state, reason, found, detail }: Standing, config: RecordConfig): readonly string[] {
  if (detail.own !== undefined) return listed(detail.own)
  const isRead =
    found.length === 1 && reason !== 'syntax' && (state === 'not-published' || detail.lookups !== undefined)
  return isRead ? listed(detail.missing) : config.spf.mechanisms
}

/** Before `all`, or before the redirect that takes its place. */
function addOwn(own: readonly string[], { detail }: Standing) {
  return ({ terms, changes }: Draft): Draft => {
    const wanted = own.map(readTerm)
    const end = endOf(terms)
    const isGiven = (asked: SpfTerm) => terms.slice(0, end).some(term => gives(term, asked))
    const added = wanted.filter(asked => !isGiven(asked)).map(term => ({ ...term, isNew: true }))
    // Ours after `all`, where nothing is read, would stand twice.
    const rest = terms.slice(end).filter(term => !wanted.some(asked => gives(term, asked)))
    const redirect = terms.slice(0, end).findIndex(isRedirect)
    const at = redirect === -1 || rest.length > 0 ? end : redirect
    return {
      terms: [...terms.slice(0, at), ...added, ...terms.slice(at, end), ...rest],
      changes: [
        ...changes,
        ...told('own-added', added),
        ...(detail.own === undefined ? [] : [{ code: 'flattened', values: detail } as const]),
      ],
    }
  }
}

/** Before whatever else the record says about these addresses. */
function addFirst(addresses: readonly string[]) {
  return ({ terms, changes }: Draft): Draft => {
    const first = addresses.map(ip => ({ ...readTerm(ip.includes(':') ? `ip6:${ip}` : `ip4:${ip}`), isNew: true }))
    const isMovedUp = (term: DraftTerm) => first.some(added => keyOf(added) === keyOf(term))
    return {
      terms: [...first, ...terms.filter(term => !isMovedUp(term))],
      changes: [...changes, ...told('put-first', first)],
    }
  }
}

function told(code: ToldChange['code'], terms: readonly SpfTerm[]): ToldChange[] {
  return terms.length === 0 ? [] : [{ code, values: { terms: terms.map(({ text }) => text).join(' ') } }]
}

export function listed(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(' ')
}
