/**
 * Prints the shape of the code as a row of the table that compares codebases, then the ten longest files and functions.
 *
 * Counted like the other rows: source files without tests; a function is one with a body, its lines from first to last;
 * a comment line is one that starts as a comment; commits are the last 300 without merges, with body when the message
 * says more than a subject. Types are stripped in place, so every position stays true.
 */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { type AnyNode, parse } from 'acorn'
import { fullAncestor } from 'acorn-walk'

interface Measured {
  readonly name: string
  readonly lines: number
}

const root = join(import.meta.dirname, '..')
const commitsLookedAt = 300
const listed = 10
const longFunction = 100

// Node warns that stripping types by hand is experimental; the price here would be a wrong number, not a lost mail.
process.removeAllListeners('warning')

const sources = globSync('src/**/*.{ts,js}', { cwd: root })
  .filter(file => !file.endsWith('.d.ts'))
  .sort()
const texts = new Map(sources.map(file => [file, readFileSync(join(root, file), 'utf8')]))
const files: Measured[] = [...texts].map(([name, text]) => ({ name, lines: linesOf(text).length }))
const functions = [...texts].flatMap(([file, text]) => functionsOf(file, text))
const sourceLines = sum(files)
const testLines = globSync('test/**/*.{ts,py,pl,cjs}', { cwd: root }).reduce(
  (lines, file) => lines + linesOf(readFileSync(join(root, file), 'utf8')).length,
  0,
)

console.log(
  `| project | files | lines/file median · p90 | biggest file | fn median · p90 · p99 | fn >${longFunction} lines | comment | test : source | body |`,
)
console.log('|---|---|---|---|---|---|---|---|---|')
console.log(`| ${row().join(' | ')} |`)
console.log(
  `\n${sourceLines} lines in ${files.length} files, ${functions.length} functions, ${testLines} lines of tests`,
)
printLongest('files', files)
printLongest('functions', functions)

function row(): string[] {
  const biggest = longest(files)[0]!
  return [
    'Kitte (TS)',
    String(files.length),
    `${percentile(files, 50)} · ${percentile(files, 90)}`,
    `${biggest.name.replace('src/', '')} ${biggest.lines}`,
    `${percentile(functions, 50)} · ${percentile(functions, 90)} · ${percentile(functions, 99)}`,
    String(functions.filter(({ lines }) => lines > longFunction).length),
    percent([...texts.values()].reduce((lines, text) => lines + commentLines(text), 0) / sourceLines),
    (testLines / sourceLines).toFixed(2),
    percent(shareOfBodies()),
  ]
}

function functionsOf(file: string, text: string): Measured[] {
  const code = file.endsWith('.ts') ? stripTypeScriptTypes(text) : text
  const tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true, allowHashBang: true })
  const found: Measured[] = []
  fullAncestor(tree, (node, _state, ancestors) => {
    const candidate = node as AnyNode
    if (!/^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(candidate.type)) return
    if (!('body' in candidate) || (candidate.body as AnyNode).type !== 'BlockStatement') return
    const { start, end } = candidate.loc!
    const name = nameOf(candidate, ancestors.at(-2) as AnyNode | undefined)
    found.push({ name: `${file}:${start.line} ${name}`, lines: end.line - start.line + 1 })
  })
  return found
}

/** Its own name, or that of the variable, property or method it is the value of. */
function nameOf(node: AnyNode, parent: AnyNode | undefined): string {
  if ('id' in node && node.id && 'name' in node.id) return String(node.id.name)
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return parent.id.name
  if (parent && 'key' in parent && 'name' in parent.key) return String(parent.key.name)
  return '(anonymous)'
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n')
}

function commentLines(text: string): number {
  let isInside = false
  return linesOf(text).filter(line => {
    const isComment = isInside || /^\s*(?:\/\/|\/\*)/.test(line)
    if (isComment && /\/\*/.test(line)) isInside = true
    if (/\*\//.test(line)) isInside = false
    return isComment
  }).length
}

function shareOfBodies(): number {
  const log = execFileSync('git', ['log', '--no-merges', `-${commitsLookedAt}`, '--format=%b%x00'], { cwd: root })
  const bodies = log.toString().split('\0').slice(0, -1)
  return bodies.filter(body => body.trim() !== '').length / bodies.length
}

/** The smallest value that this share of all values does not exceed. */
function percentile(values: readonly Measured[], share: number): number {
  const sorted = values.map(({ lines }) => lines).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)] ?? 0
}

function longest(values: readonly Measured[]): Measured[] {
  return [...values].sort((a, b) => b.lines - a.lines).slice(0, listed)
}

function printLongest(what: string, values: readonly Measured[]): void {
  console.log(`\nlongest ${what}:`)
  for (const { lines, name } of longest(values)) console.log(`${String(lines).padStart(5)}  ${name}`)
}

function sum(values: readonly Measured[]): number {
  return values.reduce((total, { lines }) => total + lines, 0)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
