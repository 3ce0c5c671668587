import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { selfSigned } from '../../src/submission/self-signed.ts'
import { temporaryFolder } from '../store/fixtures.ts'
import { Dialogue } from '../support/dialogue.ts'
import { manualClock } from '../support/manual-clock.ts'
import { password, startMsa } from './msa.ts'

const starttls = { listeners: [{ host: '127.0.0.1', port: 0, tls: 'starttls' as const }], requireTlsForAuth: true }
const implicit = { listeners: [{ host: '127.0.0.1', port: 0, tls: 'implicit' as const }], requireTlsForAuth: true }
const mail = 'From: a@ours.example\r\n\r\nx'

describe('STARTTLS', () => {
  it('opens AUTH, forgets what was said before, and stands in Received and log', async () => {
    await using msa = await startMsa({ submission: starttls })
    await using client = await msa.open()
    const before = await client.say('EHLO before', /^250/)
    assert.match(before, /STARTTLS/)
    await client.say('STARTTLS now', /^501 5\.5\.4 Syntax: STARTTLS without parameters$/)
    assert.doesNotMatch(before, /AUTH/)
    await client.login('user-acme', password, /^538 5\.7\.11 /)
    await client.startTls()
    await client.say('MAIL FROM:<a@ours.example>', /^503 5\.5\.1 /)
    const after = await client.say('EHLO after', /^250/)
    assert.match(after, /AUTH PLAIN LOGIN/)
    assert.doesNotMatch(after, /STARTTLS/)
    await client.say('STARTTLS', /^503 5\.5\.1 TLS is active already; go on with EHLO$/)
    await client.login('user-acme', password)
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content(mail, /^250 /)
    assert.match(
      msa.lastContent().toString(),
      /^Received: from after .*\r\n\t\(using TLSv1\.3 TLS_\w+\)\r\n\tby .* with ESMTPSA id /,
    )
    assert.match(String(msa.events('accepted')[0]?.fields.tls), /^TLSv1\.3 TLS_/)
  })

  it('drops what was pipelined behind it in plain text', async () => {
    await using msa = await startMsa({ submission: starttls })
    await using client = await msa.open()
    await client.say('EHLO before', /^250/)
    await client.startTls({}, 'EHLO injected\r\n')
    await client.say('MAIL FROM:<a@ours.example>', /^503 5\.5\.1 .*EHLO/)
  })

  it('that breaks off ends the session', async () => {
    await using msa = await startMsa({ submission: starttls })
    const client = await msa.open()
    await client.say('EHLO before', /^250/)
    await client.say('STARTTLS', /^220 /)
    client.send('this is no handshake\r\n')
    await client.closed()
    while (msa.submission.sessions() > 0) await new Promise(resolve => setImmediate(resolve))
  })

  it('with less than TLS 1.2 is refused', async () => {
    await using msa = await startMsa({ submission: starttls })
    const client = await msa.open()
    await client.say('EHLO before', /^250/)
    await assert.rejects(client.startTls({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }))
    await client[Symbol.asyncDispose]()
  })
})

describe('implicit TLS', () => {
  it('offers AUTH at once, and resumes sessions', async () => {
    await using msa = await startMsa({ submission: implicit })
    const session: { ticket?: Buffer } = {}
    {
      await using client = await Dialogue.open({ port: msa.submission.ports[0]!, tls: true })
      const ticket = new Promise<Buffer>(resolve => (client.socket as TLSSocket).once('session', resolve))
      await client.expect(/^220 /)
      assert.match(await client.say('EHLO x', /^250/), /AUTH PLAIN LOGIN/)
      await client.login('user-acme', password)
      session.ticket = await ticket
    }
    await using again = await Dialogue.open({ port: msa.submission.ports[0]!, tls: { session: session.ticket! } })
    await again.expect(/^220 /)
    assert.equal((again.socket as TLSSocket).isSessionReused(), true)
  })

  it('bounds handshakes that never end', async () => {
    await using msa = await startMsa({ submission: { ...implicit, maxConnectionsPerAddress: 2 } })
    await using _one = await Dialogue.open({ port: msa.submission.ports[0]! })
    await using _two = await Dialogue.open({ port: msa.submission.ports[0]! })
    await using three = await Dialogue.open({ port: msa.submission.ports[0]! })
    await three.closed()
  })
})

