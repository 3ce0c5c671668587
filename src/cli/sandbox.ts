/**
 * `kitte sandbox`: plays the customer who publishes records, and shows what arrived. Only the sandbox answers it.
 */
import type { Command } from 'commander'
import { type CliContext, connect, show } from './context.ts'
import { table } from './table.ts'

interface Published {
  readonly domain: string
  readonly records: readonly { readonly type: string; readonly name: string; readonly value: string }[]
}

interface Arrival {
  readonly number: number
  readonly receivedAt: string
  readonly from: string | null
  readonly recipients: readonly string[]
  readonly subject: string | null
  readonly result: string
}

export function register(program: Command, context: CliContext): void {
  const sandbox = program.command('sandbox').description('the local world of "npm start": its DNS zone and its inbox')
  sandbox
    .command('publish')
    .argument('<domain>', 'a registered sender domain')
    .description("put a sender domain's records into the sandbox's DNS zone")
    .action(async (domain: string, _options: object, command: Command) => {
      const path = `/sandbox/publish/${encodeURIComponent(domain)}`
      const published = await connect(context, command).post<Published>(path)
      show(context, command, published, answer => `published for ${answer.domain}:\n${recordTable(answer)}`)
    })
  sandbox
    .command('unpublish')
    .argument('<domain>')
    .description('take them out again')
    .action(async (domain: string, _options: object, command: Command) => {
      const path = `/sandbox/publish/${encodeURIComponent(domain)}`
      const removed = await connect(context, command).delete<Published>(path)
      show(context, command, removed, answer => `taken out for ${answer.domain}:\n${recordTable(answer)}`)
    })
  sandbox
    .command('inbox')
    .description('list what arrived, with what SPF, DKIM and DMARC say of it')
    .action(async (_options: object, command: Command) => {
      const arrivals = await connect(context, command).get<Arrival[]>('/sandbox/messages')
      show(context, command, arrivals, inboxTable)
    })
}

function recordTable({ records }: Published): string {
  return table(
    ['name', 'type', 'value'],
    records.map(({ name, type, value }) => [name, type, value]),
  )
}

function inboxTable(arrivals: readonly Arrival[]): string {
  return table(
    ['number', 'received', 'from', 'to', 'subject', 'result'],
    arrivals.map(row => [row.number, row.receivedAt, row.from, row.recipients.join(', '), row.subject, row.result]),
    'nothing has arrived yet',
  )
}
