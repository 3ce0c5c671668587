/**
 * The sandbox's name server, asked by Node's own resolver, by sockets, and across restarts.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, encode, streamDecode, streamEncode } from 'dns-packet'
import { systemClock } from '../../src/base/clock.ts'
import { openZoneBook, type ZoneBook } from '../../src/sandbox/zone-book.ts'
import { readRecord } from '../../src/sandbox/zone-record.ts'
import { startZoneServer, type ZoneServer } from '../../src/sandbox/zone-server.ts'

const hosts = { mx: 'mx.kitte.test', nameServer: 'ns.kitte.test' }

describe("the sandbox's name server", () => {
  let folder: string
  let book: ZoneBook
  let server: ZoneServer
  let resolver: dns.Resolver

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kitte-zone-'))
    book = openZoneBook(join(folder, 'zone.json'))
    server = await startZoneServer({ book, hosts, host: '127.0.0.1', port: 0, clock: systemClock })
    resolver = new dns.Resolver({ timeout: 2000, tries: 1 })
    resolver.setServers([`127.0.0.1:${server.port}`])
  })

  afterEach(async () => {
    resolver.cancel()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const exchanges = async (name: string) =>
    (await resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${exchange}`)

  it('answers every type it holds', async () => {
    book.set('customer.example', {
      A: ['192.0.2.1'],
      AAAA: ['2001:db8::1'],
      MX: [[5, 'mail.customer.example']],
      TXT: ['v=spf1 -all'],
      NS: ['ns1.customer.example'],
    })
    book.set('1.0.0.127.in-addr.arpa', { PTR: ['relay.kitte.test'] })
    assert.deepEqual(await resolver.resolve4('customer.example'), ['192.0.2.1'])
    assert.deepEqual(await resolver.resolve6('customer.example'), ['2001:db8::1'])
    assert.deepEqual(await exchanges('customer.example'), ['5 mail.customer.example'])
    assert.deepEqual(await resolver.resolveTxt('customer.example'), [['v=spf1 -all']])
    assert.deepEqual(await resolver.resolveNs('customer.example'), ['ns1.customer.example'])
    assert.deepEqual(await resolver.resolvePtr('1.0.0.127.in-addr.arpa'), ['relay.kitte.test'])
  })

  it('splits a long text into character-strings and keeps given ones', async () => {
    book.set('a.example', { TXT: ['x'.repeat(600)] })
    book.set('b.example', { TXT: [['one', 'two']] })
    const [strings] = await resolver.resolveTxt('a.example')
    assert.deepEqual(
      strings!.map(text => text.length),
      [255, 255, 90],
    )
    assert.deepEqual(await resolver.resolveTxt('b.example'), [['one', 'two']])
  })

  it('tells a name that does not exist from one without the type', async () => {
    book.set('sel._domainkey.customer.example', { TXT: ['v=DKIM1; p='] })
    await assert.rejects(resolver.resolveTxt('other._domainkey.customer.example'), { code: 'ENOTFOUND' })
    await assert.rejects(resolver.resolveTxt('_domainkey.customer.example'), { code: 'ENODATA' })
    await assert.rejects(resolver.resolveTxt('customer.example'), { code: 'ENODATA' })
    await assert.rejects(resolver.resolveMx('nobody.invalid'), { code: 'ENOTFOUND' })
  })

  it('sends mail for every other domain to the sandbox, but not against a record', async () => {
    book.set('refuses.example', { MX: [[0, '']] })
    assert.deepEqual(await exchanges('gmail.com'), ['10 mx.kitte.test'])
    assert.deepEqual(await exchanges('refuses.example'), ['0 '])
  })

  it('follows CNAMEs', async () => {
    book.set('www.customer.example', { CNAME: 'host.example' })
    book.set('host.example', { A: ['192.0.2.7'] })
    assert.deepEqual(await resolver.resolve4('www.customer.example'), ['192.0.2.7'])
    assert.deepEqual(await resolver.resolveCname('www.customer.example'), ['host.example'])
  })

  it('truncates what does not fit into UDP and gives it over TCP', async () => {
    book.set('big.example', { TXT: Array.from({ length: 40 }, (_, n) => `${n} ${'y'.repeat(100)}`) })
    assert.equal((await resolver.resolveTxt('big.example')).length, 40)
    const response = await askUdp(server.port, 'big.example', 'TXT')
    assert.equal(response.flag_tc, true)
    assert.equal(response.answers.length, 0)
  })

  it('says how long absence lasts: not at all', async () => {
    const response = await askUdp(server.port, '_dmarc.customer.example', 'TXT')
    assert.equal(response.rcode, 'NXDOMAIN')
    const [soa] = response.authorities
    assert.ok(soa && 'data' in soa)
    assert.equal(soa.name, 'customer.example')
    assert.equal((soa.data as { minimum: number }).minimum, 0)
  })

  it('shows changes at once and remembers them after a restart', async () => {
    await assert.rejects(resolver.resolveTxt('customer.example'))
    book.set('Customer.Example', { TXT: ['one'] })
    assert.deepEqual(await resolver.resolveTxt('customer.example'), [['one']])
    assert.deepEqual(openZoneBook(join(folder, 'zone.json')).zone(), { 'customer.example': { TXT: ['one'] } })
    book.set('customer.example', { TXT: [] })
    await assert.rejects(resolver.resolveTxt('customer.example'))
    assert.deepEqual(openZoneBook(join(folder, 'zone.json')).zone(), {})
  })

  it('refuses a broken zone file by name', () => {
    const file = join(folder, 'broken.json')
    writeFileSync(file, '{')
    assert.throws(() => openZoneBook(file), /broken\.json is no zone/)
  })

  it('takes no record that can not be written, and lives with one that stands in its file', async () => {
    for (const [type, value] of [
      ['MX', '65536 mail.example'],
      ['MX', '10 a..example'],
      ['CNAME', `${'x'.repeat(64)}.example`],
      ['CNAME', ''],
      ['NS', 'x.'.repeat(200)],
    ] as const)
      assert.equal(readRecord(type, [value]), null, value)
    assert.deepEqual(readRecord('MX', ['65535 mail.example', '0 .']), {
      MX: [
        [65_535, 'mail.example'],
        [0, ''],
      ],
    })
    book.set('typed.example', { MX: [[99_999, 'mail.example']] })
    await assert.rejects(resolver.resolveMx('typed.example'), { code: 'ESERVFAIL' })
    assert.deepEqual(await exchanges('other.example'), ['10 mx.kitte.test'])
  })

  it('lives through garbage on both transports', async () => {
    const udp = createSocket('udp4')
    udp.send(Buffer.from('no DNS'), server.port, '127.0.0.1')
    const tcp = connect(server.port, '127.0.0.1')
    tcp.on('error', () => {})
    tcp.write(Buffer.from([0, 3, 1, 2, 3]))
    await once(tcp, 'close')
    udp.close()
    assert.deepEqual(await exchanges('still.example'), ['10 mx.kitte.test'])
  })

  it('answers several questions on one TCP connection, however they are cut', async () => {
    const tcp = connect(server.port, '127.0.0.1')
    const questions = ['one.example', 'two.example'].map((name, id) =>
      streamEncode({ type: 'query', id, questions: [{ type: 'MX', name }] }),
    )
    for (const byte of Buffer.concat(questions)) tcp.write(Buffer.from([byte]))
    let received = Buffer.alloc(0)
    for await (const chunk of tcp) {
      received = Buffer.concat([received, chunk])
      if (received.length >= 2 && received.length > 2 + received.readUInt16BE(0) + 2) break
    }
    assert.equal(streamDecode(received).questions[0]!.name, 'one.example')
  })

  it('does not start on a port that is taken', async () => {
    const again = startZoneServer({ book, hosts, host: '127.0.0.1', port: server.port, clock: systemClock })
    await assert.rejects(again, { code: 'EADDRINUSE' })
  })
})

async function askUdp(port: number, name: string, type: string) {
  const socket = createSocket('udp4')
  socket.send(encode({ type: 'query', id: 1, questions: [{ type, name }] }), port, '127.0.0.1')
  const [bytes] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return decode(bytes)
}
