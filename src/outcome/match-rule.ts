/**
 * Finds the first rule that fits a reply. Rules are read once; the work for a reply is bounded by its words times the rules.
 *
 * Fails to read a rule whose phrase can't be understood: ours are tested, and those of the configuration are checked before
 * (`base/config-classification.ts`).
 */
import { matches, type Phrase, parsePhrase, readWords, type Words } from '../base/phrase.ts'
import type { Phase } from '../mail/attempt-result.ts'
import type { Reply } from '../mail/reply.ts'
import type { Conditions, Route, Rule, RuleGroup } from './rules/rule.ts'

/** A rule with where it comes from. */
export interface SourcedRule extends Rule {
  readonly source: string
}

export interface Said {
  readonly reply: Reply
  /** Null: not known, as in a bounce; then no rule asks for one. */
  readonly phase: Phase | null
  readonly route: Route
  /** Host names of the site, `smtp:host:port`, or domains; null: not known. */
  readonly site: string | null
}

interface ReadRule {
  readonly rule: SourcedRule
  readonly phrases: readonly Phrase[]
  readonly unless: readonly Phrase[]
  readonly statuses: ReadonlySet<string>
  readonly statusStems: readonly string[]
}

export type RuleList = readonly ReadRule[]

export function readRules(groups: readonly RuleGroup[]): RuleList {
  return groups.flatMap(({ source, rules }) => rules.map(rule => readRule({ ...rule, source })))
}

function readRule(rule: SourcedRule): ReadRule {
  const statuses = rule.when.status ?? []
  return {
    rule,
    phrases: (rule.when.text ?? []).map(text => readPhrase(rule.id, text)),
    unless: (rule.when.unless ?? []).map(text => readPhrase(rule.id, text)),
    statuses: new Set(statuses.filter(one => !one.endsWith('*'))),
    statusStems: statuses.filter(one => one.endsWith('*')).map(one => one.slice(0, -1)),
  }
}

function readPhrase(id: string, text: string): Phrase {
  const phrase = parsePhrase(text)
  if (typeof phrase === 'string') throw new Error(`rule ${id}, "${text}": ${phrase}`)
  return phrase
}

/** What rules are compared with, read once for each reply. */
interface Read {
  readonly said: Said
  readonly digit: number
  readonly detail: string
  readonly words: Words
  readonly hosts: readonly string[]
}

/** A reply, read once for several lists of rules. */
export function readSaid(said: Said): Read {
  const { reply, site } = said
  return {
    said,
    digit: Math.trunc(reply.code / 100),
    detail: detailOf(reply),
    words: readWords(reply.text),
    hosts: site === null ? [] : site.toLowerCase().split(',').map(hostOf),
  }
}

export function firstFit(rules: RuleList, read: Read): SourcedRule | null {
  return rules.find(one => fits(one, read))?.rule ?? null
}

/** Cheap conditions first. */
function fits({ rule: { when }, phrases, unless, statuses, statusStems }: ReadRule, read: Read): boolean {
  if (when.digit !== undefined && when.digit !== read.digit) return false
  if (when.codes !== undefined && !when.codes.includes(read.said.reply.code)) return false
  if (
    when.status !== undefined &&
    !statuses.has(read.detail) &&
    !statusStems.some(stem => read.detail.startsWith(stem))
  )
    return false
  if (!fitsPlace(when, read)) return false
  if (when.text !== undefined && !phrases.some(phrase => matches(phrase, read.words))) return false
  return !unless.some(phrase => matches(phrase, read.words))
}

function fitsPlace(when: Conditions, { said: { phase, route }, hosts }: Read): boolean {
  if (when.route !== undefined && when.route !== route) return false
  if (when.phases !== undefined && phase !== null && !when.phases.includes(phase)) return false
  return when.sites === undefined || when.sites.some(suffix => hosts.some(host => endsInLabels(host, suffix)))
}

function endsInLabels(host: string, suffix: string): boolean {
  return host.endsWith(suffix) && (host.length === suffix.length || host[host.length - suffix.length - 1] === '.')
}

/** `smtp:host:port` is a sender's own server. */
function hostOf(name: string): string {
  return name
    .trim()
    .replace(/^smtp:/, '')
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '')
}

/**
 * Several servers put the status behind: `(#5.1.1)`, `550 #5.7.1 …`, or quote the reply of a server behind them:
 * `said: 550 5.1.1 …`. It counts where none stands in front, or one that says nothing.
 */
const statusInText = /(?:[#(]|\b[45]\d\d[ -])([45])\.(\d{1,3}\.\d{1,3})(?![\d.])/

function detailOf({ code, detail, text }: Reply): string {
  if (detail !== '0.0' && detail !== '0.350') return detail
  const found = statusInText.exec(text)
  return found !== null && Number(found[1]) === Math.trunc(code / 100) ? found[2]! : detail
}
