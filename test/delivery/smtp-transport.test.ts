/**
 * The outbound transport against a real server on loopback: dialogue, capabilities, TLS, AUTH, bytes, time.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { systemClock } from '../../src/base/clock.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { DotStuffer } from '../../src/delivery/smtp-content.ts'
import { ReplyReader } from '../../src/delivery/smtp-replies.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import type { Connection, HostSpec, Outgoing } from '../../src/delivery/transport.ts'
import { testCertificate } from '../support/certificate.ts'
import { bytesInUse } from '../support/heap.ts'
import { manualClock } from '../support/manual-clock.ts'
import {
  connectionOf,
  describeOpened,
  describeResult,
  envelopeTo,
  hostAt,
  longLimits,
  outgoingOf,
  smallMail,
  startScriptedHost,
} from '../support/sending.ts'
import { type Sink, startSink } from '../support/sink.ts'

const transport = createSmtpTransport({ clock: systemClock, log: silentLog })
const sender = 'a@ours.example'

async function openTo(at: { readonly address: string; readonly port: number }, more: Partial<HostSpec> = {}) {
  return connectionOf(await transport.open(hostAt(at, more), longLimits))
}

async function sendTo(connection: Connection, ...addresses: string[]): Promise<string[]> {
  return (await connection.send(envelopeTo(addresses), sender, smallMail)).map(describeResult)
}

describe('a mail transaction', () => {
  for (const extensions of [['PIPELINING'], []]) {
    const how = extensions.length > 0 ? 'with pipelining' : 'without pipelining'

    it(`tells each recipient its own reply, ${how}`, async () => {
      await using sink = await startSink({ extensions })
      const connection = await openTo(sink)
      const told = await sendTo(
        connection,
        'ok@x.example',
        '550-5.1.1@x.example',
        '451-4.7.1@x.example',
        'two@x.example',
      )
      assert.deepEqual(told, ['250 dot', '550 rcpt', '451 rcpt', '250 dot'])
      assert.deepEqual(sink.messages[0]!.recipients, ['ok@x.example', 'two@x.example'])
      await connection.quit()
    })

    it(`goes on after a transaction in which everybody was refused, ${how}`, async () => {
      await using sink = await startSink({ extensions })
      const connection = await openTo(sink)
      assert.deepEqual(await sendTo(connection, '550-5.1.1@x.example', '450@x.example'), ['550 rcpt', '450 rcpt'])
      assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
      assert.deepEqual(await sendTo(connection, 'dot-554-5.7.1@x.example', 'ok@x.example'), ['554 dot', '554 dot'])
      assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
      assert.deepEqual(sink.messagesPerConnection, [2])
      await connection.quit()
    })

    it(`passes a 421 on to everybody who has no answer yet, ${how}`, async () => {
      await using sink = await startSink({ extensions })
      const connection = await openTo(sink)
      const told = await sendTo(
        connection,
        '550-5.1.1@x.example',
        'ok@x.example',
        '421-4.3.2@x.example',
        'two@x.example',
      )
      assert.deepEqual(told, ['550 rcpt', '421 rcpt', '421 rcpt', '421 rcpt'])
      assert.equal(connection.reusable, false)
      await connection.quit()
    })

    it(`tells everybody of a refused MAIL, ${how}`, async () => {
      await using sink = await startSink({ extensions })
      const connection = await openTo(sink)
      const results = await connection.send(
        envelopeTo(['ok@x.example', 'b@x.example']),
        '553-5.1.8@x.example',
        smallMail,
      )
      assert.deepEqual(results.map(describeResult), ['553 mail', '553 mail'])
      assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
      await connection.quit()
    })
  }

  it('remembers what was said, of one transaction at a time', async () => {
    await using sink = await startSink({ extensions: ['PIPELINING'] })
    const connection = await openTo(sink)
    await sendTo(connection, 'ok@x.example')
    await sendTo(connection, '550-5.1.1@x.example')
    const said = connection.conversation.join('\n')
    assert.match(said, /^< 220 .*\n> EHLO .*\n< 250/)
    assert.match(said, /> RCPT TO:<550-5\.1\.1@x\.example>\n> DATA\n< 250 .*\n< 550 5\.1\.1 /)
    assert.doesNotMatch(said, /ok@x\.example/)
    await connection.quit()
  })

  it('writes a small message in two writes, envelope and content', async () => {
    const chunks: string[] = []
    await using host = await startScriptedHost(socket => {
      socket.write('220 hi\r\n')
      socket.on('data', chunk => {
        const text = chunk.toString()
        chunks.push(text)
        if (text.startsWith('EHLO')) socket.write('250-hi\r\n250 PIPELINING\r\n')
        else socket.write(text.startsWith('MAIL') ? '250 ok\r\n250 ok\r\n354 go\r\n' : '250 ok\r\n')
      })
    })
    const connection = await openTo(host)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    assert.deepEqual(chunks.slice(1), [
      'MAIL FROM:<a@ours.example>\r\nRCPT TO:<ok@x.example>\r\nDATA\r\n',
      'X-Prefix: yes\r\nSubject: hello\r\n\r\nhello\r\n.\r\n',
    ])
    await connection.quit()
  })

  it('ends the empty message of a host that says 354 to nobody (RFC 2920 §3.1)', async () => {
    await using host = await startScriptedHost(socket => {
      socket.write('220 hi\r\n')
      socket.on('data', chunk => {
        const text = chunk.toString()
        if (text.startsWith('EHLO')) socket.write('250-hi\r\n250 PIPELINING\r\n')
        else if (text.startsWith('MAIL')) socket.write('250 ok\r\n550 no\r\n354 go\r\n')
        else socket.write(text === '.\r\n' ? '554 nobody\r\n' : '250 ok\r\n')
      })
    })
    const connection = await openTo(host)
    assert.deepEqual(await sendTo(connection, 'nobody@x.example'), ['550 rcpt'])
    assert.equal(connection.reusable, true)
    await connection.quit()
  })

  it('stops at a refusal that comes in the middle of the content', async () => {
    await using host = await startScriptedHost(socket => {
      let content = 0
      socket.write('220 hi\r\n')
      socket.on('data', chunk => {
        if (content > 0 || !/^(EHLO|MAIL|RCPT|DATA)/.test(chunk.toString('latin1', 0, 4))) {
          const before = content
          content += chunk.length
          if (before < 100_000 && content >= 100_000) socket.write('552 5.3.4 too big\r\n')
        } else socket.write(chunk.toString().startsWith('DATA') ? '354 go\r\n' : '250 ok\r\n')
      })
    })
    const connection = await openTo(host)
    const results = await connection.send(
      envelopeTo(['a@x.example']),
      sender,
      outgoingOf(Buffer.alloc(30_000_000, 'x\r\n')),
    )
    assert.deepEqual(results.map(describeResult), ['552 data'])
    assert.equal(connection.reusable, false)
    await connection.quit()
  })

  it('reports a connection that was closed while idle as such', async () => {
    await using sink = await startSink()
    const connection = await openTo(sink)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    sink.dropConnections()
    await sink.when(() => sink.open === 0)
    while (connection.reusable) await new Promise(setImmediate)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['closed mail'])
    await connection.quit()
  })

  it('notices at once that a host said goodbye while idle', async () => {
    await using sink = await startSink({ maxMessages: 1 })
    const connection = await openTo(sink)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    assert.equal(connection.reusable, false)
    await connection.quit()
  })
})

describe('the capabilities of a host', () => {
  it('get SIZE, BODY and per-recipient DSN parameters where they are offered', async () => {
    await using sink = await startSink()
    const connection = await openTo(sink)
    const envelope = envelopeTo([], {
      recipients: [
        { address: 'a@x.example', notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;a+b=c@x.example' },
        { address: 'b@x.example', notify: ['NEVER'] },
        { address: 'c@x.example' },
      ],
      envid: 'order 12+3',
      ret: 'HDRS',
    })
    await connection.send(envelope, null, outgoingOf('Subject: é\r\n\r\n'))
    assert.equal(sink.messages[0]!.reversePath, null)
    assert.equal(sink.messages[0]!.mailParameters, 'SIZE=30 BODY=8BITMIME RET=HDRS ENVID=order+2012+2B3')
    assert.deepEqual(sink.messages[0]!.rcptParameters, [
      'NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb+3Dc@x.example',
      'NOTIFY=NEVER',
      '',
    ])
    assert.ok(connection.extensions.has('DSN'))
    await connection.quit()
  })

  it('get none where none is offered, and 8-bit content as it is', async () => {
    await using sink = await startSink({ extensions: [] })
    const connection = await openTo(sink)
    const envelope = envelopeTo(['a@x.example'], { body: '8BITMIME', ret: 'FULL', envid: 'x' })
    await connection.send(envelope, sender, outgoingOf('Subject: x\r\n\r\n日本\r\n'))
    assert.equal(sink.messages[0]!.mailParameters, '')
    assert.ok(sink.messages[0]!.content.includes('日本'))
    assert.equal(connection.extensions.has('DSN'), false)
    await connection.quit()
  })

  it('are respected: a message larger than SIZE is not offered', async () => {
    await using sink = await startSink({ extensions: ['SIZE 20'] })
    const connection = await openTo(sink)
    const [result] = await connection.send(envelopeTo(['a@x.example']), sender, smallMail)
    assert.ok(result && 'reply' in result)
    assert.deepEqual([result.reply.code, result.reply.detail, result.reply.from], [552, '3.4', 'relay'])
    assert.equal(connection.reusable, true)
    await connection.quit()
    assert.deepEqual(sink.commands, ['EHLO relay.example.jp', 'QUIT'])
  })

  it('are respected: without SMTPUTF8 only those recipients are refused who need it', async () => {
    await using sink = await startSink({ extensions: ['PIPELINING'] })
    const connection = await openTo(sink)
    const results = await connection.send(
      envelopeTo(['営業@x.example', 'ok@x.example'], { smtpUtf8: true }),
      sender,
      smallMail,
    )
    assert.deepEqual(results.map(describeResult), ['550 rcpt', '250 dot'])
    assert.ok('reply' in results[0]! && results[0].reply.detail === '6.7' && results[0].reply.from === 'relay')
    const byHeader = await connection.send(
      envelopeTo(['ok@x.example'], { smtpUtf8: true }),
      sender,
      outgoingOf('Subject: é\r\n\r\n'),
    )
    assert.ok('reply' in byHeader[0]! && byHeader[0].reply.code === 550 && byHeader[0].reply.detail === '6.9')
    const bySender = await connection.send(envelopeTo(['ok@x.example'], { smtpUtf8: true }), 'é@x.example', smallMail)
    assert.ok('reply' in bySender[0]! && bySender[0].reply.detail === '6.7')
    const byBody = await connection.send(
      envelopeTo(['ok@x.example'], { smtpUtf8: true }),
      sender,
      outgoingOf('A: b\r\n\r\né\r\n'),
    )
    assert.deepEqual(byBody.map(describeResult), ['250 dot'])
    await connection.quit()
  })

  it('are used: SMTPUTF8 is asked for where it is offered', async () => {
    await using sink = await startSink({ extensions: ['SMTPUTF8'] })
    const connection = await openTo(sink)
    assert.deepEqual(await sendTo(connection, '営業@x.example'), ['250 dot'])
    assert.deepEqual(sink.messages[0]!.recipients, ['営業@x.example'])
    assert.equal(sink.messages[0]!.mailParameters, 'SMTPUTF8')
    await connection.quit()
  })

  it('are none where only HELO is known', async () => {
    await using sink = await startSink({ heloOnly: true })
    const connection = await openTo(sink, { tls: 'opportunistic' })
    assert.equal(connection.extensions.size, 0)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    await connection.quit()
  })
})

describe('TLS', () => {
  const trusting = (sink: Sink) =>
    createSmtpTransport({ clock: systemClock, log: silentLog, trusted: [sink.certificate] })

  it('is used without looking at the certificate when it is opportunistic', async () => {
    await using sink = await startSink({ tls: 'starttls' })
    const connection = await openTo(sink, { tls: 'opportunistic', host: 'elsewhere.example' })
    assert.match(connection.tls!, /^TLSv1\.3 TLS_\w+ unverified$/)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    assert.equal(sink.messages[0]!.tls, 'TLSv1.3')
    assert.equal(sink.messages[0]!.serverName, 'elsewhere.example')
    await connection.quit()
  })

  it('is not used where it is off or not offered', async () => {
    await using offering = await startSink({ tls: 'starttls' })
    await using plain = await startSink()
    for (const [sink, tls] of [
      [offering, 'off'],
      [plain, 'opportunistic'],
    ] as const) {
      const connection = await openTo(sink, { tls })
      assert.equal(connection.tls, null)
      await connection.quit()
    }
  })

  it('is verified where that is asked for', async () => {
    await using sink = await startSink({ tls: 'starttls' })
    const required = { tls: 'required', verifyCertificate: true } as const
    const trusted = connectionOf(await trusting(sink).open(hostAt(sink, required), longLimits))
    assert.match(trusted.tls!, / verified$/)
    await trusted.quit()
    const byAddress = connectionOf(
      await trusting(sink).open(hostAt(sink, { ...required, host: '127.0.0.1' }), longLimits),
    )
    assert.match(byAddress.tls!, / verified$/)
    await byAddress.quit()
    const untrusted = await transport.open(hostAt(sink, required), longLimits)
    assert.ok('failure' in untrusted && untrusted.failure.detail === 'DEPTH_ZERO_SELF_SIGNED_CERT')
    const otherName = await trusting(sink).open(hostAt(sink, { ...required, host: 'other.example' }), longLimits)
    assert.equal(describeOpened(otherName), 'tls starttls tls failed')
    assert.ok('failure' in otherName && otherName.failure.detail === 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.deepEqual(sink.messages, [])
  })

  it('is missed where it is required: no mail goes out', async () => {
    await using plain = await startSink()
    await using refusing = await startSink({ tls: 'starttls', fault: { phase: 'starttls', kind: '4xx' } })
    for (const sink of [plain, refusing]) {
      const opened = await transport.open(hostAt(sink, { tls: 'required' }), longLimits)
      assert.equal(describeOpened(opened), 'tls starttls tls failed')
    }
  })

  it('is spoken from the first byte on port 465', async () => {
    await using sink = await startSink({ tls: 'implicit' })
    const spec = hostAt(sink, { tls: 'required', implicitTls: true, verifyCertificate: true })
    const connection = connectionOf(await trusting(sink).open(spec, longLimits))
    assert.match(connection.tls!, / verified$/)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    await connection.quit()
    const untrusted = await transport.open(spec, longLimits)
    assert.equal(describeOpened(untrusted), 'tls starttls tls failed')
  })

  it('fails as TLS when a port 465 speaks plain text', async () => {
    await using sink = await startSink()
    const opened = await transport.open(hostAt(sink, { implicitTls: true }), longLimits)
    assert.ok('failure' in opened && opened.tlsFailed && opened.failure.kind === 'tls')
  })

  it('fails as TLS when the host ends it after the handshake, as TLS 1.3 does for want of a client certificate', async () => {
    await using host = await startScriptedHost(socket => {
      const { key, cert } = testCertificate()
      socket.write('220 hi\r\n')
      socket.on('data', chunk => {
        if (chunk.toString().startsWith('EHLO')) socket.write('250-hi\r\n250 STARTTLS\r\n')
        if (!chunk.toString().startsWith('STARTTLS')) return
        socket.write('220 go\r\n')
        const demanding = {
          isServer: true,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.3',
        } as const
        new TLSSocket(socket, { ...demanding, key, cert }).on('error', () => {}).resume()
      })
    })
    const opened = await transport.open(hostAt(host, { tls: 'opportunistic' }), longLimits)
    assert.equal(describeOpened(opened), 'tls ehlo tls failed')
  })

  it('takes nothing that was said before the handshake', async () => {
    await using host = await startScriptedHost(socket => {
      socket.write('220 hi\r\n')
      socket.on('data', chunk => {
        if (chunk.toString().startsWith('EHLO')) socket.write('250-hi\r\n250 STARTTLS\r\n')
        if (chunk.toString().startsWith('STARTTLS')) socket.write('220 go\r\n250-injected')
      })
    })
    const opened = await transport.open(hostAt(host, { tls: 'opportunistic' }), longLimits)
    assert.equal(describeOpened(opened), 'malformed-reply starttls tls failed')
  })
})

describe('AUTH', () => {
  const auth = { username: 'crm', password: 'very secret 1' }

  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
    it(`${mechanism} logs in`, async () => {
      await using sink = await startSink({ auth: { ...auth, mechanisms: [mechanism] } })
      const connection = await openTo(sink, { auth })
      assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
      assert.equal(sink.messages[0]!.user, 'crm')
      await connection.quit()
    })

    it(`${mechanism} with a wrong password is answered by the host's reply`, async () => {
      await using sink = await startSink({ auth: { ...auth, mechanisms: [mechanism] } })
      const opened = await transport.open(hostAt(sink, { auth: { ...auth, password: 'wrong' } }), longLimits)
      assert.equal(describeOpened(opened), '535 auth')
      assert.ok('reply' in opened && opened.reply.detail === '7.8')
    })
  }

  it('fails where it is not offered', async () => {
    await using sink = await startSink()
    const opened = await transport.open(hostAt(sink, { auth }), longLimits)
    assert.equal(describeOpened(opened), 'unsupported auth')
  })

  it('keeps the password out of the transcript and of every answer', async () => {
    const lines: string[] = []
    const write = (fields: object, text: string) => void lines.push(JSON.stringify(fields) + text)
    const log: Log = { debug: write, info: write, warn: write, error: write, debugs: true, child: () => log }
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
      await using sink = await startSink({ auth: { ...auth, password: 'other', mechanisms: [mechanism] } })
      const opened = await createSmtpTransport({ clock: systemClock, log }).open(hostAt(sink, { auth }), longLimits)
      lines.push(JSON.stringify(opened))
    }
    const all = lines.join('\n')
    assert.match(all, /> AUTH PLAIN$/m)
    assert.match(all, /> \[credentials\]$/m)
    const secrets = ['very secret 1', '\0crm\0very secret 1', 'crm', 'crm very'].map(text =>
      Buffer.from(text).toString('base64'),
    )
    for (const secret of [auth.password, ...secrets.map(text => text.replace(/=+$/, ''))])
      assert.ok(!all.includes(secret), secret)
  })

  it('ends with a host that asks for more without end', async () => {
    await using host = await startScriptedHost(socket => {
      socket.write('220 hi\r\n')
      socket.on('data', chunk =>
        socket.write(chunk.toString().startsWith('EHLO') ? '250-hi\r\n250 AUTH PLAIN\r\n' : '334 more\r\n'),
      )
    })
    const opened = await transport.open(hostAt(host, { auth }), longLimits)
    assert.equal(describeOpened(opened), 'malformed-reply auth')
  })
})

describe('the bytes of a message', () => {
  const contents: Record<string, Buffer> = {
    'dots at line starts': Buffer.from('.a\r\n..b\r\n...\r\n.\r\n\r\n.\r\n'),
    'a lone dot first': Buffer.from('.\r\n'),
    'a lone dot without line end': Buffer.from('.'),
    'dots within lines': Buffer.from('a.b\r\nc.\r\n. .\r\n'),
    'no line end at the end': Buffer.from('Subject: x\r\n\r\nlast'),
    nothing: Buffer.alloc(0),
    'an empty line': Buffer.from('\r\n'),
    '8 bits and NUL': Buffer.from(
      Array.from({ length: 512 }, (_, i) => (i % 256 === 10 || i % 256 === 13 ? 0 : i % 256)),
    ),
    'what looks like an end': Buffer.from('a\r\n.\r\n.\r\nQUIT\r\n'),
    'more than one write': Buffer.from(`${'x'.repeat(70_000)}\r\n.\r\n`.repeat(8)),
  }
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kitte-bytes-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('arrive as they are, from memory and from a file', async () => {
    await using sink = await startSink()
    const connection = await openTo(sink)
    for (const [name, content] of Object.entries(contents)) {
      const path = join(folder, name.replaceAll(' ', '-'))
      await writeFile(path, content)
      for (const [prefix, source] of [
        ['', content],
        ['A: b\r\n', content],
        ['', { path }],
        ['A: b\r\n', { path }],
      ] as const) {
        const outgoing: Outgoing = {
          prefix: Buffer.from(prefix),
          content: source,
          size: prefix.length + content.length,
        }
        const results = await connection.send(envelopeTo(['ok@x.example']), sender, outgoing)
        assert.deepEqual(results.map(describeResult), ['250 dot'])
        assert.ok(sink.messages.at(-1)!.content.equals(expectedOf(prefix, content)), `${name}, prefix ${prefix.length}`)
      }
    }
    assert.deepEqual(sink.messagesPerConnection, [Object.keys(contents).length * 4])
    await connection.quit()
  })

  it('are stuffed the same wherever the chunks are cut', () => {
    const content = Buffer.from('.a\r\n..\r\n.\r\nb.\r\n\r\n.c\r\n')
    const whole = '..a\r\n...\r\n..\r\nb.\r\n\r\n..c\r\n.\r\n'
    for (let first = 0; first <= content.length; first++) {
      for (let second = first; second <= content.length; second++) {
        const stuffer = new DotStuffer()
        const cuts = [content.subarray(0, first), content.subarray(first, second), content.subarray(second)]
        const pieces = [...cuts.flatMap(cut => stuffer.stuff(cut)), stuffer.end()]
        assert.equal(Buffer.concat(pieces).toString(), whole, `cut at ${first} and ${second}`)
      }
    }
  })

  it('of 30 MB come from a file with flat memory', async () => {
    await using sink = await startSink({ content: 'discard' })
    const path = join(folder, 'large')
    const hash = createHash('sha256').update('A: b\r\n')
    const block = Buffer.from(`${`${'.'.repeat(76)}\r\n`.repeat(12_600)}`)
    const file = await open(path, 'w')
    for (let i = 0; i < 32; i++) {
      await file.write(block)
      hash.update(block)
    }
    await file.close()
    const connection = await openTo(sink)
    // What is really held, not the RSS: that counts garbage too, and other tests' of this process.
    const before = bytesInUse()
    let peak = 0
    let samples = 0
    // A full collection of the whole suite's heap takes a while: a few tell enough.
    const cancel = systemClock.every(5, () => {
      if (samples++ < 3) peak = Math.max(peak, bytesInUse())
    })
    const outgoing = { prefix: Buffer.from('A: b\r\n'), content: { path }, size: 6 + 32 * block.length }
    const results = await connection.send(envelopeTo(['ok@x.example']), sender, outgoing)
    cancel()
    assert.deepEqual(results.map(describeResult), ['250 dot'])
    assert.equal(sink.messages[0]!.sha256, hash.digest('hex'))
    assert.ok(peak > 0, 'it was measured while the content went')
    assert.ok(peak - before < 10_000_000, `${peak - before} bytes more were in use`)
    await connection.quit()
  })

  it('that can not be read are our own trouble, and the connection stays usable', async () => {
    await using sink = await startSink()
    const connection = await openTo(sink)
    const gone: Outgoing = { prefix: Buffer.alloc(0), content: { path: join(folder, 'gone') }, size: 10 }
    await assert.rejects(connection.send(envelopeTo(['ok@x.example']), sender, gone), { code: 'ENOENT' })
    assert.equal(connection.reusable, true)
    const unreadable: Outgoing = { prefix: Buffer.alloc(0), content: { path: folder }, size: 10 }
    await assert.rejects(connection.send(envelopeTo(['ok@x.example']), sender, unreadable), { code: 'EISDIR' })
    assert.equal(connection.reusable, false)
    assert.deepEqual(sink.messages, [])
    await connection.quit()
  })

  /** SMTP can't carry an unfinished last line: it is ended (RFC 5321 §4.1.1.4). */
  function expectedOf(prefix: string, content: Buffer): Buffer {
    const bytes = Buffer.concat([Buffer.from(prefix), content])
    return bytes.length === 0 || bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\r\n')])
  }
})

