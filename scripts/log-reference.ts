/**
 * Writes the tables of the delivery log into README.md from src/outcome/log-fields.ts: events, then fields.
 *
 * `--check` writes nothing and ends with 1 when the tables are stale. The logger can write no other fields, so the
 * reference can't drift from the log.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { logEvents, logFields } from '../src/outcome/log-fields.ts'

const readmeFile = join(import.meta.dirname, '..', 'README.md')
const begin = '<!-- delivery log: written by scripts/log-reference.ts -->'
const end = '<!-- end of delivery log -->'

const tables = [
  '| event | what happened |',
  '|---|---|',
  ...logEvents.map(([name, meaning]) => `| \`${name}\` | ${cell(meaning)} |`),
  '',
  '| field | meaning | example |',
  '|---|---|---|',
  ...logFields.map(
    ([name, meaning, example]) => `| \`${name}\` | ${cell(meaning)} | \`${cell(valueText(example))}\` |`,
  ),
].join('\n')

const readme = readFileSync(readmeFile, 'utf8')
const written = `${readme.slice(0, readme.indexOf(begin) + begin.length)}\n${tables}\n${readme.slice(readme.indexOf(end))}`

if (!readme.includes(begin) || !readme.includes(end)) fail(`README.md lacks the marks ${begin} and ${end}`)
else if (!process.argv.includes('--check')) writeFileSync(readmeFile, written)
else if (written !== readme) fail('the delivery log tables of README.md are stale: node scripts/log-reference.ts')

function fail(text: string): void {
  console.error(text)
  process.exitCode = 1
}

function valueText(example: unknown): string {
  return typeof example === 'string' ? example : JSON.stringify(example)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
