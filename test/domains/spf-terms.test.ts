/**
 * SPF records merged.
 */
import assert from 'node:assert/strict'
import { mergeRecords } from '../../src/domains/records/spf-terms.ts'

describe('merged SPF records', () => {
  it('say each term once, one redirect, and what is missing before the end', () => {
    const records = ['v=spf1 a ip4:192.0.2.1 redirect=x.example', 'v=spf1 ?a A ip4:192.0.2.1 redirect=y.example']
    assert.equal(
      mergeRecords(records, ['ip4:192.0.2.1', 'include:kitte.example'], '~all'),
      'v=spf1 a ip4:192.0.2.1 include:kitte.example redirect=x.example ?a',
    )
  })

  it('take no longer than their length, were it 64 KB', () => {
    const record = `v=spf1 ${Array.from({ length: 9000 }, (_, n) => `a:${n.toString(36)}`).join(' ')} ~all`
    const before = performance.now()
    assert.equal(mergeRecords([record], ['a:0', 'ip4:192.0.2.1'], '~all'), record.replace('~all', 'ip4:192.0.2.1 ~all'))
    assert.ok(performance.now() - before < 1000)
  })
})
