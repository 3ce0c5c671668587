import assert from 'node:assert/strict'
import { readHeader } from '../../src/mail/header.ts'
import { isOneClick } from '../../src/submission/one-click.ts'

const https = 'List-Unsubscribe: <mailto:u@ours.example>,\r\n <https://ours.example/u?id=1>\r\n'
const post = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n'

const cases: readonly (readonly [what: string, header: string, expected: boolean])[] = [
  ['both fields', https + post, true],
  ['both fields in other cases', (post + https).replace(/^List-Un/gm, 'LIST-UN'), true],
  ['no List-Unsubscribe-Post', https, false],
  ['no List-Unsubscribe', post, false],
  ['no HTTPS address', `List-Unsubscribe: <http://ours.example/u>\r\n${post}`, false],
  ['another value', `${https}List-Unsubscribe-Post: yes\r\n`, false],
  ['the field twice', https + post + post, false],
]

describe('a mail with', () => {
  for (const [what, header, expected] of cases)
    it(`${what} can ${expected ? '' : 'not '}be unsubscribed from with one click`, () =>
      assert.equal(isOneClick(readHeader(Buffer.from(header))), expected))
})
