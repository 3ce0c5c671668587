import assert from 'node:assert/strict'
import type { Route } from '../../src/delivery/route.ts'
import type { Evidence } from '../../src/delivery/site-limits.ts'
import { SiteRing } from '../../src/delivery/site-ring.ts'
import { isAboutSender, SlowedSenders } from '../../src/delivery/slowed-senders.ts'
import type { Group } from '../../src/delivery/throttle.ts'
import type { OutcomeClass } from '../../src/mail/outcome.ts'
import { parseReply } from '../../src/mail/reply.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { manualClock } from '../support/manual-clock.ts'

const minute = 60_000
const rule = { suffix: '', connections: 10, messagesPerConnection: 100, perMinute: 100 }
const route: Route = { kind: 'mx', key: 'mx.example', site: 'mx.example', hosts: [], own: null }
const domain = 'example.co.jp'

function start() {
  const clock = manualClock()
  const ring = new SiteRing({ clock, rules: [rule], maxAttempts: 1, open: () => false, run: () => {} })
  const senders = new SlowedSenders({ clock, rest: { firstMs: minute, maximumMs: 4 * minute } })
  const site = ring.site(route)
  const other = ring.site({ ...route, key: 'mx.other.example', site: 'mx.other.example' })
  const evidence = (): Evidence => ({ reply: '421 4.7.28 too much', class: 'rate', at: clock.now() })
  return { clock, senders, site, other, evidence }
}

function group(change: Parameters<typeof makeMessage>[0] = {}, recipient = 'b@example.com'): Group {
  const message = makeMessage(change)
  return { held: { message }, leased: [makeLeased(message, { address: recipient })], route } as unknown as Group
}

describe('a reply about a sender domain', () => {
  const table: readonly (readonly [string, string, OutcomeClass, Group, boolean])[] = [
    ['names it', `421 4.7.28 rate of mail originating from your DKIM domain [${domain} 36]`, 'rate', group(), true],
    ['quotes the sender', `451 4.7.1 <sales@${domain}>: too many messages`, 'rate', group(), true],
    ['ends with it', `450 4.7.1 too much mail from ${domain.toUpperCase()}.`, 'rate', group(), true],
    ['names nobody', '421 4.7.0 too many messages, slow down', 'rate', group(), false],
    ['names another', '421 4.7.0 too many messages from 192.0.2.1 other.example', 'rate', group(), false],
    ['names a longer one', `421 4.7.0 too many messages from my-${domain}`, 'rate', group(), false],
    ['names one below it', `421 4.7.0 too many messages from a.${domain}`, 'rate', group(), false],
    ['names one that begins like it', `421 4.7.0 too many messages from ${domain}.example`, 'rate', group(), false],
    ['is about trouble of the site', `421 4.3.0 no service for ${domain} now`, 'remote-trouble', group(), false],
    [
      'names the recipient’s, which is the same',
      `421 4.7.0 ${domain} is busy`,
      'rate',
      group({}, `b@${domain}`),
      false,
    ],
    ['is about a report of ours', `421 4.7.0 too much from ${domain}`, 'rate', group({ account: null }), false],
  ]
  for (const [what, line, found, of, expected] of table)
    it(`${expected ? 'is' : 'is not'} one that ${what}`, () => {
      assert.equal(isAboutSender({ reply: parseReply(line)!, class: found }, of), expected)
    })
})

describe('a sender domain that a site wants less from', () => {
  it('rests there and nowhere else, and nobody else does', () => {
    const { clock, senders, site, other, evidence } = start()
    assert.equal(senders.isEmpty, true)
    const told = senders.slowDown(site, domain, evidence())
    assert.deepEqual(told, {
      domain,
      perMinute: 6,
      restsUntil: clock.now() + minute,
      reply: '421 4.7.28 too much',
      at: clock.now(),
    })
    assert.equal(senders.slowDown(site, domain, evidence()), null, 'attempts from before')
    assert.equal(senders.admit(site, domain, 1), clock.now() + minute)
    assert.equal(senders.admit(site, 'b.example', 1), null)
    assert.equal(senders.admit(other, domain, 1), null)
    assert.deepEqual([senders.at(site), senders.at(other)], [[told], []])
  })

  it('is looked at again at moments that are spread', async () => {
    const { clock, senders, site, evidence } = start()
    senders.slowDown(site, domain, evidence())
    const moments = Array.from({ length: 1000 }, () => senders.admit(site, domain, 1)! - clock.now())
    assert.equal(new Set(moments).size, 240)
    assert.ok(Math.max(...moments) <= 5 * minute && Math.min(...moments) >= minute)
  })

  it('goes at its rate afterwards, which comes back while mail is taken', async () => {
    const { clock, senders, site, evidence } = start()
    senders.slowDown(site, domain, evidence())
    await clock.advance(minute)
    let sent = 0
    for (let second = 0; second < 60; second++) {
      if (senders.admit(site, domain, 1) === null) sent++
      await clock.advance(1000)
    }
    assert.equal(sent, 6)
    for (let minutes = 0; minutes < 60 && !senders.isEmpty; minutes++) {
      senders.accepted(site, domain)
      await clock.advance(minute)
    }
    assert.equal(senders.isEmpty, true)
    assert.equal(senders.admit(site, domain, 100), null)
  })

  it('rests twice as long when it is refused again, and goes at half the rate', async () => {
    const { clock, senders, site, evidence } = start()
    const rests: (readonly [number, number])[] = []
    for (let n = 0; n < 4; n++) {
      const { restsUntil, perMinute } = senders.slowDown(site, domain, evidence())!
      rests.push([(restsUntil! - clock.now()) / minute, perMinute])
      await clock.advance(restsUntil! - clock.now())
    }
    assert.deepEqual(rests, [
      [1, 6],
      [2, 3],
      [4, 1],
      [4, 1],
    ])
    senders.accepted(site, domain)
    assert.equal(senders.slowDown(site, domain, evidence())!.restsUntil, clock.now() + minute)
  })

  it('is forgotten after a day, and tried at once for an operator', async () => {
    const { clock, senders, site, evidence } = start()
    senders.slowDown(site, domain, evidence())
    senders.probe()
    assert.equal(senders.admit(site, domain, 1), null)
    await clock.advance(24 * 60 * minute)
    assert.equal(senders.admit(site, domain, 1), null)
    assert.equal(senders.isEmpty, true)
  })
})
