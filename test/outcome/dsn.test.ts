import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { silentLog } from '../../src/base/log.ts'
import type { Notify, Recipient } from '../../src/mail/envelope.ts'
import type { Message } from '../../src/mail/message.ts'
import type { Returned } from '../../src/mail/returned.ts'
import { composeLateReports } from '../../src/outcome/late-report.ts'
import { composeReports, type OwedReport } from '../../src/outcome/reports.ts'
import { type Verdict, verdictOfExpiry, verdictsOf } from '../../src/outcome/verdict.ts'
import type { LeasedEntry } from '../../src/store/store.ts'
import { makeAttempt, makeLeased, makeMessage, start } from './make.ts'

const settings = {
  hostname: 'relay.example.jp',
  relayDomain: 'relay.example.jp',
  timeZone: 'Asia/Tokyo',
  expireAfterMs: 4 * 86_400_000,
  maxRecipients: 100,
}
const retry = { retryAfter: [60_000], jitter: 0 }
const content = Buffer.from('From: sales@example.co.jp\r\nSubject: hello\r\n\r\nbody of the mail\r\n')

interface Read {
  readonly headers: Readonly<Record<string, string>>
  readonly type: string
  readonly reportType: string
  readonly defects: readonly string[]
  readonly parts: readonly {
    readonly type: string
    readonly encoding: string | null
    readonly text?: string
    readonly subject?: string
    readonly raw?: string
    readonly blocks?: readonly Readonly<Record<string, string>>[]
  }[]
}

const pythonMissing = spawnSync('python3', ['--version']).error !== undefined
if (pythonMissing) console.log('python3 is missing: the reports are not read by its email package (tests skipped)')

describe('whether a report is owed', () => {
  type Row = readonly [readonly Notify[] | undefined, { failure: boolean; delay: boolean; success: boolean }]
  const table: readonly Row[] = [
    [undefined, { failure: true, delay: true, success: false }],
    [['NEVER'], { failure: false, delay: false, success: false }],
    [['FAILURE'], { failure: true, delay: false, success: false }],
    [['DELAY'], { failure: false, delay: true, success: false }],
    [['SUCCESS'], { failure: false, delay: false, success: true }],
    [['SUCCESS', 'FAILURE'], { failure: true, delay: false, success: true }],
    [['SUCCESS', 'DELAY'], { failure: false, delay: true, success: true }],
    [['FAILURE', 'DELAY'], { failure: true, delay: true, success: false }],
    [['SUCCESS', 'FAILURE', 'DELAY'], { failure: true, delay: true, success: true }],
  ]
  for (const [notify, expected] of table) {
    for (const ret of [undefined, 'HDRS', 'FULL'] as const) {
      it(`with NOTIFY=${notify?.join(',') ?? '(none)'} and RET=${ret ?? '(none)'}`, async () => {
        const message = makeMessage({ size: content.length, ...(ret === undefined ? {} : { ret }) })
        const leased = makeLeased(message, { address: 'b@example.com', ...(notify ? { notify } : {}) })
        const failure = await reports({ verdicts: answered(leased, '550 5.1.1 no such user') })
        const success = await reports({ verdicts: answered(leased, '250 2.0.0 ok') })
        const delay = await reports({ late: [leased] })
        assert.deepEqual(
          { failure: failure.length === 1, delay: delay.length === 1, success: success.length === 1 },
          expected,
        )
        for (const owed of [failure, delay, success].flat()) {
          const returnsBody = textOf(owed).includes('body of the mail')
          assert.equal(returnsBody, owed.kind === 'failure' && ret === 'FULL')
          assert.ok(textOf(owed).includes('Subject: hello'))
        }
      })
    }
  }

  it('never to the null reverse-path, and never about a report', async () => {
    const message = makeMessage()
    const noOne = { ...message, envelope: { ...message.envelope, reversePath: null } }
    const report = makeMessage({ origin: 'dsn' })
    for (const about of [noOne, report]) {
      const leased = makeLeased(about, { address: 'b@example.com', notify: ['SUCCESS', 'FAILURE', 'DELAY'] })
      assert.deepEqual(await reports({ verdicts: answered(leased, '550 no'), late: [leased] }), [])
      assert.deepEqual(await reports({ verdicts: answered(leased, '250 ok') }), [])
    }
  })

  it('not about a deferral, and not about a success that the next hop reports itself', async () => {
    const leased = makeLeased(makeMessage(), { address: 'b@example.com', notify: ['SUCCESS', 'FAILURE'] })
    assert.deepEqual(await reports({ verdicts: answered(leased, '450 4.2.0 later') }), [])
    const attempt = { ...makeAttempt([leased], '250 ok'), dsnPassedOn: true }
    assert.deepEqual(await reports({ verdicts: verdictsOf(attempt, start, retry) }), [])
  })
})

