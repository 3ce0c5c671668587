/**
 * Reads CSV (RFC 4180) as spreadsheets save it: with a header line, fields in quotation marks where needed.
 *
 * Fails with CliError naming the line.
 */
import { CliError } from './cli-error.ts'

export interface CsvRow {
  readonly line: number
  readonly fields: Readonly<Record<string, string>>
}

/** Empty lines count for nothing; names of columns are taken without case. */
export function readCsv(text: string): CsvRow[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n?|\n/)
  const rows = lines.map((line, index) => ({ line: index + 1, values: fieldsOf(line, index + 1) }))
  const [header, ...others] = rows.filter(({ values }) => values.some(value => value !== ''))
  if (!header) throw new CliError('the file is empty', 'write a line of column names, then a line for each domain')
  const names = header.values.map(name => name.toLowerCase())
  return others.map(({ line, values }) => {
    if (values.length > names.length)
      throw new CliError(
        `line ${line} has ${values.length} fields, the first line names ${names.length}`,
        'a field with a comma in it needs quotation marks',
      )
    return { line, fields: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) }
  })
}

/** A field has no line end in it: no name of a domain or account does. */
function fieldsOf(line: string, number: number): string[] {
  const values: string[] = []
  let rest = line
  do {
    const [whole, quoted, plain = ''] = /^\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(?:,|$)/.exec(rest) ?? []
    if (whole === undefined)
      throw new CliError(
        `line ${number} has a quotation mark where none can be`,
        'enclose the whole field in quotation marks, and double those inside it',
      )
    values.push((quoted?.replaceAll('""', '"') ?? plain).trim())
    rest = rest.slice(whole.length)
    if (rest === '' && whole.endsWith(',')) values.push('')
  } while (rest !== '')
  return values
}
