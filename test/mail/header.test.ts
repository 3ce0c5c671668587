import assert from 'node:assert/strict'
import { fieldsNamed, readHeader, unfoldedValue } from '../../src/mail/header.ts'

const read = (text: string) => readHeader(Buffer.from(text, 'latin1'))

describe('a header block', () => {
  it('is read into fields whose offsets cut the original bytes', () => {
    const text = 'Subject: one\r\nX-Long: a\r\n b\r\n\tc\r\nTo: d\r\n'
    const header = read(text)
    assert.deepEqual(
      header.fields.map(({ name, start, end }) => [name, text.slice(start, end)]),
      [
        ['subject', 'Subject: one\r\n'],
        ['x-long', 'X-Long: a\r\n b\r\n\tc\r\n'],
        ['to', 'To: d\r\n'],
      ],
    )
    assert.equal(header.length, text.length)
  })

  it('unfolds values and takes nothing but the line ends away', () => {
    const header = read('X: a\r\n  b\r\n\tc\r\n')
    assert.equal(unfoldedValue(header, header.fields[0]!), ' a  b\tc')
  })

  it('finds fields whatever case their name has', () => {
    assert.equal(fieldsNamed(read('FROM: a\r\nfrom: b\r\nFrOm: c\r\n'), 'from').length, 3)
  })

  it('keeps octets beyond ASCII one to one', () => {
    const header = readHeader(Buffer.from('Subject: voilà\r\n', 'utf8'))
    assert.equal(Buffer.from(unfoldedValue(header, header.fields[0]!), 'latin1').toString('utf8'), ' voilà')
  })

  it('says when white space stands before the colon', () => {
    const [field] = read('From \t: a\r\n').fields
    assert.deepEqual([field!.name, field!.spaceBeforeColon], ['from', true])
  })

  for (const [what, text] of [
    ['a line without a colon', 'A: 1\r\nno field\r\nB: 2\r\n'],
    ['a name with a space inside', 'A: 1\r\nno field: x\r\n'],
    ['a name beyond ASCII', 'A: 1\r\nFröm: x\r\n'],
    ['an empty name', 'A: 1\r\n: x\r\n'],
    ['a name with a control character', 'A: 1\r\nB\x00: x\r\n'],
  ] as const) {
    it(`ends at ${what}`, () => {
      const header = read(text)
      assert.deepEqual([header.length, header.fields.length], [6, 1])
    })
  }

  it('that begins with white space has no fields', () => {
    assert.deepEqual(read(' From: a\r\nTo: b\r\n').fields, [])
  })

  it('may be empty', () => {
    assert.deepEqual(read(''), { text: '', fields: [], length: 0 })
  })
})