describe('connecting', () => {
  it('to a closed port is refused', async () => {
    const sink = await startSink()
    await sink.close()
    assert.equal(describeOpened(await transport.open(hostAt(sink), longLimits)), 'refused connect')
  })

  it('leaves from the given source address', async () => {
    await using sink = await startSink()
    const connection = await openTo(sink, { sourceIp: '127.0.0.1' })
    await sendTo(connection, 'ok@x.example')
    assert.equal(sink.messages[0]!.remoteAddress, '127.0.0.1')
    await connection.quit()
    // TEST-NET-1 (RFC 5737) is nobody's address.
    const opened = await transport.open(hostAt(sink, { sourceIp: '192.0.2.77' }), longLimits)
    assert.equal(describeOpened(opened), 'unreachable connect')
  })

  it('works over IPv6', async function () {
    const sink = await startSink({ host: '::1' }).catch(() => null)
    if (!sink) return this.skip()
    await using _ = sink
    const connection = await openTo(sink)
    assert.deepEqual(await sendTo(connection, 'ok@x.example'), ['250 dot'])
    assert.equal(sink.messages[0]!.remoteAddress, '::1')
    await connection.quit()
  })

  it('waits as long as the limits say, on the given clock', async () => {
    const clock = manualClock()
    const patient = createSmtpTransport({ clock, log: silentLog })
    await using silent = await startSink({ fault: { phase: 'banner', kind: 'silence' } })
    const opening = patient.open(hostAt(silent), longLimits)
    await silent.when(() => silent.open === 1)
    while (clock.waiting === 0) await new Promise(setImmediate)
    await clock.advance(longLimits.commandTimeoutMs - 1)
    await clock.advance(1)
    assert.equal(describeOpened(await opening), 'timeout banner')
    await using slow = await startSink({ fault: { phase: 'dot', kind: 'silence' } })
    const connection = connectionOf(await patient.open(hostAt(slow), longLimits))
    const sending = connection.send(envelopeTo(['ok@x.example']), sender, smallMail)
    await slow.when(() => slow.commands.includes('.'))
    await clock.advance(longLimits.dotTimeoutMs - 1)
    await clock.advance(1)
    assert.deepEqual((await sending).map(describeResult), ['timeout dot in doubt'])
    await connection.quit()
    assert.equal(clock.waiting, 0)
  })

  it('ends at once when it is destroyed in the middle of a transaction', async () => {
    await using slow = await startSink({ fault: { phase: 'dot', kind: 'silence' } })
    const connection = await openTo(slow)
    const sending = sendTo(connection, 'ok@x.example')
    await slow.when(() => slow.commands.includes('.'))
    connection.destroy()
    assert.deepEqual(await sending, ['closed dot in doubt'])
    await connection.quit()
  })

  it('refuses a second transaction while one is under way', async () => {
    await using sink = await startSink()
    const connection = await openTo(sink)
    const first = sendTo(connection, 'ok@x.example')
    await assert.rejects(sendTo(connection, 'ok@x.example'), /one transaction at a time/)
    assert.deepEqual(await first, ['250 dot'])
    await connection.quit()
  })
})

