/**
 * Tables for a terminal: columns aligned by display width, so that Japanese names line up too (UAX #11).
 */
import { stripVTControlCharacters } from 'node:util'

/** Wide and fullwidth: two cells each in every terminal that shows Japanese. */
const wide =
  /[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{33ff}\u{3400}-\u{4dbf}\u{4e00}-\u{9fff}\u{a000}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const zero = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Cells the text takes on a terminal. Colours take none. */
export function displayWidth(text: string): number {
  let cells = 0
  for (const character of stripVTControlCharacters(text)) {
    if (!zero.test(character)) cells += wide.test(character) ? 2 : 1
  }
  return cells
}

/** Rows under their headings; numbers stand right. An empty table is one line that says so. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
  empty = 'none',
): string {
  if (rows.length === 0) return empty
  const texts = rows.map(row => row.map(cell => String(cell ?? '–').replace(/\s*\n\s*/g, ' ')))
  const widths = headings.map((heading, column) =>
    Math.max(displayWidth(heading), ...texts.map(row => displayWidth(row[column] ?? ''))),
  )
  const numeric = headings.map((_, column) => isNumeric(rows.map(row => row[column] ?? null)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0, numeric[column] === true))
      .join('  ')
      .trimEnd()
  return [line(headings), ...texts.map(line)].join('\n')
}

/** Numbers and gaps between them; gaps alone are no numbers. */
function isNumeric(cells: readonly (string | number | null)[]): boolean {
  const given = cells.filter(cell => cell !== null)
  return given.length > 0 && given.every(cell => typeof cell === 'number')
}

/** `name  value` lines, values aligned. Values of several lines are indented. */
export function facts(pairs: readonly (readonly [string, string | number | null])[]): string {
  const width = Math.max(...pairs.map(([name]) => displayWidth(name)))
  const indent = `\n${' '.repeat(width + 2)}`
  return pairs
    .map(([name, value]) => `${pad(name, width, false)}  ${String(value ?? '–').replaceAll('\n', indent)}`)
    .join('\n')
}

function pad(text: string, width: number, right: boolean): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return right ? blanks + text : text + blanks
}
