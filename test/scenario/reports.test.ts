/**
 * Reports (DSN) from a client's MAIL and RCPT parameters to what arrives in the sender's mailbox (RFC 3461, RFC 3464).
 */
import assert from 'node:assert/strict'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { Dialogue } from '../support/dialogue.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { type LoggedLine, startRelay, type TestRelay } from '../support/relay.ts'
import type { SinkMessage } from '../support/sink.ts'
import { type Sinks, startSinks } from '../support/sinks.ts'

const relayDomain = 'relay.example.jp'
const hourMs = 3_600_000
/** A receiver that announces DSN, one that does not, one that knows neither DSN nor SMTPUTF8, and the senders' own. */
const receivers = {
  'dsn.example': {},
  'plain.example': { extensions: ['PIPELINING', '8BITMIME', 'SMTPUTF8'] },
  'ascii.example': { extensions: ['PIPELINING', 'SIZE 3000'] },
  'ours.example': {},
  'bare.example': {},
} as const

interface Sent {
  readonly from?: string
  readonly reversePath?: string
  /** MAIL parameters. */
  readonly mail?: string
  /** Recipient → RCPT parameters. */
  readonly to: Readonly<Record<string, string>>
  readonly body?: string
}

/** What a report says, cut into its parts. */
interface Report {
  readonly message: SinkMessage
  readonly header: string
  readonly text: string
  readonly perMessage: string
  readonly perRecipient: readonly string[]
  readonly returnedType: string
  readonly returned: string
}

