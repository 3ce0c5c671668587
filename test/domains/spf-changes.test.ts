/**
 * The sentences about changes are read by whoever edits the DNS, who knows nothing of the relay.
 */
import assert from 'node:assert/strict'
import { spfChanges, tellChange } from '../../src/domains/spf-changes.ts'

describe('a change of a live SPF record', () => {
  it('is told in both languages without the name of the relay', () => {
    for (const code of Object.keys(spfChanges) as (keyof typeof spfChanges)[]) {
      const { ja, en } = tellChange({ code, values: { terms: 'mx' } })
      for (const text of [ja, en]) {
        assert.ok(text.length > 0)
        assert.doesNotMatch(text, /kitte|\{terms\}/i, code)
      }
      assert.match(ja, /[぀-ヿ]/, code)
    }
  })
})
