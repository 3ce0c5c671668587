/**
 * Real receivers, a real name server and verifiers that share no code with us: what Kitte sends arrives unchanged and
 * verifies, whatever the message is made of.
 */
import assert from 'node:assert/strict'
import type { Context } from 'mocha'
import type { Zone } from '../../src/dns/zone.ts'
import { corpus } from '../signing/corpus.ts'
import { startExim } from '../support/real/exim.ts'
import { fromField, type RealMailbox } from '../support/real/mailbox.ts'
import { startNsd } from '../support/real/nsd.ts'
import { startPostfix } from '../support/real/postfix.ts'
import { freePort, skipAloud, temporaryFolder } from '../support/real/program.ts'
import { openRawClient, type RawClient } from '../support/real/raw-client.ts'
import { addCustomer, startRelayProcess } from '../support/real/relay-process.ts'
import { missingVerifier, verifyAll } from '../support/real/verifiers.ts'

const sender = 'sales@ours.example'
const header = (subject: string) =>
  `From: <${sender}>\r\nTo: you@theirs.example\r\nSubject: ${subject}\r\nDate: Thu, 15 Jan 2026 12:00:00 +0900\r\n`
const line = `${'0123456789'.repeat(7)}abcdef\r\n`

/** Two From fields are refused at submission (RFC 5322 §3.6), so nobody receives them. */
const { 'two From': _, ...arriving } = corpus

/** What clients with bad manners send, besides the corpus that every signature of ours is tried on. */
const messages: Readonly<Record<string, Buffer>> = {
  ...arriving,
  'lone CRs': Buffer.from(`${header('lone')}\r\na\rb\r\rc\r\n\rd\r`),
  'lone LFs': Buffer.from(`${header('lone')}\r\na\nb\n\nc\r\nd\n`),
  'a lone CR in the header': Buffer.from(`${header('one\r\ttwo')}\r\nx\r\n`),
  'no final line end': Buffer.from(`${header('no end')}\r\nx`),
  '30 MB': Buffer.from(`${header('30 MB')}\r\n${line.repeat(30_000_000 / line.length)}`),
}

/** Fields that Kitte adds on top, and below a header that lacks them. */
const addedAbove = /^(?:(?:DKIM-Signature|Received):[^\n]*\n(?:[ \t][^\n]*\n)*)+$/
const addedBelow = /^(?:(?:Date|Message-ID):[^\n]*\n)*$/

/** Null: the received message is the sent one. Line ends are mended once, before the message is stored and signed. */
function changeOf(sent: Buffer, received: Buffer): string | null {
  const relayed = fromField(received, 'DKIM-Signature').toString('latin1')
  const text = sent.toString('latin1')
  // The final dot stands on a line of its own, so the wire carries a CRLF before it (RFC 5321 §4.1.1.4).
  const whole = (text.endsWith('\r\n') ? text : `${text}\r\n`).replace(/\r\n|\r|\n/g, '\r\n')
  const headerEnd = whole.includes('\r\n\r\n') ? whole.indexOf('\r\n\r\n') + 2 : whole.length
  const [header, body] = [whole.slice(0, headerEnd), whole.slice(headerEnd) || '\r\n']
  if (!relayed.endsWith(body)) return 'the body'
  const fields = relayed.slice(0, -body.length)
  const start = fields.indexOf(`\n${header}`) + 1
  if (start === 0) return 'the header'
  if (!addedAbove.test(fields.slice(0, start))) return 'above the header'
  return addedBelow.test(fields.slice(start + header.length)) ? null : 'below the header'
}

const receivers = ['Postfix', 'Exim'] as const
type Receiver = (typeof receivers)[number]
const domainOf = { Postfix: 'postfix.example', Exim: 'exim.example' } as const
const hostOf = { Postfix: '127.0.0.1', Exim: '127.0.0.2' } as const
const startOf = { Postfix: startPostfix, Exim: startExim } as const

