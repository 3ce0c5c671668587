/**
 * `kitte erase`: takes a recipient's address out of the history when a person asks for it.
 */
import type { Command } from 'commander'
import type { ErasureAnswer } from '../admin/routes/erasure.ts'
import { confirm } from './ask.ts'
import { type CliContext, connect, show } from './context.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('erase')
    .argument('<address>', 'the recipient')
    .description("take a recipient's address out of messages, outcomes and events, for good")
    .option('--cancel', 'cancel first what is still queued for the recipient')
    .option('--yes', "don't ask")
    .action(async (address: string, { cancel = false, yes = false }: { cancel?: boolean; yes?: boolean }, command) => {
      await confirm(context, `everything known of ${address} as a recipient will be erased, which can't be undone`, yes)
      const answer = await connect(context, command).post<ErasureAnswer>('/v1/recipients/erase', { address, cancel })
      show(context, command, answer, told)
    })
}

function told({ messages, events, suppressions, suppressionsKept, cancelled, queued, logged }: ErasureAnswer): string {
  const lines = [`erased from ${messages} messages, ${events} events and ${logged} places in log files`]
  if (cancelled > 0) lines.push(`${cancelled} queue entries were cancelled first`)
  if (suppressions > 0) lines.push(`${suppressions} suppressions after hard bounces were removed`)
  if (suppressionsKept > 0)
    lines.push(`${suppressionsKept} suppressions keep mail from it and stay: "kitte suppression remove" removes them`)
  if (queued > 0)
    lines.push(`${queued} messages are still queued for it and were left alone: again with --cancel, or later`)
  return [...lines, 'what the log printed on stdout, backups and receivers of webhooks still have it'].join('\n')
}
