/**
 * The rules of classification that a configuration adds: their shape, and what can be wrong with them.
 */
import { z } from 'zod'
import { phases } from '../mail/attempt-result.ts'
import { actorNames, outcomeClasses } from '../mail/outcome.ts'
import { mend } from './config-values.ts'
import { parsePhrase } from './phrase.ts'

/** The others are no matter of what a server says. */
const choosable = outcomeClasses.filter(name => !['none', 'expired', 'cancelled', 'relay-trouble'].includes(name))

const phrase = z.string(mend('write the words to look for')).superRefine((text, context) => {
  const parsed = parsePhrase(text)
  if (typeof parsed === 'string') context.addIssue({ code: 'custom', message: parsed })
})

const listOf = <T extends z.ZodType>(kind: T, of: string) =>
  z.array(kind, mend(`write a list of ${of}`)).min(1, mend(`name at least one, or leave the key out`))

const suffix = z
  .string(mend('write the end of a host name such as docomo.ne.jp'))
  .transform(text => text.toLowerCase().replace(/^\./, '').replace(/\.$/, ''))
  .refine(text => /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(text), mend('write the end of a host name such as docomo.ne.jp'))

const conditions = {
  digit: z.union([z.literal(4), z.literal(5)], mend('write 4 or 5')).optional(),
  codes: listOf(
    z
      .int(mend('write a reply code such as 550'))
      .min(400, mend('write a code from 400 to 599'))
      .max(599, mend('write a code from 400 to 599')),
    'reply codes',
  ).optional(),
  status: listOf(
    z
      .string(mend('write subject and detail such as "7.1", or "7.*"'))
      .regex(
        /^\d\.(?:\d{1,3}|\*)$/,
        mend('write subject and detail such as "7.1", or "7.*", in quotes and without the first digit'),
      ),
    'statuses',
  ).optional(),
  text: listOf(phrase, 'phrases').optional(),
  phases: listOf(z.enum(phases, mend(`write one of ${phases.join(', ')}`)), 'phases').optional(),
  route: z.enum(['mx', 'own-smtp'], mend('write mx or own-smtp')).optional(),
  sites: listOf(suffix, 'host name suffixes').optional(),
}

const rule = z
  .strictObject({
    id: z
      .string(mend('write a name such as docomo-unknown'))
      .regex(/^[a-z0-9-]{1,60}$/, mend('write a name of lower-case letters, digits and hyphens')),
    class: z.enum(choosable, mend(`write one of ${choosable.join(', ')}`)),
    actor: z.enum(actorNames, mend(`write one of ${actorNames.join(', ')}`)).optional(),
    reason: z
      .string(mend('write why, one clause'))
      .max(300, mend('write at most 300 characters'))
      .default('a rule of the configuration'),
    ...conditions,
  })
  .superRefine((given, context) => {
    if (Object.keys(conditions).some(key => given[key as keyof typeof conditions] !== undefined)) return
    context.addIssue({
      code: 'custom',
      message: `would fit every reply; give at least one of ${Object.keys(conditions).join(', ')}`,
    })
  })
  .transform(({ id, class: name, actor, reason, ...when }) => ({
    id,
    class: name,
    ...(actor && { actor }),
    reason,
    when,
  }))

export const classificationRules = z
  .array(rule, mend('write a list of rules { id, class, … }'))
  .superRefine((rules, context) => {
    for (const [index, { id }] of rules.entries())
      if (rules.findIndex(other => other.id === id) < index)
        context.addIssue({
          code: 'custom',
          path: [index, 'id'],
          message: `${id} is the name of an earlier rule; give each its own`,
        })
  })
