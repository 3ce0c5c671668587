/**
 * REQUIRETLS on its way out (RFC 8689 §4.2.1): which hosts may have the message, and what is said when none may.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { Connections } from '../../src/delivery/connections.ts'
import { tryHosts } from '../../src/delivery/hosts-in-turn.ts'
import type { Route } from '../../src/delivery/route.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import { TlsPolicy } from '../../src/delivery/tls-policy.ts'
import type { HostSpec } from '../../src/delivery/transport.ts'
import { nobodyVouches, vouchedHosts } from '../../src/delivery/vouched-hosts.ts'
import { DnsTrouble } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { Mailbox } from '../../src/mail/ids.ts'
import { formatReply, type Reply, statusOf } from '../../src/mail/reply.ts'
import type { StsPolicy } from '../../src/mail/sts-policy.ts'
import { classify } from '../../src/outcome/classify.ts'
import type { DomainTls } from '../../src/tls/plan.ts'
import { testCertificate } from '../support/certificate.ts'
import { envelopeTo, hostAt, longLimits, smallMail } from '../support/sending.ts'
import { type Sink, type SinkOptions, startSink } from '../support/sink.ts'

const announcing = { tls: 'starttls', extensions: ['PIPELINING', '8BITMIME', 'REQUIRETLS'] } as const

async function sent(specs: readonly HostSpec[], more: { tls?: 'required'; reversePath?: Mailbox | null } = {}) {
  const { tls = 'required', reversePath = 'a@ours.example' } = more
  const connections = new Connections({
    transport: createSmtpTransport({ clock: systemClock, log: silentLog, trusted: [testCertificate().cert] }),
    limits: longLimits,
    tlsPolicy: new TlsPolicy(systemClock),
    clock: systemClock,
    idleMs: 1000,
    maxIdle: 10,
  })
  const delivery = {
    site: 'mx.sink.example',
    key: 'mx.sink.example',
    maxMessages: 100,
    maxOpen: 20,
    envelope: envelopeTo(['ok@sink.example'], { tls }),
    reversePath,
    outgoing: smallMail,
    noteSilent: () => {},
  }
  const parts = { connections, clock: systemClock, log: silentLog, cutOff: () => false }
  const [answer] = await tryHosts(delivery, specs, parts)
  await connections.stop()
  const judged = classify({ result: answer!.result, route: 'mx' })
  return { said: `${judged.action} ${formatReply(judged.reply)}`, class: judged.class, closes: judged.closesSite }
}

function opportunistic(sink: Sink, more: Partial<HostSpec> = {}): HostSpec {
  return hostAt(sink, { tls: 'opportunistic', ...more })
}

describe('a message with REQUIRETLS', () => {
  it('goes to a host that announces it under verified TLS, and passes it on', async () => {
    await using sink = await startSink(announcing)
    assert.match((await sent([opportunistic(sink)])).said, /^delivered /)
    assert.match(sink.messages[0]!.tls!, /^TLS/)
    assert.match(sink.messages[0]!.mailParameters, /\bREQUIRETLS\b/)
  })

  const unfit: readonly (readonly [string, SinkOptions, Partial<HostSpec>, RegExp])[] = [
    [
      'announces no REQUIRETLS',
      { tls: 'starttls' },
      {},
      /^bounced 550 5\.7\.30 mx\.sink\.example does not announce REQUIRETLS/,
    ],
    ['has no TLS, though it says REQUIRETLS', { ...announcing, tls: 'none' }, {}, /^bounced 550 5\.7\.10 /],
    ['has a certificate for another name', announcing, { host: 'mx.other.example' }, /^bounced 550 5\.7\.10 /],
    [
      'can not do TLS at the moment',
      { ...announcing, fault: { phase: 'starttls', kind: '4xx' } },
      {},
      /^deferred 451 4\.7\.10 /,
    ],
  ]
  for (const [what, options, spec, expected] of unfit)
    it(`is not sent to a host that ${what}`, async () => {
      await using sink = await startSink(options)
      const { said, class: found, closes } = await sent([opportunistic(sink, spec)])
      assert.match(said, expected)
      assert.equal(found, 'tls')
      assert.equal(closes, false, 'what one message asks for says nothing about the others')
      assert.equal(sink.messages.length, 0)
      assert.ok(!sink.commands.some(command => command.startsWith('MAIL')), 'not even the sender is told')
    })

  it('passes over a host that can not carry it', async () => {
    await using first = await startSink({ tls: 'starttls' })
    await using second = await startSink(announcing)
    assert.match((await sent([opportunistic(first), opportunistic(second)])).said, /^delivered /)
    assert.equal(first.messages.length, 0)
    assert.equal(second.messages.length, 1)
  })

  it('waits for a host that is down before it is given up', async () => {
    const down = await startSink(announcing)
    await down.close()
    await using lacking = await startSink({ tls: 'starttls' })
    assert.match((await sent([opportunistic(down), opportunistic(lacking)])).said, /^deferred 451 4\.4\.1 /)
    assert.match((await sent([opportunistic(lacking), opportunistic(down)])).said, /^deferred 451 4\.4\.1 /)
  })
})

describe('a bounce of such a message', () => {
  it('passes REQUIRETLS on where it can (RFC 8689 §5)', async () => {
    await using sink = await startSink(announcing)
    assert.match((await sent([opportunistic(sink)], { reversePath: null })).said, /^delivered /)
    assert.match(sink.messages[0]!.mailParameters, /\bREQUIRETLS\b/)
  })

  it('goes all the same where it can not', async () => {
    await using sink = await startSink({ ...announcing, tls: 'none' })
    assert.match((await sent([opportunistic(sink)], { reversePath: null })).said, /^delivered /)
    assert.doesNotMatch(sink.messages[0]!.mailParameters, /REQUIRETLS/)
  })
})

const said = (reply: Reply) => `${reply.code} ${statusOf(reply)}`

describe('the hosts somebody vouches for', () => {
  const hosts = ['mx1.b.example', 'mx2.b.example'].map(host => ({ host, preference: 10, addresses: ['192.0.2.1'] }))
  const route: Route = { kind: 'mx', key: 'b', site: 'b', own: null, hosts }
  const mx = { MX: [[10, 'mx1.b.example']] } as const
  const policy = (mode: StsPolicy['mode']): DomainTls => {
    const times = { fetchedAt: 0, expiresAt: 1, usedAt: 0 }
    const sts: StsPolicy = { domain: 'b.example', id: '1', mode, mx: ['mx2.b.example'], lines: [], ...times }
    return { domain: 'b.example', sts, dane: new Map() }
  }
  const smtp = { host: 'b', port: 587, tls: 'required', username: 'u', sealedPassword: 's' } as const
  const table: readonly (readonly [string, Route, Zone, readonly string[]])[] = [
    ['nobody', route, { 'b.example': mx }, []],
    ['DNSSEC', route, { 'b.example': { ...mx, secure: true } }, ['mx1.b.example']],
    ['MTA-STS', { ...route, tls: policy('enforce') }, { 'b.example': mx }, ['mx2.b.example']],
    ['MTA-STS on trial', { ...route, tls: policy('testing') }, { 'b.example': mx }, ['mx2.b.example']],
    ['its owner', { ...route, kind: 'own-smtp', own: { smtp, sender: 'a@b' } }, {}, ['mx1.b.example', 'mx2.b.example']],
  ]
  for (const [who, to, zone, expected] of table)
    it(`are known by ${who}`, async () => {
      const found = await vouchedHosts(to, 'b.example', zoneResolver(zone))
      assert.ok(!(found instanceof DnsTrouble))
      assert.deepEqual(
        found.map(({ host }) => host),
        expected,
      )
    })

  it('may be known later, where their MTA-STS policy can not be had now', async () => {
    assert.deepEqual(said(nobodyVouches('b.example', route)), '550 5.7.10')
    const tls: DomainTls = { domain: 'b.example', sts: null, stsTrouble: 'status 503', dane: new Map() }
    const to = { ...route, tls }
    assert.deepEqual(await vouchedHosts(to, 'b.example', zoneResolver({ 'b.example': mx })), [])
    const reply = nobodyVouches('b.example', to)
    assert.equal(said(reply), '451 4.7.10')
    assert.match(reply.text, /status 503$/)
  })

  it('are not known while DNS has trouble, unless MTA-STS knows some', async () => {
    const resolver = zoneResolver({ 'b.example': { ...mx, secure: true } })
    resolver.fail('b.example')
    assert.ok((await vouchedHosts(route, 'b.example', resolver)) instanceof DnsTrouble)
    const found = await vouchedHosts({ ...route, tls: policy('enforce') }, 'b.example', resolver)
    assert.ok(!(found instanceof DnsTrouble) && found[0]?.host === 'mx2.b.example')
  })
})
