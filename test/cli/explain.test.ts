import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { renderOutcome } from '../../src/admin/render-outcome.ts'
import { renderReturned } from '../../src/admin/render-returned.ts'
import { eventAnswer, renderEvent } from '../../src/admin/routes/events.ts'
import type { TimelineAnswer } from '../../src/admin/routes/messages.ts'
import { systemClock } from '../../src/base/clock.ts'
import { register } from '../../src/cli/explain.ts'
import { runCli } from '../../src/cli/program.ts'
import type { Event } from '../../src/mail/event.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import { parseReply } from '../../src/mail/reply.ts'
import type { Returned } from '../../src/mail/returned.ts'
import { makeOutcome, start } from '../outcome/make.ts'

const id = '01jhm3w5c0f8k2v6q9x7r1t4ab'

describe('kitte explain', () => {
  it('tells the whole story of a message in order', async () => {
    const { out, code } = await explain(id)
    assert.equal(code, 0)
    const told = [
      /^message +01jhm3w5c0f8k2v6q9x7r1t4ab$/m,
      /^client +crm\.example\.jp \[192\.0\.2\.10\], TLSv1\.3/m,
      /^recipients +1: 1 delivered, 0 bounced, 0 cancelled, 0 queued$/m,
      /^\S+ \S+ {2}accepted$/m,
      /^ {4}recipients: b@example\.com$/m,
      /^\S+ \S+ {2}deferred b@example\.com, try 1$/m,
      /^ {4}mx1\.example\.com said: 450 4\.2\.0 greylisted$/m,
      /^ {4}greylisted: The recipient's server asks new senders to try again later/m,
      /^ {6}初めての送信元として/m,
      /^ {4}mode spf-dkim: spf and dkim are published（SPFとDKIMが公開されています）$/m,
      /^ {4}signed: 20240125\._domainkey\.example\.co\.jp; reverse-path sales@example\.co\.jp$/m,
      /^ {4}host mx1\.example\.com \[203\.0\.113\.25\] from 210\.198\.21\.20; TLSv1\.3 \S+ verified \(asked for by mta-sts:enforce\)$/m,
      /^ {4}next try: /m,
      /^\S+ \S+ {2}held$/m,
      /^ {4}reason: looked at by an operator$/m,
      /^\S+ \S+ {2}delivered b@example\.com, try 2$/m,
      /^ {4}took 113 ms: signing 2, connecting 48, sending 61$/m,
      /^\S+ \S+ {2}bounced later b@example\.com$/m,
      /^ {4}mx1\.example\.com said: 550 5\.1\.1 user unknown$/m,
      /^ {4}address-unknown: The recipient address does not exist\.$/m,
      /^ {4}forwarded there to c@example\.org$/m,
      /^ {4}told by mx1\.example\.com \(Postfix\) from \[203\.0\.113\.25\], read as rfc3464$/m,
      /^now\n {2}b@example\.com: delivered, bounced later$/m,
      /^ {4}the next host had taken it, so it counts as delivered; it did not reach the recipient$/m,
      /^ {4}次のサーバーが受け取ったため配信済みに数えますが、宛先には届いていません$/m,
    ]
    let from = 0
    for (const line of told) {
      const found = line.exec(out.slice(from))
      assert.ok(found, `${line} is missing, or out of order, in\n${out}`)
      from += found.index
    }
  })

  it('finds the message by the id of an entry and by its Message-ID field', async () => {
    const whole = (await explain(id)).out
    assert.equal((await explain(`${id}.0`)).out, whole)
    assert.equal((await explain('<abc@crm.example.jp>')).out, whole)
  })

  it('tells what was said in SMTP when asked to, with the attempt it belongs to', async () => {
    const { out } = await explain(id, '--conversation')
    assert.match(out, /try 1\n(?: {4}.*\n)*? {6}> MAIL FROM:<a@b\.example>\n {6}< 450 4\.2\.0 greylisted\n {4}next try/)
    assert.doesNotMatch((await explain(id)).out, /MAIL FROM/)
  })

  it('tells a conversation that recipients shared only once', async () => {
    const { out } = await explain('shared', '--conversation')
    assert.equal(out.match(/> MAIL FROM/g)?.length, 1)
    assert.match(
      out,
      /deferred c@example\.com, try 1\n(?: {4}.*\n)*? {6}… the same conversation as above, of b@example\.com, try 1$/m,
    )
  })

  it('tells the moment that the sender of scheduled mail named', async () => {
    assert.match(
      (await explain('scheduled')).out,
      /^ {4}reverse-path: a@b\.example\n {4}to be sent at: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m,
    )
  })

  it('tells a warning once, in both languages', async () => {
    assert.match(
      (await explain('warned')).out,
      /^\S+ \S+ {2}warned\n {4}not aligned: publish x\n {6}xを公開してください\n\nnow/m,
    )
  })

  it('with --json passes on what the API says', async () => {
    assert.deepEqual(JSON.parse((await explain(id, '--json')).out), JSON.parse(JSON.stringify(timeline)))
  })

  it('disarms what strangers wrote', async () => {
    assert.doesNotMatch((await explain('nasty')).out, /[\u0007\u001b]/)
  })

  it('says what to do when there is no such message, or more than one', async () => {
    const missing = await explain('nothing')
    assert.deepEqual([missing.code, /message nothing/.test(missing.err)], [1, true])
    const unknown = await explain('who@where.example')
    assert.deepEqual([unknown.code, /no message with the Message-ID who@where\.example/.test(unknown.err)], [1, true])
    const twice = await explain('twice@crm.example.jp')
    assert.equal(twice.code, 1)
    assert.match(
      twice.err,
      /several messages .*\n.*kitte explain 01jhm3w5c0f8k2v6q9x7r1t4ab .*\n.*kitte explain other /,
    )
  })
})

