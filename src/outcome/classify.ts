/**
 * What an answer means: delivered, deferred or bounced, of which class, and who must act.
 *
 * The only home of "permanent or not". The first digit of the reply decides (RFC 5321 §4.2.1) but for the few cases
 * listed in `temporaryAnyway`; whatever can't be understood is temporary, never success (design invariant 6). Rules choose
 * the class (`rules/`); those of the configuration come first, and explain only: whether and when to try again is decided
 * as if they were not there. Pure.
 * RFC 3463 (enhanced status), RFC 7372 (authentication), RFC 7504 (521, 556), RFC 7505 (null MX).
 */
import type { LookupFailure } from '../dns/mx.ts'
import type { Failure, Phase, RecipientResult } from '../mail/attempt-result.ts'
import type { Action, Actor, OutcomeClass } from '../mail/outcome.ts'
import type { Reply } from '../mail/reply.ts'
import { classes } from './classes.ts'
import { firstFit, type RuleList, readRules, readSaid, type Said, type SourcedRule } from './match-rule.ts'
import { ruleGroups } from './rules/index.ts'
import type { Route, Rule } from './rules/rule.ts'

export type Classifiable =
  | { readonly result: RecipientResult; readonly route: Route; readonly site?: string | null }
  | { readonly lookup: LookupFailure; readonly route?: Route }

export interface Judgement {
  readonly action: Exclude<Action, 'cancelled'>
  readonly class: OutcomeClass
  readonly actor: Actor
  /** What was answered, or what Kitte says in place of an answer. */
  readonly reply: Reply
  /** The remote may have taken the message: the next attempt can duplicate it. */
  readonly inDoubt: boolean
  /** Other messages would fare the same: leave the site alone for a while. */
  readonly closesSite: boolean
}

/** Why a reply has its class. */
export interface Explanation {
  readonly class: OutcomeClass
  readonly actor: Actor
  /** Null: no rule fits. */
  readonly rule: SourcedRule | null
  /** It is one of the configuration. */
  readonly isOwn: boolean
}

export type Classify = (input: Classifiable) => Judgement

export interface Classifier {
  readonly classify: Classify
  /** A reply by itself, also one that a bounce quotes: the class only, not what to do with an entry. */
  explain(said: Said): Explanation
}

/** The source of rules that the configuration adds. */
export const ownSource = 'classification.rules'

const builtIn: RuleList = readRules(ruleGroups)

/** With the rules of the configuration, which come before the others. */
export function createClassifier(ownRules: readonly Rule[] = []): Classifier {
  const own = readRules([{ source: ownSource, rules: ownRules }])
  const matching = (said: Said) => match(own, said)
  return { classify: input => classifyWith(matching, input), explain: said => matching(said).told }
}

/** Without rules of a configuration. */
export const { classify, explain } = createClassifier()

/** What is told, and what decides about another try where the class has a say. */
interface Match {
  readonly told: Explanation
  readonly decisive: Explanation
}

type Matching = (said: Said) => Match

function match(own: RuleList, said: Said): Match {
  const read = readSaid(said)
  const decisive = explanationOf(firstFit(builtIn, read), false)
  const rule = own.length === 0 ? null : firstFit(own, read)
  return { told: rule === null ? decisive : explanationOf(rule, true), decisive }
}

function explanationOf(rule: SourcedRule | null, isOwn: boolean): Explanation {
  const found = rule?.class ?? 'other'
  return { class: found, actor: rule?.actor ?? classes[found].actor, rule, isOwn }
}

/** Before the transaction: what goes wrong here goes wrong for every message. */
const sessionPhases: ReadonlySet<Phase> = new Set(['connect', 'banner', 'ehlo', 'starttls', 'auth'])

/** RFC 8689 §4.2.1: 5.7.10 and 5.7.30. */
const saysTls = /^7\.[13]0$/

function classifyWith(matching: Matching, input: Classifiable): Judgement {
  if (isTaken(input)) return taken(input.result.reply)
  const judged = judge(matching, input)
  return input.route === 'own-smtp' ? asOwnSmtp(input, judged) : judged
}

/** Most mail: nothing has to be looked up for it. */
function isTaken(input: Classifiable): input is Classifiable & { readonly result: { readonly reply: Reply } } {
  if (!('result' in input) || !('reply' in input.result)) return false
  const { reply, phase } = input.result
  return phase === 'dot' && reply.code >= 200 && reply.code < 300 && reply.from === 'remote'
}

function taken(reply: Reply): Judgement {
  return { action: 'delivered', class: 'none', actor: 'nobody', reply, inDoubt: false, closesSite: false }
}

function judge(matching: Matching, input: Classifiable): Judgement {
  if ('lookup' in input) return judgeLookup(input.lookup)
  if ('failure' in input.result) return judgeFailure(input.result.failure)
  const { reply, phase } = input.result
  return judgeReply(matching, { reply, phase, route: input.route, site: input.site ?? null })
}

