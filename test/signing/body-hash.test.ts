import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
// @ts-expect-error mailauth ships no types for this module
import bodies from 'mailauth/lib/dkim/body/index.js'
import { RelaxedBodyHash } from '../../src/signing/body-hash.ts'

/** RFC 6376 §3.4.4 word by word, on the whole body. */
function canonical(body: string): string {
  const lines = body.replace(/[ \t]+(?=\r\n|$(?![\s\S]))/g, '').replace(/[ \t]+/g, ' ')
  const trimmed = lines.replace(/(?:\r\n)+$(?![\s\S])/, '')
  return trimmed === '' ? '' : `${trimmed}\r\n`
}

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('base64')

describe('the relaxed body hash', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    ' ',
    '  ',
    '\t',
    '\r\n',
    '\r\n\r\n',
    '\r',
    '\n',
    ' \r\n',
    '\xa0',
    'word '.repeat(9),
  )

  it('is that of the rules applied to the whole body, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(7), (pieces, cut) => {
        const body = Buffer.from(pieces.join(''), 'latin1')
        const hash = new RelaxedBodyHash()
        for (let start = 0; start < body.length; start += cut + 1) hash.update(body.subarray(start, start + cut + 1))
        assert.equal(hash.digest(), sha256(canonical(body.toString('latin1'))))
        assert.equal(RelaxedBodyHash.of(body), sha256(canonical(body.toString('latin1'))))
      }),
      { numRuns: 2000 },
    )
  })

  it('agrees with mailauth on bodies larger than its pieces', () => {
    for (let seed = 1; seed < 40; seed++) {
      const text = Array.from(
        { length: 6000 },
        (_, i) => ['word', ' ', 'x', '\r\n', ' ', '  '][(i * seed * 7) % 6],
      ).join('')
      const body = Buffer.from(text)
      const theirs = bodies.dkimBody('relaxed', 'sha256')
      theirs.update(body)
      assert.equal(new RelaxedBodyHash().update(body).digest(), theirs.digest('base64'))
    }
  })
})