describe('the certificate', () => {
  it('that is made is ECDSA, for the host name and loopback, good for ten years', () => {
    const now = Date.UTC(2026, 0, 15)
    const { cert } = selfSigned('relay.example.jp', now)
    const certificate = new X509Certificate(cert)
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
    assert.ok(certificate.verify(certificate.publicKey))
    for (const name of ['relay.example.jp', 'localhost']) assert.equal(certificate.checkHost(name), name)
    for (const ip of ['127.0.0.1', '::1']) assert.ok(certificate.checkIP(ip))
    assert.equal(new Date(certificate.validTo).getUTCFullYear(), 2036)
    assert.ok(new Date(certificate.validFrom).getTime() <= now)
  })

  it('that is valid beyond 2049 is written in the longer form (RFC 5280 §4.1.2.5)', () => {
    const { cert } = selfSigned('relay.example.jp', Date.UTC(2045, 0, 15))
    assert.equal(new Date(new X509Certificate(cert).validTo).getUTCFullYear(), 2055)
  })

  it('is made once, with a key for nobody else to read, and clients can trust it by name', async () => {
    await using msa = await startMsa({ submission: implicit })
    const files = ['key.pem', 'cert.pem'].map(name => join(msa.dataDir, 'tls', name))
    assert.equal(statSync(files[0]!).mode & 0o777, 0o600)
    const ca = readFileSync(files[1]!, 'utf8')
    const tls = { ca, rejectUnauthorized: true, servername: 'relay.test.example' }
    await using client = await Dialogue.open({ port: msa.submission.ports[0]!, tls })
    await client.expect(/^220 /)
    assert.equal((client.socket as TLSSocket).authorized, true)
  })

  it('stays while its files can not even be looked at, and the relay with it', async () => {
    using folder = temporaryFolder()
    const [keyFile, certFile] = [join(folder.path, 'key'), join(folder.path, 'cert')]
    const { key, cert } = selfSigned('n1.example', Date.now())
    writeFileSync(keyFile, key)
    writeFileSync(certFile, cert)
    const clock = manualClock()
    await using msa = await startMsa({ clock, submission: { ...implicit, tls: { keyFile, certFile } } })
    rmSync(certFile)
    // A link to itself: a folder that is closed to the relay is open to root, who may run this test.
    symlinkSync(certFile, certFile)
    await clock.advance(30_000)
    msa.submission.reloadCertificate()
    await using client = await Dialogue.open({ port: msa.submission.ports[0]!, tls: true })
    await client.expect(/^220 /)
    assert.equal((client.socket as TLSSocket).getPeerCertificate().subject.CN, 'n1.example')
  })

  it('is taken up anew when its files change, and stays while they are broken', async () => {
    using folder = temporaryFolder()
    const [keyFile, certFile] = [join(folder.path, 'key'), join(folder.path, 'cert')]
    let written = 0
    const write = (key: string, cert: string) => {
      writeFileSync(keyFile, key)
      writeFileSync(certFile, cert)
      written += 5000
      for (const file of [keyFile, certFile]) utimesSync(file, written, written)
    }
    const [first, second, third] = [1, 2, 3].map(n => selfSigned(`n${n}.example`, Date.now()))
    write(first!.key, first!.cert)
    const clock = manualClock()
    await using msa = await startMsa({ clock, submission: { ...implicit, tls: { keyFile, certFile } } })
    const subject = async () => {
      await using client = await Dialogue.open({ port: msa.submission.ports[0]!, tls: true })
      await client.expect(/^220 /)
      return (client.socket as TLSSocket).getPeerCertificate().subject.CN
    }
    assert.equal(await subject(), 'n1.example')
    write(second!.key, second!.cert)
    await clock.advance(10_000)
    assert.equal(await subject(), 'n2.example')
    for (const [key, cert] of [
      ['no key', third!.cert],
      [second!.key, third!.cert],
      [third!.key, ''],
    ] as const) {
      write(key, cert)
      await clock.advance(10_000)
      assert.equal(await subject(), 'n2.example')
    }
    assert.equal(msa.log.filter(({ level }) => level === 'error').length, 3)
    write(third!.key, third!.cert)
    msa.submission.reloadCertificate()
    assert.equal(await subject(), 'n3.example')
  })
})
