import assert from 'node:assert/strict'
// @ts-expect-error mailauth ships no types for this module
import canonicalization from 'mailauth/lib/dkim/header/index.js'
import { signedHeader } from '../../src/signing/header-canonicalization.ts'
import { type HeaderField, headerFields } from '../../src/signing/header-fields.ts'
import { foldedSignature, unsignedField } from '../../src/signing/signature-field.ts'
import { corpus } from './corpus.ts'

const canonicalizations = ['relaxed', 'simple'] as const
const signature = unsignedField({
  algorithm: 'rsa-sha256',
  canonicalization: 'relaxed/relaxed',
  domain: 'ours.example',
  selector: '20260115',
  signedAt: Date.UTC(2026, 0, 15),
  names: ['From', 'From', 'To', ...Array.from({ length: 20 }, (_, i) => `List-Unsubscribe-${i}`)],
  bodyHash: 'LjTAWKNzZrL1vK2jbi1bZAqfLxdkr6LgTmwdmWL6ATM=',
})

function byMailauth(headers: readonly HeaderField[], how: string): string {
  const options = { canonicalization: how, signatureHeaderLine: signature }
  return canonicalization
    .generateCanonicalizedHeader('DKIM', { headers }, options)
    .canonicalizedHeader.toString('latin1')
}

function assertEqual(headers: readonly HeaderField[], what: string): void {
  for (const how of canonicalizations)
    assert.equal(signedHeader(headers, signature, how), byMailauth(headers, how), `${what}, ${how}`)
}

/** The same numbers in every run (an LCG), so that a failure can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pieces = [
  ' ', '  ', '\t', '\r\n ', '\r\n\t', '\r\n  \t ', ' \r\n ', ':', ';', '=', 'a', 'Wörd', '=?utf-8?q?=20?=', '\xa0', '\x85', '\x0b',
  '\x0c', '\0', '\xff', 'b=', '日本', '<a@b.example>', ',', '"quoted  text"', '\x1f', '\r', 'X: y',
] // biome-ignore format: a list

describe('the canonical form of header fields', () => {
  it("is mailauth's for the messages that implementations disagree on", () => {
    for (const [name, content] of Object.entries(corpus)) {
      const text = content.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const fields = headerFields(end === -1 ? text : text.slice(0, end))
      assertEqual(fields, name)
    }
  })

  it("is mailauth's for 20,000 fields put together at random", () => {
    const below = numbers(20_260_115)
    for (let round = 0; round < 2000; round++) {
      const block = Array.from({ length: 10 }, () => {
        const name = ['From', 'SUBJECT', 'to ', 'List-Id\t', 'dKiM-x  '][below(5)]!
        const value = Array.from({ length: below(12) }, () => pieces[below(pieces.length)]!).join('')
        return `${name}:${Buffer.from(value).toString('latin1')}`
      }).join('\r\n')
      assertEqual(headerFields(block), JSON.stringify(block))
    }
  })

  it('leaves the folds of the b= value to whoever reads it', () => {
    for (const length of [0, 1, 71, 72, 73, 144, 145, 344, 684]) {
      const base64 = 'Q'.repeat(length)
      const folded = foldedSignature(base64)
      assert.equal(folded.replaceAll('\r\n  ', ''), base64)
      assert.ok(folded.split('\r\n').every(line => line.length <= 74 && line.trim() !== '') || length === 0)
    }
  })
})
