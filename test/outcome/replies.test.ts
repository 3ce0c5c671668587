/**
 * Replies of many providers and what each means: the table of the field, and one that no rule was written for.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Phase } from '../../src/mail/attempt-result.ts'
import { parseReply } from '../../src/mail/reply.ts'
import { classify, explain } from '../../src/outcome/classify.ts'

interface Row {
  readonly provider: string
  readonly site: string | null
  readonly phase: Phase
  readonly expected: string
  readonly actor: string
  readonly raw: string
}

describe('replies of the field', () => {
  const rows = readTable('field.txt')

  it('are at least 300, of at least 15 providers', () => {
    assert.ok(rows.length >= 300, `${rows.length}`)
    assert.ok(new Set(rows.map(({ provider }) => provider)).size >= 15)
  })

  for (const row of rows) it(titleOf(row), () => assert.deepEqual(meaningOf(row), [row.expected, row.actor]))
})

function titleOf({ provider, phase, raw, expected }: Row): string {
  return `${provider}, ${phase}: ${raw.replaceAll('\n', ' / ').slice(0, 100)} → ${expected}`
}

/** Class and actor; the class of the judgement is the one that is explained. */
function meaningOf({ phase, raw, site }: Row): [string, string] {
  const reply = parseReply(raw)
  assert.ok(reply, `no well-formed reply: ${raw}`)
  const route = site?.startsWith('smtp:') ? 'own-smtp' : 'mx'
  const judged = classify({ result: { address: 'b@example.com', reply, phase }, route, site })
  assert.ok(explain({ reply, phase, route, site }).rule, 'no rule fits')
  assert.equal(judged.action === 'bounced' ? reply.code >= 500 : judged.action === 'deferred', true)
  return [judged.class, judged.actor]
}

function readTable(name: string): Row[] {
  let [provider, site]: [string, string | null] = ['', null]
  return readFileSync(join(import.meta.dirname, 'replies', name), 'utf8')
    .split('\n')
    .flatMap(line => {
      if (line.startsWith('== ')) {
        const [title = '', host = ''] = line.slice(3).split('|')
        provider = title.trim()
        site = host.trim() || null
        return []
      }
      if (line === '' || line.startsWith('#')) return []
      const [phase, expected = '', actor = '', ...words] = line.split(' ')
      return [{ provider, site, phase: phase as Phase, expected, actor, raw: words.join(' ').replaceAll(' / ', '\n') }]
    })
}
