/**
 * Clients that mean harm or know no better: hundreds of sessions of garbage, in random pieces, ended in random ways.
 *
 * The seed is fixed, so that a failure comes again.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { seededRandom } from '../support/random.ts'
import { type Msa, password, startMsa } from './msa.ts'

const login = `AUTH PLAIN ${Buffer.from(`\0user-acme\0${password}`).toString('base64')}`
const commands: readonly string[] = [
  ...['EHLO', 'EHLO x', 'EHLO \0', 'HELO a b', `EHLO ${'x'.repeat(300)}`, 'NOOP', 'RSET x', 'VRFY a', 'EXPN a', 'HELP'],
  ...[
    'BDAT 9 LAST\r\nMAIL FROM',
    'XCLIENT ADDR=::1',
    'XFORWARD ADDR=::1',
    'TURN',
    'ETRN x',
    'WIZ',
    'SHELL',
    'STARTTLS',
  ],
  ...[
    'AUTH',
    'AUTH PLAIN',
    'AUTH LOGIN',
    '*',
    '=',
    'AUTH PLAIN !!!',
    'AUTH PLAIN AAAA',
    `AUTH PLAIN ${'A'.repeat(9000)}`,
  ],
  ...[
    'MAIL',
    'MAIL FROM:',
    'MAIL FROM:<',
    'MAIL FROM:<>',
    'MAIL FROM:<a@ours.example>',
    'MAIL FROM:<a@theirs.example>',
  ],
  ...[
    'MAIL FROM:<a@ours.example> SIZE=x',
    'MAIL FROM:<a@ours.example> ENVID=+0D+0A',
    `MAIL FROM:<${'a'.repeat(3000)}@x>`,
  ],
  ...[
    'RCPT TO:<>',
    'RCPT TO:<b@there.example>',
    'RCPT TO:<b@there.example> ORCPT=rfc822;+00',
    'RCPT TO:<"a\0"@x.example>',
  ],
  ...['DATA', '.', 'GET / HTTP/1.1\r\nHost: x', '\x16\x03\x01\x02\x00', '\xff\xf4', 'A'.repeat(20_000), ''],
]
const contents: readonly string[] = [
  'From: a@ours.example\r\n\r\nx\r\n.\r\n',
  'From: a@ours.example\r\n\r\nx\n.\r\nMAIL FROM:<smuggled@theirs.example>\r\n.\r\n',
  'From: a@ours.example\r\n\r\nx\r.\r\nMAIL FROM:<smuggled@theirs.example>\r\n\n.\n\r\n.\r\n',
  'From: evil@theirs.example\r\n\r\n.\r\n',
  '.\r\n',
  `From: ${'('.repeat(5000)}\r\n\r\n.\r\n`,
  `${'\0'.repeat(500)}\r\n.\r\n`,
]
const ends = ['\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '', '\r\n\r\n']

function dice(seed: number) {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random() * n)
  return { below, pick: <T>(from: readonly T[]): T => from[below(from.length)]! }
}

type Dice = ReturnType<typeof dice>

function script({ below, pick }: Dice, loggedIn: boolean): Buffer {
  const parts = ['EHLO x\r\n', loggedIn ? `${login}\r\n` : '']
  if (below(3) === 0) parts.push('MAIL FROM:<a@ours.example>\r\nRCPT TO:<b@there.example>\r\nDATA\r\n', pick(contents))
  for (let n = below(10); n >= 0; n--) parts.push(pick(commands), pick(ends))
  const bytes = Buffer.from(parts.join(''), 'latin1')
  const from = 8 + (loggedIn ? login.length + 2 : 0)
  for (let n = below(4); n > 0; n--) bytes[from + below(bytes.length - from)] = below(256)
  return bytes
}

/** All it heard. */
function session(port: number, bytes: Buffer, { below }: Dice): Promise<string> {
  const pieces = [1, 7, 200, bytes.length]
  const size = Math.max(pieces[below(pieces.length)]!, Math.ceil(bytes.length / 500))
  const end = below(3)
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    socket.on('error', () => {})
    socket.on('close', () => resolve(heard))
    socket.on('data', chunk => {
      heard += chunk.toString('latin1')
    })
    socket.once('data', () => {
      for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size))
      if (end === 0) socket.end()
      else if (end === 1) socket.end('\r\n.\r\nQUIT\r\n')
      else socket.write('\r\n.\r\n', () => socket.resetAndDestroy())
    })
  })
}

describe('a submission server among hostile clients', () => {
  let msa: Msa
  before(async () => {
    msa = await startMsa({ submission: { maxAuthFailures: 3, maxAuthFailuresPerAddress: 10_000 } })
  })
  after(() => msa[Symbol.asyncDispose]())

  for (const loggedIn of [false, true])
    it(`answers replies of ours only and takes nothing it must not, ${loggedIn ? 'with' : 'without'} a login`, async () => {
      const chance = dice(loggedIn ? 20_261_122 : 1)
      const port = msa.submission.ports[0]!
      const before = msa.offered.length
      for (let round = 0; round < 25; round++) {
        const heard = await Promise.all(
          Array.from({ length: 10 }, () => session(port, script(chance, loggedIn), chance)),
        )
        for (const line of heard.join('\r\n').split('\r\n').filter(Boolean)) {
          assert.match(line, /^[2-5]\d\d(?:[ -].{0,506})?$/)
          assert.doesNotMatch(line, /^451|undefined|\[object|[a-z]Error|node:|\.[jt]s\b/, line)
        }
      }
      while (msa.submission.sessions() > 0) await new Promise(resolve => setImmediate(resolve))
      const taken = msa.offered.slice(before).flatMap(({ entries }) => entries.map(({ message }) => message))
      assert.equal(taken.length > 0, loggedIn)
      for (const { from, envelope } of taken)
        assert.deepEqual([from, envelope.reversePath ?? from], ['a@ours.example', 'a@ours.example'])
      assert.deepEqual(
        msa.log.filter(({ level }) => level === 'error'),
        [],
      )
      assert.equal(msa.asked(), 0)
    })
})
