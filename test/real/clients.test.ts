/**
 * Real clients hand in mail in every way they know; what arrives at a receiving MX is what they sent, byte for byte.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openResolver } from '../../src/dns/open.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import { type Arrival, createInbox } from '../../src/sandbox/inbox.ts'
import { type ReceivingMx, startReceivingMx } from '../../src/sandbox/receiving-mx.ts'
import { summaryOf } from '../../src/sandbox/verify-arrival.ts'
import { openZoneBook } from '../../src/sandbox/zone-book.ts'
import { startZoneServer, type ZoneServer } from '../../src/sandbox/zone-server.ts'
import { mailClients, type Submission } from '../support/real/clients.ts'
import { skipAloud, temporaryFolder, waitFor } from '../support/real/program.ts'
import { addCustomer, type Customer, type RelayProcess, startRelayProcess } from '../support/real/relay-process.ts'

interface Case {
  readonly name: string
  readonly from: string
  readonly to: readonly string[]
  readonly headers?: readonly string[]
  readonly body: string | Buffer
  readonly smtpUtf8?: boolean
}

const sender = 'sales@ours.example'
const eightBits = Buffer.from(Array.from({ length: 128 }, (_, n) => 128 + n))
const attachment = randomBytes(7_700_000).toString('base64').match(/.{76}/g)!.join('\r\n')

const cases: readonly Case[] = [
  {
    name: '8-bit text with dots',
    from: sender,
    to: ['one@receiver.example'],
    headers: ['Content-Transfer-Encoding: 8bit'],
    body: Buffer.concat([Buffer.from('.\r\n..two\r\ncaf\u00e9 '), eightBits, Buffer.from('\r\n\r\n.\r\n')]),
  },
  {
    name: 'UTF-8 addresses',
    from: '営業@ours.example',
    to: ['利用者@receiver.example'],
    body: 'こんにちは\r\n',
    smtpUtf8: true,
  },
  {
    name: 'an attachment of 10 MB',
    from: sender,
    to: ['big@receiver.example'],
    headers: ['Content-Type: application/octet-stream', 'Content-Transfer-Encoding: base64'],
    body: `${attachment}\r\n`,
  },
  {
    name: '50 recipients',
    from: sender,
    to: Array.from({ length: 50 }, (_, n) => `user${n}@receiver.example`),
    body: 'to all of you\r\n',
  },
]

describe('a real client', () => {
  const folder = temporaryFolder('kitte-clients-')
  const inbox = createInbox()
  let zone: ZoneServer
  let resolver: Resolver
  let mx: ReceivingMx
  let relay: RelayProcess
  let customer: Customer

  before(async () => {
    const book = openZoneBook(join(folder.path, 'zone.json'))
    book.set('mx.kitte.test', { A: ['127.0.0.1'] })
    const hosts = { mx: 'mx.kitte.test', nameServer: 'ns.kitte.test' }
    zone = await startZoneServer({ book, hosts, host: '127.0.0.1', port: 0, clock: systemClock })
    const dns = { servers: [`127.0.0.1:${zone.port}`], timeout: 5000, cacheEntries: 100, cacheMaxAge: 1000 }
    resolver = openResolver({ ...dns, clock: systemClock })
    const parts = { inbox, resolver, name: hosts.mx, certificate: null, clock: systemClock, log: silentLog }
    mx = await startReceivingMx({ ...parts, host: '127.0.0.1', port: 0 })
    relay = await startRelayProcess({ dnsPort: zone.port, mxPort: mx.port })
    customer = await addCustomer(relay, 'ours.example')
    for (const [name, entry] of Object.entries(customer.zone)) book.set(name, entry)
    await relay.api('POST', '/v1/domains/ours.example/verify')
  })

  after(async () => {
    await relay?.[Symbol.asyncDispose]()
    await mx?.stop()
    resolver?.close()
    await zone?.stop()
    folder[Symbol.dispose]()
  })

  for (const client of mailClients)
    for (const tls of ['starttls', 'implicit'] as const)
      for (const mechanism of ['PLAIN', 'LOGIN'] as const)
        for (const { name, smtpUtf8, ...what } of cases) {
          if (smtpUtf8 && !client.smtpUtf8) continue
          it(`${client.name} hands in ${name} by ${tls} and ${mechanism}`, async function () {
            const reason = client.missing()
            if (reason !== null) skipAloud(this, reason)
            const subject = `${client.name} ${tls} ${mechanism} ${name}`
            const message = messageOf({ name, ...what }, subject)
            await client.submit({ ...submissionOf(tls, mechanism), from: what.from, to: what.to, message })
            const arrival = await arrived(subject)
            assert.deepEqual([...arrival.recipients].sort(), [...what.to].sort())
            assert.equal(arrival.reversePath, what.from)
            assert.equal(summaryOf(arrival.verdict), 'spf=pass dkim=pass dmarc=pass')
            assertSameBut(arrival.raw, message, ['DKIM-Signature', 'Received'])
          })
        }

  function submissionOf(tls: Submission['tls'], mechanism: Submission['mechanism']) {
    const port = tls === 'starttls' ? relay.starttlsPort : relay.implicitPort
    const { username, password } = customer
    return { host: '127.0.0.1', port, tls, mechanism, username, password, folder: folder.path }
  }

  async function arrived(subject: string): Promise<Arrival> {
    const find = () => inbox.list().find(({ message }) => message.fields.some(([, value]) => value === subject))
    await waitFor(`${subject} to arrive`, () => find() !== undefined)
    return find()!
  }
})

function messageOf({ from, to, headers = [], body }: Case, subject: string): Buffer {
  const header = [
    `From: <${from}>`,
    `To: <${to[0]}>`,
    `Subject: ${subject}`,
    'Date: Thu, 15 Jan 2026 12:00:00 +0900',
    `Message-ID: <${subject.replaceAll(/[^a-z0-9]/gi, '.')}@ours.example>`,
    ...headers,
  ]
  return Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n\r\n`), Buffer.from(body)])
}

/** The received message is the sent one, below nothing but added fields of these names. */
function assertSameBut(received: Buffer, sent: Buffer, added: readonly string[]): void {
  const start = received.length - sent.length
  assert.ok(start >= 0 && received.subarray(start).equals(sent), 'the message was changed on its way')
  const fields = received
    .subarray(0, start)
    .toString()
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  assert.deepEqual(new Set(fields.filter(Boolean).map(line => line.slice(0, line.indexOf(':')))), new Set(added))
}
