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

/** Owner name → records by type, as in `dns/zone.ts`. */
type ZoneAnswer = Readonly<Record<string, Readonly<Record<string, unknown>>>>

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
    .argument('<domain>', 'a registered sender domain')
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
  registerZone(sandbox, context)
}

/** Single records, to try out what a broken one does. */
function registerZone(sandbox: Command, context: CliContext): void {
  const zone = sandbox.command('zone').description("the sandbox's DNS zone")
  zone
    .command('list', { isDefault: true })
    .description('list all records')
    .action(async (_options: object, command: Command) => {
      show(context, command, await connect(context, command).get<ZoneAnswer>('/sandbox/zone'), zoneTable)
    })
  zone
    .command('set')
    .argument('<name>', 'full owner name')
    .argument('<type>', 'TXT, MX ("10 host"), CNAME, NS, PTR, A or AAAA on loopback')
    .argument('<values...>', 'all records of that type')
    .description('replace the records of one type')
    .action(async (name: string, type: string, values: string[], _options: object, command: Command) => {
      const query = new URLSearchParams(values.map((value): [string, string] => ['value', value]))
      show(
        context,
        command,
        await connect(context, command).post<ZoneAnswer>(`${recordPath(name, type)}?${query}`),
        zoneTable,
      )
    })
  zone
    .command('remove')
    .argument('<name>', 'full owner name')
    .argument('<type>', 'as for set')
    .description('remove the records of one type')
    .action(async (name: string, type: string, _options: object, command: Command) => {
      show(context, command, await connect(context, command).delete<ZoneAnswer>(recordPath(name, type)), zoneTable)
    })
}

function recordPath(name: string, type: string): string {
  return `/sandbox/zone/${encodeURIComponent(name)}/${encodeURIComponent(type)}`
}

function zoneTable(answer: ZoneAnswer): string {
  const rows = Object.entries(answer).flatMap(([name, entry]) =>
    Object.entries(entry).flatMap(([type, values]) =>
      [values].flat().map(value => [name, type, Array.isArray(value) ? value.join(' ') : String(value)]),
    ),
  )
  return table(['name', 'type', 'value'], rows, 'no records')
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
