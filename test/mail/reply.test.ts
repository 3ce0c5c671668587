import assert from 'node:assert/strict'
import { formatReply, parseReply } from '../../src/mail/reply.ts'

describe('a reply as it was received', () => {
  for (const [raw, told] of [
    ['550 5.1.1 no such user', '550 5.1.1 no such user'],
    ['550-5.1.1 no\r\n550 5.1.1 such user', '550 5.1.1 no such user'],
    ['550 4.1.1 of another class', '550 5.0.0 4.1.1 of another class'],
    ['250', '250 2.0.0'],
    ['550 a\0b\x1b[2Jc', '550 5.0.0 a b [2Jc'],
    // CSI in one character, and line ends of Unicode: a log line goes to terminals.
    ['550 a\x9b2Jb\u2028c', '550 5.0.0 a 2Jb c'],
    ['550 宛先不明', '550 5.0.0 宛先不明'],
  ] as const)
    it(`${JSON.stringify(raw)} is told as ${JSON.stringify(told)}`, () => {
      assert.equal(formatReply(parseReply(raw)!), told)
    })

  for (const raw of [
    '',
    '25 ok',
    '2500 ok',
    '150 ok',
    '650 ok',
    '550-no end',
    '250-a\r\n550 b',
    '250 a\r\n250 b',
    'HTTP/1.1 400',
  ])
    it(`${JSON.stringify(raw)} is none`, () => {
      assert.equal(parseReply(raw), null)
    })
})
