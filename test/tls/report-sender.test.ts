/**
 * Reports of days that are over: planned once, made of the counts, sent by mail and by HTTPS, tried again for a day.
 */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, Agent as HttpsAgent } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { type Config, loadConfig } from '../../src/base/config.ts'
import type { Fields, Log } from '../../src/base/log.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { TlsCount, TlsReport } from '../../src/mail/tls-report.ts'
import type { NewMessage } from '../../src/store/store.ts'
import { startReportSender } from '../../src/tls/report-sender.ts'
import { sqliteFactory } from '../store/factory.ts'
import { testCertificate } from '../support/certificate.ts'
import { patienceMs } from '../support/patience.ts'

const hour = 3_600_000
const sts = {
  policyType: 'sts',
  policyDomain: 'a.example',
  policyStrings: ['version: STSv1', 'mode: testing', 'mx: mx.a.example', 'max_age: 86400'],
  mxHostPatterns: ['mx.a.example'],
} as const
const failure = {
  resultType: 'certificate-expired',
  receivingMx: 'mx.a.example',
  receivingIp: '192.0.2.1',
  sendingIp: null,
  additional: 'CERT_HAS_EXPIRED',
}
const counts: readonly TlsCount[] = [
  { day: '2026-01-15', domain: 'a.example', policy: sts, failure: null, sessions: 7 },
  { day: '2026-01-15', domain: 'a.example', policy: sts, failure, sessions: 2 },
]

/** What the report says but for its id. */
const expected = {
  'organization-name': 'Kitte K.K.',
  'date-range': { 'start-datetime': '2026-01-15T00:00:00Z', 'end-datetime': '2026-01-15T23:59:59Z' },
  'contact-info': 'postmaster@relay.example.jp',
  policies: [
    {
      policy: {
        'policy-type': 'sts',
        'policy-string': sts.policyStrings,
        'policy-domain': 'a.example',
        'mx-host': ['mx.a.example'],
      },
      summary: { 'total-successful-session-count': 7, 'total-failure-session-count': 2 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'receiving-mx-hostname': 'mx.a.example',
          'receiving-ip': '192.0.2.1',
          'failed-session-count': 2,
          'failure-reason-code': 'CERT_HAS_EXPIRED',
        },
      ],
    },
  ],
}

