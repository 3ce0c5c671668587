/**
 * The alert rules: each has a line in the README on what comes next, and names commands that there are.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { cli } from '../cli/support/cli.ts'

interface Rule {
  readonly alert: string
  readonly annotations: { readonly summary: string; readonly action: string }
}

const root = join(import.meta.dirname, '../..')
const rules: Rule[] = parse(readFileSync(join(root, 'config/monitoring/alerts.yaml'), 'utf8')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
)
const runbook = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\| `(Kitte\w+)` \| (.+) \| (.+) \|$/gm)
const lines = new Map([...runbook].map(([, alert, ja, en]) => [alert!, { ja: ja!, en: en! }]))
const japanese = /[\u3040-\u30ff\u4e00-\u9fff]/

describe('the alert rules', () => {
  it('each say what next in both languages, there and in the README', () => {
    assert.deepEqual(
      [...lines.keys()],
      rules.map(({ alert }) => alert),
    )
    for (const { alert, annotations } of rules) {
      for (const text of Object.values(annotations)) assert.match(text, /[\u3040-\u9fff].* \/ .*[a-z]/, alert)
      const { ja, en } = lines.get(alert)!
      assert.match(ja, japanese, alert)
      assert.doesNotMatch(en, japanese, alert)
    }
  })

  it('name only commands that there are', async () => {
    const texts = [
      ...rules.map(({ annotations }) => annotations.action),
      ...[...lines.values()].flatMap(({ ja, en }) => [ja, en]),
    ]
    const named = new Set(texts.flatMap(text => text.match(/kitte [a-z]+(?: [a-z]+)?(?: --[a-z-]+)?/g) ?? []))
    assert.ok(named.size >= 8, [...named].join(', '))
    for (const command of named) {
      const [, ...words] = command.split(' ')
      const options = words.filter(word => word.startsWith('--'))
      const { out, code } = await cli([...words.filter(word => !options.includes(word)), '--help'])
      assert.equal(code, 0, command)
      for (const option of options) assert.ok(out.includes(option), command)
    }
  })
})
