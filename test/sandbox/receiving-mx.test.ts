/**
 * The sandbox's receiving MX, fed by a real client, with a zone that says what is right.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { createInbox, type Inbox } from '../../src/sandbox/inbox.ts'
import { type ReceivingMx, startReceivingMx } from '../../src/sandbox/receiving-mx.ts'
import { summaryOf } from '../../src/sandbox/verify-arrival.ts'
import { selfSigned } from '../../src/submission/self-signed.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const zone = {
  'ours.example': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
  'elsewhere.example': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
  's1._domainkey.ours.example': { TXT: [`v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`] },
  '_dmarc.ours.example': { TXT: ['v=DMARC1; p=reject'] },
}

describe("the sandbox's receiving MX", () => {
  let inbox: Inbox
  let mx: ReceivingMx

  beforeEach(async () => {
    inbox = createInbox()
    mx = await startReceivingMx({
      inbox,
      resolver: zoneResolver(zone),
      name: 'mx.kitte.test',
      host: '127.0.0.1',
      port: 0,
      certificate: selfSigned('mx.kitte.test', systemClock.now()),
      clock: systemClock,
      log: silentLog,
    })
  })
  afterEach(() => mx.stop())

  async function deliver(reversePath: string, to: string, options: { dkim?: object; raw?: string } = {}) {
    const transport = createTransport({ host: '127.0.0.1', port: mx.port, tls: { rejectUnauthorized: false } })
    const { raw = `From: a@ours.example\r\nTo: ${to}\r\nSubject: =?UTF-8?B?5pel5pys?=\r\n\r\nbody\r\n` } = options
    const dkim = options.dkim ? { dkim: options.dkim } : {}
    try {
      return await transport.sendMail({ envelope: { from: reversePath, to }, raw, ...dkim } as object)
    } finally {
      transport.close()
    }
  }

  const signed = { dkim: { domainName: 'ours.example', keySelector: 's1', privateKey } }
  const verdicts: readonly (readonly [string, string, object, string])[] = [
    ['aligned by both', 'a@ours.example', signed, 'spf=pass dkim=pass dmarc=pass'],
    ['unsigned, from the right address', 'a@ours.example', {}, 'spf=pass dkim=none dmarc=pass'],
    ['unsigned, from the wrong address', 'a@elsewhere.example', {}, 'spf=fail dkim=none dmarc=fail'],
    ['signed, but forwarded', 'a@elsewhere.example', signed, 'spf=fail dkim=pass dmarc=pass'],
    [
      'signed with a key nobody published',
      'a@elsewhere.example',
      { dkim: { ...signed.dkim, keySelector: 's2' } },
      'spf=fail dkim=neutral dmarc=fail',
    ],
  ]
  for (const [what, reversePath, options, verdict] of verdicts) {
    it(`judges a message that is ${what}: ${verdict}`, async () => {
      const { response } = await deliver(reversePath, 'b@anywhere.example', options)
      assert.equal(response, `250 2.0.0 In the sandbox as 1: ${verdict}`)
      assert.equal(summaryOf(inbox.get(1)!.verdict), verdict)
    })
  }

  it('keeps the envelope, the bytes and what a person reads', async () => {
    await deliver('a@ours.example', 'b@anywhere.example', { raw: 'From: a@ours.example\r\n\r\n.dot\r\ncaf\u00e9\r\n' })
    const [arrival] = inbox.list()
    assert.equal(arrival!.raw.toString(), 'From: a@ours.example\r\n\r\n.dot\r\ncaf\u00e9\r\n')
    assert.deepEqual(arrival!.recipients, ['b@anywhere.example'])
    assert.equal(arrival!.reversePath, 'a@ours.example')
    assert.match(arrival!.tls ?? '', /^TLSv1\.3 /)
    assert.equal(arrival!.message.text, '.dot\r\ncaf\u00e9\r\n')
    assert.match(arrival!.verdict.authenticationResults, /^mx\.kitte\.test; dkim=none .*spf=pass .*dmarc=pass/)
  })

  it('takes a null reverse-path', async () => {
    await deliver('', 'b@anywhere.example')
    assert.equal(inbox.get(1)?.reversePath, '')
  })

  for (const [to, reply] of [
    ['550-5.1.1@x.example', '550 5.1.1 refused because the address asks for it'],
    ['data-451-4.7.1@x.example', '451 4.7.1 refused because the address asks for it'],
    ['421@x.example', '421 4.0.0 refused because the address asks for it'],
  ] as const) {
    it(`answers ${to} with ${reply.slice(0, 9)}`, async () => {
      const error = await deliver('a@ours.example', to).then(
        () => null,
        (failure: { response: string }) => failure,
      )
      assert.equal(error?.response, reply)
      assert.equal(inbox.list().length, 0)
    })
  }

  it('does not start on a port that is taken', async () => {
    const parts = { inbox, resolver: zoneResolver({}), name: 'x.test', host: '127.0.0.1', certificate: null }
    await assert.rejects(startReceivingMx({ ...parts, port: mx.port, clock: systemClock, log: silentLog }), {
      code: 'EADDRINUSE',
    })
  })
})

describe("the sandbox's inbox", () => {
  const arrival = (size: number) => ({ raw: Buffer.alloc(size) }) as Parameters<Inbox['add']>[0]

  it('lets the oldest go when there are too many', () => {
    const inbox = createInbox({ messages: 2, bytes: 1000 })
    for (let n = 0; n < 4; n++) inbox.add(arrival(1))
    assert.deepEqual(
      inbox.list().map(({ number }) => number),
      [4, 3],
    )
    assert.equal(inbox.get(1), null)
  })

  it('lets the oldest go when they weigh too much, but keeps the latest', () => {
    const inbox = createInbox({ messages: 10, bytes: 100 })
    for (const size of [60, 60, 500]) inbox.add(arrival(size))
    assert.deepEqual(
      inbox.list().map(({ number }) => number),
      [3],
    )
  })
})