const about = { account: 'account-1', message: id, domain: 'example.co.jp' }
const outcomes: readonly Outcome[] = [
  { ...makeOutcome('deferred', '450 4.2.0 greylisted'), class: 'greylisted' },
  { ...makeOutcome('delivered'), attempt: 2, at: start + 300_000 },
]
const returned: Returned = {
  ...{ kind: 'bounce', message: id, entry: `${id}.0`, recipient: 'b@example.com', at: start + 400_000 },
  ...{ reply: { code: 550, detail: '1.1', text: 'user unknown', from: 'remote' }, class: 'address-unknown' },
  ...{ actor: 'recipient', permanent: true, format: 'rfc3464', system: 'Postfix', reportingMta: 'mx1.example.com' },
  ...{ remoteMta: null, finalRecipient: 'c@example.org', feedbackType: null, client: '203.0.113.25' },
}
const events: readonly Event[] = [
  { ...about, seq: 1, type: 'message.accepted', at: start, data: { recipients: ['b@example.com'], size: 64 } },
  { ...about, seq: 2, type: 'message.deferred', at: start + 1234, recipient: 'b@example.com', data: outcomes[0] },
  { ...about, seq: 3, type: 'message.held', at: start + 60_000, data: { reason: 'looked at by an operator' } },
  { ...about, seq: 4, type: 'message.delivered', at: start + 300_000, recipient: 'b@example.com', data: outcomes[1] },
  { ...about, seq: 5, type: 'message.bounced_later', at: start + 400_000, recipient: 'b@example.com', data: returned },
]
const rendered = events.map(event => eventAnswer.parse(renderEvent(event)))
const timeline: TimelineAnswer = {
  id,
  account: 'account-1',
  credential: 'credential-1',
  origin: 'submission',
  reversePath: 'sales@example.co.jp',
  from: 'sales@example.co.jp',
  senderDomain: 'example.co.jp',
  recipients: ['b@example.com'],
  messageIdHeader: 'abc@crm.example.jp',
  size: 64,
  receivedAt: rendered[0]!.at,
  priority: 'normal',
  sendAt: null,
  client: { ehlo: 'crm.example.jp', address: '192.0.2.10', tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384' },
  counts: { queued: 0, delivered: 1, bounced: 0, cancelled: 0 },
  mode: 'spf-dkim',
  entries: [
    {
      id: `${id}.0`,
      recipient: 'b@example.com',
      state: 'delivered',
      nextAttemptAt: null,
      expiresAt: null,
      heldReason: null,
      suspension: null,
      waitReason: null,
      waitSite: null,
      waitMessage: null,
      mode: 'spf-dkim',
      reply: '250 2.0.0 ok',
      class: 'none',
      attempts: [
        { ...renderOutcome(outcomes[0]!), conversation: ['> MAIL FROM:<a@b.example>', '< 450 4.2.0 greylisted'] },
        { ...renderOutcome(outcomes[1]!), conversation: [] },
      ],
      returned: [renderReturned(returned)],
    },
  ],
  events: rendered,
  complete: true,
}

/** The API's answers, by path. */
function answerTo(url: URL): object | null {
  if (url.pathname === `/v1/messages/${id}`) return timeline
  if (url.pathname === '/v1/messages/nasty') return { ...timeline, events: [rendered[0], nasty()] }
  if (url.pathname === '/v1/messages/shared') return shared()
  if (url.pathname === '/v1/messages/warned') return { ...timeline, events: [warned()] }
  if (url.pathname === '/v1/messages/scheduled') return { ...timeline, events: [scheduled()] }
  if (url.pathname !== '/v1/messages') return null
  const wanted = url.searchParams.get('messageIdHeader')?.replace(/^<(.*)>$/, '$1')
  if (wanted === 'abc@crm.example.jp') return { messages: [timeline], next: null }
  if (wanted === 'twice@crm.example.jp') return { messages: [timeline, { ...timeline, id: 'other' }], next: null }
  return { messages: [], next: null }
}

function nasty() {
  const reply = { ...parseReply('550 5.1.1 no')!, text: '\u001b[2J\u0007' }
  return renderEvent({ ...events[3]!, data: { ...outcomes[1]!, action: 'bounced', reply } })
}

function warned() {
  const message = { ja: 'xを公開してください', en: 'not aligned: publish x' }
  return renderEvent({ ...events[0]!, type: 'message.warned', data: { reason: message.en, message } })
}

/** Two recipients of one transaction. */
function shared() {
  const other = { ...outcomes[0]!, entry: `${id}.1`, recipient: 'c@example.com' }
  const [entry] = timeline.entries
  const [attempt] = entry!.attempts
  const second = {
    ...entry!,
    id: other.entry,
    attempts: [{ ...renderOutcome(other), conversation: attempt!.conversation }],
  }
  const told = renderEvent({ ...events[1]!, recipient: other.recipient, data: other })
  return { ...timeline, entries: [entry, second], events: [...rendered, told] }
}

function scheduled() {
  return renderEvent({ ...events[0]!, data: { reversePath: 'a@b.example', releaseAt: start + 86_400_000 } })
}

async function explain(...args: string[]) {
  const server = createServer((request, response) => {
    const answer = answerTo(new URL(request.url!, 'http://localhost'))
    const problem = { title: 'Not Found', status: 404, detail: `there is no message ${request.url!.split('/').at(-1)}` }
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json', connection: 'close' })
    response.end(JSON.stringify(answer ?? problem))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const [output, errors] = [remembering(), remembering()]
  const context = {
    input: new PassThrough().end(),
    output: output.stream,
    errors: errors.stream,
    clock: systemClock,
    variables: {
      KITTE_API: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      KITTE_ADMIN_TOKEN: 'token',
    },
    start: async () => {},
  }
  const code = await runCli(['explain', ...args], context, [register])
  server.close()
  return { code, out: output.text(), err: errors.text() }
}

function remembering() {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  return { stream, text: () => text }
}
