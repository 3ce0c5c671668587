/**
 * TLS decisions from end to end: the whole relay, a validating unbound over NSD with a zone signed by ldns, policy hosts
 * with certificates good and bad, and receivers that do TLS in every way. A line of the table is a recipient domain and
 * what becomes of a message to it.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { openResolver } from '../../src/dns/open.ts'
import type { StsPolicy } from '../../src/mail/sts-policy.ts'
import { sendPolicy, startPolicyHosts } from '../support/policy-host.ts'
import { startNsd, zoneFile } from '../support/real/nsd.ts'
import { freePort, needProgram } from '../support/real/program.ts'
import { signZone } from '../support/real/signed-zone.ts'
import {
  type Case,
  cases,
  gone,
  inUnsigned,
  nameOf,
  ours,
  policyOf,
  type Receiver,
  reasons,
  receivers,
  signed,
  unsigned,
} from '../support/real/tls-cases.ts'
import { certificates, spoil, zoneOf } from '../support/real/tls-world.ts'
import { startUnbound } from '../support/real/unbound.ts'
import { type LoggedLine, startRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

describe('what a message meets on its way to a domain with', () => {
  const outcomes = new Map<string, string>()
  const replies = new Map<string, string>()
  const reached = new Map<string, number>()
  let asked: readonly string[] = []
  let mended = ''

  before(async function () {
    for (const program of ['nsd', 'unbound', 'ldns-signzone', 'dig']) needProgram(this, program)
    const world = certificates()
    const addresses = Object.fromEntries(receivers.map((name, i) => [name, `127.0.9.${i + 1}`])) as Record<
      Receiver,
      string
    >
    const mxPort = await freePort(...Object.values(addresses))
    const sinks = await Promise.all(
      receivers.map(name =>
        startSink({
          host: addresses[name],
          port: mxPort,
          tls: name === 'plain' ? 'none' : 'starttls',
          certificate: world.of[name],
        }),
      ),
    )
    await using hosts = await startPolicyHosts({
      address: '127.0.10.1',
      certificateFor: name => world.policyHost(policyOf(name)?.sts?.certificate),
      answer(name, response, path) {
        const answer = policyOf(name)?.sts?.answer ?? gone
        if (typeof answer === 'string') sendPolicy(response, answer)
        else answer(response, path)
      },
    })
    const zone = zoneOf(addresses, mxPort, hosts.address, world)
    const zones = [unsigned, ours, signed]
    const inZone = await signZone(this, signed, zoneFile(signed, zone, 1, { ttl: 300, minimum: 60 }))
    const [dnsPort, resolverPort] = [await freePort(), await freePort()]
    const written = { [signed]: spoil(inZone.text) }
    await using _nsd = await startNsd(this, { port: dnsPort, zones, zone, written, ttl: 300, minimum: 60 })
    await using _unbound = await startUnbound(this, {
      ...{ port: resolverPort, authority: `127.0.0.1@${dnsPort}`, zones, anchors: [inZone.anchor] },
    })
    const settings = { timeout: 5000, cacheEntries: 10_000, cacheMaxAge: 3_600_000, validating: 'auto' as const }
    const resolver = openResolver({ servers: [`127.0.0.1:${resolverPort}`], ...settings, clock: systemClock })
    {
      await using relay = await startRelay({
        zone: {},
        mxPort,
        registered: [ours],
        resolver,
        trusted: [world.known.certificate],
        settings: {
          KITTE_TLS_MTA_STS_PORT: String(hosts.port),
          KITTE_TLS_MTA_STS_TIMEOUT: '4s',
          KITTE_SITES: JSON.stringify([
            {
              suffix: inUnsigned('verified'),
              connections: 5,
              messagesPerConnection: 9,
              perMinute: null,
              tls: 'verified',
            },
            {
              suffix: inUnsigned('required'),
              connections: 5,
              messagesPerConnection: 9,
              perMinute: null,
              tls: 'required',
            },
          ]),
        },
      })
      for (const one of cases) {
        const policy = one.sts?.kept
        if (policy) await relay.relay.store.putStsPolicy({ domain: nameOf(one), ...policy } as StsPolicy)
      }
      await Promise.all(cases.map(one => relay.submit({ from: `a@${ours}`, to: [`b@${nameOf(one)}`] })))
      await relay.until(() => cases.every(one => lineOf(relay.lines, one) !== undefined), 'an outcome of every message')
      for (const one of cases) outcomes.set(nameOf(one), outcomeOf(lineOf(relay.lines, one)!))
      for (const one of cases) replies.set(nameOf(one), String(lineOf(relay.lines, one)!.reply))
      for (const one of cases) reached.set(nameOf(one), messagesTo(sinks, one))
      asked = [...hosts.asked]
      mended = await mendedPolicies(relay)
    }
    resolver.close()
    await Promise.all(sinks.map(sink => sink.close()))
  })

  for (const one of cases)
    it(`${one.title}: ${one.expect}`, () => {
      assert.equal(outcomes.get(nameOf(one)), one.expect)
      assert.equal(reached.get(nameOf(one)), one.expect.startsWith('delivered') ? 1 : 0)
      assert.match(replies.get(nameOf(one))!, reasons[one.domain] ?? /^250 /)
      if (one.asked === undefined) return
      const paths = asked.filter(path => path.startsWith(`mta-sts.${nameOf(one)}/`))
      assert.deepEqual(paths, one.asked ? [`mta-sts.${nameOf(one)}/.well-known/mta-sts.txt`] : [])
    })

  it('an account that must have TLS: deferred until it need not', () =>
    assert.equal(mended, 'deferred (tls-policy) by account:required'))
})

function lineOf(lines: readonly LoggedLine[], one: Case, after = 0): LoggedLine | undefined {
  return lines.slice(after).find(({ event, recipient }) => {
    return recipient === `b@${nameOf(one)}` && ['delivered', 'deferred', 'bounced'].includes(String(event))
  })
}

function outcomeOf({ event, class: found, tls, tlsPolicy }: LoggedLine): string {
  const proof = event === 'delivered' ? (/(?:un)?verified$/.exec(String(tls))?.[0] ?? 'plain') : `(${found})`
  return [event, proof, tlsPolicy === undefined ? '' : `by ${tlsPolicy}`].join(' ').trim()
}

function messagesTo(sinks: readonly Sink[], one: Case): number {
  return sinks.flatMap(({ messages }) => messages).filter(({ recipients }) => recipients.includes(`b@${nameOf(one)}`))
    .length
}

/** A message to the domain without policy, of an account that asks for TLS. */
async function mendedPolicies(relay: Awaited<ReturnType<typeof startRelay>>): Promise<string> {
  const free = cases.find(({ domain }) => domain === 'p1')!
  const before = relay.lines.length
  const { body } = await relay.api('PATCH', `/v1/accounts/${relay.account}`, { tls: 'required' })
  assert.equal(body.tls, 'required')
  await relay.submit({ from: `a@${ours}`, to: [`b@${nameOf(free)}`] })
  await relay.until(() => lineOf(relay.lines, free, before) !== undefined, 'an outcome under the account’s rule')
  return outcomeOf(lineOf(relay.lines, free, before)!)
}