describe('what Kitte sends', () => {
  const running = new AsyncDisposableStack()
  const folder = temporaryFolder('kitte-verify-')
  const names = Object.keys(messages)
  /** Receiver → file name → what it stored. */
  const stored = new Map<Receiver, Map<string, Buffer>>()
  let records: Record<string, string>

  before(async function () {
    running.defer(() => folder[Symbol.dispose]())
    const mxPort = await freePort('127.0.0.1', '127.0.0.2')
    const mailboxes = new Map<Receiver, RealMailbox>()
    for (const receiver of receivers) mailboxes.set(receiver, await startReceiver(this, receiver, mxPort))
    const dnsPort = await freePort()
    const zones = ['ours.example', ...Object.values(domainOf)]
    const nsd = running.use(await startNsd(this, { port: dnsPort, zones, zone: mxZone() }))
    const relay = running.use(await startRelayProcess({ dnsPort, mxPort }))
    const customer = await addCustomer(relay, 'ours.example')
    await nsd.publish({ ...mxZone(), ...customer.zone })
    const verified = await relay.api<{ spf: string; dkim: string }>('POST', '/v1/domains/ours.example/verify')
    assert.deepEqual([verified.spf, verified.dkim], ['published', 'published'])
    records = Object.fromEntries(Object.entries(customer.zone).map(([name, { TXT }]) => [name, String(TXT?.[0])]))
    await using client = await openRawClient({ host: '127.0.0.1', port: relay.implicitPort, ...customer })
    await submitAll(client)
    for (const [receiver, mailbox] of mailboxes) stored.set(receiver, await collect(mailbox))
  })

  after(() => running.disposeAsync())

  async function startReceiver(test: Context, receiver: Receiver, port: number): Promise<RealMailbox> {
    const domain = domainOf[receiver]
    const options = { host: hostOf[receiver], port, name: `mx.${domain}`, domains: [domain] }
    return running.use(await startOf[receiver](test, options)).mailbox
  }

  /** The number of the message stands in the address, because everything else is under test. */
  async function submitAll(client: RawClient): Promise<void> {
    for (const [index, name] of names.entries()) {
      const to = receivers.map(receiver => `n${index}@${domainOf[receiver]}`)
      const reply = await client.submit(sender, to, messages[name]!)
      assert.match(reply, /^250 /, name)
    }
  }

  async function collect(mailbox: RealMailbox): Promise<Map<string, Buffer>> {
    const delivered = await mailbox.received(names.length)
    return new Map(
      delivered.map(({ raw }) => [fileOf(Number(/n(\d+)@/.exec(raw.toString('latin1', 0, 500))?.[1])), raw]),
    )
  }

  for (const receiver of receivers)
    it(`arrives at ${receiver} byte for byte, but for added fields`, () => {
      const changed = names.flatMap((name, index) => {
        const change = changeOf(messages[name]!, stored.get(receiver)!.get(fileOf(index))!)
        return change === null ? [] : [`${name}: ${change}`]
      })
      assert.deepEqual(changed, [])
    })

  for (const verifier of ['dkimpy', 'Mail::DKIM', 'mailauth'] as const)
    for (const receiver of receivers)
      it(`verifies with ${verifier} as ${receiver} stored it`, async function () {
        const reason = await missingVerifier(verifier)
        if (reason !== null) skipAloud(this, reason)
        const verdicts = await verifyAll(verifier, folder.path, stored.get(receiver)!, records)
        const failed = names.filter((_, index) => verdicts.get(fileOf(index))?.join() !== 'pass')
        assert.deepEqual(
          failed.map(name => [name, verdicts.get(fileOf(names.indexOf(name)))]),
          [],
        )
      })
})

function fileOf(index: number): string {
  return `${String(index).padStart(3, '0')}.eml`
}

function mxZone(): Zone {
  return Object.fromEntries(
    receivers.flatMap(receiver => {
      const host = `mx.${domainOf[receiver]}`
      return [
        [domainOf[receiver], { MX: [[10, host]] }],
        [host, { A: [hostOf[receiver]] }],
      ]
    }),
  )
}
