import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import type { RecordAnswer } from '../../src/admin/routes/domains.ts'
import type { CliContext } from '../../src/cli/context.ts'
import { recordText } from '../../src/cli/record-text.ts'

const context = { output: new PassThrough() } as unknown as CliContext
const told = { ja: 'にほんご', en: 'in English' }
type Answer = RecordAnswer['servers'][number]

function answer(change: Partial<Answer>): Answer {
  const place = { server: 'ns1.example', address: '192.0.2.1', name: 'ours.example', message: told, found: [] }
  return { ...place, state: 'published', reason: 'ok', ttl: 300, ...change }
}

function linesOf(change: Partial<RecordAnswer>): string[] {
  const record: RecordAnswer = {
    ...{ purpose: 'spf', type: 'TXT', name: 'ours.example', value: 'v=spf1 ~all', found: [] },
    ...{ state: 'not-published', reason: 'not-everywhere', message: told, fix: told },
    ...{ parts: [], changes: [], lookups: null, checkedAt: '2026-01-15T03:00:00Z' },
    forms: { line: '', zone: '', strings: [], host: { full: 'ours.example', short: '@' }, zoneLine: '' },
    ...{ servers: [], resolvers: [], asked: null, visibleAt: null, visibleWithin: null },
    ...change,
  }
  return recordText(context, record, String)
    .split('\n')
    .map(line => line.trim().replace(/\s+/g, ' '))
}

describe('a record on the terminal', () => {
  it('has a line for each server that was asked', () => {
    const lines = linesOf({
      servers: [
        answer({}),
        answer({ server: 'ns2.example', address: '192.0.2.2', state: 'not-published', reason: 'absent', ttl: 900 }),
        answer({ server: 'ns3.example', address: '', state: 'dns-error', reason: 'no-address', ttl: 0 }),
      ],
      resolvers: [answer({ server: '127.0.0.1:5353', address: '127.0.0.1:5353' })],
      asked: { ja: '聞いた', en: 'asked' },
      visibleAt: '2026-01-15T03:15:00Z',
    })
    const start = lines.findIndex(line => line.startsWith('seen by'))
    assert.deepEqual(lines.slice(start), [
      'seen by name server ns1.example (192.0.2.1) 設定済 / published, TTL 300',
      'name server ns2.example (192.0.2.2) 未設定 / not published absent, TTL 900',
      'name server ns3.example no-address にほんご in English',
      'resolver 127.0.0.1:5353 設定済 / published, TTL 300',
      'visible いま揃えば 2026-01-15T03:15:00Z まで / by then, if the name servers agree now',
      'checked 2026-01-15T03:00:00Z',
    ])
  })

  it('says when caches will have forgotten, and how soon a record would be seen', () => {
    const waiting = linesOf({ reason: 'not-yet-visible', visibleAt: '2026-01-15T03:15:00Z' })
    assert.ok(waiting.includes('visible 2026-01-15T03:15:00Z まで / by then at the latest'))
    const missing = linesOf({ reason: 'absent', visibleWithin: 3599 })
    assert.ok(missing.includes('visible 設定後 60 分以内 / within 60 min of being published'))
  })

  it('says who decided when no name server counted', () => {
    const servers = [answer({ state: 'dns-error', reason: 'timeout' })]
    const lines = linesOf({ servers, asked: { ja: 'リゾルバーだけ', en: 'only the resolvers' } })
    assert.deepEqual(lines.slice(-3, -1), ['asked リゾルバーだけ', 'only the resolvers'])
  })
})
