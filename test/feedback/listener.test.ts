/**
 * The MX of the bounce hosts by hand: takes what comes back, refuses everything else, answers nothing, holds its bounds.
 */
import assert from 'node:assert/strict'
import { type Config, loadConfig } from '../../src/base/config.ts'
import { ConfigError } from '../../src/base/config-error.ts'
import type { Fields } from '../../src/base/log.ts'
import type { PostmasterMail } from '../../src/feedback/forward.ts'
import type { Arrival, Taken } from '../../src/feedback/intake.ts'
import { openFeedbackListener } from '../../src/feedback/listener.ts'
import { verpAddress } from '../../src/feedback/verp.ts'
import { Meter } from '../../src/outcome/meter.ts'
import { testCertificate } from '../support/certificate.ts'
import { Dialogue } from '../support/dialogue.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { logInto } from './world.ts'

const bounceHost = 'bounce.relay.example.jp'
const verpKey = Buffer.alloc(32, 7)
const token = (number = 0, host = bounceHost) => {
  const message = '01jhm3w5c0f8k2v6q9x7r1t4ab'
  return verpAddress({ message, entry: `${message}.${number}`, bounceHost: host, key: verpKey })
}

interface Host extends AsyncDisposable {
  readonly port: number
  readonly arrivals: Arrival[]
  readonly forwarded: PostmasterMail[]
  readonly lines: (Fields & { readonly text: string })[]
  readonly clock: ManualClock
}

type FeedbackConfig = Config['feedback']

async function openHost(
  settings: Partial<FeedbackConfig> = {},
  { forwards = false, take }: { forwards?: boolean; take?: (arrival: Arrival) => Promise<readonly Taken[]> } = {},
): Promise<Host> {
  const defaults = loadConfig([], {})
  const listeners: FeedbackConfig['listeners'] = [{ host: '127.0.0.1', port: 0, tls: 'starttls' }]
  const config = { ...defaults, feedback: { ...defaults.feedback, listeners, ...settings } }
  const [arrivals, forwarded, lines]: [Arrival[], PostmasterMail[], Host['lines']] = [[], [], []]
  const clock = manualClock()
  const listener = await openFeedbackListener({
    ...{ config, verpKey, clock, certificate: testCertificate(), log: logInto(lines), meter: new Meter() },
    intake: {
      async take(arrival) {
        arrivals.push(arrival)
        return (await take?.(arrival)) ?? []
      },
    },
    forwarder: forwards ? { forward: async mail => void forwarded.push(mail) } : null,
  })
  return {
    ...{ port: listener.ports[0]!, arrivals, forwarded, lines, clock },
    [Symbol.asyncDispose]: () => listener.stop(),
  }
}

async function greeted(host: Host): Promise<Dialogue> {
  const dialogue = await Dialogue.greeted(host)
  await dialogue.say('EHLO mx.theirs.example', /^250-/)
  return dialogue
}

