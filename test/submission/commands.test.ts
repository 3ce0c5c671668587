import assert from 'node:assert/strict'
import { formatReply } from '../../src/mail/reply.ts'
import { readMail, readRcpt } from '../../src/submission/commands.ts'
import { SmtpError } from '../../src/submission/replies.ts'
import { assertLinear } from '../support/linear-time.ts'

const plain = { declaredSize: null, body: '7BIT', smtpUtf8: false }

const mails: readonly (readonly [string, object | RegExp])[] = [
  ['MAIL FROM:<a@b.example>', { ...plain, reversePath: 'a@b.example' }],
  ['mail from:<a@b.example>', { ...plain, reversePath: 'a@b.example' }],
  ['MAIL FROM: <a@b.example>', { ...plain, reversePath: 'a@b.example' }],
  ['MAIL FROM:<a@b.example>  ', { ...plain, reversePath: 'a@b.example' }],
  ['MAIL FROM:<>', { ...plain, reversePath: null }],
  ['MAIL FROM:<A.b+c@B.Example>', { ...plain, reversePath: 'A.b+c@b.example' }],
  ['MAIL FROM:<"a b"@c.example>', { ...plain, reversePath: '"a b"@c.example' }],
  ['MAIL FROM:<"a@b"@c.example>', { ...plain, reversePath: '"a@b"@c.example' }],
  ['MAIL FROM:<"a>b"@c.example>', { ...plain, reversePath: '"a>b"@c.example' }],
  ['MAIL FROM:<"a\\"b"@c.example>', { ...plain, reversePath: '"a\\"b"@c.example' }],
  ['MAIL FROM:<"abc"@c.example>', { ...plain, reversePath: 'abc@c.example' }],
  ['MAIL FROM:<@x.example,@y.example:a@b.example>', { ...plain, reversePath: 'a@b.example' }],
  ['MAIL FROM:<a@b.example> SIZE=100', { ...plain, reversePath: 'a@b.example', declaredSize: 100 }],
  ['MAIL FROM:<a@b.example> BODY=8BITMIME', { ...plain, reversePath: 'a@b.example', body: '8BITMIME' }],
  ['MAIL FROM:<a@b.example> body=7bit', { ...plain, reversePath: 'a@b.example' }],
  ['MAIL FROM:<ä@b.example> SMTPUTF8', { ...plain, reversePath: 'ä@b.example', smtpUtf8: true }],
  ['MAIL FROM:<a@例え.example> SMTPUTF8', { ...plain, reversePath: 'a@xn--r8jz45g.example', smtpUtf8: true }],
  ['MAIL FROM:<a@b.example> AUTH=<>', { ...plain, reversePath: 'a@b.example' }],
  [
    'MAIL FROM:<a@b.example> RET=hdrs ENVID=QQ+2B314159',
    { ...plain, reversePath: 'a@b.example', ret: 'HDRS', envid: 'QQ+314159' },
  ],
  ['MAIL', /^501 5\.5\.4 Syntax/],
  ['MAIL TO:<a@b.example>', /^501 5\.5\.4 Syntax/],
  ['MAIL FROM:a@b.example', /^501 5\.5\.4 Syntax/],
  ['MAIL FROM:<a@b.example', /^501 5\.5\.4 Syntax/],
  ['MAIL FROM:<a@b.example>SIZE=1', /^501 5\.5\.4 Syntax/],
  ['MAIL FROM:<a b@c.example>', /^501 5\.5\.4 Syntax/],
  ['MAIL FROM:<a>', /^553 5\.1\.7 <a> is not a mailbox/],
  ['MAIL FROM:<a@>', /^553 5\.1\.7 /],
  ['MAIL FROM:<@b.example>', /^553 5\.1\.7 /],
  ['MAIL FROM:<a..b@c.example>', /^553 5\.1\.7 /],
  ['MAIL FROM:<a@b.example.>', /^553 5\.1\.7 /],
  ['MAIL FROM:<a@[192.0.2.1]>', /^553 5\.1\.7 /],
  ['MAIL FROM:<a@-b.example>', /^553 5\.1\.7 /],
  [`MAIL FROM:<${'a'.repeat(65)}@b.example>`, /^553 5\.1\.7 /],
  ['MAIL FROM:<ä@b.example>', /^553 5\.6\.7 /],
  ['MAIL FROM:<a@例え.example>', /^553 5\.6\.7 /],
  ['MAIL FROM:<a@b.example> FOO=bar', /^555 5\.5\.4 The parameter FOO is not known/],
  ['MAIL FROM:<a@b.example> NOTIFY=NEVER', /^555 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> requiretls', { ...plain, reversePath: 'a@b.example', tls: 'required' }],
  ['MAIL FROM:<a@b.example> REQUIRETLS=yes', /^501 5\.5\.4 The parameter REQUIRETLS is malformed: it takes no value/],
  ['MAIL FROM:<a@b.example> =x', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> A=b=c', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> SIZE', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> SIZE=-1', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> SIZE=1 SIZE=2', /^501 5\.5\.4 The parameter SIZE is malformed: it is given twice/],
  ['MAIL FROM:<a@b.example> BODY=BINARYMIME', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> SMTPUTF8=yes', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> RET=ALL', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> ENVID=a+0D+0Ab', /^501 5\.5\.4 /],
  ['MAIL FROM:<a@b.example> ENVID=a+2', /^501 5\.5\.4 /],
  [`MAIL FROM:<a@b.example> ENVID=${'a'.repeat(101)}`, /^501 5\.5\.4 /],
]

const rcpts: readonly (readonly [string, object | RegExp])[] = [
  ['RCPT TO:<a@b.example>', { address: 'a@b.example' }],
  ['rcpt to: <A@B.example>', { address: 'A@b.example' }],
  ['RCPT TO:<postmaster>', { address: 'postmaster@relay.example' }],
  ['RCPT TO:<PostMaster>', { address: 'PostMaster@relay.example' }],
  ['RCPT TO:<"a b"@c.example>', { address: '"a b"@c.example' }],
  ['RCPT TO:<a@b.example> NOTIFY=NEVER', { address: 'a@b.example', notify: ['NEVER'] }],
  ['RCPT TO:<a@b.example> NOTIFY=success,Delay', { address: 'a@b.example', notify: ['SUCCESS', 'DELAY'] }],
  ['RCPT TO:<a@b.example> ORCPT=rfc822;Bob+2Bx@B.example', { address: 'a@b.example', orcpt: 'rfc822;Bob+x@B.example' }],
  ['RCPT TO:<>', /^553 5\.1\.3 /],
  ['RCPT TO:<a>', /^553 5\.1\.3 /],
  ['RCPT TO:<a@b>', /^553 5\.1\.3 /],
  ['RCPT TO:<a@b.example', /^501 5\.5\.4 /],
  ['RCPT TO:<ä@b.example>', /^553 5\.6\.7 /],
  ['RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY', /^501 5\.5\.4 /],
  ['RCPT TO:<a@b.example> NOTIFY=ALWAYS', /^501 5\.5\.4 /],
  ['RCPT TO:<a@b.example> NOTIFY', /^501 5\.5\.4 /],
  ['RCPT TO:<a@b.example> ORCPT=x', /^501 5\.5\.4 /],
  ['RCPT TO:<a@b.example> ORCPT=rfc822;', /^501 5\.5\.4 /],
  ['RCPT TO:<a@b.example> ORCPT=rfc822;a+0Db', /^501 5\.5\.4 /],
  [`RCPT TO:<a@b.example> ORCPT=rfc822;${'a'.repeat(500)}`, /^501 5\.5\.4 /],
  ['RCPT TO:<a@b.example> SIZE=1', /^555 5\.5\.4 /],
]

describe('MAIL', () => {
  for (const [line, expected] of mails)
    it(describeCase(line, expected), () => judge(() => readMail(Buffer.from(line)), expected))

  it('that is not UTF-8 is a syntax error', () => {
    judge(() => readMail(Buffer.from('MAIL FROM:<\xe4@b.example> SMTPUTF8', 'latin1')), /^501 /)
  })

  for (const [begin, repeated] of [
    ['MAIL FROM:<"', '\\'],
    ['MAIL FROM:<', '@a,'],
    ['MAIL FROM:<a> ', 'a='],
  ] as const)
    it(`is read in time that grows with its length only: ${begin}${repeated}`, () =>
      assertLinear(16_000, size =>
        judge(() => readMail(Buffer.from(begin + repeated.repeat(size / repeated.length))), /^5/),
      ))
})

describe('RCPT', () => {
  const read = (line: string) => readRcpt(Buffer.from(line), false, 'relay.example')
  for (const [line, expected] of rcpts) it(describeCase(line, expected), () => judge(() => read(line), expected))

  it('takes UTF-8 once MAIL had SMTPUTF8', () => {
    assert.deepEqual(readRcpt(Buffer.from('RCPT TO:<ä@例え.example>'), true, 'relay.example'), {
      address: 'ä@xn--r8jz45g.example',
    })
  })
})

function describeCase(line: string, expected: object | RegExp): string {
  return `${expected instanceof RegExp ? 'refuses' : 'reads'} ${line.length > 80 ? `${line.slice(0, 80)}…` : line}`
}

function judge(read: () => object, expected: object | RegExp): void {
  if (!(expected instanceof RegExp)) assert.deepEqual(read(), expected)
  else assert.throws(read, error => error instanceof SmtpError && expected.test(formatReply(error.reply)))
}
