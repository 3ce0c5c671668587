/**
 * Fresh bounces of real mail servers: they take what Kitte sends, fail to hand it on, and their reports come to the
 * bounce host and are matched with the recipient.
 */
import assert from 'node:assert/strict'
import type { Context } from 'mocha'
import {
  type BouncingMta,
  type BouncingOptions,
  startBouncingExim,
  startBouncingOpenSmtpd,
  startBouncingPostfix,
} from '../support/real/bouncing.ts'
import { freePort } from '../support/real/program.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const bounceHost = 'bounce.relay.example.jp'
const servers = [
  { name: 'Postfix', domain: 'postfix.example', host: '127.0.0.1', start: startBouncingPostfix },
  { name: 'Exim', domain: 'exim.example', host: '127.0.0.2', start: startBouncingExim },
  { name: 'OpenSMTPD', domain: 'opensmtpd.example', host: '127.0.0.3', start: startBouncingOpenSmtpd },
] as const

/** The local part is what the next hop answers. */
const refusals = [
  { local: '550-5.1.1', reply: /^550 5\.1\.1 /, class: 'address-unknown', permanent: true },
  { local: '552-5.2.2', reply: /^55[02] 5\.2\.2 /, class: 'mailbox-full', permanent: false },
  { local: 'dot-554-5.7.1', reply: /^55[04] 5\.7\.1 /, class: null, permanent: false },
] as const

describe('fresh bounces of real mail servers', () => {
  const running = new AsyncDisposableStack()
  let mxPort: number
  let nextHop: Sink
  let relay: TestRelay

  before(async () => {
    mxPort = await freePort(...servers.map(({ host }) => host))
    nextHop = running.use(await startSink())
    const zone = Object.fromEntries(
      servers.flatMap(({ domain, host }) => [
        [domain, { MX: [[10, `mx.${domain}`]] as [number, string][] }],
        [`mx.${domain}`, { A: [host] }],
      ]),
    )
    const settings = { KITTE_FEEDBACK_LISTENERS: '[{ host: 127.0.0.1, port: 0, tls: starttls }]' }
    relay = running.use(await startRelay({ zone, mxPort, registered: ['ours.example'], settings }))
  })

  after(() => running.disposeAsync())

  async function startOf(test: Context, { start, host, domain }: (typeof servers)[number]): Promise<BouncingMta> {
    const options: BouncingOptions = {
      ...{ host, domain, bounceHost, port: mxPort, name: `mx.${domain}` },
      ...{ nextHopPort: nextHop.port, bouncePort: relay.relay.bouncePorts[0]! },
    }
    return running.use(await start(test, options))
  }

  for (const server of servers)
    it(`of ${server.name} are matched with recipient, status and class`, async function () {
      const mta = await startOf(this, server)
      const recipients = refusals.map(({ local }) => `${local}@${server.domain}`)
      for (const to of recipients) await relay.submit({ from: 'a@ours.example', to: [to] })
      const bounced = () =>
        relay.logged('bounced-later').filter(({ recipient }) => recipients.includes(String(recipient)))
      await relay
        .until(() => bounced().length === recipients.length, 'the bounces')
        .catch(error => assert.fail(`${error.message}\n${mta.log()}`))
      for (const [index, refusal] of refusals.entries()) {
        const line = bounced().find(({ recipient }) => recipient === recipients[index])!
        assert.match(String(line.reply), refusal.reply)
        assert.equal(line.permanent, refusal.permanent)
        assert.equal(line.reportFormat, 'rfc3464')
        if (refusal.class !== null) assert.equal(line.class, refusal.class)
        const { body } = await relay.api('GET', `/v1/messages/${line.message}`)
        assert.deepEqual([body.entries[0].state, body.entries[0].returned.length], ['delivered', 1])
      }
    })
})
