/**
 * Many sites that share the limits of one provider: accounts and priorities take turns among them as they do at one site.
 */
import assert from 'node:assert/strict'
import type { HeldMessage } from '../../src/delivery/held-message.ts'
import type { Route } from '../../src/delivery/route.ts'
import { SiteRing } from '../../src/delivery/site-ring.ts'
import type { Group } from '../../src/delivery/throttle.ts'
import type { Priority } from '../../src/mail/priority.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { jainIndex } from '../support/jain-index.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

const rule = { suffix: 'provider.example', messagesPerConnection: 100, name: 'provider', shared: true }
const closing = { firstMs: 60_000, maximumMs: 60_000 }

interface Mail {
  readonly account: string
  readonly senderDomain?: string
  readonly priority?: Priority
}

function provider(clock: ManualClock, limits: { readonly connections: number; readonly perMinute: number | null }) {
  const started: { readonly account: string; readonly site: string; readonly senderDomain: string }[] = []
  const ring = new SiteRing({
    clock,
    rules: [{ ...rule, ...limits }],
    maxAttempts: 100,
    open: () => true,
    run: (site, { held: { message } }) =>
      void started.push({ account: message.account!, site: site.name, senderDomain: message.senderDomain }),
  })
  const siteOf = (customer: number) => ring.site(routeTo(customer))
  return {
    ring,
    started,
    siteOf,
    push: (customer: number, mail: Mail) => ring.push(siteOf(customer), groupOf(routeTo(customer), mail)),
    /** Ends the attempt that was started as that number, which lets the next begin. */
    end(number: number) {
      ring.sent(ring.known(started[number]!.site)!)
      ring.ended()
    },
  }
}

function routeTo(customer: number): Route {
  const name = `c${customer}.provider.example`
  return { kind: 'mx', key: name, site: name, hosts: [], own: null }
}

function groupOf(route: Route, { account, senderDomain = `${account}.example`, priority }: Mail): Group {
  const message = { ...makeMessage(), account, senderDomain, ...(priority && { priority }) }
  return { held: { message } as unknown as HeldMessage, leased: [makeLeased(message)], route }
}

describe('customers of one provider that share its limits', () => {
  it("get one account's mail in turn with another's, however many of them it floods", () => {
    const { ring, started, push, end } = provider(manualClock(), { connections: 1, perMinute: null })
    for (let customer = 0; customer < 1000; customer++) push(customer, { account: 'many' })
    for (let n = 0; n < 3; n++) push(7, { account: 'few' })
    ring.turn()
    for (let n = 0; n < 7; n++) end(n)
    assert.deepEqual(
      started.map(({ account }) => account),
      ['many', 'few', 'many', 'few', 'many', 'few', 'many', 'many'],
    )
  })

  it('get what is urgent before the rest of its account, whichever of them it is for', async () => {
    const clock = manualClock()
    const { ring, started, push } = provider(clock, { connections: 20, perMinute: 60 })
    for (let customer = 0; customer < 1000; customer++) push(customer, { account: 'a', priority: 'bulk' })
    ring.turn()
    push(999, { account: 'a', priority: 'transactional' })
    await clock.advance(1000)
    assert.deepEqual(
      started.map(({ site }) => site),
      ['c0.provider.example', 'c999.provider.example'],
    )
    ring.stop()
  })

  it("get an account's sender domains in turn, and of each its mail for all of them in turn", () => {
    const { ring, started, push, end } = provider(manualClock(), { connections: 1, perMinute: null })
    for (let n = 0; n < 4; n++) for (const customer of [1, 2]) push(customer, { account: 'a', senderDomain: 'one' })
    for (const customer of [3, 3]) push(customer, { account: 'a', senderDomain: 'two' })
    ring.turn()
    for (let n = 0; n < 5; n++) end(n)
    assert.deepEqual(
      started.map(({ site, senderDomain }) => `${senderDomain} ${site[1]}`),
      ['one 1', 'two 3', 'one 2', 'two 3', 'one 1', 'one 2'],
    )
  })

  it('get nine accounts their even parts while a tenth floods', async () => {
    const clock = manualClock()
    const { ring, started, push } = provider(clock, { connections: 5, perMinute: 600 })
    for (let customer = 0; customer < 2000; customer++) push(customer, { account: 'flood' })
    for (let account = 0; account < 9; account++)
      for (let n = 0; n < 40; n++) push(account * 100 + n, { account: `a${account}` })
    ring.turn()
    for (let ended = 0; ended < 200; ended++) {
      while (started.length <= ended) await clock.advance(100)
      ring.sent(ring.known(started[ended]!.site)!)
      ring.ended()
    }
    const counts = Array.from({ length: 9 }, (_, n) => started.filter(({ account }) => account === `a${n}`).length)
    assert.ok(jainIndex(counts) > 0.99, `${counts}`)
    assert.ok(counts.every(count => count >= 18))
    ring.stop()
  })

  it('wait for one that is on trial alone, and it gets its mail when it has passed', () => {
    const { ring, started, siteOf, push, end } = provider(manualClock(), { connections: 5, perMinute: null })
    siteOf(1).close(closing)
    siteOf(1).probe()
    for (let n = 0; n < 3; n++) push(1, { account: 'a' })
    for (let n = 0; n < 3; n++) push(2, { account: 'a' })
    ring.turn()
    assert.deepEqual(started.map(({ site }) => site[1]).toSorted(), ['1', '2', '2', '2'], 'one attempt at it at once')
    assert.deepEqual([siteOf(1).waiting, siteOf(1).limits.crowd!.waiting], [2, 2], 'what stands aside still counts')
    siteOf(1).succeed()
    end(0)
    assert.deepEqual([siteOf(1).running, siteOf(1).waiting], [2, 0])
  })

  it('lose nothing when one of them closes', () => {
    const { ring, started, siteOf, push, end } = provider(manualClock(), { connections: 1, perMinute: null })
    for (const customer of [1, 2, 1, 2, 1]) push(customer, { account: 'a' })
    ring.turn()
    siteOf(1).close(closing)
    assert.equal(ring.drain(siteOf(1)).length, 2)
    assert.equal(siteOf(2).limits.crowd!.waiting, 2)
    for (let n = 0; n < 3; n++) end(n)
    assert.deepEqual(
      started.map(({ site }) => site[1]),
      ['1', '2', '2'],
    )
    assert.deepEqual([ring.running, siteOf(2).limits.crowd!.waiting], [0, 0])
  })
})