describe('replies', () => {
  it('are read whatever the pieces they come in', () => {
    const bytes = Buffer.from('250-hello\r\n250-SIZE 100\r\n250 ok\r\n354 go\n550 5.1.1 不明\r\n')
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new ReplyReader()
      const heard = [bytes.subarray(0, cut), bytes.subarray(cut)].map(part => reader.push(part))
      const replies = heard.flatMap(({ replies }) => replies)
      assert.deepEqual(
        replies.map(({ reply }) => [reply.code, reply.text]),
        [
          [250, 'hello SIZE 100 ok'],
          [354, 'go'],
          [550, '不明'],
        ],
      )
      assert.equal(reader.midReply, false)
    }
  })

  it('that are none are told apart', () => {
    for (const line of [
      '25 ok',
      '',
      ' 250 ok',
      '250',
      '2500 ok',
      '250_ok',
      '199 no',
      '650 no',
      'hello',
      '250-a\r\n251 b',
      '250-a\r\nb',
    ]) {
      const { malformed, replies } = new ReplyReader().push(Buffer.from(`${line}\r\n`))
      assert.equal(malformed === null, line === '250', line)
      assert.equal(replies.length, line === '250' ? 1 : 0)
    }
  })

  it('have bounds: a line of 2 KB, a reply of 32 KB', () => {
    const oneByOne = new ReplyReader()
    let pushed = 0
    while (oneByOne.push(Buffer.from('2')).malformed === null) pushed++
    assert.equal(pushed, 2048)
    const lines = new ReplyReader()
    let count = 0
    while (lines.push(Buffer.from(`250-${'x'.repeat(96)}\r\n`)).malformed === null) count++
    assert.equal(count, 327)
  })
})

describe('nodemailer', () => {
  it('is the version whose inside the transport relies on', () => {
    const library = new SMTPConnection({}) as unknown as Record<string, unknown>
    assert.equal(library.version, '10.6.0', 'read smtp-connection again before changing this number')
    for (const method of ['_onData', '_onConnect', '_sendCommand'])
      assert.equal(typeof library[method], 'function', method)
    assert.ok('_socket' in library)
  })

  it('gets nothing but replies, one at a time, and nothing once the session is open', async () => {
    const seen: string[] = []
    const prototype = SMTPConnection.prototype as unknown as { _onData(chunk: Buffer): void }
    const original = prototype._onData
    prototype._onData = function (chunk) {
      seen.push(chunk.toString())
      original.call(this, chunk)
    }
    try {
      await using sink = await startSink({ extensions: ['PIPELINING'] })
      const connection = await openTo(sink)
      await sendTo(connection, 'ok@x.example')
      await connection.quit()
    } finally {
      prototype._onData = original
    }
    assert.deepEqual(seen, ['220 mx.sink.example ESMTP ready\n', '250-mx.sink.example\n250 PIPELINING\n'])
  })
})