// ── Replies ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function judgeReply(matching: Matching, said: Said & { readonly phase: Phase }): Judgement {
  const { reply, phase } = said
  // An attempt that an error of ours ended: nobody else said anything (design invariant 6). A 5yz of ours stands for what
  // the host said in its EHLO reply: without SMTPUTF8, or with a SIZE that is too small, every try would meet the same.
  if (reply.from === 'relay' && saysTls.test(reply.detail))
    return judgement(reply.code < 500 ? 'deferred' : 'bounced', 'tls', reply)
  if (reply.from === 'relay' && reply.code < 500) return judgement('deferred', 'relay-trouble', reply)
  const digit = Math.trunc(reply.code / 100)
  if (digit === 2 && phase === 'dot') return { ...judgement('delivered', 'none', reply), closesSite: false }
  if (digit !== 4 && digit !== 5) return judgeOddReply(reply, phase)
  const { told, decisive } = matching(said)
  const temporary = digit === 4 || temporaryAnyway(reply, phase, decisive.actor) || isForSettings(decisive.class)
  return {
    ...judgement(temporary ? 'deferred' : 'bounced', told.class, reply, told.actor),
    closesSite: temporary && repliesForAll(reply, phase, decisive.class),
  }
}

/** 2xx where no message was handed over, 3xx after the dot: out of step. The dot's 3xx may hide an acceptance. */
function judgeOddReply(reply: Reply, phase: Phase): Judgement {
  const said = `${reply.code} ${reply.text}`.trim()
  return {
    ...judgement('deferred', 'protocol', ours(451, '5.0', `unexpected reply to ${wordsOf[phase]}: ${said}`)),
    inDoubt: phase === 'dot',
    closesSite: sessionPhases.has(phase),
  }
}

/**
 * 5xx replies that say nothing about this message, and so are tried again:
 *
 * - to the connection, EHLO, STARTTLS: the server turns *us* away, usually for a while (block list, overload; Postfix:
 *   smtp_skip_5xx_greeting=yes). RFC 5321 §3.1 makes a 554 greeting a statement about the session, not about mail. 521 is
 *   the exception: "this host never accepts mail" (RFC 7504 §3), unless it too blames our address.
 * - to MAIL because of our address: nothing of the message is known yet but its sender.
 * - too many recipients: RFC 5321 §4.5.3.1.10 (552 stands for 452); RFC 3463 X.5.3 asks to split the transaction.
 * - between messages (phase idle): no message was under way.
 * - from a sender's own server because of the login, its From address or its quota, in whatever phase (`isForSettings`):
 *   whoever set it up mends that, or the day passes; the recipient has nothing to do with it.
 *
 * A block of our address at RCPT or later stays permanent. Retrying it was considered: most receivers check lists there.
 * But a 5xx for a recipient is final by §4.2.1, lists are left within days and not hours, and the sender who knows at
 * once can act at once; the class tells the operator all the same.
 */
function temporaryAnyway(reply: Reply, phase: Phase, actor: Actor): boolean {
  if (phase === 'idle') return true
  // REQUIRETLS that no host can meet (RFC 8689 §4.2.1).
  if (reply.from === 'relay') return false
  if (sessionPhases.has(phase)) return reply.code !== 521 || actor === 'own-ip'
  if (phase === 'mail') return actor === 'own-ip'
  if (phase !== 'rcpt') return false
  return reply.detail === '5.3' || (reply.code === 552 && /too many (recipients|rcpts?)/i.test(reply.text))
}

/** 421 closes the channel (RFC 5321 §3.8); an idle one only ends a connection that was kept too long. */
function repliesForAll(reply: Reply, phase: Phase, found: OutcomeClass): boolean {
  if (phase === 'idle') return false
  if (reply.code === 421 || sessionPhases.has(phase)) return true
  if (found === 'own-smtp-login' || found === 'own-smtp-limit') return true
  return phase === 'mail' && (found === 'rate' || found === 'spam-block' || found === 'no-ptr')
}

// ── Failures without a usable reply ─────────────────────────────────────────────────────────────────────────────────

function judgeFailure(failure: Failure): Judgement {
  const { phase, kind, detail, inDoubt } = failure
  const closesSite = sessionPhases.has(phase) || phase === 'mail'
  const deferred = (found: OutcomeClass, status: string, text: string): Judgement => ({
    ...judgement('deferred', found, ours(451, status, `${text}: ${detail}`)),
    inDoubt,
    closesSite,
  })
  if (kind === 'unsupported') return judgeUnsupported(failure, deferred)
  if (kind === 'tls') return deferred('tls', '7.5', `TLS failed at ${wordsOf[phase]}`)
  // RFC 8461 §5, RFC 7672 §2.2: tried again, for policies and certificates get mended. Other domains there may ask less.
  if (kind === 'tls-policy') {
    const status = detail.includes('no STARTTLS') ? '7.4' : '7.5'
    return { ...deferred('tls-policy', status, 'TLS is not as it must be'), closesSite: false }
  }
  if (kind === 'malformed-reply') return deferred('protocol', '5.0', `malformed reply to ${wordsOf[phase]}`)
  // RFC 3463: X.4.1 no answer from host; X.4.2 a connection was there, and broke or fell silent.
  if (phase === 'connect') return deferred('network', '4.1', `connection ${connectWords[kind]}`)
  return deferred('network', '4.2', `${kind === 'timeout' ? 'no answer to' : 'connection lost at'} ${wordsOf[phase]}`)
}

