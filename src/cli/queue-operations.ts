/**
 * Orders to many entries as the command line shows them: waits for the end and tells how far it is.
 */
import type { Command } from 'commander'
import type { QueueOperationAnswer } from '../admin/routes/queue-operations.ts'
import type { ApiClient } from './api-client.ts'
import { type CliContext, connect, show } from './context.ts'
import { table } from './table.ts'
import { timesOf } from './times.ts'

const base = '/v1/queue/operations'
const askAgainMs = 500

/** Progress goes to the terminal only: what is piped on gets the result. */
export async function waitFor(
  context: CliContext,
  api: ApiClient,
  begun: QueueOperationAnswer,
): Promise<QueueOperationAnswer> {
  let operation = begun
  while (operation.state === 'running') {
    if (context.output.isTTY) context.errors.write(`\r${operationText(operation)}`)
    await context.clock.sleep(askAgainMs)
    operation = await api.get<QueueOperationAnswer>(`${base}/${operation.id}`)
  }
  if (context.output.isTTY) context.errors.write('\r\u001b[K')
  return operation
}

export function operationText({ id, verb, total, done, inFlight, state, error }: QueueOperationAnswer): string {
  const share = total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total))
  return `${verb} ${id}: ${state}, ${done} of ${total} entries (${share} %)${error === null ? '' : `: ${error}`}${inFlightText(inFlight)}`
}

export function inFlightText(inFlight: number | null | undefined): string {
  return inFlight ? `; ${inFlight} are being sent and may be delivered yet` : ''
}

export function registerOperations(queue: Command, context: CliContext): void {
  queue
    .command('operations')
    .option('--stop <id>', 'stop one; what was done stays done')
    .description('list orders to many entries with how far they are, or stop one')
    .action(async ({ stop }: { stop?: string }, command: Command) => {
      const api = connect(context, command)
      if (stop !== undefined) {
        const stopped = await api.delete<QueueOperationAnswer>(`${base}/${encodeURIComponent(stop)}`)
        show(context, command, stopped, one => `${operationText(one)}; no further slice is begun`)
        return
      }
      const at = timesOf(context, command)
      show(context, command, await api.get<{ operations: QueueOperationAnswer[] }>(base), ({ operations }) =>
        table(
          ['operation', 'verb', 'of', 'state', 'done', 'total', 'since', 'ended'],
          operations.map(one => [
            ...[one.id, one.verb, JSON.stringify(one.filter), one.state, one.done, one.total],
            ...[at(one.createdAt), at(one.endedAt)],
          ]),
          'no order to more than 3,000 entries was given lately',
        ),
      )
    })
}