describe('a report', () => {
  let clock: ManualClock
  let sinks: Sinks<keyof typeof receivers>
  let relay: TestRelay
  let client: Dialogue

  before(async () => {
    clock = manualClock()
    sinks = await startSinks(receivers)
    relay = await startRelay({
      zone: sinks.zone,
      mxPort: sinks.port,
      verified: ['ours.example'],
      registered: ['bare.example'],
      clock,
      settings: {
        KITTE_QUEUE_EXPIRE_AFTER: '6h',
        KITTE_QUEUE_RETRY_AFTER: '[30m]',
        KITTE_QUEUE_RETRY_JITTER: '0',
        KITTE_QUEUE_SITE_CLOSED: '1s',
      },
    })
  })

  /** Time passes in some tests, and sessions have an end. */
  beforeEach(async () => {
    client = await Dialogue.greeted({ port: relay.ports[1]!, tls: true })
    await client.say('EHLO crm.example', /^250-/)
    await client.login(relay.credential.username, relay.credential.password)
  })

  afterEach(() => client[Symbol.asyncDispose]())

  after(async () => {
    await relay?.[Symbol.asyncDispose]()
    await sinks?.[Symbol.asyncDispose]()
  })

  it('tells of a failure what was said, by whom, and whom to blame', async () => {
    const id = await submit({ to: { '550-5.1.1@dsn.example': '' } })
    const report = await onlyReport(id)
    assert.match(report.header, /^From: "Mail Delivery System" <mailer-daemon@relay\.example\.jp>$/m)
    assert.match(report.header, /^To: <a@ours\.example>$/m)
    assert.match(report.header, /^Auto-Submitted: auto-replied$/m)
    assert.match(report.header, /^Content-Type: multipart\/report; report-type=delivery-status;/m)
    assert.match(report.perMessage, /^Reporting-MTA: dns; relay\.example\.jp$/m)
    assert.match(report.perMessage, new RegExp(`^X-Kitte-Message-Id: ${id}$`, 'm'))
    const [recipient] = report.perRecipient
    assert.match(recipient!, /^Final-Recipient: rfc822;550-5\.1\.1@dsn\.example$/m)
    assert.match(recipient!, /^Action: failed$/m)
    assert.match(recipient!, /^Status: 5\.1\.1$/m)
    assert.match(recipient!, /^Remote-MTA: dns; mx\.dsn\.example$/m)
    assert.match(recipient!, /^Diagnostic-Code: smtp; 550 5\.1\.1 says the sink$/m)
    assert.match(report.text, /550-5\.1\.1@dsn\.example/)
    assert.match(report.text, /宛先のメールアドレスが存在しません/)
  })

  it('comes from nobody, is signed by the relay, and asks for no report', async () => {
    const { message } = await onlyReport(await submit({ to: { '550-5.1.1@dsn.example': '' } }))
    assert.equal(message.reversePath, null)
    assert.deepEqual(message.rcptParameters, ['NOTIFY=NEVER'])
    const { publicKey, selector } = JSON.parse((await relay.relay.store.setting(`relay-key:${relayDomain}`))!)
    const { results } = await dkimVerify(message.content, {
      resolver: async name => {
        assert.equal(name, `${selector}._domainkey.${relayDomain}`)
        return [[`v=DKIM1; k=rsa; p=${publicKey}`]]
      },
    })
    assert.deepEqual(
      results.map(({ status }) => status.result),
      ['pass'],
    )
  })

  it('goes to the reverse-path as submitted, whatever travelled', async () => {
    const id = await submit({ from: 'a@bare.example', to: { '550-5.1.1@dsn.example': '' } })
    const report = await onlyReport(id, 'bare.example')
    assert.deepEqual(report.message.recipients, ['a@bare.example'])
  })

  for (const [notify, told] of [
    ['', true],
    ['NOTIFY=FAILURE', true],
    ['NOTIFY=SUCCESS,FAILURE,DELAY', true],
    ['NOTIFY=NEVER', false],
    ['NOTIFY=SUCCESS', false],
    ['NOTIFY=DELAY', false],
  ] as const) {
    it(`of a failure is ${told ? '' : 'not '}sent with ${notify || 'no NOTIFY'}`, async () => {
      const id = await submit({ to: { '550-5.1.1@dsn.example': notify } })
      assert.equal(await reportsOn(id, 'bounced'), told ? 1 : 0)
    })
  }

  it('of success is left to a host that reports itself', async () => {
    const id = await submit({ to: { 'ok@dsn.example': 'NOTIFY=SUCCESS ORCPT=rfc822;Asked+2Bfor@dsn.example' } })
    assert.equal(await reportsOn(id, 'delivered'), 0)
    const parameters = sinks.at['dsn.example'].messages.at(-1)!.rcptParameters
    assert.deepEqual(parameters, ['NOTIFY=SUCCESS ORCPT=rfc822;Asked+2Bfor@dsn.example'])
  })

  it('of success is ours where theirs would come to a reverse-path of ours', async () => {
    const id = await submit({ from: 'a@bare.example', to: { 'ok@dsn.example': 'NOTIFY=SUCCESS' } })
    assert.equal(await reportsOn(id, 'delivered'), 1)
    assert.match(sinks.at['dsn.example'].messages.at(-1)!.reversePath!, /^b-\S+@bounce\.relay\.example\.jp$/)
    const { perRecipient } = await onlyReport(id, 'bare.example')
    assert.match(perRecipient[0]!, /^Action: relayed$/m)
  })

  it('of success says "relayed" where the host does not report', async () => {
    const id = await submit({ mail: 'RET=FULL', to: { 'ok@plain.example': 'NOTIFY=SUCCESS' } })
    assert.equal(await reportsOn(id, 'delivered'), 1)
    const { perRecipient, returnedType } = await onlyReport(id)
    assert.match(perRecipient[0]!, /^Action: relayed$/m)
    assert.match(perRecipient[0]!, /^Status: 2\.0\.0$/m)
    assert.equal(returnedType, 'text/rfc822-headers', 'RET is for failures')
    assert.equal(sinks.at['plain.example'].messages.at(-1)!.rcptParameters[0], '', 'nothing the host does not know')
    assert.equal(await reportsOn(await submit({ to: { 'ok@plain.example': '' } }), 'delivered'), 0)
  })

  for (const [ret, type, hasBody] of [
    ['', 'text/rfc822-headers', false],
    ['RET=HDRS', 'text/rfc822-headers', false],
    ['RET=FULL', 'message/rfc822', true],
  ] as const) {
    it(`returns ${hasBody ? 'the whole message' : 'its header'} with ${ret || 'no RET'}`, async () => {
      const id = await submit({ mail: ret, to: { '550-5.1.1@dsn.example': '' }, body: 'the body itself' })
      const { returned, returnedType } = await onlyReport(id)
      assert.equal(returnedType, type)
      assert.match(returned, /^Subject: hello$/m)
      assert.equal(returned.includes('the body itself'), hasBody)
    })
  }

  it('returns the header of a message that is too large to return, though RET=FULL asks for all', async () => {
    const body = `${'x'.repeat(70)}\r\n`.repeat(2000)
    const id = await submit({ mail: 'RET=FULL', to: { '550-5.1.1@dsn.example': '' }, body })
    assert.equal((await onlyReport(id)).returnedType, 'text/rfc822-headers')
  })

  it('names ENVID and ORCPT as the sender gave them, and the next host gets them too', async () => {
    const orcpt = 'ORCPT=rfc822;old+2Bname@old.example'
    const id = await submit({
      mail: 'ENVID=Job+2B17 RET=HDRS',
      to: { '550-5.1.1@dsn.example': orcpt, 'ok@dsn.example': orcpt },
    })
    const { perMessage, perRecipient } = await onlyReport(id)
    assert.match(perMessage, /^Original-Envelope-Id: Job\+17$/m)
    assert.match(perRecipient[0]!, /^Original-Recipient: rfc822;old\+name@old\.example$/m)
    const { mailParameters, rcptParameters } = sinks.at['dsn.example'].messages.at(-1)!
    assert.match(mailParameters, /\bRET=HDRS ENVID=Job\+2B17$/)
    assert.deepEqual(rcptParameters, [orcpt])
  })

  it('names all recipients that failed together, and none of the others', async () => {
    const to = ['550-5.1.1@dsn.example', '550-5.2.1@dsn.example', 'ok@dsn.example', '552-5.2.2@dsn.example']
    const id = await submit({ to: Object.fromEntries(to.map(address => [address, ''])) })
    const { perRecipient } = await onlyReport(id)
    const statuses = perRecipient.map(fields => /^Status: (\S+)$/m.exec(fields)![1])
    assert.deepEqual(statuses.toSorted(), ['5.1.1', '5.2.1', '5.2.2'])
  })

  it('is never sent about a report', async () => {
    const before = relay.logged('reported').length
    const id = await submit({ reversePath: '550-5.1.1@ours.example', to: { '550-5.1.1@dsn.example': '' } })
    await settles(() => linesOf(reportId(id) ?? '', 'bounced').length === 1, 'the end of the report')
    await relay.settled()
    assert.equal(relay.logged('reported').length, before + 1)
  })

  it('is never sent to the null reverse-path', async () => {
    const id = await submit({ reversePath: '', to: { '550-5.1.1@dsn.example': 'NOTIFY=FAILURE' } })
    assert.equal(await reportsOn(id, 'bounced'), 0)
  })

  it('of a failure comes at the dot as well as at RCPT', async () => {
    const { perRecipient } = await onlyReport(await submit({ to: { 'dot-554-5.7.1@dsn.example': '' } }))
    assert.match(perRecipient[0]!, /^Status: 5\.7\.1$/m)
  })

  it('says what a host lacks that the message needs: SMTPUTF8, SIZE', async () => {
    const utf8 = await submit({ mail: 'SMTPUTF8', to: { '営業@ascii.example': '' } })
    const [refused] = (await onlyReport(utf8)).perRecipient
    assert.match(refused!, /^Final-Recipient: utf-8;\\x\{55B6\}\\x\{696D\}@ascii\.example$/m)
    assert.match(refused!, /^Status: 5\.6\.7$/m)
    assert.equal(linesOf(utf8, 'bounced')[0]!.repliedBy, 'relay')

    const large = await submit({ to: { 'ok@ascii.example': '' }, body: 'x'.repeat(3000) })
    assert.match((await onlyReport(large)).perRecipient[0]!, /^Status: 5\.3\.4$/m)
    assert.equal(linesOf(large, 'bounced')[0]!.class, 'message-too-large')
  })

  it('reaches a sender beyond ASCII', async () => {
    const sender = '営業@ours.example'
    const id = await submit({ from: sender, mail: 'SMTPUTF8', to: { '550-5.1.1@dsn.example': '' } })
    const report = await onlyReport(id)
    assert.deepEqual(report.message.recipients, [sender])
    assert.match(report.message.mailParameters, /\bSMTPUTF8\b/)
    assert.match(report.header, /report-type=global-delivery-status/)
  })

  it('of delay comes once, after four hours, to who did not forbid it; of the end, when the time is over', async () => {
    const late = '451-4.7.0@dsn.example'
    const ids = {
      default: await submit({ to: { [late]: '' } }),
      delay: await submit({ to: { [late]: 'NOTIFY=DELAY' } }),
      failure: await submit({ to: { [late]: 'NOTIFY=FAILURE' } }),
      never: await submit({ to: { [late]: 'NOTIFY=NEVER' } }),
    }
    const kinds = () => Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, kindsOf(id)]))
    await turn(3.9 * hourMs)
    assert.deepEqual(kinds(), { default: '', delay: '', failure: '', never: '' })
    await turn(0.2 * hourMs)
    assert.deepEqual(kinds(), { default: 'delay', delay: 'delay', failure: '', never: '' })
    const [delayed] = (await onlyReport(ids.delay)).perRecipient
    assert.match(delayed!, /^Action: delayed$/m)
    assert.match(delayed!, /^Status: 4\.7\.0$/m)
    assert.match(delayed!, /^Will-Retry-Until: Thu, 15 Jan 2026 /m)

    await turn(2.1 * hourMs)
    assert.deepEqual(kinds(), { default: 'delay failure', delay: 'delay', failure: 'failure', never: '' })
    const report = reportsTo('ours.example').find(({ perMessage }) => perMessage.includes(ids.failure))!
    assert.match(report.perRecipient[0]!, /^Action: failed$/m)
    assert.match(report.perRecipient[0]!, /^Status: 4\.4\.7$/m)
    assert.match(report.perRecipient[0]!, /^Diagnostic-Code: smtp; 451 4\.7\.0 says the sink$/m)
    assert.deepEqual(await relay.relay.store.totals().then(({ queued }) => queued), 0)
  })

  // ── Words of this file ──

  async function submit({
    from = 'a@ours.example',
    reversePath = from,
    mail = '',
    to,
    body = 'hello',
  }: Sent): Promise<string> {
    await client.say(`MAIL FROM:<${reversePath}> ${mail}`.trimEnd(), /^250 /)
    for (const [address, parameters] of Object.entries(to))
      await client.say(`RCPT TO:<${address}> ${parameters}`.trimEnd(), /^250 /)
    const reply = await client.content(`From: ${from}\r\nSubject: hello\r\n\r\n${body}\r\n`, /^250 /)
    return /queued as (\S+)/.exec(reply)![1]!
  }

  /** Reports go by way of the queue, where claims are a moment apart. */
  function settles(condition: () => boolean, what: string): Promise<void> {
    return relay.until(async () => {
      await clock.advance(20)
      return condition()
    }, what)
  }

  /** How many reports were queued by the time the message had this end. */
  async function reportsOn(id: string, event: string): Promise<number> {
    await relay.until(() => linesOf(id, event).length > 0, `${event} of ${id}`)
    return relay.logged('reported').filter(({ original }) => original === id).length
  }

  async function onlyReport(id: string, domain: 'ours.example' | 'bare.example' = 'ours.example'): Promise<Report> {
    await settles(() => linesOf(reportId(id) ?? '', 'delivered').length > 0, `a report on ${id}`)
    const reports = reportsTo(domain).filter(({ perMessage }) => perMessage.includes(id))
    assert.equal(reports.length, 1)
    return reports[0]!
  }

  function reportsTo(domain: 'ours.example' | 'bare.example'): Report[] {
    return sinks.at[domain].messages.filter(({ reversePath }) => reversePath === null).map(readReport)
  }

  function reportId(original: string): string | undefined {
    return relay.logged('reported').find(line => line.original === original)?.message as string | undefined
  }

  function kindsOf(id: string): string {
    const reports = relay.logged('reported').filter(({ original }) => original === id)
    return reports.map(({ report }) => report).join(' ')
  }

  function linesOf(id: string, event: string): LoggedLine[] {
    return relay.logged(event).filter(({ message }) => message === id)
  }

  /** Lets so much time go by; the queue is worked off after each step. */
  async function turn(ms: number): Promise<void> {
    const until = clock.monotonic() + ms
    while (clock.monotonic() < until) {
      await clock.advance(Math.min(300_000, until - clock.monotonic()))
      await relay.until(async () => (await relay.api('GET', '/v1/queue')).body.counts.leased === 0, 'attempts to end')
    }
  }
})

/** RFC 6522: text, status, and what is returned. */
function readReport(message: SinkMessage): Report {
  const raw = message.content.toString('utf8').replaceAll('\r\n', '\n')
  const header = raw.split('\n\n', 1)[0]!
  const boundary = /boundary="([^"]+)"/.exec(header)![1]!
  const [, text = '', status = '', returned = ''] = raw.split(`--${boundary}`)
  const [perMessage = '', ...perRecipient] = bodyOf(status)
    .trim()
    .split(/\n{2,}/)
  return {
    message,
    header,
    text: Buffer.from(bodyOf(text), 'base64').toString('utf8'),
    perMessage: perMessage.replaceAll('\n ', ' '),
    perRecipient: perRecipient.map(fields => fields.replaceAll('\n ', ' ')),
    returnedType: /^Content-Type: (\S+)$/m.exec(returned)?.[1] ?? '',
    returned: bodyOf(returned),
  }
}

function bodyOf(part: string): string {
  return part.slice(part.indexOf('\n\n') + 2)
}
