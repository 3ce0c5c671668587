/**
 * `kitte warm-up`: caps that rise day by day for a new sender domain or source address.
 */
import { isIP } from 'node:net'
import { type Command, InvalidArgumentError } from 'commander'
import type { WarmUpAnswer } from '../admin/routes/warm-ups.ts'
import { confirm } from './ask.ts'
import { type CliContext, connect, show, tell } from './context.ts'
import { readAll } from './lists.ts'
import { facts, table } from './table.ts'

interface StartOptions {
  readonly plan?: string
  readonly caps?: readonly number[]
  readonly startsOn?: string
}

const which = 'a registered sender domain, or a source address'

export function register(program: Command, context: CliContext): void {
  const warmUp = program
    .command('warm-up')
    .description('caps that rise day by day for new sender domains and addresses')
  registerStart(warmUp, context)
  registerLook(warmUp, context)
  registerChange(warmUp, context)
}

function registerStart(warmUp: Command, context: CliContext): void {
  warmUp
    .command('start')
    .argument('<name>', which)
    .option('--plan <name>', 'one of warmUp.plans; standard when neither this nor --caps is given')
    .option('--caps <numbers>', 'most recipients on the first day, the second …: 50,100,200', parseCaps)
    .option('--starts-on <day>', '2026-01-15; today when not given')
    .description('begin a warm-up')
    .action(async (name: string, options: StartOptions, command: Command) => {
      const { plan, caps, startsOn } = options
      const of = isIP(name) === 0 ? { domain: name } : { source: name }
      const answer = await connect(context, command).post<WarmUpAnswer>('/v1/warm-ups', { ...of, plan, caps, startsOn })
      show(context, command, answer, warmUpText)
    })
}

function registerLook(warmUp: Command, context: CliContext): void {
  warmUp
    .command('list')
    .description('list warm-ups')
    .action(async (_options: object, command: Command) => {
      const warmUps = await readAll<WarmUpAnswer>(connect(context, command), '/v1/warm-ups', 'warmUps')
      show(context, command, { warmUps }, answer =>
        table(
          ['of', 'plan', 'state', 'day', 'step', 'taken', 'cap'],
          answer.warmUps.map(row => [
            row.name,
            row.plan,
            row.state,
            row.day ?? `from ${row.startsOn}`,
            `${row.step} of ${row.caps.length}`,
            row.taken,
            row.cap,
          ]),
          'no warm-ups; "kitte warm-up start NAME" begins one',
        ),
      )
    })
  warmUp
    .command('show')
    .argument('<name>', which)
    .description('tell how far a warm-up has come, and why it is paused')
    .action(async (name: string, _options: object, command: Command) => {
      show(context, command, await connect(context, command).get<WarmUpAnswer>(pathOf(name)), warmUpText)
    })
}

function registerChange(warmUp: Command, context: CliContext): void {
  const changes = [
    ['pause', 'paused', 'hold a warm-up where it is until it is resumed'],
    ['resume', 'running', 'let a paused warm-up go on: what waits for it may go at once'],
  ] as const
  for (const [verb, state, description] of changes) {
    warmUp
      .command(verb)
      .argument('<name>', which)
      .description(description)
      .action(async (name: string, _options: object, command: Command) => {
        show(context, command, await connect(context, command).patch<WarmUpAnswer>(pathOf(name), { state }), warmUpText)
      })
  }
  warmUp
    .command('end')
    .argument('<name>', which)
    .option('--yes', 'do not ask')
    .description('end a warm-up: nothing is limited any more')
    .action(async (name: string, options: { yes?: boolean }, command: Command) => {
      await confirm(context, `${name} may then send as much as comes, today.`, options.yes === true)
      await connect(context, command).delete(pathOf(name))
      tell(context, command, `ended the warm-up of ${name}`)
    })
}

function pathOf(name: string): string {
  return `/v1/warm-ups/${isIP(name) === 0 ? 'domain' : 'source'}/${encodeURIComponent(name)}`
}

function warmUpText(warmUp: WarmUpAnswer): string {
  const { kind, name, plan, caps, startsOn, state, step, day, cap, taken, pause } = warmUp
  return facts([
    [kind === 'domain' ? 'domain' : 'address', name],
    ['state', state],
    ...(pause === null ? [] : [['', `${pause.message.ja}\n${pause.message.en}`] as const]),
    ['plan', `${plan}: ${caps.join(', ')}`],
    ['began', startsOn],
    ['step', `${step} of ${caps.length}`],
    ['day', day],
    ['sent', cap === null ? `${taken}, no limit` : `${taken} of ${cap}`],
  ])
}

function parseCaps(text: string): number[] {
  const caps = text.split(',').map(part => part.trim())
  if (caps.every(part => /^[1-9]\d{0,8}$/.test(part))) return caps.map(Number)
  throw new InvalidArgumentError('Write numbers of at least 1 with commas between: 50,100,200.')
}
