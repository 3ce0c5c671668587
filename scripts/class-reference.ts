/**
 * Writes the table of classes into README.md from src/outcome/classes.ts: class, who must act, what it means.
 *
 * `--check` writes nothing and ends with 1 when the table is stale. Log, API and reports take the same sentences, so the
 * reference can't drift from what they say.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outcomeClasses } from '../src/mail/outcome.ts'
import { classes } from '../src/outcome/classes.ts'

const readmeFile = join(import.meta.dirname, '..', 'README.md')
const begin = '<!-- classes: written by scripts/class-reference.ts -->'
const end = '<!-- end of classes -->'

const rows = outcomeClasses.map(name => {
  const { actor, sentence } = classes[name]
  return `| \`${name}\` | \`${actor}\` | ${cell(sentence.ja)} | ${cell(sentence.en)} |`
})
const table = ['| class | who must act | 意味 | meaning |', '|---|---|---|---|', ...rows].join('\n')
const readme = readFileSync(readmeFile, 'utf8')
const written = `${readme.slice(0, readme.indexOf(begin) + begin.length)}\n${table}\n${readme.slice(readme.indexOf(end))}`

if (!readme.includes(begin) || !readme.includes(end)) fail(`README.md lacks the marks ${begin} and ${end}`)
else if (!process.argv.includes('--check')) writeFileSync(readmeFile, written)
else if (written !== readme) fail('the table of classes in README.md is stale: node scripts/class-reference.ts')

function fail(text: string): void {
  console.error(text)
  process.exitCode = 1
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
