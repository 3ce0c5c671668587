/**
 * What a person sees of a message.
 */
import assert from 'node:assert/strict'
import { fieldOf, readable } from '../../src/sandbox/readable.ts'
import { assertLinear } from '../support/linear-time.ts'

const message = (...lines: string[]) => Buffer.from(lines.join('\r\n'))

describe('a message shown to a person', () => {
  const subjects: readonly (readonly [string, string, string])[] = [
    ['UTF-8 in base64', '=?UTF-8?B?44GT44KT44Gr44Gh44Gv?=', 'こんにちは'],
    ['ISO-2022-JP', '=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=', '日本語'],
    ['quoted-printable with underscores', '=?iso-8859-1?Q?caf=E9_au_lait?=', 'café au lait'],
    ['two words with white space between', '=?UTF-8?Q?a?=\r\n =?UTF-8?Q?b?=', 'ab'],
    ['raw UTF-8', '日本', '日本'],
    ['an unknown charset', '=?x-nope?Q?plain?=', 'plain'],
    ['nothing to decode', 'plain = text?', 'plain = text?'],
  ]
  for (const [what, subject, expected] of subjects) {
    it(`decodes a subject: ${what}`, () => {
      assert.equal(fieldOf(readable(message(`Subject: ${subject}`, '', '')), 'subject'), expected)
    })
  }

  it('keeps the space before a soft line break (RFC 2045 §6.7)', () => {
    const raw = message('Content-Transfer-Encoding: quoted-printable', '', 'two =', 'words', '')
    assert.equal(readable(raw).text, 'two words\r\n')
  })

  it('shows no styles, scripts or tags of HTML, and the rest of what is not closed', () => {
    const raw = message(
      'Content-Type: text/html',
      '',
      '<head><title>t</title></head><p>a<STYLE x>b{}</style >c<br>d</p><script>e',
    )
    assert.equal(readable(raw).text, 'ac\nd\ne')
  })

  const hostile: readonly (readonly [string, string, string])[] = [
    ['spaces in quoted-printable', 'text/plain', ' '],
    ['tags that never end', 'text/html', '<'],
    ['line breaks that never end', 'text/html', '<br '],
    ['styles that never end', 'text/html', '<style>'],
    ['parts without end', 'multipart/mixed; boundary=a', '--a\r\n'],
  ]
  for (const [what, type, repeated] of hostile) {
    it(`takes no longer than its length: ${what}`, () =>
      assertLinear(1_000_000, size => {
        const body = repeated.repeat(size / repeated.length)
        readable(message(`Content-Type: ${type}`, 'Content-Transfer-Encoding: quoted-printable', '', body))
      }))
  }

  it('takes the plain text of an alternative inside a mixed message', () => {
    const raw = message(
      'Content-Type: multipart/mixed; boundary="outer"',
      '',
      '--outer',
      'Content-Type: multipart/alternative; boundary=inner',
      '',
      '--inner',
      'Content-Type: text/html',
      '',
      '<p>html</p>',
      '--inner',
      'Content-Type: text/plain; charset=ISO-2022-JP',
      'Content-Transfer-Encoding: base64',
      '',
      'GyRCRnxLXDhsGyhC',
      '--inner--',
      '--outer',
      'Content-Type: text/plain; name=a.txt',
      '',
      'attachment',
      '--outer--',
      '',
    )
    assert.equal(readable(raw).text, '日本語')
  })

  it('makes text of HTML when there is nothing else', () => {
    const raw = message('Content-Type: text/html', '', '<style>x{}</style><p>one</p>two<br>three')
    assert.equal(readable(raw).text, 'one\ntwo\nthree')
  })

  it('joins the soft line breaks of quoted-printable', () => {
    const raw = message('Content-Transfer-Encoding: quoted-printable', '', 'caf=C3=', '=A9')
    assert.equal(readable(raw).text, 'café')
  })

  const odd: readonly (readonly [string, Buffer])[] = [
    ['nothing', Buffer.alloc(0)],
    ['only a body', Buffer.from('\r\nbody')],
    ['a multipart without boundary', message('Content-Type: multipart/mixed', '', '--', 'x')],
    ['an endless nest', Buffer.from('Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n'.repeat(50))],
    ['random octets', Buffer.from(Array.from({ length: 2000 }, (_, n) => (n * 7919) % 256))],
  ]
  for (const [what, raw] of odd) it(`does not fail on ${what}`, () => assert.equal(typeof readable(raw).text, 'string'))
})
