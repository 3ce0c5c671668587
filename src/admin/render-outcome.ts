/**
 * An outcome as the API shows it: times as text, the reply as it was said, the class as sentences for people.
 */
import { z } from 'zod'
import type { Outcome } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import { sendingModes } from '../mail/sending-mode.ts'
import { actors, classes, nextStepOf } from '../outcome/classes.ts'
import { bilingual, time, timestamp } from './fields.ts'
import { modeMessage } from './mode-message.ts'

export const outcomeAnswer = z.object({
  entry: z.string(),
  recipient: z.string(),
  action: z.enum(['delivered', 'deferred', 'bounced', 'cancelled']),
  at: timestamp,
  attempt: z.int().meta({ description: 'Which try of this recipient it was, from 1' }),
  reply: z.string().meta({ description: 'Code, enhanced status and text' }),
  repliedBy: z.enum(['remote', 'relay']),
  class: z.string(),
  actor: z.string().meta({ description: 'Who must act' }),
  message: bilingual.meta({ description: 'What the class means' }),
  next: bilingual.meta({ description: 'What to do' }),
  who: bilingual.meta({ description: 'The actor in words' }),
  inDoubt: z
    .boolean()
    .meta({ description: 'This try or an earlier one may have been taken unnoticed: it may come twice' }),
  nextAttemptAt: timestamp.nullable(),
  mode: z.enum(sendingModes).nullable(),
  modeReason: z.string().nullable(),
  modeMessage: bilingual.nullable().meta({ description: 'The reason in both languages' }),
  signatures: z.array(z.string()),
  site: z.string().nullable(),
  remoteMta: z.string().nullable(),
  remoteIp: z.string().nullable(),
  sourceIp: z.string().nullable(),
  tls: z.string().nullable(),
  tlsPolicy: z.string().nullable().meta({
    description: 'What asked for more than opportunistic TLS: dane, mta-sts:enforce, account:verified …; joined by +',
  }),
  reversePath: z.string().nullable().meta({ description: 'As used on the wire; "<>": the null reverse-path' }),
  durations: z
    .object({ signMs: z.number(), connectMs: z.number(), sendMs: z.number(), totalMs: z.number() })
    .nullable(),
})

export function renderOutcome(outcome: Outcome): z.output<typeof outcomeAnswer> {
  const { entry, recipient, action, attempt, reply, actor, inDoubt, facts } = outcome
  // An event that another version wrote may have a class that this one doesn't know.
  const known = Object.hasOwn(classes, outcome.class) ? outcome.class : 'other'
  return {
    entry,
    recipient,
    action,
    at: time(outcome.at),
    attempt,
    reply: formatReply(reply),
    repliedBy: reply.from,
    class: outcome.class,
    actor,
    message: classes[known].sentence,
    next: nextStepOf(known, action === 'bounced'),
    who: actors[actor] ?? actors.nobody,
    inDoubt,
    nextAttemptAt: action === 'deferred' ? time(outcome.nextAttemptAt) : null,
    mode: facts?.mode ?? null,
    modeReason: facts?.modeReason ?? null,
    modeMessage: facts ? modeMessage(facts.modeReason) : null,
    signatures: [...(facts?.signatures ?? [])],
    site: facts?.site ?? null,
    remoteMta: facts?.remoteMta ?? null,
    remoteIp: facts?.remoteIp ?? null,
    sourceIp: facts?.sourceIp ?? null,
    tls: facts?.tls ?? null,
    tlsPolicy: facts?.tlsPolicy ?? null,
    reversePath: facts ? (facts.reversePath ?? '<>') : null,
    durations: facts?.durations ?? null,
  }
}

/** Whether an event's data is an outcome, as settling writes it. */
export function isOutcome(data: unknown): data is Outcome {
  return typeof data === 'object' && data !== null && 'action' in data && 'reply' in data && 'attempt' in data
}
