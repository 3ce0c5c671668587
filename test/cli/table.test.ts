/**
 * Tables: columns line up also where characters are two cells wide.
 */
import assert from 'node:assert/strict'
import { printable } from '../../src/cli/context.ts'
import { displayWidth, facts, table } from '../../src/cli/table.ts'

describe('a table', () => {
  it('lines up by display width', () => {
    const text = table(
      ['name', 'count'],
      [
        ['株式会社アクメ', 5],
        ['Acme', 12],
      ],
    )
    assert.equal(text, 'name            count\n株式会社アクメ      5\nAcme               12')
  })

  it('keeps a row on one line and shows what is missing', () => {
    assert.equal(table(['a', 'b'], [['x\ny', null]]), 'a    b\nx y  –')
    assert.equal(table(['a'], [], 'nothing'), 'nothing')
  })

  it('lets numbers stand right, also beside gaps, and gaps alone left', () => {
    const rows = [
      [1000, null, 'a'],
      [null, null, 'b'],
    ]
    assert.equal(table(['sent', 'reason', 'x'], rows), 'sent  reason  x\n1000  –       a\n   –  –       b')
  })

  it('does not count colours and combining marks', () => {
    assert.equal(displayWidth('\u001b[32m設定済\u001b[39m'), 6)
    assert.equal(displayWidth('が'), 2)
    assert.equal(displayWidth('か\u3099'), 2)
    assert.equal(displayWidth('ｶﾞ ﾃｽﾄ'), 6)
  })
})

describe('facts', () => {
  it('indent what has several lines', () => {
    assert.equal(
      facts([
        ['名前', 'a\nb'],
        ['x', null],
      ]),
      '名前  a\n      b\nx     –',
    )
  })
})

describe('what strangers wrote', () => {
  it('loses its control characters, at any depth', () => {
    assert.deepEqual(printable({ a: ['\u001b[2Jx', { b: 'c\u0007\u009b' }], n: 1 }), {
      a: ['\ufffd[2Jx', { b: 'c\ufffd\ufffd' }],
      n: 1,
    })
    assert.equal(printable('two\nlines'), 'two\nlines')
  })
})