describe('a recipient whose bounce came back while we still tried', () => {
  it('is in no report on its end again; the others are', async () => {
    const recipients = [{ address: 'b@example.com' }, { address: 'c@example.com' }]
    const message = makeMessage()
    const verdicts = recipients.flatMap((recipient, n) =>
      answered(makeLeased(message, recipient, { id: `${message.id}.${n}` }), '550 5.1.1 no such user'),
    )
    const told = async (...entries: string[]) =>
      (await reports({ verdicts, toldLater: async () => new Set(entries) })).map(({ about }) => about)
    assert.deepEqual(await told(), [[`${message.id}.0`, `${message.id}.1`]])
    assert.deepEqual(await told(`${message.id}.0`), [[`${message.id}.1`]])
    assert.deepEqual(await told(`${message.id}.0`, `${message.id}.1`), [])
  })
})

describe('a report', () => {
  before(function () {
    if (pythonMissing) this.skip()
  })

  it('is a signed-by-us, unanswerable message to the reverse-path of the original', async () => {
    const [owed] = await failureReports(makeMessage())
    const { message, entries, limits, events } = owed!.report
    assert.equal(message.envelope.reversePath, null)
    assert.deepEqual(message.envelope.recipients, [{ address: 'sales@example.co.jp', notify: ['NEVER'] }])
    assert.deepEqual([message.origin, message.from, message.senderDomain], ['dsn', null, 'relay.example.jp'])
    assert.deepEqual([message.account, message.credential], ['account-1', null])
    assert.deepEqual(limits, [])
    assert.equal(entries.length, 1)
    assert.equal(entries[0]!.domain, 'example.co.jp')
    assert.equal(entries[0]!.expiresAt, start + settings.expireAfterMs)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['message.accepted'],
    )
    const [read] = readAll([owed!])
    assert.equal(read!.headers['auto-submitted'], 'auto-replied')
    assert.equal(read!.headers['in-reply-to'], '<abc@crm.example.jp>')
    assert.match(read!.headers.from!, /<mailer-daemon@relay\.example\.jp>$/)
    assert.equal(read!.headers.to, 'sales@example.co.jp')
    assert.match(read!.headers.subject!, /配信エラー.*Undelivered mail/)
    assert.equal(read!.headers['message-id'], `<${message.messageIdHeader}>`)
  })

  it('has the three parts of RFC 6522 with the fields of RFC 3464', async () => {
    const message = makeMessage({ size: content.length })
    const asked = { ...message, envelope: { ...message.envelope, envid: 'order-42' } }
    const [read] = readAll(await failureReports(asked, { address: 'b@example.com', orcpt: 'rfc822;B@example.com' }))
    assert.deepEqual([read!.type, read!.reportType, read!.defects], ['multipart/report', 'delivery-status', []])
    assert.deepEqual(
      read!.parts.map(({ type }) => type),
      ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
    )
    assert.deepEqual(read!.parts[1]!.blocks, [
      {
        'original-envelope-id': 'order-42',
        'reporting-mta': 'dns; relay.example.jp',
        'arrival-date': 'Thu, 15 Jan 2026 03:00:00 +0000',
      },
      {
        'original-recipient': 'rfc822;B@example.com',
        'final-recipient': 'rfc822;b@example.com',
        action: 'failed',
        status: '5.1.1',
        'remote-mta': 'dns; mx1.example.com',
        'diagnostic-code': 'smtp; 550 5.1.1 no such user',
        'last-attempt-date': 'Thu, 15 Jan 2026 03:00:00 +0000',
      },
    ])
    assert.equal(read!.parts[2]!.text, 'From: sales@example.co.jp\r\nSubject: hello\r\n')
  })

  it('tells people in both languages what happened, what was said, who must act and what to do', async () => {
    const [read] = readAll(await failureReports(makeMessage()))
    const text = read!.parts[0]!.text!
    for (const part of [
      '次の宛先にメールを配信できませんでした。',
      '理由: 宛先のメールアドレスが存在しません。',
      'サーバーの応答: 550 5.1.1 no such user (mx1.example.com)',
      '対応が必要な方: 送信者（宛先の確認）',
      '受付日時: 2026-01-15 12:00:00 (Asia/Tokyo)',
      'Recipient: b@example.com',
      'Reason: The recipient address does not exist.',
      'What to do: Check the address for mistakes',
      'Message id: 01jhm3w5c0f8k2v6q9x7r1t4ab',
    ])
      assert.ok(text.includes(part), `${part}\n\n${text}`)
  })

  it('names all recipients of one message that failed together, and only one message', async () => {
    const message = makeMessage()
    const other = makeMessage({ id: '01jhm3w5c0f8k2v6q9x7r1t4ac' })
    const leased = ['b@example.com', 'c@example.com', 'd@example.com'].map((address, n) =>
      makeLeased(message, { address }, { id: `${message.id}.${n}` }),
    )
    const verdicts = [...leased, makeLeased(other)].flatMap(one => answered(one, '550 5.1.1 no such user'))
    const owed = await reports({ verdicts })
    assert.deepEqual(
      owed.map(({ original }) => original),
      [message.id, other.id],
    )
    const [first, second] = readAll(owed)
    assert.deepEqual(
      first!.parts[1]!.blocks!.slice(1).map(block => block['final-recipient']),
      ['rfc822;b@example.com', 'rfc822;c@example.com', 'rfc822;d@example.com'],
    )
    assert.equal(second!.parts[1]!.blocks!.length, 2)
  })

  it('names a hundred recipients at most, and lets others work between two of a message', async () => {
    const message = makeMessage()
    const verdicts = Array.from({ length: 250 }, (_, n) =>
      answered(makeLeased(message, { address: `b${n}@example.com` }, { id: `${message.id}.${n}` }), '550 5.1.1 x'),
    ).flat()
    let turns = 0
    const turn = () => {
      turns++
      next = setImmediate(turn)
    }
    let next = setImmediate(turn)
    const owed = await reports({ verdicts })
    clearImmediate(next)
    assert.ok(turns >= 2)
    assert.deepEqual(
      owed.map(({ about }) => about.length),
      [100, 100, 50],
    )
    assert.equal(new Set(owed.flatMap(({ about }) => about)).size, 250)
    assert.equal(new Set(owed.map(({ report }) => report.message.id)).size, 3)
    for (const [n, one] of owed.entries())
      assert.equal(textOf(one).match(/^Final-Recipient: /gm)?.length, owed[n]!.about.length)
  })

  it('returns the whole message with RET=FULL, unless it is large', async () => {
    const small = makeMessage({ ret: 'FULL', size: content.length })
    const [read] = readAll(await failureReports(small))
    assert.deepEqual([read!.parts[2]!.type, read!.parts[2]!.subject], ['message/rfc822', 'hello'])
    const large = Buffer.concat([content, Buffer.alloc(70_000, 'x')])
    const [cut] = readAll(await failureReports(makeMessage({ ret: 'FULL', size: large.length }), undefined, large))
    assert.equal(cut!.parts[2]!.type, 'text/rfc822-headers')
  })

  it('is protected like what it reports on, and returns only its header (RFC 8689 §5)', async () => {
    const message = makeMessage({ ret: 'FULL', size: content.length })
    const [owed] = await failureReports({ ...message, envelope: { ...message.envelope, tls: 'required' } })
    assert.equal(owed!.report.message.envelope.tls, 'required')
    const [read] = readAll([owed!])
    assert.equal(read!.parts[2]!.type, 'text/rfc822-headers')
  })

  it('cuts a header without end at a line, and stands without the original when it can not be read', async () => {
    const endless = Buffer.from(`${'X-Long: line\r\n'.repeat(10_000)}`)
    const [cut] = readAll(await failureReports(makeMessage({ size: endless.length }), undefined, endless))
    assert.ok(cut!.parts[2]!.text!.endsWith('X-Long: line\r\n'))
    assert.ok(cut!.parts[2]!.text!.length < 65_536)
    const [bare] = readAll(await reports({ verdicts: answered(makeLeased(makeMessage()), '550 no'), original: null }))
    assert.deepEqual(
      bare!.parts.map(({ type }) => type),
      ['text/plain', 'message/delivery-status'],
    )
  })

  it('says 4.4.7 and the last reply when the message expired', async () => {
    const expired = makeLeased(makeMessage(), undefined, { attempts: 9, expiresAt: start })
    const [attempted] = readAll(await reports({ verdicts: answered(expired, '450 4.2.2 mailbox full') }))
    const fields = attempted!.parts[1]!.blocks![1]!
    assert.deepEqual([fields.action, fields.status], ['failed', '4.4.7'])
    assert.equal(fields['diagnostic-code'], 'smtp; 450 4.2.2 mailbox full')
    assert.match(attempted!.parts[0]!.text!, /最後の試行の結果: 宛先のメールボックスの容量がいっぱいです。/)

    const waited = {
      ...expired,
      entry: { ...expired.entry, lastReply: '450 4.2.2 mailbox full', lastHost: 'mx.example' },
    }
    const [untried] = readAll(await reports({ verdicts: [verdictOfExpiry(waited, start)] }))
    assert.equal(untried!.parts[1]!.blocks![1]!['remote-mta'], 'dns; mx.example')
    assert.equal(untried!.parts[1]!.blocks![1]!['last-attempt-date'], undefined)
  })

  it('of a delay says until when it is tried', async () => {
    const tried = makeLeased(makeMessage(), undefined, { attempts: 3, lastReply: '450 4.2.0 greylisted' })
    const untried = makeLeased(makeMessage({ id: '01jhm3w5c0f8k2v6q9x7r1t4ac' }))
    const [first, second] = readAll(await reports({ late: [tried, untried] }))
    const fields = first!.parts[1]!.blocks![1]!
    assert.deepEqual([fields.action, fields.status], ['delayed', '4.2.0'])
    assert.equal(fields['will-retry-until'], 'Mon, 19 Jan 2026 03:00:00 +0000')
    assert.match(first!.parts[0]!.text!, /再送の期限: 2026-01-19 12:00:00/)
    assert.equal(second!.parts[1]!.blocks![1]!.status, '4.0.0')
    assert.match(second!.parts[0]!.text!, /送信の順番を待っています。/)
  })

  it('of a success says relayed', async () => {
    const leased = makeLeased(makeMessage(), { address: 'b@example.com', notify: ['SUCCESS'] })
    const [read] = readAll(await reports({ verdicts: answered(leased, '250 2.0.0 queued') }))
    const fields = read!.parts[1]!.blocks![1]!
    assert.deepEqual([fields.action, fields.status], ['relayed', '2.0.0'])
  })

  it('escapes addresses beyond ASCII for a sender whose servers may not know SMTPUTF8', async () => {
    const message = makeMessage()
    const utf8 = { ...message, envelope: { ...message.envelope, smtpUtf8: true } }
    const owed = await failureReports(utf8, { address: '太郎@example.com' })
    assert.equal(owed[0]!.report.message.envelope.smtpUtf8, false)
    assert.equal(isAscii(bytesOf(owed[0]!)), true)
    const [read] = readAll(owed)
    assert.equal(read!.parts[1]!.blocks![1]!['final-recipient'], 'utf-8;\\x{592A}\\x{90CE}@example.com')
    assert.equal(read!.parts[2]!.type, 'message/global-headers')
    assert.ok(read!.parts[0]!.text!.includes('宛先: 太郎@example.com'))
  })

  it('is an RFC 6533 report for a sender with an address beyond ASCII', async () => {
    const message = makeMessage()
    const utf8 = { ...message, envelope: { ...message.envelope, smtpUtf8: true, reversePath: '花子@example.co.jp' } }
    const owed = await failureReports(utf8, { address: '太郎@example.com' })
    assert.deepEqual(
      [owed[0]!.report.message.envelope.smtpUtf8, owed[0]!.report.message.envelope.body],
      [true, '8BITMIME'],
    )
    const text = textOf(owed[0]!)
    assert.ok(text.includes('To: <花子@example.co.jp>'))
    assert.ok(text.includes('Final-Recipient: utf-8;太郎@example.com'))
    assert.equal(readAll(owed)[0]!.reportType, 'global-delivery-status')
  })

  it('keeps raw 8-bit headers as they were, and says so', async () => {
    const latin = Buffer.concat([Buffer.from('Subject: voil'), Buffer.from([0xe0]), Buffer.from('\r\n\r\nbody\r\n')])
    const owed = await failureReports(makeMessage({ size: latin.length }), undefined, latin)
    assert.equal(owed[0]!.report.message.envelope.body, '8BITMIME')
    const [read] = readAll(owed)
    assert.equal(read!.headers['content-transfer-encoding'], '8bit')
    assert.equal(read!.parts[2]!.encoding, '8bit')
    assert.ok(bytesOf(owed[0]!).includes(Buffer.from([0x6c, 0xe0])))
  })

  it('can not be broken by what senders and servers wrote', async () => {
    const nasty = fc.string({ unit: fc.constantFrom(...'ab;<>"\\+=\r\n\t :.\u0000\u0085\u2028é太') })
    const cases = fc.sample(fc.record({ envid: nasty, orcpt: nasty, reply: nasty, id: nasty, host: nasty }), 100)
    const owed = (await Promise.all(cases.map(nastyReport))).flat()
    const plainReport = readAll(
      await nastyReport({ envid: 'e', orcpt: 'rfc822;o', reply: 'r', id: 'id@x', host: 'h' }),
    )[0]!
    for (const [index, read] of readAll(owed).entries()) {
      const what = JSON.stringify(cases[index])
      assert.deepEqual(read.defects, [], what)
      assert.deepEqual(
        read.parts.map(({ type }) => type),
        plainReport.parts.map(({ type }) => type),
        what,
      )
      assert.equal(read.parts[1]!.blocks!.length, 2, what)
      assert.equal(read.parts[1]!.blocks![1]!.action, 'failed', what)
      const known = new Set(Object.keys(plainReport.headers))
      for (const name of Object.keys(read.headers)) assert.ok(known.has(name), `${name} in ${what}`)
    }
    for (const one of owed) for (const line of textOf(one).split('\r\n')) assert.ok(Buffer.byteLength(line) <= 998)
  })

  it('on a late bounce can not be broken by what its writer put in, and keeps to RFC 3464', async () => {
    const nasty = 'x\r\nBcc: you@evil.example\r\n\r\n--=_\u2028ü '
    const found: Returned = {
      ...{ kind: 'bounce', message: 'm', entry: 'm.0', recipient: 'b@example.com', at: start, permanent: true },
      ...{ reply: { code: 550, detail: '1.1', text: nasty.repeat(20), from: 'remote' }, class: 'address-unknown' },
      ...{ actor: 'recipient', format: 'text', system: nasty, reportingMta: nasty.repeat(9), remoteMta: nasty },
      ...{ finalRecipient: `${nasty}@third.example`, feedbackType: null, client: '192.0.2.7' },
    }
    const owed = await composeLateReports({
      ...{ message: makeMessage(), returned: [found], header: Buffer.from('Subject: hello\r\n\r\n'), settings },
      ...{ original: async () => null, now: start, log: silentLog },
    })
    const [read] = readAll(owed)
    assert.deepEqual([read!.type, read!.reportType, read!.defects], ['multipart/report', 'delivery-status', []])
    assert.deepEqual(
      read!.parts.map(({ type }) => type),
      ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
    )
    const [, status] = textOf(owed[0]!).split('Content-Type: message/delivery-status\r\n')
    const names = status!.slice(0, status!.indexOf('\r\n--')).match(/^[A-Za-z-]+(?=:)/gm)
    assert.deepEqual(names, [
      ...['Content-Transfer-Encoding', 'Reporting-MTA', 'DSN-Gateway', 'Received-From-MTA', 'X-Kitte-Message-Id'],
      ...['Final-Recipient', 'X-Actual-Recipient', 'Action', 'Status', 'Remote-MTA', 'Diagnostic-Code'],
    ])
    for (const line of textOf(owed[0]!).split('\r\n')) assert.ok(Buffer.byteLength(line) <= 998 && !/[\r\n]/.test(line))
  })

  it('has no line that is ended by anything but CRLF, and none longer than 998 octets', async () => {
    const leased = makeLeased(makeMessage(), { address: 'b@example.com' })
    const [owed] = await reports({ verdicts: answered(leased, `550 5.1.1 ${'long'.repeat(240)}`) })
    const text = textOf(owed!)
    assert.doesNotMatch(text, /[^\r]\n|\r[^\n]/)
    for (const line of text.split('\r\n')) assert.ok(line.length <= 998)
  })
})

