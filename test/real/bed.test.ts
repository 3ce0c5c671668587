/**
 * The test bed itself: real receivers keep every byte, and the real name server serves what it is given.
 */
import assert from 'node:assert/strict'
import { promises as dns } from 'node:dns'
import { createTransport } from 'nodemailer'
import { startExim } from '../support/real/exim.ts'
import { fromField } from '../support/real/mailbox.ts'
import { startNsd } from '../support/real/nsd.ts'
import { type MtaOptions, startPostfix } from '../support/real/postfix.ts'
import { freePort } from '../support/real/program.ts'

const message = Buffer.from(
  [
    'X-First: 1',
    'From: a@ours.example',
    'Subject: 日本語 raw',
    '',
    'caf\u00e9',
    '.dot',
    '..dots',
    'long '.repeat(500),
    'a NUL is too much to ask, a tab\tis not',
    '',
    '',
  ].join('\r\n'),
)

const receivers = { Postfix: startPostfix, Exim: startExim }

describe('the test bed', () => {
  for (const [name, startReceiver] of Object.entries(receivers)) {
    it(`${name} delivers the bytes it was given`, async function () {
      const options = {
        host: '127.0.0.1',
        port: await freePort(),
        name: 'mx.receiver.example',
        domains: ['receiver.example'],
      }
      await using receiver = await startReceiver(this, options)
      await send(options, ['one@receiver.example', '二@receiver.example'])
      const received = await receiver.mailbox.received(name === 'Exim' ? 1 : 2)
      for (const { raw } of received) assert.equal(fromField(raw, 'X-First').toString(), message.toString())
    })
  }

  it('nsd serves records, long ones included, and takes up changes', async function () {
    const long = `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`
    const port = await freePort()
    await using _nsd = await startNsd(this, {
      port,
      zones: ['a.example', 'b.example'],
      zone: { 'x.a.example': { TXT: [long] } },
    })
    const resolver = new dns.Resolver({ timeout: 2000, tries: 1 })
    resolver.setServers([`127.0.0.1:${port}`])
    assert.equal((await resolver.resolveTxt('x.a.example'))[0]!.join(''), long)
    await assert.rejects(resolver.resolveTxt('y.b.example'), { code: 'ENOTFOUND' })
    await _nsd.publish({ 'y.b.example': { TXT: ['now'], MX: [[5, 'mx.b.example']] } })
    assert.deepEqual(await resolver.resolveTxt('y.b.example'), [['now']])
    await assert.rejects(resolver.resolveTxt('x.a.example'), { code: 'ENOTFOUND' })
  })
})

async function send({ host, port }: MtaOptions, to: readonly string[]): Promise<void> {
  const transport = createTransport({ host, port, tls: { rejectUnauthorized: false } })
  await transport.sendMail({ envelope: { from: 'a@ours.example', to: [...to] }, raw: message })
  transport.close()
}
