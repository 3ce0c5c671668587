/**
 * Writes the configuration table of README.md from config/default.yaml: key, default, what it means and why.
 *
 * `--check` writes nothing and ends with 1 when the table is stale. The text of a key is the comment above it, so the
 * reference can't drift from the file that is read at start.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isPair, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'

const root = join(import.meta.dirname, '..')
const readmeFile = join(root, 'README.md')
const begin = '<!-- configuration: written by scripts/config-reference.ts -->'
const end = '<!-- end of configuration -->'

const document = parseDocument(readFileSync(join(root, 'config/default.yaml'), 'utf8'))
const rows = isMap(document.contents) ? rowsOf(document.contents, []) : []
const table = ['| key | default | meaning |', '|---|---|---|', ...rows].join('\n')
const readme = readFileSync(readmeFile, 'utf8')
const before = readme.slice(0, readme.indexOf(begin) + begin.length)
const after = readme.slice(readme.indexOf(end))
const written = `${before}\n${table}\n${after}`

if (!readme.includes(begin) || !readme.includes(end)) fail(`README.md lacks the marks ${begin} and ${end}`)
else if (!process.argv.includes('--check')) writeFileSync(readmeFile, written)
else if (written !== readme) fail('the configuration table of README.md is stale: node scripts/config-reference.ts')

function fail(text: string): void {
  console.error(text)
  process.exitCode = 1
}

function rowsOf(map: YAMLMap, path: readonly string[]): string[] {
  return map.items.flatMap((item, index) => (isPair(item) ? rowsOfPair(map, item, index, path) : []))
}

function rowsOfPair(map: YAMLMap, pair: Pair, index: number, path: readonly string[]): string[] {
  const key = [...path, String(isScalar(pair.key) ? pair.key.value : pair.key)]
  const isGroup = isMap(pair.value) && !pair.value.flow
  if (isGroup) return rowsOf(pair.value as YAMLMap, key)
  // The yaml library hangs the comment of a map's first key on the map itself.
  const above = isScalar(pair.key) ? pair.key.commentBefore : undefined
  // The file's own header is a comment of the first key too, with an empty line between.
  const comment = (above ?? (index === 0 ? (map.commentBefore ?? '') : '')).split(/\n[ \t]*\n/).at(-1)!
  const value = JSON.stringify((pair.value as { toJSON(): unknown }).toJSON())
  return [
    `| \`${key.join('.')}\` | \`${value.replaceAll('|', '\\|')}\` | ${comment
      .replace(/\s*\n\s*/g, ' ')
      .trim()
      .replaceAll('|', '\\|')} |`,
  ]
}
