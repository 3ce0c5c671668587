import assert from 'node:assert/strict'
import { parseMailbox } from '../../src/mail/address.ts'
import { suppressedAddress } from '../../src/mail/suppression.ts'

describe('the address of a suppression', () => {
  const sames = [
    ['info@x.example', 'INFO@X.example', 'info@x.example.', '"info"@x.example', '"i\\nf\\o"@x.example'],
    ['é@x.example', 'e\u0301@x.example', 'É@x.example', 'E\u0301@x.example', '"e\u0301"@x.example'],
    ['"a b"@x.example', '"A B"@x.example', '"a\\ b"@x.example'],
    ['"a..b"@docomo.example', '"A.\\.b"@docomo.example'],
    ['"a\\"b"@x.example'],
    ['"a\\\\b"@x.example'],
    ['"\\"a\\""@x.example'],
    ['"a@b"@x.example'],
    ['""@x.example'],
    ['a@xn--r8jz45g.jp', 'A@例え.jp', 'a@例え.jp.'],
  ]
  for (const [first, ...others] of sames)
    it(`is ${first} however it is written, and stays what it is`, () => {
      for (const written of [first!, ...others]) {
        const found = suppressedAddress(parseMailbox(written)!)
        assert.equal(found, first, written)
        assert.equal(parseMailbox(found), found)
        assert.equal(suppressedAddress(found), found)
      }
    })

  it('differs where the mailbox does', () => {
    const all = sames.map(([first]) => suppressedAddress(parseMailbox(first!)!))
    assert.equal(new Set([...all, suppressedAddress('info+tag@x.example')]).size, all.length + 1)
  })
})
