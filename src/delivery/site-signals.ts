/**
 * What an answer that is no success says about the limits of a site.
 *
 * `classify.ts` judges what becomes of the message; this only asks whether the site wants less of us. Greylisting, a full
 * or busy mailbox, a recipient who gets too much mail, too many recipients in one transaction (RFC 5321 §4.5.3.1.10): all
 * temporary, none of them a reason to slow down for everybody else. Pure.
 */
import type { Phase, RecipientResult } from '../mail/attempt-result.ts'
import type { Reply } from '../mail/reply.ts'
import { classify, type Judgement } from '../outcome/classify.ts'

/**
 * - `too-fast`: it says that it gets too much, in so many words or by a status that means it.
 * - `too-many-connections`: it says so of connections, or turned one away before any mail was spoken of.
 * - `stalled`: it took a message and never said what became of it.
 * - `trouble`: it wants to be left alone and does not say why.
 */
export type Signal = 'too-fast' | 'too-many-connections' | 'stalled' | 'trouble'

const ofConnections =
  /too many (?:\w+ )?(?:connections|sessions)|(?:maximum|number|limit) (?:number )?(?:of |on )?(?:\w+ )?connections|connection (?:limit|count)|concurrent (?:connections|sessions)/i
/** So many on this one. */
const ofConnection = /(?:this|per|in one) (?:connection|session)|clos(?:e|ing)/i
const ofOneRecipient = /too many (?:recipients|rcpts?|errors|invalid)|(?:user|recipient|mailbox|account).{0,40}receiv/i
/** RFC 3463: X.2.z is the mailbox, X.1.z the address, X.5.3 too many recipients. */
const statusOfOneRecipient = /^(?:[12]\.\d+|5\.3)$/
/** Nothing of a message was said yet. */
const sessionPhases: ReadonlySet<Phase> = new Set(['connect', 'banner', 'ehlo'])

interface Said {
  readonly reply: Reply
  readonly phase: Phase
}

/** Null: it says nothing about limits. */
export function signalOf(result: RecipientResult, judged: Judgement): Signal | null {
  if ('failure' in result) return signalOfFailure(result.failure, judged)
  const { reply, phase } = result
  if (reply.from === 'relay') return null
  if (ofConnections.test(reply.text) && (judged.action === 'deferred' || sessionPhases.has(phase)))
    return 'too-many-connections'
  if (judged.action === 'deferred' && judged.class === 'rate' && !isOfOneRecipient(reply)) return 'too-fast'
  if (!judged.closesSite) return null
  return sessionPhases.has(phase) ? 'too-many-connections' : 'trouble'
}

function signalOfFailure({ phase, kind }: { phase: Phase; kind: string }, judged: Judgement): Signal | null {
  if (kind === 'timeout' && (phase === 'dot' || phase === 'data')) return 'stalled'
  if (!judged.closesSite) return null
  return sessionPhases.has(phase) && kind !== 'tls' && kind !== 'unsupported' ? 'too-many-connections' : 'trouble'
}

/** 421 ends a connection (RFC 5321 §3.8), and says nothing of the next one, unless it speaks of a rate. */
export function endsOnlyConnection(said: Said): boolean {
  const { reply, phase } = said
  return reply.code === 421 && (phase === 'idle' || phase === 'mail') && !speaksOfRate(said)
}

/** It counts our address: another of its connections or hosts is no help, and asking them is what receivers punish. */
export function speaksOfRate({ reply, phase }: Said): boolean {
  if (ofConnection.test(reply.text) || isOfOneRecipient(reply)) return false
  return classify({ result: { address: '', reply, phase }, route: 'mx' }).class === 'rate'
}

function isOfOneRecipient({ detail, text }: Reply): boolean {
  return statusOfOneRecipient.test(detail) || ofOneRecipient.test(text)
}
