/**
 * What comes back and is no bounce: away notes, receipts, challenges, complaints; and mail made to hurt its reader.
 */
import assert from 'node:assert/strict'
import { readMail, textOf } from '../../src/feedback/mime.ts'
import { readReturned } from '../../src/feedback/read.ts'
import { textRules } from '../../src/feedback/text-bounce.ts'
import { machineAnswers } from './bounces/later.ts'
import { encoded, originalHeader, reportBounce, returnPath, textBounce } from './bounces/shape.ts'

const read = (raw: string | Buffer) => readReturned(Buffer.from(raw))
const reply = (subject: string, fields = '', text = 'Thank you for your mail.\n') =>
  textBounce({ from: 'you@theirs.example', subject, fields, text })

describe('an answer of a machine', () => {
  const quotesBounce =
    '\n> Hi. This is the qmail-send program at mx.example.\n> <a@theirs.example>:\n> no mailbox (#5.1.1)\n'
  const answers: Readonly<Record<string, string>> = {
    'an away note': reply(
      'Out of Office: Quote',
      'Auto-Submitted: auto-replied\n',
      `I am away until Monday.${quotesBounce}`,
    ),
    'one by its field alone': reply('Re: Quote', 'X-Autoreply: yes\n', quotesBounce),
    'one by another field': reply('Re: Quote', 'X-Autorespond: Quote\n', quotesBounce),
    'one by its precedence': reply('Re: Quote', 'Precedence: auto_reply\n', quotesBounce),
    'one from Exchange': reply('Automatic reply: Quote', 'X-Auto-Response-Suppress: All\n', quotesBounce),
    'one in Japanese': reply('=?utf-8?B?6Ieq5YuV6L+U5L+hOiDkuI3lnKjjga7jgYrnn6XjgonjgZs=?=', '', quotesBounce),
    'one whose subject is raw UTF-8': reply('不在通知: お見積り', '', quotesBounce),
    'a receipt form': reply('お問い合わせありがとうございます'),
    'a challenge': reply('Please confirm your message', '', 'Click here so that your mail gets through.\n'),
  }
  for (const [what, raw] of Object.entries(answers))
    it(`means nothing: ${what}`, () => assert.deepEqual(read(raw), { kind: 'auto-reply' }))

  for (const [subject, fields, text] of machineAnswers)
    it(`means nothing: ${subject}`, () => {
      const raw = textBounce({ from: 'you@theirs.example', subject, fields, text, charset: 'utf-8', encoding: '8bit' })
      assert.deepEqual(read(raw), { kind: 'auto-reply' })
    })

  it('leaves alone what a daemon says that tells no recipient or no reason', () => {
    for (const text of ['Your mail was not delivered.\n', 'Not delivered to <a@theirs.example>, have a nice day.\n'])
      assert.deepEqual(read(textBounce({ from: 'postmaster@theirs.example', subject: 'Undelivered', text })), {
        kind: 'not-understood',
      })
  })

  it('means nothing: a receipt (RFC 8098)', () => {
    const raw = reportBounce({
      from: 'you@theirs.example',
      subject: 'Read: Quote',
      text: 'Seen.',
      mta: 'x',
      recipients: [{ final: 'you@theirs.example', status: '2.0.0' }],
    })
    const receipt = raw
      .replace('report-type=delivery-status', 'report-type=disposition-notification')
      .replace('message/delivery-status', 'message/disposition-notification')
    assert.deepEqual(read(receipt), { kind: 'receipt' })
  })

  it('means nothing when no rule knows it, whatever it says', () => {
    assert.deepEqual(
      read(reply('Re: Quote', '', 'The address a@theirs.example is wrong: 550 5.1.1 says my server.\n')),
      {
        kind: 'not-understood',
      },
    )
  })
})

describe('a report of success', () => {
  it('is read as what it is', () => {
    const raw = reportBounce({
      ...{ from: 'postmaster@theirs.example', subject: 'Delivered', text: 'Delivered.', mta: 'mx.theirs.example' },
      recipients: [{ final: 'a@theirs.example', action: 'delivered', status: '2.1.5' }],
    })
    const reading = read(raw)
    assert.equal(reading.kind === 'status' && reading.recipients[0]!.action, 'delivered')
  })
})