describe('the bounce host', () => {
  it('takes a bounce for an address of ours, with STARTTLS, and hands it on as it came', async () => {
    await using host = await openHost()
    await using client = await greeted(host)
    await client.startTls()
    assert.match(await client.say('EHLO mx.theirs.example', /^250-/), /SIZE 52428800/)
    await client.say('MAIL FROM:<> BODY=8BITMIME', /^250 /)
    await client.say(`RCPT TO:<${token().toUpperCase()}>`, /^250 /)
    await client.content('Subject: x\r\n\r\n.dot\r\n', /^250 2\.0\.0 Ok$/)
    await client.say('QUIT', /^221 /)
    const [arrival] = host.arrivals
    assert.deepEqual([arrival!.address.kind, arrival!.client], ['token', '127.0.0.1'])
    assert.equal(arrival!.content.toString(), 'Subject: x\r\n\r\n.dot\r\n')
  })

  it('relays nothing and knows nobody', async () => {
    await using host = await openHost()
    await using client = await greeted(host)
    await client.say('MAIL FROM:<a@elsewhere.example>', /^250 /)
    const refusals: readonly (readonly [string, RegExp])[] = [
      ['someone@elsewhere.example', /^550 5\.7\.1 This host relays nothing/],
      ['someone@relay.example.jp', /^550 5\.1\.1 /],
      [`someone@${bounceHost}`, /^550 5\.1\.1 /],
      ['someone@bounce.customer.example', /^550 5\.1\.1 /],
      [`${token().split('@')[0]}@bounce.other.example`, /^550 5\.1\.1 /],
      [token().replace(/^b-0/, 'b-1'), /^550 5\.1\.1 /],
      [`"${token()}"@elsewhere.example`, /^5\d\d /],
      [`someone%elsewhere.example@${bounceHost}`, /^550 5\.1\.1 /],
      ['fbl@elsewhere.example', /^550 5\.7\.1 /],
      [`postmaster@${bounceHost}`, /^550 5\.1\.1 Nobody reads/],
      [`abuse@${bounceHost}`, /^550 5\.1\.1 Nobody reads/],
    ]
    for (const [address, reply] of refusals) await client.say(`RCPT TO:<${address}>`, reply)
    await client.say('DATA', /^503 /)
    await client.say('AUTH PLAIN AGEAYg==', /^5\d\d /)
    await client.say('VRFY postmaster', /^252 /)
    assert.deepEqual(host.arrivals, [])
    assert.equal(host.lines.filter(({ event }) => event === 'refused').length >= 8, true)
  })

  it('takes complaints at their address, and mail for the postmaster where somebody reads it', async () => {
    await using host = await openHost({ complaints: 'loop' }, { forwards: true })
    await using client = await greeted(host)
    await client.say('MAIL FROM:<fbl@provider.example>', /^250 /)
    await client.say(`RCPT TO:<Loop@${bounceHost}>`, /^250 /)
    await client.say(`RCPT TO:<Postmaster@${bounceHost}>`, /^250 /)
    await client.say('RCPT TO:<abuse@bounce.customer.example>', /^250 /)
    await client.content('Subject: x\r\n\r\n', /^250 /)
    assert.deepEqual(
      [host.arrivals.map(({ address }) => address.kind), host.forwarded.map(({ role }) => role)],
      [['complaints'], ['postmaster', 'abuse']],
    )
  })

  it('keeps the recipients of one transaction out of the next', async () => {
    await using host = await openHost()
    await using client = await greeted(host)
    await client.say('MAIL FROM:<>', /^250 /)
    await client.say(`RCPT TO:<${token(1)}>`, /^250 /)
    await client.say('RSET', /^250 /)
    await client.say('MAIL FROM:<>', /^250 /)
    await client.say(`RCPT TO:<${token(2)}>`, /^250 /)
    await client.content('Subject: x\r\n\r\n', /^250 /)
    assert.deepEqual(
      host.arrivals.map(({ recipient }) => recipient),
      [token(2)],
    )
  })

  it('keeps the beginning of a large mail, and refuses what is beyond all measure', async () => {
    await using host = await openHost({ readBytes: 1000, maxMessageBytes: 100_000 })
    await using client = await greeted(host)
    const send = async (bytes: number, reply: RegExp) => {
      await client.say('MAIL FROM:<>', /^250 /)
      await client.say(`RCPT TO:<${token()}>`, /^250 /)
      await client.content(`Subject: x\r\n\r\n${'0123456789\r\n'.repeat(bytes / 12)}`, reply)
    }
    await send(60_000, /^250 /)
    await send(120_000, /^552 5\.3\.4 /)
    await client.say('MAIL FROM:<> SIZE=200000', /^552 /)
    assert.deepEqual(
      host.arrivals.map(({ content }) => content.length),
      [1000],
    )
  })

  it('asks for another try when it has trouble of its own, and says nothing of it', async () => {
    await using host = await openHost({}, { take: () => Promise.reject(new Error('disk full at /var/lib')) })
    await using client = await greeted(host)
    await client.say('MAIL FROM:<>', /^250 /)
    await client.say(`RCPT TO:<${token()}>`, /^250 /)
    await client.content('Subject: x\r\n\r\n', /^451 4\.3\.0 Temporary local problem; try again later$/)
    assert.equal(host.lines.at(-1)!.text, 'the bounce host could not take a mail')
  })

  it('bounds recipients, mails a minute, and connections from one address', async () => {
    await using host = await openHost({ maxRecipients: 2, messagesPerMinute: 2, maxConnectionsPerAddress: 1 })
    await using client = await greeted(host)
    await client.say('MAIL FROM:<>', /^250 /)
    for (const number of [0, 1]) await client.say(`RCPT TO:<${token(number)}>`, /^250 /)
    await client.say(`RCPT TO:<${token(2)}>`, /^452 4\.5\.3 /)
    await using second = await Dialogue.open(host)
    await second.expect(/^421 4\.7\.0 /)
    await using elsewhere = await Dialogue.greeted({ port: host.port, localAddress: '127.0.0.2' })
    await elsewhere.say('QUIT', /^221 /)
    await client.say('RSET', /^250 /)
    await client.say('MAIL FROM:<>', /^250 /)
    await client.say('RSET', /^250 /)
    await client.say('MAIL FROM:<>', /^451 4\.7\.1 /)
    await host.clock.leap(60_000)
    await client.say('MAIL FROM:<>', /^250 /)
  })

  it('ends a session that lasts too long, however busy it looks', async () => {
    await using host = await openHost({ sessionTimeout: 10_000 })
    await using client = await greeted(host)
    for (let i = 0; i < 9; i++) {
      await host.clock.advance(1000)
      await client.say('NOOP', /^250 /)
    }
    await host.clock.advance(3000)
    await client.expect(/^421 4\.4\.2 /)
    await client.closed()
  })

  it('offers no STARTTLS where it has none, and says which port is taken', async () => {
    await using host = await openHost({ listeners: [{ host: '127.0.0.1', port: 0, tls: 'none' }] })
    await using client = await Dialogue.greeted(host)
    assert.doesNotMatch(await client.say('EHLO x', /^250-/), /STARTTLS/)
    const taken: FeedbackConfig['listeners'] = [{ host: '127.0.0.1', port: host.port, tls: 'none' }]
    await assert.rejects(
      openHost({ listeners: taken }),
      (error: unknown) => error instanceof ConfigError && /feedback\.listeners: .*in use/s.test(error.message),
    )
  })

  it('lets nobody wait on a client that vanishes', async () => {
    await using host = await openHost()
    for (let i = 0; i < 5; i++) {
      const client = await greeted(host)
      await client.say('MAIL FROM:<>', /^250 /)
      await client.say(`RCPT TO:<${token()}>`, /^250 /)
      await client.say('DATA', /^354 /)
      client.send('Subject: half a mail')
      client.destroy()
      await client.closed()
    }
    await using client = await greeted(host)
    await client.say('NOOP', /^250 /)
    assert.deepEqual(host.arrivals, [])
  })
})
