/**
 * Checks the two import rules of the house: folders import only to their right, and each library has its doors.
 *
 * Prints one line per breach and ends with 1 when there is any. Reads imports as text: static ones, dynamic ones with a
 * literal, and worker entries (`new URL('./x.ts', import.meta.url)`).
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Left to right: a file imports from its own folder or from folders to its right. Files directly in src are `main`. */
const order =
  'main cli admin sandbox submission delivery tls feedback outcome domains webhooks queue signing store policy dns base mail'.split(
    ' ',
  )

/** Library → the files (or folders, with a slash at the end) that may import it. */
const doors: Record<string, readonly string[]> = {
  'smtp-server': [
    'src/submission/listener.ts',
    'src/submission/content-parser.ts',
    'src/feedback/listener.ts',
    'src/sandbox/',
  ],
  nodemailer: ['src/delivery/smtp-transport.ts'],
  mailauth: ['src/domains/records/spf-evaluation.ts', 'src/sandbox/'],
  'mx-connect': ['src/dns/refused-address.ts'],
  'node-forge': ['src/submission/self-signed.ts'],
  'better-sqlite3': ['src/store/sqlite/connection.ts'],
  pg: ['src/store/postgres/connection.ts'],
  express: ['src/admin/'],
  helmet: ['src/admin/'],
  'prom-client': ['src/admin/'],
  pino: ['src/base/log.ts'],
  'pino-roll': ['src/base/log.ts'],
  zod: [
    'src/base/config-schema.ts',
    'src/base/config-classification.ts',
    'src/base/config-values.ts',
    'src/base/config.ts',
    'src/admin/',
  ],
  yaml: ['src/base/config.ts'],
  commander: ['src/cli/'],
  'dns-packet': ['src/dns/', 'src/sandbox/'],
  'node:dns': ['src/dns/'],
  '@node-rs/argon2': ['src/base/password.ts'],
}

/** Global → the files that may use it. */
const globals: readonly { pattern: RegExp; name: string; allowed: readonly string[] }[] = [
  { pattern: /\bprocess\.env\b/, name: 'process.env', allowed: ['src/base/config.ts', 'src/base/environment.ts'] },
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, name: 'Date.now', allowed: ['src/base/clock.ts'] },
  { pattern: /\b(?:setTimeout|setInterval)\(/, name: 'timers', allowed: ['src/base/clock.ts'] },
]

const breaches = globSync('src/**/*.{ts,js}', { cwd: root }).sort().flatMap(checkFile)
for (const breach of breaches) console.log(breach)
console.log(`check-imports: ${breaches.length === 0 ? 'nothing found' : `${breaches.length} found`}`)
process.exitCode = breaches.length === 0 ? 0 : 1

function checkFile(file: string): string[] {
  // The console's browser modules run elsewhere; the rules are the server's.
  if (file.startsWith('src/admin/console/') || file === 'src/admin/share/page.js') return []
  const text = readFileSync(join(root, file), 'utf8')
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [...importsOf(code).flatMap(target => checkImport(file, target)), ...checkGlobals(file, code)]
}

function importsOf(code: string): string[] {
  const patterns = [
    /\bfrom\s+'([^']+)'/g,
    /\bimport\s+'([^']+)'/g,
    /\bimport\(\s*'([^']+)'/g,
    /new URL\(\s*'(\.[^']+\.ts)'/g,
  ]
  return patterns.flatMap(pattern => [...code.matchAll(pattern)].map(match => match[1]!))
}

function checkImport(file: string, target: string): string[] {
  if (target.startsWith('.')) return checkFolder(file, normalize(join(dirname(file), target)))
  const library = target.startsWith('node:')
    ? target.split('/')[0]!
    : target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/')
  const allowed = doors[library]
  if (!allowed || allowed.some(door => file === door || (door.endsWith('/') && file.startsWith(door)))) return []
  return [`${file}: imports ${library}, whose door is ${allowed.join(', ')}`]
}

function checkFolder(file: string, target: string): string[] {
  const from = rankOf(file)
  const to = rankOf(target)
  if (to === null)
    return [`${file}: imports ${target}, which lies outside src or in a folder without a place in the order`]
  if (from === null) return [`${file}: its folder has no place in the import order`]
  return to < from ? [`${file}: imports ${relative('src', target)}, to its left`] : []
}

function rankOf(path: string): number | null {
  const parts = path.split('/')
  if (parts[0] !== 'src') return null
  const rank = order.indexOf(parts.length === 2 ? 'main' : parts[1]!)
  return rank === -1 ? null : rank
}

function checkGlobals(file: string, code: string): string[] {
  return globals
    .filter(({ pattern, allowed }) => !allowed.includes(file) && pattern.test(code))
    .map(({ name, allowed }) => `${file}: uses ${name}, whose place is ${allowed.join(', ')}`)
}