interface Nasty {
  readonly envid: string
  readonly orcpt: string
  readonly reply: string
  readonly id: string
  readonly host: string
}

async function nastyReport({ envid, orcpt, reply, id, host }: Nasty): Promise<OwedReport[]> {
  const message = makeMessage({ messageIdHeader: id })
  const asked = { ...message, envelope: { ...message.envelope, envid } }
  const [verdict] = answered(makeLeased(asked, { address: 'b@example.com', orcpt }), '550 5.1.1 x')
  const { outcome } = verdict!
  const facts = { ...outcome.facts!, remoteMta: host }
  return reports({
    verdicts: [{ ...verdict!, outcome: { ...outcome, facts, reply: { ...outcome.reply, text: reply } } }],
  })
}

function answered(leased: LeasedEntry, raw: string): Verdict[] {
  return verdictsOf(makeAttempt([leased], raw), start, retry)
}

function failureReports(message: Message, recipient?: Recipient, original: Buffer = content): Promise<OwedReport[]> {
  return reports({ verdicts: answered(makeLeased(message, recipient), '550 5.1.1 no such user'), original })
}

function reports(given: {
  verdicts?: readonly Verdict[]
  late?: readonly LeasedEntry[]
  original?: Buffer | null
  toldLater?: () => Promise<ReadonlySet<string>>
}): Promise<OwedReport[]> {
  const { verdicts = [], late = [], original = content, toldLater = async () => new Set() } = given
  return composeReports({
    verdicts,
    late,
    settings,
    toldLater,
    original: async (_, maxBytes) => original?.subarray(0, maxBytes) ?? null,
    now: start,
    log: silentLog,
  })
}

function bytesOf({ report }: OwedReport): Buffer {
  assert.ok(report.content.kind === 'inline')
  return Buffer.from(report.content.bytes)
}

function textOf(owed: OwedReport): string {
  return bytesOf(owed).toString('utf8')
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every(octet => octet < 0x80)
}

/** One Python for all: starting it costs more than reading. */
function readAll(owed: readonly OwedReport[]): Read[] {
  const input = JSON.stringify(owed.map(one => bytesOf(one).toString('base64')))
  const python = spawnSync('python3', [join(import.meta.dirname, 'read-report.py')], { input, maxBuffer: 1 << 27 })
  assert.equal(python.status, 0, String(python.stderr))
  return JSON.parse(String(python.stdout))
}