describe('a report on several recipients', () => {
  it('tells of each', () => {
    const reading = read(
      reportBounce({
        ...{ from: 'postmaster@theirs.example', subject: 'Failure', text: 'Failed.', mta: 'mx.theirs.example' },
        recipients: [
          { final: 'a@theirs.example', status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 unknown' },
          { final: 'b@theirs.example', action: 'delayed', status: '4.2.2', diagnostic: 'smtp; 452 4.2.2 full' },
        ],
      }),
    )
    assert.ok(reading.kind === 'status')
    assert.deepEqual(
      reading.recipients.map(({ action, addresses, reply: { code, detail } }) => [action, addresses, code, detail]),
      [
        ['failed', ['a@theirs.example'], 550, '1.1'],
        ['delayed', ['b@theirs.example'], 452, '2.2'],
      ],
    )
  })
})

const arf = (report: string, header = originalHeader('you@theirs.example'), type = 'message/rfc822') =>
  `From: <feedback@provider.example>
To: fbl@bounce.relay.example.jp
Subject: FW: Quote
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--part
Content-Type: message/feedback-report

${report}
--part
Content-Type: ${type}
Content-Disposition: inline

${header}
--part--
`

describe('a complaint', () => {
  it('names the recipient and the reverse-path (RFC 5965)', () => {
    const raw = arf(`Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <${returnPath}>
Original-Rcpt-To: <you@theirs.example>
Source-IP: 192.0.2.1
`)
    const { kind, ...complaint } = read(raw) as Extract<ReturnType<typeof readReturned>, { kind: 'complaint' }>
    assert.equal(kind, 'complaint')
    assert.deepEqual(
      [complaint.format, complaint.feedbackType, complaint.system, complaint.addresses, complaint.reversePaths],
      ['arf', 'abuse', 'SomeGenerator/1.0', ['you@theirs.example'], [returnPath]],
    )
  })

  it('is read where the provider took the recipient out', () => {
    const header = originalHeader('you@theirs.example').replaceAll('you@theirs.example', 'redacted')
    const complaint = read(arf('Feedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 1\n', header))
    assert.ok(complaint.kind === 'complaint')
    assert.deepEqual([complaint.addresses, complaint.reversePaths], [[], [returnPath]])
    assert.match(complaint.original!.first('received')!, /id 01jhm3w5c0f8k2v6q9x7r1t4ab/)
  })

  it('is read with nothing but the header of the message', () => {
    assert.equal(read(arf('Feedback-Type: fraud\n', undefined, 'text/rfc822-headers')).kind, 'complaint')
  })

  it('is read as Outlook.com sends it', () => {
    const raw = `From: staff@hotmail.com
To: fbl@bounce.relay.example.jp
Subject: complaint about message from 192.0.2.1
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="jmrp"

--jmrp
Content-Type: message/rfc822
Content-Disposition: inline

X-HmXmrOriginalRecipient: you@outlook.com
${originalHeader('you@outlook.com')}
--jmrp--
`
    const complaint = read(raw)
    assert.ok(complaint.kind === 'complaint')
    assert.deepEqual([complaint.format, complaint.addresses], ['jmrp', ['you@outlook.com']])
    assert.notEqual(read(raw.replace('staff@hotmail.com', 'staff@elsewhere.example')).kind, 'complaint')
  })

  it('is none when it says that something is no spam, or that authentication failed', () => {
    assert.deepEqual(read(arf('Feedback-Type: not-spam\n')), { kind: 'no-complaint' })
    assert.deepEqual(read(arf('Feedback-Type: auth-failure\n')), { kind: 'no-complaint' })
    assert.deepEqual(read(arf('User-Agent: x\n')), { kind: 'not-understood' })
  })
})

describe('the text of a mail', () => {
  const japanese = '宛先メールアドレスの入力誤り'
  const textIn = (head: string, body: Buffer) =>
    textOf(readMail(Buffer.concat([Buffer.from(`${head}\n\n`), body]))).trim()

  it('is decoded, declared or not', () => {
    const typed = (charset: string) => `Content-Type: text/plain; charset="${charset}"`
    assert.equal(textIn(typed('ISO-2022-JP'), encoded(japanese, 'iso-2022-jp')), japanese)
    assert.equal(textIn('Subject: x', encoded(japanese, 'iso-2022-jp')), japanese)
    assert.equal(textIn(typed('shift_jis'), encoded(japanese, 'shift_jis')), japanese)
    assert.equal(textIn('Subject: x', Buffer.from(japanese)), japanese)
    assert.equal(textIn(typed('no-such-charset'), Buffer.from('abc')), 'abc')
  })

  it('is decoded from quoted-printable and base64', () => {
    const head = (encoding: string) => `Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ${encoding}`
    assert.equal(textIn(head('base64'), Buffer.from(Buffer.from(japanese).toString('base64'))), japanese)
    assert.equal(textIn(head('quoted-printable'), Buffer.from('=E5=AE=9B=\n=E5=85=88')), '宛先')
  })
})

describe('the rules for bounces in prose', () => {
  it('repeat nothing without bound but blanks, so that no text can keep them busy', () => {
    for (const { system, marker, recipients, from, until, reason, delayed } of textRules)
      for (const pattern of [marker, recipients, from, until, reason, delayed]) {
        const bare = (pattern?.source ?? '')
          .replace(/\\./g, 'e')
          .replace(/\[ e\][*+]/g, '')
          .replace(/\[[^\]]*\]/g, 'c')
        assert.doesNotMatch(bare, /[*+]|\{\d+,\}/, `${system}: ${pattern}`)
      }
  })
})

