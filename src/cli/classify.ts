/**
 * `kitte classes` and `kitte classify`: what the classes of outcomes mean, and what a reply would be taken for.
 */
import type { Command } from 'commander'
import type { ClassesAnswer, MeaningAnswer } from '../admin/routes/classes.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, colour, connect, show } from './context.ts'
import { facts } from './table.ts'

interface ClassifyOptions {
  readonly phase?: string
  readonly site?: string
  readonly ownSmtp?: true
}

const colours = { delivered: 'green', deferred: 'yellow', bounced: 'red' } as const

export function register(program: Command, context: CliContext): void {
  program
    .command('classes')
    .argument('[class]', 'only this one')
    .description('tell what each class of outcome means, who must act and what to do')
    .action(async (name: string | undefined, _options: object, command: Command) => {
      const answer = await connect(context, command).get<ClassesAnswer>('/v1/classes')
      const wanted = answer.classes.filter(one => name === undefined || one.class === name)
      if (wanted.length === 0)
        throw new CliError(`there is no class ${name}`, `these are: ${answer.classes.map(one => one.class).join(', ')}`)
      show(context, command, { classes: wanted }, found =>
        found.classes.map(one => classText(context, one)).join('\n\n'),
      )
    })
  program
    .command('classify')
    .argument('<line...>', 'a reply such as "550 5.1.1 User unknown"; several lines: one argument each')
    .description('tell what a reply would be taken for, and by which rule')
    .option('--phase <name>', 'what it answers: banner, ehlo, mail, rcpt, data, dot …; rcpt unless given')
    .option('--site <name>', 'the host that said it, or the recipient domain')
    .option('--own-smtp', "a sender's own SMTP server said it")
    .action(async (lines: readonly string[], options: ClassifyOptions, command: Command) => {
      const { phase, site, ownSmtp } = options
      const body = { reply: lines.join('\n'), phase, site, ...(ownSmtp && { route: 'own-smtp' }) }
      const answer = await connect(context, command).post<MeaningAnswer>('/v1/classes/try', body)
      show(context, command, answer, meaning => meaningText(context, meaning))
    })
}

function classText(context: CliContext, one: ClassesAnswer['classes'][number]): string {
  return `${colour(context, 'bold', one.class)}\n${indent(meaningOf(one))}`
}

function meaningText(context: CliContext, answer: MeaningAnswer): string {
  const { action, rule, reply } = answer
  const why = rule === null ? 'no rule: by its code' : `${rule.id}: ${rule.reason}\n${rule.source}`
  const head = `${colour(context, colours[action], action)}, ${answer.class}`
  return [
    head,
    indent(facts([['reply', reply]])),
    indent(meaningOf(answer)),
    indent(facts([['rule', why], ...(answer.closesSite ? [['site', 'left alone for a while'] as const] : [])])),
  ].join('\n')
}

function meaningOf({ message, next, who, suppressible }: ClassesAnswer['classes'][number]): string {
  return [
    message.ja,
    message.en,
    `to act: ${who.ja} / ${who.en}`,
    `what to do: ${next.ja}`,
    `            ${next.en}`,
    ...(suppressible ? ['a bounce means that the address does not exist'] : []),
  ].join('\n')
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
