/**
 * Messages that DKIM implementations are known to disagree on, CRLF line ends throughout.
 */

const from = 'From: Sales <sales@ours.example>\r\n'
const rest = 'To: you@theirs.example\r\nSubject: Hello\r\nDate: Thu, 15 Jan 2026 12:00:00 +0900\r\n'
const plain = from + rest

function message(header: string, body: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(header, 'latin1'), Buffer.from('\r\n'), asBytes(body)])
}

function asBytes(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1')
/** Every byte but NUL, CR and LF, many times over, in lines. */
const binary = Buffer.from(
  Array.from({ length: 8000 }, (_, i) => {
    const byte = (i * 7919 + (i >> 5)) % 256
    if (i % 100 >= 98) return i % 100 === 98 ? 0x0d : 0x0a
    return byte === 0 || byte === 0x0a || byte === 0x0d ? 0x41 : byte
  }),
)

export const corpus: Readonly<Record<string, Buffer>> = {
  plain: message(plain, 'Hello,\r\n\r\nworld.\r\n'),
  'empty body': message(plain, ''),
  'no empty line after the header': Buffer.from(plain),
  'body of one empty line': message(plain, '\r\n'),
  'body of many empty lines': message(plain, '\r\n'.repeat(700)),
  'body of spaces only': message(plain, '  \t \r\n \r\n'),
  'trailing blank lines': message(plain, 'text\r\n\r\n\r\n\r\n'),
  'blank lines with spaces at the end': message(plain, 'text\r\n \r\n\t\r\n\r\n'),
  'empty lines at the beginning': message(plain, '\r\n\r\n\r\ntext\r\n'),
  'many empty lines inside': message(plain, `a\r\n${'\r\n'.repeat(3000)}b\r\n`),
  'no line end at the end': message(plain, 'text without end'),
  'space without line end at the end': message(plain, 'text \t '),
  'tabs and spaces at line ends': message(plain, 'a \r\nb\t\r\nc \t \r\n d\r\n\te\r\n'),
  'runs of white space inside': message(plain, 'a  b\t\tc \t d\r\n   indented\r\n'),
  'folded subject': message(`${from}Subject: one\r\n two\r\n\tthree \t four\r\n`, 'x\r\n'),
  'fold right after the colon': message(`${from}Subject:\r\n one\r\nTo:\r\n\tyou@theirs.example\r\n`, 'x\r\n'),
  'many folds': message(`${from}References: ${'<a@b>\r\n '.repeat(500)}<z@b>\r\n`, 'x\r\n'),
  'trailing space in a header': message(`${from}Subject: hello \t \r\nTo: a@b.example\t\r\n`, 'x\r\n'),
  'no space after the colon': message('From:sales@ours.example\r\nSubject:hello\r\nTo:a@b.example\r\n', 'x\r\n'),
  'many spaces after the colon': message('From:    sales@ours.example\r\nSubject:\t\thello\r\n', 'x\r\n'),
  'empty header': message(`${from}Subject:\r\nTo: \r\n`, 'x\r\n'),
  'upper and lower case names': message('FROM: a@ours.example\r\nsUBJECT: x\r\nto: b@c.example\r\n', 'x\r\n'),
  'two subjects': message(`${from}Subject: first\r\nSubject: second\r\nTo: a@b.example\r\n`, 'x\r\n'),
  'three Cc in mixed order': message(`Cc: a@b\r\n${from}Cc: c@d\r\nSubject: s\r\nCc: e@f\r\n`, 'x\r\n'),
  'two From': message(`From: a@ours.example\r\nFrom: b@ours.example\r\nSubject: s\r\n`, 'x\r\n'),
  'all list headers': message(
    `${plain}List-Id: <l.ours.example>\r\nList-Unsubscribe: <https://ours.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Help: <mailto:h@ours.example>\r\nFeedback-ID: a:b:c\r\n`,
    'x\r\n',
  ),
  'unsigned headers between': message(
    `Received: by x\r\n by y; z\r\n${from}X-Mailer: k\r\n${rest}X-Last: y\r\n`,
    'x\r\n',
  ),
  'raw 8-bit subject': message(`${from}Subject: ${utf8('見積書のご送付')}\r\n`, 'x\r\n'),
  'byte A0 in the subject': message(`${from}Subject: voil\xc3\xa0\r\n`, 'x\r\n'),
  'byte A0 inside and at the end': message(
    `${from}Subject: \xa0a \xa0 b\xa0\xa0\r\nTo: \xc3\xa0 <a@b.example>\r\n`,
    'x\r\n',
  ),
  'byte 85 at the end': message(`${from}Subject: a\x85\r\n`, 'x\r\n'),
  'ideographic space': message(`${from}Subject: ${utf8('あ　い　')}\r\n`, 'x\r\n'),
  'vertical tab and form feed': message(`${from}Subject: a\x0b b \x0c\r\nTo: \x0ca@b.example\x0b\r\n`, 'x\r\n'),
  'control characters': message(`${from}Subject: \x1c\x1fa\x1e \x1d\r\n`, 'x\r\n'),
  'odd bytes at body line ends': message(plain, 'a\xa0\r\nb\x0b\r\nc\x0c\r\nd \xa0 \r\ne\x85\r\n\xa0\r\n'),
  'UTF-8 body': message(plain, Buffer.from('こんにちは。 \r\nvoilà\r\nà  à\r\n　全角　\r\n')),
  'binary body': message(plain, binary),
  'NUL in the body': message(plain, 'a\0b\r\n\0\r\n \0 \r\n'),
  'long lines': message(plain, `${'x'.repeat(5000)} \r\n${'y '.repeat(20_000)}\r\n`),
  'long subject': message(`${from}Subject: ${'z'.repeat(990)}\r\n`, 'x\r\n'),
  'white space on a piece border': message(plain, `${'a'.repeat(16_383)} \r\n${'b'.repeat(16_381)}\r\nc`),
  'CRLF on a piece border': message(plain, `${'a'.repeat(16_383)}\r\n\r\n${'b'.repeat(16_381)}  c\r\n\r\n`),
  'dots and boundaries': message(plain, '.\r\n..\r\n--b\r\n--b--\r\n'),
  'html of 100 KB': message(plain, '  <tr>\r\n    <td>cell  </td> \r\n  </tr>\r\n'.repeat(2500)),
}