/**
 * What the host can't do and the message needs. SMTPUTF8 and SIZE are final (RFC 6531 §3.5: 5.6.7, RFC 1870 §6: 5.3.4):
 * the next try would meet the same host. Anything else (TLS, AUTH, 8BITMIME) is a setting that somebody can mend.
 */
function judgeUnsupported(
  { detail }: Failure,
  deferred: (found: OutcomeClass, status: string, text: string) => Judgement,
): Judgement {
  if (/SMTPUTF8/i.test(detail)) return final('protocol', 553, '6.7', `the server lacks SMTPUTF8: ${detail}`)
  if (/\bSIZE\b/i.test(detail)) return final('message-too-large', 552, '3.4', `larger than the server takes: ${detail}`)
  if (/TLS/i.test(detail)) return deferred('tls', '7.4', 'TLS is required and not offered')
  return deferred('protocol', '5.1', 'the server lacks what is needed')
}

// ── Lookups ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Absence that DNS vouches for is final (RFC 5321 §5.1), trouble is not. `no-host` (no MX and no address, or MX hosts
 * without address) is final as well: nearly all are mistyped domains, and a sender should not wait four days for that.
 */
function judgeLookup({ kind, detail }: LookupFailure): Judgement {
  switch (kind) {
    case 'null-mx':
      return final('no-mail-accepted', 556, '1.10', detail)
    case 'no-domain':
      return final('domain-unknown', 550, '1.2', detail)
    case 'no-host':
      return final('no-mail-accepted', 550, '4.4', detail)
    case 'private-address':
      return final('no-mail-accepted', 550, '4.4', detail)
    case 'dns-trouble':
      return judgement('deferred', 'dns-trouble', ours(451, '4.3', detail))
    default:
      return kind satisfies never
  }
}

// ── A sender's own server ───────────────────────────────────────────────────────────────────────────────────────────

/** What is to be set otherwise, where it is not the login. */
const settingsClasses: ReadonlySet<OutcomeClass> = new Set(['tls-required', 'own-smtp-sender', 'own-smtp-limit'])

/** These classes are of own servers only. */
function isForSettings(found: OutcomeClass): boolean {
  return found === 'own-smtp-login' || found === 'own-smtp-sender' || found === 'own-smtp-limit'
}

/**
 * With a sender's own server everything before the recipients is a matter of its settings: kept, so that the mail goes
 * out once they are mended, and the sender's to act on. What it says about a recipient is judged like an MX's word.
 */
function asOwnSmtp(input: Classifiable, judged: Judgement): Judgement {
  const actor: Actor = judged.actor === 'own-ip' || judged.actor === 'remote' ? 'own-smtp' : judged.actor
  if (judged.action === 'delivered') return judged
  if ('lookup' in input) return lookupOfOwnSmtp(input.lookup)
  if ('failure' in input.result) return { ...judged, actor, class: classOfOwnFailure(input.result.failure, judged) }
  const loginAsked = [530, 534, 535, 538].includes(input.result.reply.code)
  if (judged.reply.from === 'relay') return { ...judged, actor }
  if (!loginAsked && !sessionPhases.has(input.result.phase)) return { ...judged, actor }
  const found = settingsClasses.has(judged.class) ? judged.class : 'own-smtp-login'
  return { ...judged, action: 'deferred', class: found, actor: 'own-smtp', closesSite: true }
}

function lookupOfOwnSmtp({ kind, detail }: LookupFailure): Judgement {
  const found = kind === 'dns-trouble' ? 'dns-trouble' : 'network'
  const status = kind === 'dns-trouble' ? '4.3' : '4.4'
  return { ...judgement('deferred', found, ours(451, status, detail), 'own-smtp'), closesSite: true }
}

function classOfOwnFailure({ phase }: Failure, judged: Judgement): OutcomeClass {
  return phase === 'auth' ? 'own-smtp-login' : judged.class
}

// ── Small parts ─────────────────────────────────────────────────────────────────────────────────────────────────────

function judgement(action: Judgement['action'], found: OutcomeClass, reply: Reply, actor?: Actor): Judgement {
  return { action, class: found, actor: actor ?? classes[found].actor, reply, inDoubt: false, closesSite: false }
}

function final(found: OutcomeClass, code: number, detail: string, text: string): Judgement {
  return judgement('bounced', found, ours(code, detail, text))
}

function ours(code: number, detail: string, text: string): Reply {
  return { code, detail, text, from: 'relay' }
}

const wordsOf: Readonly<Record<Phase, string>> = {
  lookup: 'the lookup',
  connect: 'the connection',
  banner: 'the connection',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  auth: 'AUTH',
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  dot: 'the final dot',
  idle: 'a kept connection',
}

const connectWords = {
  timeout: 'timed out',
  refused: 'refused',
  reset: 'reset',
  unreachable: 'impossible',
  closed: 'closed',
} as const