describe('mail made to hurt its reader', () => {
  const mb = 1_000_000
  const deep = (depth: number): string =>
    depth === 0 ? 'x' : `Content-Type: multipart/mixed; boundary=b${depth}\n\n--b${depth}\n${deep(depth - 1)}`
  const hostile: Readonly<Record<string, string>> = {
    nothing: '',
    'a line end': '\n',
    'a header without end': `Subject: ${'a'.repeat(mb)}`,
    'a header of folds': `Subject: x\n${' y\n'.repeat(mb / 3)}`,
    'a hundred thousand fields': 'A: b\n'.repeat(100_000),
    'a thousand nested parts': deep(1000),
    'a hundred thousand parts': `Content-Type: multipart/report; boundary=x\n\n${'--x\n\n'.repeat(100_000)}`,
    'line ends before boundaries': `Content-Type: multipart/mixed; boundary=x\n\n${'\n--x'.repeat(200_000)}`,
    'a boundary of one dash': `Content-Type: multipart/mixed; boundary="-"\n\n${'-'.repeat(mb)}`,
    'an empty boundary': `Content-Type: multipart/mixed; boundary=""\n\n${'--\n'.repeat(100_000)}`,
    'addresses without end': textBounce({
      from: 'x',
      subject: 'failure',
      text: `Hi. This is the qmail-send program\n${'<a@b.example>:\n'.repeat(50_000)}`,
    }),
    'an address that never ends': textBounce({
      from: 'x',
      subject: 'x',
      text: `Message from yahoo.co.jp\n to the following address\n<${'a@'.repeat(400_000)}`,
    }),
    'spaces before a bracket': textBounce({
      from: 'x',
      subject: 'x',
      text: `did not reach the following recipient(s):\n${' '.repeat(mb)}`,
    }),
    'groups without end': `Content-Type: message/delivery-status\n\n${'Final-Recipient: rfc822;a@b\nStatus: 5.1.1\n\n'.repeat(20_000)}`,
    'a diagnostic without end': `Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822;a@b\nStatus: 5.1.1\nDiagnostic-Code: smtp; ${'550 '.repeat(200_000)}`,
    'parameters without end': `Content-Type: multipart/report${'; a="\\"'.repeat(50_000)}`,
    'escapes of ISO-2022-JP': `Content-Type: text/plain; charset=iso-2022-jp\n\n${'\x1b$B'.repeat(300_000)}`,
    'encoded words': `Subject: ${'=?utf-8?B??='.repeat(90_000)}\n\nx`,
    'a text of dashes': textBounce({ from: 'x', subject: 'x', text: '-'.repeat(mb) }),
    'an HTML of brackets': `Content-Type: text/html\n\n${'<'.repeat(mb)}`,
  }
  for (const [what, raw] of Object.entries(hostile))
    it(`is read to its end: ${what}`, () => {
      const { kind } = readReturned(Buffer.from(raw, 'latin1'))
      assert.ok(['not-understood', 'status'].includes(kind), kind)
    })
})
