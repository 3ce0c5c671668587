/**
 * `kitte pool`: pools of source addresses, and the option that chooses one.
 */
import { type Command, Option } from 'commander'
import type { PoolsAnswer } from '../admin/routes/pools.ts'
import { type CliContext, connect, show } from './context.ts'
import { table } from './table.ts'

export function register(program: Command, context: CliContext): void {
  const pool = program.command('pool').description('pools of source addresses')
  pool
    .command('list')
    .description('tell what went out from each source address today, and how its warm-up stands')
    .action(async (_options: object, command: Command) => {
      const answer = await connect(context, command).get<PoolsAnswer>('/v1/pools')
      show(context, command, answer, poolsText)
    })
}

export function poolOption(): Option {
  return new Option(
    '--pool <name>',
    'pool of source addresses its mail leaves by; "none": what is less specific decides',
  )
}

/** As the API takes it; undefined when nothing was given. */
export function poolOf(given: string | undefined): string | null | undefined {
  return given === 'none' ? null : given
}

function poolsText({ pools }: PoolsAnswer): string {
  const rows = pools.flatMap(({ name, sources }) =>
    sources.map(({ ip, ehlo, today, warmUp }) => [
      name,
      ip,
      ehlo,
      today?.delivered ?? 0,
      today?.deferred ?? 0,
      today?.bounced ?? 0,
      warmUp === null ? null : warmUp.cap === null ? warmUp.state : `${warmUp.state}, ${warmUp.taken} of ${warmUp.cap}`,
    ]),
  )
  return table(
    ['pool', 'address', 'EHLO', 'delivered', 'deferred', 'bounced', 'warm-up'],
    rows,
    'no source addresses configured: the system chooses (delivery.sourceIpv4, pools)',
  )
}
