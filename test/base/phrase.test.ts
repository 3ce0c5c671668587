import assert from 'node:assert/strict'
import { matches, parsePhrase, readWords } from '../../src/base/phrase.ts'

function finds(phrase: string, text: string): boolean {
  const parsed = parsePhrase(phrase)
  assert.ok(typeof parsed === 'object', String(parsed))
  return matches(parsed, readWords(text))
}

describe('a phrase', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['user unknown', 'Recipient rejected: User Unknown!', true],
    ['user unknown', 'user is unknown', false],
    ['user unknown', 'superuser unknown', false],
    ['user * unknown', 'user a b c d e f g h unknown', true],
    ['user * unknown', 'user a b c d e f g h i unknown', false],
    ['user * unknown', 'unknown user', false],
    ['a * b * c', 'a x b b x x x x x x x x c', true],
    ['a * b c', 'a b x b c', true],
    ['user|mailbox unknown|invalid', 'the mailbox invalid', true],
    ['black* list', 'blacklisted list', true],
    ['black*', 'is black', true],
    ['doesnt exist', "doesn't exist", true],
    ['doesnt exist', 'doesn’t exist', true],
    ['email', 'no e-mail here', true],
    ['spam', 'to <spam@example.com> and spam@example.com', false],
    ['spamhaus org', 'see https://www.spamhaus.org/query/ip/192.0.2.1', true],
    ['受信拒否', '受信者の受信拒否設定です', true],
    ['受信拒否', '受信の拒否', false],
    ['host ipv4 blocked', 'host [192.0.2.1] blocked', true],
    ['ipv4', 'relay=192.0.2.1.', true],
    ['ipv4', 'version 1.2.3.4.5 at 192.0.2.1.example.com', false],
    ['@ denied', '<a@example.com>... denied', true],
    ['relay', 'relay.example.jp[192.0.2.1]: denied', false],
    ['boite pleine', 'La boîte pleine', true],
    ['nothing', '', false],
  ]
  for (const [phrase, text, expected] of table)
    it(`"${phrase}" is ${expected ? '' : 'not '}found in "${text}"`, () => assert.equal(finds(phrase, text), expected))

  for (const [phrase, mend] of [
    ['', 'write the words'],
    ['  ', 'write the words'],
    ['user (unknown)', 'punctuation is not compared'],
    ['.*', 'punctuation is not compared'],
    ['a|', 'alternatives'],
    ['* unknown', 'between words'],
    ['user *', 'between words'],
  ] as const)
    it(`"${phrase}" is refused: ${mend}`, () => assert.match(String(parsePhrase(phrase)), new RegExp(mend)))
})
