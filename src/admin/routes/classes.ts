/**
 * Classes of outcomes in words, and what a reply would be taken for.
 */
import { z } from 'zod'
import { phases } from '../../mail/attempt-result.ts'
import { actorNames, outcomeClasses } from '../../mail/outcome.ts'
import { formatReply, parseReply } from '../../mail/reply.ts'
import { actors, classes, nextStepOf } from '../../outcome/classes.ts'
import { type Classifier, createClassifier } from '../../outcome/classify.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { bilingual, mend, text } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'

const classFields = {
  class: z.enum(outcomeClasses),
  actor: z.enum(actorNames).meta({ description: 'Who must act' }),
  who: bilingual.meta({ description: 'The actor in words' }),
  suppressible: z.boolean().meta({ description: 'A bounce of this class means that the address does not exist' }),
  message: bilingual.meta({ description: 'What the class means' }),
  next: bilingual.meta({ description: 'What to do' }),
}

const classesAnswer = z.object({ classes: z.array(z.object(classFields)) })

const question = z.strictObject(
  {
    reply: z
      .string(mend('smtp-reply'))
      .max(6000, mend('smtp-reply'))
      .transform(parseReply)
      .refine(reply => reply !== null, mend('smtp-reply'))
      .meta({ description: 'A reply as it stands on the wire, such as 550 5.1.1 User unknown; lines separated by LF' }),
    phase: z.enum(phases, mend('phase')).optional().meta({ description: 'What it answers; rcpt unless given' }),
    site: text(1, 2000, 'site').optional().meta({ description: 'The host that said it, or the recipient domain' }),
    route: z
      .enum(['mx', 'own-smtp'], mend('route'))
      .optional()
      .meta({ description: "own-smtp: a sender's own SMTP server; mx unless given" }),
  },
  mend('object'),
)

const meaningAnswer = z.object({
  reply: z.string().meta({ description: 'As it was understood' }),
  action: z.enum(['delivered', 'deferred', 'bounced']),
  ...classFields,
  closesSite: z.boolean().meta({ description: 'The site is left alone for a while' }),
  rule: z.object({ id: z.string(), reason: z.string(), source: z.string(), own: z.boolean() }).nullable().meta({
    description: 'The rule that chose the class; own: one of classification.rules. Null: none was needed, or none fits',
  }),
})

export type ClassesAnswer = z.output<typeof classesAnswer>
export type MeaningAnswer = z.output<typeof meaningAnswer>

export function classRoutes({ config }: AdminDependencies): Operation[] {
  const classifier = createClassifier(config.classification.rules)
  return [
    operation({
      method: 'get',
      path: '/v1/classes',
      id: 'listClasses',
      summary: 'Tells every class of outcome: what it means, who must act and what to do',
      answer: { status: 200, schema: classesAnswer },
      run: async () => ({ classes: outcomeClasses.map(name => ({ ...wordsOf(name), next: classes[name].next })) }),
    }),
    operation({
      method: 'post',
      path: '/v1/classes/try',
      id: 'tryReply',
      summary: 'Tells what a reply would be taken for, and by which rule; changes nothing',
      body: question,
      answer: { status: 200, schema: meaningAnswer },
      run: async ({ body }) => meaningOf(classifier, body),
    }),
  ]
}

function meaningOf(
  { classify, explain }: Classifier,
  { reply, phase = 'rcpt', site, route = 'mx' }: z.output<typeof question>,
): MeaningAnswer {
  const said = reply!
  const place = { route, site: site ?? null }
  const judged = classify({ result: { address: '', reply: said, phase }, ...place })
  const { rule, isOwn, class: ruled } = explain({ reply: said, phase, ...place })
  return {
    reply: formatReply(said),
    action: judged.action,
    ...wordsOf(judged.class, judged.actor),
    next: nextStepOf(judged.class, judged.action === 'bounced'),
    closesSite: judged.closesSite,
    rule:
      rule === null || said.code < 400 || ruled !== judged.class
        ? null
        : { id: rule.id, reason: rule.reason, source: rule.source, own: isOwn },
  }
}

function wordsOf(name: keyof typeof classes, actor = classes[name].actor) {
  const { sentence, suppressible } = classes[name]
  return { class: name, actor, who: actors[actor], suppressible, message: sentence }
}