interface Posted {
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** For https://mx.sink.example, as the test certificate has it. */
async function startHttps(answer: (response: ServerResponse) => void) {
  const posted: Posted[] = []
  const server = createServer(testCertificate(), async (request, response) => {
    posted.push({ headers: request.headers, body: await buffer(request) })
    answer(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    posted,
    uri: `https://mx.sink.example:${port}/tlsrpt?key=secret`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

interface World {
  readonly zone: Zone
  readonly settings?: Readonly<Record<string, string>>
  readonly trusting?: boolean
  readonly random?: number
  readonly isDnsBroken?: boolean
  readonly counted?: readonly TlsCount[]
}

async function world({
  zone,
  settings = {},
  trusting = true,
  random = 0,
  isDnsBroken = false,
  counted = counts,
}: World) {
  const t = await sqliteFactory(true)()
  const config: Config = loadConfig([], {
    KITTE_TLS_REPORTS_ORGANIZATION_NAME: 'Kitte K.K.',
    KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true',
    ...settings,
  })
  const accepted: NewMessage[] = []
  const state = { isDown: false }
  const store = {
    ...t.store,
    async accept(message: NewMessage) {
      if (state.isDown) throw new Error('no room')
      accepted.push(message)
      return t.store.accept(message)
    },
  }
  const lines: Fields[] = []
  const log: Log = recording(lines)
  const resolver = zoneResolver({ 'mx.sink.example': { A: ['127.0.0.1'] }, ...zone })
  if (isDnsBroken) resolver.fail('_smtp._tls.a.example')
  const agentFor = () => new HttpsAgent(trusting ? { ca: testCertificate().cert } : {})
  const parts = { store, resolver, clock: t.clock, log, config, random: () => random, agentFor }
  const sender = startReportSender(parts)
  await t.store.addTlsCounts(counted)
  return {
    ...{ clock: t.clock, accepted, lines, state, store: t.store },
    async report(): Promise<TlsReport | null> {
      return (await t.store.listTlsDays({ domain: 'a.example' }, { limit: 1 }))[0]?.report ?? null
    },
    /** The clock stands at 03:00 of the day that is counted. */
    midnight: (more = 0) => t.clock.advance(21 * hour + more),
    /** Work on sockets takes turns of the loop that no clock knows of. */
    async until(condition: () => boolean | Promise<boolean>) {
      const patience = AbortSignal.timeout(patienceMs)
      while (!(await condition())) {
        patience.throwIfAborted()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    },
    /** To the round in which the next attempt is due, and not beyond: an answer must not look late. */
    async nextAttempt() {
      const report = (await t.store.listTlsDays({ domain: 'a.example' }, { limit: 1 }))[0]!.report!
      const wait = report.nextAttemptAt! - t.clock.now()
      await t.clock.advance(Math.ceil(wait / 60_000) * 60_000)
    },
    async [Symbol.asyncDispose]() {
      await sender.stop()
      assert.equal(t.clock.waiting, 0)
      await t[Symbol.asyncDispose]()
    },
  }
}

function recording(lines: Fields[]): Log {
  const log: Log = {
    ...{ debugs: false, debug() {}, child: () => log },
    info: fields => void lines.push(fields),
    warn: fields => void lines.push(fields),
    error: fields => void lines.push(fields),
  }
  return log
}

const wants = (...uris: string[]): Zone => ({ '_smtp._tls.a.example': { TXT: [`v=TLSRPTv1; rua=${uris.join()}`] } })

function contentOf(compressed: Buffer) {
  const { 'report-id': id, ...rest } = JSON.parse(gunzipSync(compressed).toString())
  return { id, rest }
}

describe('the report of a day', () => {
  it('leaves by mail after the day is over, with what was counted', async () => {
    await using w = await world({ zone: wants('mailto:tls@reports.example') })
    await w.clock.advance(20 * hour)
    assert.equal(await w.report(), null, 'the day is not over')
    await w.clock.advance(hour + 10 * 60_000)
    await w.until(() => w.accepted.length > 0)
    const { message, content } = w.accepted[0]!
    assert.deepEqual(
      [message.envelope.reversePath, message.envelope.tls, message.from, message.origin, message.account],
      [null, 'optional', null, 'tls-report', null],
    )
    assert.deepEqual(message.envelope.recipients, [{ address: 'tls@reports.example', notify: ['NEVER'] }])
    const [header, , , attached] = partsOf(content)
    const unfolded = header!.replaceAll('\r\n ', ' ')
    assert.match(unfolded, /^From: .*<mailer-daemon@relay\.example\.jp>\r$/m)
    assert.match(
      unfolded,
      /^Subject: Report Domain: a\.example Submitter: relay\.example\.jp Report-ID: <\S+@relay\.example\.jp>\r$/m,
    )
    assert.match(unfolded, /^TLS-Report-Domain: a\.example\r$/m)
    assert.match(unfolded, /^TLS-Report-Submitter: relay\.example\.jp\r$/m)
    assert.match(unfolded, /^TLS-Required: No\r$/m)
    assert.match(unfolded, /^Content-Type: multipart\/report; report-type="tlsrpt"; boundary=/m)
    assert.match(attached!, /^Content-Type: application\/tlsrpt\+gzip\r$/m)
    assert.match(attached!, /filename="relay\.example\.jp!a\.example!1768435200!1768521599\.json\.gz"/)
    const { id, rest } = contentOf(Buffer.from(attached!.split('\r\n\r\n')[1]!, 'base64'))
    assert.deepEqual(rest, expected)
    await w.until(async () => (await w.report())?.nextAttemptAt === null)
    const report = await w.report()
    assert.equal(report?.reportId, id)
    assert.deepEqual(
      report?.destinations.map(({ uri, state, attempts, message }) => [uri, state, attempts, message]),
      [['mailto:tls@reports.example', 'sent', 1, message.id]],
    )
    assert.deepEqual(
      w.lines.map(({ event, recipient, day }) => [event, recipient, day]),
      [['tls-reported', 'tls@reports.example', '2026-01-15']],
    )
    await w.clock.advance(48 * hour)
    assert.equal(w.accepted.length, 1, 'once')
  })

  it('waits for a moment of its own', async () => {
    await using w = await world({ zone: wants('mailto:tls@reports.example'), random: 0.5 })
    await w.midnight(hour)
    const report = await w.report()
    assert.equal(w.accepted.length, 0)
    assert.equal(new Date(report!.nextAttemptAt!).toISOString().slice(0, 13), '2026-01-16T02')
    await w.clock.advance(2 * hour)
    await w.until(() => w.accepted.length === 1)
  })

  it('is posted where the domain wants that', async () => {
    await using receiver = await startHttps(response => void response.writeHead(201).end())
    await using w = await world({ zone: wants(receiver.uri) })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.nextAttemptAt === null)
    assert.equal(receiver.posted[0]!.headers['content-type'], 'application/tlsrpt+gzip')
    assert.deepEqual(contentOf(receiver.posted[0]!.body).rest, expected)
    const [destination] = (await w.report())!.destinations
    assert.deepEqual([destination!.state, destination!.status], ['sent', 201])
    assert.doesNotMatch(JSON.stringify(w.lines), /secret/)
  })

  it('is tried again where it failed, and only there', async () => {
    let isUp = false
    await using receiver = await startHttps(response => void response.writeHead(isUp ? 200 : 503).end())
    await using w = await world({ zone: wants('mailto:tls@reports.example', receiver.uri) })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.attempts === 1)
    assert.equal((await w.report())!.destinations[1]!.problem, 'answered 503')
    isUp = true
    await w.nextAttempt()
    await w.until(async () => (await w.report())?.nextAttemptAt === null)
    assert.deepEqual([w.accepted.length, receiver.posted.length], [1, 2])
  })

  it('is given up after a day', async () => {
    await using receiver = await startHttps(response => void response.writeHead(503).end())
    await using w = await world({ zone: wants('mailto:tls@reports.example', receiver.uri) })
    await w.midnight(5 * 60_000)
    for (let attempts = 1; attempts <= 6; attempts++) {
      await w.until(async () => (await w.report())?.attempts === attempts)
      if (attempts < 6) await w.nextAttempt()
    }
    const report = await w.report()
    assert.equal(report!.nextAttemptAt, null)
    assert.deepEqual(
      report!.destinations.map(({ state, attempts }) => [state, attempts]),
      [
        ['sent', 1],
        ['failed', 6],
      ],
    )
    assert.equal(w.clock.now() - Date.UTC(2026, 0, 16) < 24 * hour, true)
  })

  const unfit: readonly (readonly [string, World, RegExp])[] = [
    ["whose certificate is nobody's", { zone: {}, trusting: false }, /^tls: /],
    [
      'at a private address',
      {
        zone: { 'mx.sink.example': { A: ['127.0.0.1'] } },
        settings: { KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'false' },
      },
      /127\.0\.0\.1/,
    ],
  ]
  for (const [what, options, problem] of unfit)
    it(`is not posted to a receiver ${what}`, async () => {
      await using receiver = await startHttps(response => void response.writeHead(200).end())
      const uri = options.settings ? 'https://mx.sink.example/' : receiver.uri
      await using w = await world({ ...options, zone: { ...options.zone, ...wants(uri) } })
      await w.midnight(5 * 60_000)
      await w.until(async () => (await w.report())?.attempts === 1)
      assert.match((await w.report())!.destinations[0]!.problem!, problem)
      assert.equal(receiver.posted.length, 0)
    })

  it('follows no redirect', async () => {
    await using other = await startHttps(response => void response.writeHead(200).end())
    await using receiver = await startHttps(response => void response.writeHead(302, { location: other.uri }).end())
    await using w = await world({ zone: wants(receiver.uri) })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.attempts === 1)
    assert.equal((await w.report())!.destinations[0]!.problem, 'answered 302')
    assert.equal(other.posted.length, 0)
  })

  it('waits while DNS says nothing', async () => {
    await using w = await world({ zone: {}, isDnsBroken: true })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.attempts === 1)
    assert.deepEqual((await w.report())!.destinations, [])
    assert.equal(w.lines[0]!.event, 'tls-report-failed')
  })

  it('is not sent when the domain wants none any more', async () => {
    await using w = await world({ zone: {} })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.nextAttemptAt === null)
    assert.deepEqual((await w.report())!.destinations, [])
    assert.equal(w.accepted.length, 0)
  })

  it('is not made of failed looks for a policy alone, such as its own delivery brings', async () => {
    const look = { ...failure, resultType: 'sts-policy-fetch-error', receivingMx: null, receivingIp: null }
    await using w = await world({
      zone: wants('mailto:tls@reports.example'),
      counted: [{ ...counts[1]!, failure: look }],
    })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.nextAttemptAt === null)
    assert.equal(w.accepted.length, 0)
  })

  it('waits while the store takes no mail', async () => {
    await using w = await world({ zone: wants('mailto:tls@reports.example') })
    w.state.isDown = true
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.attempts === 1)
    assert.equal((await w.report())!.destinations[0]!.problem, 'no room')
    w.state.isDown = false
    await w.clock.advance(16 * 60_000)
    await w.until(() => w.accepted.length === 1)
  })

  it('is forgotten after a while', async () => {
    await using w = await world({
      zone: wants('mailto:tls@reports.example'),
      settings: { KITTE_TLS_REPORTS_KEEP: '3d' },
    })
    await w.midnight(5 * 60_000)
    await w.until(async () => (await w.report())?.nextAttemptAt === null)
    await w.clock.advance(5 * 24 * hour)
    await w.until(async () => (await w.store.listTlsDays({}, { limit: 1 })).length === 0)
  })
})

/** Header, and what stands between the boundaries. */
function partsOf(content: NewMessage['content']): string[] {
  assert.ok(content.kind === 'inline')
  const text = Buffer.from(content.bytes).toString()
  const boundary = /boundary="([^"]+)"/.exec(text)![1]!
  const end = text.indexOf('\r\n\r\n')
  return [text.slice(0, end + 2), ...text.slice(end).split(`--${boundary}`)]
}
