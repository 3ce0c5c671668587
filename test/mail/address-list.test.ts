import assert from 'node:assert/strict'
import { parseAddressList } from '../../src/mail/address-list.ts'
import { decodeWords } from '../../src/mail/encoded-word.ts'
import { assertLinear } from '../support/linear-time.ts'

const parse = (text: string) => parseAddressList(Buffer.from(text, 'utf8').toString('latin1'))

const readable: readonly (readonly [text: string, mailboxes: readonly string[], hidden?: readonly string[]])[] = [
  ['a@b.example', ['a@b.example']],
  [' a@b.example ', ['a@b.example']],
  ['<a@b.example>', ['a@b.example']],
  ['Ann <a@b.example>', ['a@b.example']],
  ['Ann<a@b.example>', ['a@b.example']],
  ['"Ann, the first" <a@b.example>', ['a@b.example']],
  ['Dr. Ann B. Example <a@b.example>', ['a@b.example']],
  ['山田 太郎 <a@b.example>', ['a@b.example']],
  ['=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <a@b.example>', ['a@b.example']],
  ['a@b.example, c@d.example', ['a@b.example', 'c@d.example']],
  ['Ann <a@b.example>,\t"C" <c@d.example>', ['a@b.example', 'c@d.example']],
  ['a@b.example (Ann)', ['a@b.example']],
  ['(Ann) a@b.example', ['a@b.example']],
  ['Ann (the (one) \\) here) <a@b.example>', ['a@b.example']],
  ['A@B.Example', ['A@b.example']],
  ['"a b"@b.example', ['"a b"@b.example']],
  ['"sales"@b.example', ['sales@b.example']],
  ['"a@c.example"@b.example', ['"a@c.example"@b.example']],
  ['用户@b.example', ['用户@b.example']],
  ['a@例え.example', ['a@xn--r8jz45g.example']],
  ['a@XN--R8JZ45G.example', ['a@xn--r8jz45g.example']],
  ['"taro@mail.example" <a@b.example>', ['a@b.example']],
  ['"<evil@bank.example>" <a@b.example>', ['a@b.example'], ['evil@bank.example']],
  ['"x\\" <evil@bank.example>, \\"y" <a@b.example>', ['a@b.example'], ['evil@bank.example']],
  ['=?utf-8?Q?=3Cevil=40bank.example=3E?= <a@b.example>', ['a@b.example'], ['evil@bank.example']],
  ['=?utf-8?B?ZXZpbEBiYW5rLmV4YW1wbGUs?= <a@b.example>', ['a@b.example'], ['evil@bank.example']],
  ['"=?utf-8?Q?=3Cevil=40bank.example=3E?=" <a@b.example>', ['a@b.example'], ['evil@bank.example']],
  ['=?utf-8?Q?=E5=B1=B1_=28taro=40mail.example=29?= <a@b.example>', ['a@b.example']],
  ['(evil@bank.example) a@b.example', ['a@b.example'], ['evil@bank.example']],
  ['a@b.example (<evil@bank.example>)', ['a@b.example'], ['evil@bank.example']],
]

const unreadable: readonly (readonly [string, RegExp])[] = [
  ['', /empty/],
  ['   ', /empty/],
  ['Ann', /not an address/],
  ['Ann <>', /no address/],
  ['<>', /no address/],
  ['a@b.example c@d.example', /inside the address/],
  ['<a@b.example> <c@d.example>', /stands behind an address/],
  ['a@b.example <c@d.example>', /stands behind an address/],
  ['<a@b.example>c@d.example', /stands behind an address/],
  ['a@b.example,', /no address/],
  [',a@b.example', /no address/],
  ['a@b.example,,c@d.example', /no address/],
  ['a@b.example;', /stands behind an address/],
  ['Friends: a@b.example, c@d.example;', /group/],
  ['undisclosed-recipients:;', /group/],
  ['<@relay.example:a@b.example>', /no address/],
  ['< a@b.example>', /inside the address/],
  ['<a@b.example >', /not closed right behind/],
  ['<a @b.example>', /inside the address/],
  ['<a@ b.example>', /inside the address/],
  ['<a(x)@b.example>', /inside the address/],
  ['a @b.example', /inside the address/],
  ['<a@b.example', /not closed/],
  ['Ann <<a@b.example>>', /no address/],
  ['"Ann <a@b.example>', /not closed/],
  ['Ann (x <a@b.example>', /not closed/],
  ['Ann) <a@b.example>', /no meaning/],
  ['Ann \\ <a@b.example>', /no meaning/],
  ['a@[192.0.2.1]', /not a mailbox/],
  ['a@b', /not a mailbox/],
  ['a@b.example.', /not a mailbox/],
  ['a..b@c.example', /not a mailbox/],
  ['a@b@c.example', /stands behind|not a mailbox/],
  ['=?utf-8?Q?evil=40bank.example=3E?=@b.example', /encoded word inside/],
  ['=?utf-8?Q?evil@bank.example?= <a@b.example>', /stands behind|not a mailbox/],
  ['=?utf-8?Q?Yamada,_Taro?= <a@b.example>', /not an address/],
  ['=?utf-8?Q?x=0D=0AFrom=3A_evil=40bank.example?= <a@b.example>', /control character/],
  ['Ann\x00 <a@b.example>', /control character/],
  ['Ann\x0bFrom: x <a@b.example>', /control character/],
  ['Ann\x7f <a@b.example>', /control character/],
  ['Ann\u2028 <a@b.example>', /control character/],
  ['Ann\u0085 <a@b.example>', /control character/],
  ['a@ｂ.example', /not written as registered/],
  ['a@b。example', /not written as registered|not a mailbox/],
  ['a\u200b@b.example', /not a mailbox/],
]

describe('an address list', () => {
  for (const [text, mailboxes, hidden = []] of readable) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parse(text), { mailboxes, hidden }))
  }

  for (const [text, problem] of unreadable) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const list = parse(text)
      assert.ok('problem' in list, `read as ${JSON.stringify(list)}`)
      assert.match(list.problem, problem)
    })
  }

  it('refuses bytes that are not UTF-8: in Shift_JIS half of a sign can be a quotation mark', () => {
    assert.deepEqual(Object.keys(parseAddressList('"\x83\x5c" <a@b.example>')), ['problem'])
  })

  for (const [what, value] of [
    ['a name', size => `"${'x'.repeat(size)}" <a@b.example>`],
    ['addresses', size => `${'a@b.example, '.repeat(size / 12)}c@d.example`],
    ['comments that never end', size => `${'('.repeat(size)} a@b.example`],
    ['a name that looks like an address', size => `"<${'x'.repeat(size)}" <a@b.example>`],
  ] as readonly (readonly [string, (size: number) => string])[])
    it(`reads a very long value in time that grows with its length only: ${what}`, () =>
      assertLinear(100_000, size => parse(value(size))))
})

describe('encoded words', () => {
  for (const [text, decoded] of [
    ['plain', 'plain'],
    ['=?utf-8?Q?a_b=40c?=', 'a b@c'],
    ['=?UTF-8?b?5bGx55Sw?= =?UTF-8?B?5aSq6YOO?=', '山田太郎'],
    ['=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?=', '山田'],
    ['=?shift_jis?B?jlKTYw==?=', '山田'],
    ['=?utf-8*ja?Q?a?= b', 'a b'],
    ['=?no-such-charset?Q?=E9?=', 'é'],
    ['=?broken', '=?broken'],
  ] as const) {
    it(`${text} decode to ${decoded}`, () => assert.equal(decodeWords(text), decoded))
  }
})
