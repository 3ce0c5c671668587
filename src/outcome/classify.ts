/**
 * What an answer means: delivered, deferred or bounced, of which class, and who must act.
 *
 * The only home of "permanent or not". The first digit of the reply decides (RFC 5321 §4.2.1) but for the few cases
 * listed in `temporaryAnyway`; whatever can't be understood is temporary, never success (design invariant 6). Pure.
 * RFC 3463 (enhanced status), RFC 7372 (authentication), RFC 7504 (521, 556), RFC 7505 (null MX).
 */
import type { LookupFailure } from '../dns/mx.ts'
import type { Failure, Phase, RecipientResult } from '../mail/attempt-result.ts'
import type { Action, Actor, OutcomeClass } from '../mail/outcome.ts'
import type { Reply } from '../mail/reply.ts'
import { classes } from './classes.ts'
import { type Route, rules } from './classify-rules.ts'

export type Classifiable =
  | { readonly result: RecipientResult; readonly route: Route }
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

/** Before the transaction: what goes wrong here goes wrong for every message. */
const sessionPhases: ReadonlySet<Phase> = new Set(['connect', 'banner', 'ehlo', 'starttls', 'auth'])

/** RFC 8689 §4.2.1: 5.7.10 and 5.7.30. */
const saysTls = /^7\.[13]0$/

export function classify(input: Classifiable): Judgement {
  const judged = judge(input)
  return input.route === 'own-smtp' ? asOwnSmtp(input, judged) : judged
}

function judge(input: Classifiable): Judgement {
  if ('lookup' in input) return judgeLookup(input.lookup)
  if ('failure' in input.result) return judgeFailure(input.result.failure)
  return judgeReply(input.result.reply, input.result.phase, input.route)
}

// ── Replies ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function judgeReply(reply: Reply, phase: Phase, route: Route): Judgement {
  // An attempt that an error of ours ended: nobody else said anything (design invariant 6). A 5yz of ours stands for what
  // the host said in its EHLO reply: without SMTPUTF8, or with a SIZE that is too small, every try would meet the same.
  if (reply.from === 'relay' && reply.code < 500)
    return judgement('deferred', saysTls.test(reply.detail) ? 'tls' : 'relay-trouble', reply)
  const digit = Math.trunc(reply.code / 100)
  if (digit === 2 && phase === 'dot') return { ...judgement('delivered', 'none', reply), closesSite: false }
  if (digit !== 4 && digit !== 5) return judgeOddReply(reply, phase)
  const { class: found, actor } = matchRule(reply, phase, route)
  const temporary = digit === 4 || temporaryAnyway(reply, phase, actor)
  return {
    ...judgement(temporary ? 'deferred' : 'bounced', found, reply, actor),
    closesSite: temporary && repliesForAll(reply, phase, found),
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

function matchRule(reply: Reply, phase: Phase, route: Route): { class: OutcomeClass; actor: Actor } {
  const rule = rules.find(
    ({ when }) =>
      (when.digit === undefined || when.digit === Math.trunc(reply.code / 100)) &&
      (when.codes === undefined || when.codes.includes(reply.code)) &&
      (when.status === undefined || when.status.test(reply.detail)) &&
      (when.text === undefined || when.text.test(reply.text)) &&
      (when.phases === undefined || when.phases.includes(phase)) &&
      (when.route === undefined || when.route === route),
  )
  const found = rule?.class ?? 'other'
  return { class: found, actor: rule?.actor ?? classes[found].actor }
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
  return phase === 'mail' && (found === 'rate' || found === 'spam-block')
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
  return { ...judged, action: 'deferred', class: 'own-smtp-login', actor: 'own-smtp', closesSite: true }
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
