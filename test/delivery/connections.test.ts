/**
 * Kept connections against a real server, on a clock turned by hand.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { Connections, type ConnectionsParts, type Use } from '../../src/delivery/connections.ts'
import { tryHosts } from '../../src/delivery/hosts-in-turn.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import { TlsPolicy } from '../../src/delivery/tls-policy.ts'
import type { Connection, HostSpec } from '../../src/delivery/transport.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import {
  connectionOf,
  describeOpened,
  describeResult,
  envelopeTo,
  hostAt,
  longLimits,
  smallMail,
  startScriptedHost,
} from '../support/sending.ts'
import { startSink } from '../support/sink.ts'

const use: Use = { key: 'sink', maxMessages: 100, fresh: false }

function keep(clock: ManualClock, more: Partial<ConnectionsParts> = {}): Connections {
  const transport = createSmtpTransport({ clock, log: silentLog })
  const tlsPolicy = new TlsPolicy(clock)
  return new Connections({ transport, limits: longLimits, tlsPolicy, clock, idleMs: 10_000, maxIdle: 10, ...more })
}

async function send(connection: Connection): Promise<string> {
  const [result] = await connection.send(envelopeTo(['ok@x.example']), 'a@ours.example', smallMail)
  return describeResult(result!)
}

async function deliver(connections: Connections, spec: HostSpec, more: Partial<Use> = {}): Promise<Connection> {
  const connection = connectionOf(await connections.acquire(spec, { ...use, ...more }))
  assert.equal(await send(connection), '250 dot')
  connections.release(connection)
  return connection
}

describe('kept connections', () => {
  it('carry one message after the other', async () => {
    await using sink = await startSink()
    const connections = keep(manualClock())
    for (let i = 0; i < 5; i++) await deliver(connections, hostAt(sink))
    assert.deepEqual(sink.messagesPerConnection, [5])
    await connections.stop()
    assert.equal(sink.commands.at(-1), 'QUIT')
  })

  it('say goodbye after as many messages as a site wants', async () => {
    await using sink = await startSink()
    const connections = keep(manualClock())
    for (let i = 0; i < 5; i++) await deliver(connections, hostAt(sink), { maxMessages: 2 })
    assert.deepEqual(sink.messagesPerConnection, [2, 2, 1])
    await connections.stop()
  })

  it('that are used up are gone before others take their place', async () => {
    let open = 0
    let most = 0
    await using host = await startScriptedHost(socket => {
      most = Math.max(most, ++open)
      socket.write('220 hi\r\n')
      socket.on('data', chunk => {
        for (const line of chunk.toString().split('\r\n').slice(0, -1)) answer(line)
      })
      const answer = (line: string) => {
        if (line === 'QUIT') setTimeout(sayGoodbye, 50)
        else if (/^[A-Z]{4}|^\.$/.test(line)) socket.write(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
      }
      // In no hurry: time enough for one connection too many.
      const sayGoodbye = () => {
        open--
        socket.end('221 bye\r\n')
      }
    })
    const connections = keep(manualClock())
    for (let i = 0; i < 3; i++) await deliver(connections, hostAt(host), { maxMessages: 1, maxOpen: 1 })
    await connections.stop()
    assert.equal(most, 1)
  })

  it('are not shared by different sites, logins, sources or TLS wishes', async () => {
    await using sink = await startSink({ tls: 'starttls' })
    const connections = keep(manualClock())
    await deliver(connections, hostAt(sink))
    await deliver(connections, hostAt(sink), { key: 'other' })
    await deliver(connections, hostAt(sink, { tls: 'opportunistic' }))
    await deliver(connections, hostAt(sink, { sourceIp: '127.0.0.1' }))
    await deliver(connections, hostAt(sink, { ehlo: 'other.example.jp' }))
    assert.equal(sink.connections, 5)
    assert.equal(connections.idle, 5)
    await connections.stop()
    assert.equal(connections.idle, 0)
  })

  it('leave when they were idle for long enough, the one used least recently first', async () => {
    await using sink = await startSink()
    const clock = manualClock()
    const connections = keep(clock)
    await deliver(connections, hostAt(sink), { key: 'early' })
    await clock.advance(6_000)
    await deliver(connections, hostAt(sink), { key: 'late' })
    await clock.advance(4_000)
    assert.equal(connections.idle, 1)
    await sink.when(() => sink.open === 1)
    await clock.advance(6_000)
    assert.equal(connections.idle, 0)
    await sink.when(() => sink.open === 0)
    await connections.stop()
    assert.equal(clock.waiting, 0)
  })

  it('are as many as allowed', async () => {
    await using sink = await startSink()
    const connections = keep(manualClock(), { maxIdle: 2 })
    for (const key of ['a', 'b', 'c']) await deliver(connections, hostAt(sink), { key })
    assert.equal(connections.idle, 2)
    await sink.when(() => sink.open === 2)
    await deliver(connections, hostAt(sink), { key: 'a' })
    assert.equal(sink.connections, 4)
    await connections.stop()
  })

  it('that died while idle are dropped without a word', async () => {
    await using sink = await startSink()
    const connections = keep(manualClock())
    const first = await deliver(connections, hostAt(sink))
    sink.dropConnections()
    while (first.reusable) await new Promise(setImmediate)
    await deliver(connections, hostAt(sink))
    assert.equal(sink.connections, 2)
    await connections.stop()
  })

  it('that die in the moment of use say so, and a fresh one does it', async () => {
    await using sink = await startSink()
    const connections = keep(manualClock())
    await deliver(connections, hostAt(sink))
    const stale = connectionOf(await connections.acquire(hostAt(sink), use))
    assert.equal(stale.sent, 1)
    sink.dropConnections()
    assert.match(await send(stale), /^(closed|reset) mail$/)
    connections.release(stale)
    const fresh = connectionOf(await connections.acquire(hostAt(sink), { ...use, fresh: true }))
    assert.equal(fresh.sent, 0)
    assert.equal(await send(fresh), '250 dot')
    connections.release(fresh)
    await connections.stop()
  })

  it('are not kept after a 421, and never after a stop', async () => {
    await using sink = await startSink({ maxMessages: 1 })
    const connections = keep(manualClock())
    await deliver(connections, hostAt(sink))
    assert.equal(connections.idle, 0)
    const last = connectionOf(await connections.acquire(hostAt(sink), use))
    await connections.stop()
    assert.equal(await send(last), 'closed mail')
    connections.release(last)
    assert.equal(connections.idle, 0)
  })
})

describe('a connection whose message could not be read', () => {
  it('comes back all the same', async () => {
    await using sink = await startSink()
    const clock = manualClock()
    const connections = keep(clock)
    const delivery = {
      site: 'sink',
      key: 'sink',
      maxMessages: 100,
      maxOpen: 1,
      envelope: envelopeTo(['ok@x.example']),
      reversePath: null,
      outgoing: { prefix: Buffer.alloc(0), content: { path: '/nowhere/gone' }, size: 1 },
      noteSilent() {},
    }
    const parts = { connections, clock, log: silentLog, cutOff: () => false }
    await assert.rejects(tryHosts(delivery, [hostAt(sink)], parts), { code: 'ENOENT' })
    await sink.when(() => sink.open === 0)
    assert.equal(sink.commands.at(-1), 'QUIT')
    await connections.stop()
  })
})

describe('broken TLS', () => {
  it('is remembered: the host is asked in plain text for an hour', async () => {
    await using sink = await startSink({ tls: 'starttls', fault: { phase: 'handshake', kind: 'garbage' } })
    const clock = manualClock()
    const connections = keep(clock)
    const spec = hostAt(sink, { tls: 'opportunistic' })
    const broken = await connections.acquire(spec, use)
    assert.match(describeOpened(broken), /tls failed$/)
    const plain = await deliver(connections, spec)
    assert.equal(plain.tls, null)
    assert.equal(plain.spec.tls, 'off')
    sink.setFault(null)
    await clock.advance(3_600_000)
    assert.match((await deliver(connections, spec)).tls!, /^TLSv1/)
    await connections.stop()
  })

  it('weakens nobody who requires it, nor a password', () => {
    const policy = new TlsPolicy(manualClock())
    const at = { address: '127.0.0.1', port: 25 }
    const required = hostAt(at, { tls: 'required' })
    const login = hostAt(at, { tls: 'opportunistic', auth: { username: 'a', password: 'b' } })
    const implicit = hostAt(at, { tls: 'opportunistic', implicitTls: true })
    for (const spec of [required, login, implicit]) {
      policy.noteBroken(spec)
      assert.equal(policy.apply(spec), spec)
    }
    assert.equal(policy.apply(hostAt(at, { tls: 'opportunistic' })).tls, 'opportunistic')
  })

  it('is remembered of a thousand hosts', () => {
    const policy = new TlsPolicy(manualClock())
    const host = (n: number) =>
      hostAt({ address: '127.0.0.1', port: 25 }, { host: `mx${n}.example`, tls: 'opportunistic' })
    for (let n = 0; n <= 1000; n++) policy.noteBroken(host(n))
    assert.equal(policy.apply(host(0)).tls, 'opportunistic')
    assert.equal(policy.apply(host(1)).tls, 'off')
    assert.equal(policy.apply(host(1000)).tls, 'off')
  })
})
