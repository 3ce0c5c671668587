/**
 * Feedback-ID: added at acceptance where it is asked for, from what the message and its account are; else never.
 */
import assert from 'node:assert/strict'
import { type Json, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const from = 'a@ours.example'
const to = 'you@sink.example'
const feedbackId = /^Feedback-ID: (.*)$/im

describe('Feedback-ID', () => {
  let sink: Sink
  let relay: TestRelay

  async function start(add: string): Promise<void> {
    sink = await startSink()
    relay = await startRelay({
      zone: sink.zone('sink.example', 'ours.example'),
      mxPort: sink.port,
      verified: ['ours.example'],
      settings: { KITTE_SUBMISSION_FEEDBACK_ID_ADD: add, KITTE_SIGNING_RSA_BITS: '1024' },
    })
  }

  afterEach(async () => {
    await relay?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  /** The header as it arrived. */
  async function send(fields = '', body = 'hello'): Promise<string> {
    const before = sink.messages.length
    await relay.submit({ from, to: [to], raw: `From: ${from}\r\nTo: ${to}\r\n${fields}Subject: x\r\n\r\n${body}\r\n` })
    await sink.received(before + 1)
    const text = sink.messages[before]!.content.toString('latin1')
    return text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n/g, '\n')
  }

  async function wish(wanted: boolean | null): Promise<void> {
    const { status, body } = await relay.api('PATCH', `/v1/accounts/${relay.account}`, { feedbackId: wanted })
    assert.deepEqual([status, body.feedbackId], [200, wanted])
  }

  it('names campaign, account, priority and sender, and is signed', async () => {
    await start('all')
    const header = await send('X-Kitte-Campaign: 秋の sale: 2026!\r\nPrecedence: bulk\r\n')
    assert.equal(feedbackId.exec(header)![1], `-sale-2026-:${relay.account}:bulk:kitte`)
    assert.doesNotMatch(header, /X-Kitte-Campaign/i)
    const signed = header.replace(/\n[ \t]+/g, ' ')
    assert.match(signed, /^DKIM-Signature: .*d=ours\.example.*h=[^;]*:Feedback-ID/im)
    assert.equal(feedbackId.exec(await send())![1], `:${relay.account}:normal:kitte`)
  })

  it('of the application stays as it is', async () => {
    await start('all')
    const header = await send('Feedback-ID: a:b:c:theirs\r\n')
    assert.deepEqual(header.match(/^Feedback-ID: .*$/gim), ['Feedback-ID: a:b:c:theirs'])
  })

  it('is a matter of the account, where the configuration leaves it to it', async () => {
    await start('asked')
    assert.doesNotMatch(await send(), feedbackId)
    await wish(true)
    assert.match(await send(), feedbackId)
    await wish(null)
    assert.doesNotMatch(await send(), feedbackId)
  })

  it('is not for an account that does not want it, nor for anybody where it is off', async () => {
    await start('all')
    await wish(false)
    assert.doesNotMatch(await send('X-Kitte-Campaign: x\r\n'), /Feedback-ID|X-Kitte-Campaign/i)
    await relay[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
    await start('off')
    await wish(true)
    assert.doesNotMatch(await send('X-Kitte-Campaign: x\r\n'), /Feedback-ID|X-Kitte-Campaign/i)
  })

  it('is of the account that From names, with a credential of the CRM itself, however long the message', async () => {
    await start('asked')
    await wish(true)
    const crm: Json = (await relay.api('POST', '/v1/credentials', { scope: 'all' })).body
    Object.assign(relay, { credential: crm })
    const line = `${'0123456789'.repeat(7)}\r\n`
    for (const body of ['short', line.repeat(10_000)]) {
      const header = await send('', body)
      assert.equal(feedbackId.exec(header)![1], `:${relay.account}:normal:kitte`)
      const { content } = sink.messages.at(-1)!
      assert.equal(content.subarray(content.indexOf('\r\n\r\n') + 4).toString(), `${body}\r\n`)
    }
  })
})
