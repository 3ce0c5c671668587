/**
 * Reads a list of suppressions from a file and hands it in by the thousand.
 */
import type { ImportAnswer } from '../admin/routes/suppression-import.ts'
import type { ApiClient } from './api-client.ts'
import { CliError } from './cli-error.ts'
import { readCsv } from './csv.ts'
import { readListFile } from './list-file.ts'
import { table } from './table.ts'

type Entry = Readonly<Record<string, unknown>>

/** Of one call; with long notes fewer, half of http.maxBodyBytes as it is shipped. */
const entriesAtOnce = 2000
const bytesAtOnce = 1024 * 1024
const columns = ['address', 'account', 'reason', 'expiresat', 'note']
/** What an export has besides: it tells of the past, which is not made again. */
const passedOver = ['createdat', 'class', 'reply']
/** Of those that were refused. */
const shown = 50

/** `usual`: the account of entries that name none; null: all accounts. */
export async function importFile(
  api: ApiClient,
  file: string,
  usual: string | null | undefined,
): Promise<ImportAnswer> {
  const entries = entriesOf(file)
  const results: ImportAnswer['results'] = []
  const counts = { created: 0, replaced: 0, invalid: 0 }
  for (const suppressions of callsOf(entries)) {
    const answer = await api.post<ImportAnswer>('/v1/suppressions/import', { account: usual, suppressions })
    results.push(...answer.results)
    for (const [result, count] of Object.entries(answer.counts)) counts[result as keyof typeof counts] += count
  }
  return { results, counts }
}

function* callsOf(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let [from, bytes] = [0, 0]
  for (const [at, entry] of entries.entries()) {
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1
    if (at > from && (at - from >= entriesAtOnce || bytes + size > bytesAtOnce)) {
      yield entries.slice(from, at)
      ;[from, bytes] = [at, 0]
    }
    bytes += size
  }
  yield entries.slice(from)
}

export function importText({ results, counts: { created, replaced, invalid } }: ImportAnswer): string {
  const sum = `${created} added, ${replaced} replaced, ${invalid} not usable`
  if (invalid === 0) return sum
  const refused = results.filter(({ result }) => result === 'invalid').slice(0, shown)
  const rows = refused.map(({ address, errors }) => [
    address,
    errors.map(({ field, detail }) => `${field}: ${detail}`).join('; '),
  ])
  return `${sum}\n\n${table(['address', 'what is wrong'], rows, '')}`
}

function entriesOf(file: string): Entry[] {
  const text = readListFile(file)
  const entries = /\.json$/i.test(file) ? fromJson(text) : /\.csv$/i.test(file) ? fromCsv(text) : null
  if (entries === null) throw new CliError(`${file} is of no known kind`, 'name a file that ends in .csv or .json')
  if (entries.length === 0) throw new CliError('the file names no recipients', 'write a line for each')
  return entries
}

function fromJson(text: string): Entry[] {
  const mend = 'write a list: [{"address": "a@example.jp", "reason": "complaint"}]'
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list)) return list.map(entry => (typeof entry === 'string' ? { address: entry } : entry))
  } catch (cause) {
    throw new CliError(`the file is not JSON: ${(cause as Error).message}`, mend, { cause })
  }
  throw new CliError('the file holds no list', mend)
}

function fromCsv(text: string): Entry[] {
  const rows = readCsv(text)
  const named = Object.keys(rows[0]?.fields ?? {})
  const strange = named.filter(name => !columns.includes(name) && !passedOver.includes(name))
  if (rows.length > 0 && (!named.includes('address') || strange.length > 0))
    throw new CliError(
      `the first line names ${named.join(', ')}`,
      'the first line must name the columns: address, and account, reason, expiresAt, note where wanted, separated by commas',
    )
  return rows.map(({ fields: { address, account, reason, expiresat, note } }) => ({
    address,
    ...(account && { account: account === '*' ? null : account }),
    ...(reason && { reason }),
    ...(expiresat && { expiresAt: expiresat }),
    // An export puts it before what would be a formula.
    ...(note && { note: note.replace(/^'(?='*[=+\-@])/, '') }),
  }))
}
