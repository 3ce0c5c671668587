import assert from 'node:assert/strict'
import { diffFound, sameFound } from '../../src/domains/found-diff.ts'

const spf = 'v=spf1 ip4:192.0.2.1 ~all'
const none = { added: [], removed: [], reordered: false }

describe('the difference between two findings', () => {
  const cases: readonly [string, string[], string[], Partial<ReturnType<typeof diffFound>>][] = [
    ['nothing, when nothing changed', [spf], [spf], {}],
    [
      'terms of SPF',
      [spf],
      ['v=spf1 include:a.example ~all'],
      { added: ['include:a.example'], removed: ['ip4:192.0.2.1'] },
    ],
    ['a record that appears', [], [spf], { added: ['v=spf1', 'ip4:192.0.2.1', '~all'] }],
    ['a record that is lost', [spf], [], { removed: ['v=spf1', 'ip4:192.0.2.1', '~all'] }],
    ['a second record, term by term', [spf], [spf, 'v=spf1 -all'], { added: ['v=spf1', '-all'] }],
    ['a term that is doubled', [spf], ['v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 ~all'], { added: ['ip4:192.0.2.1'] }],
    ['terms in another order', [spf], ['v=spf1 ~all ip4:192.0.2.1'], { reordered: true }],
    [
      'tags of DKIM',
      ['v=DKIM1; k=rsa; p=AAA'],
      ['v=DKIM1; k=rsa; t=y; p=BBB;'],
      { added: ['t=y', 'p=BBB'], removed: ['p=AAA'] },
    ],
    ['tags of DMARC', ['v=DMARC1; p=none'], ['v=DMARC1; p=reject'], { added: ['p=reject'], removed: ['p=none'] }],
    [
      'whole values of anything else',
      ['10 mx.a.example'],
      ['10 mx.b.example'],
      { added: ['10 mx.b.example'], removed: ['10 mx.a.example'] },
    ],
  ]
  for (const [name, before, after, expected] of cases) {
    it(`tells ${name}`, () => assert.deepEqual(diffFound(before, after), { ...none, ...expected }))
  }

  it('takes records of the worst authors in its stride', () => {
    const words = Array.from({ length: 50_000 }, (_, n) => `ip4:${n}`)
    const diff = diffFound([`v=spf1 ${words.join(' ')}`], [`v=spf1 ${words.toReversed().join(' ')} x`])
    assert.deepEqual(diff.added, ['x'])
  })

  it('does not count the order of records', () => {
    assert.equal(sameFound(['a', 'b'], ['b', 'a']), true)
    assert.equal(sameFound(['a', 'a'], ['a', 'b']), false)
    assert.equal(sameFound(['a'], ['a', 'b']), false)
  })
})
