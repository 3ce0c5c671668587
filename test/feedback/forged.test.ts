/**
 * Ten thousand forged or mutated addresses and bounces: nothing is believed, nothing is sent, nothing breaks, nothing piles up.
 */
import assert from 'node:assert/strict'
import { newId } from '../../src/base/ids.ts'
import { bytesInUse } from '../support/heap.ts'
import { seededRandom } from '../support/random.ts'
import { bounceMails } from './bounces/all.ts'
import { returnPath } from './bounces/shape.ts'
import { bounceHost, type FeedbackWorld, openFeedbackWorld, type Sent } from './world.ts'

const bounces = bounceMails.map(({ raw }) => Buffer.from(raw))
const arf = Buffer.from(`From: fbl@provider.example
Content-Type: multipart/report; report-type=feedback-report; boundary=p

--p
Content-Type: message/feedback-report

Feedback-Type: abuse
Original-Mail-From: <${returnPath}>
Original-Rcpt-To: <you@theirs.example>

--p
Content-Type: message/rfc822

Return-Path: <${returnPath}>
Received: from crm.example.jp ([192.0.2.10]) by relay.example.jp with ESMTPSA id 01jhm3w5c0f8k2v6q9x7r1t4ab; Thu, 15 Jan 2026 12:00:00 +0900
To: you@theirs.example

--p--
`)

type Random = () => number
const octets = (random: Random, count: number) => Buffer.from(Array.from({ length: count }, () => below(random, 256)))
const below = (random: Random, limit: number) => Math.floor(random() * limit)
const oneOf = <Choice>(random: Random, choices: readonly Choice[]): Choice => choices[below(random, choices.length)]!

/** Ways to come by an address without the key. */
const forgeries: readonly ((path: string, others: readonly Sent[], random: Random, world: FeedbackWorld) => string)[] =
  [
    // One character of the local part is another one.
    (path, _, random) => {
      const at = below(random, path.indexOf('@') - 2) + 2
      const other = oneOf(
        random,
        [...'0123456789abcdefghjkmnpqrstvwxyz'].filter(letter => letter !== path[at]),
      )
      return path.slice(0, at) + other + path.slice(at + 1)
    },
    // The signature of another message, of another recipient, of another host.
    (path, others, random) => {
      const other = oneOf(random, oneOf(random, others).paths)
      return other === path
        ? `x${path}`
        : path.replace(/-[^-]+@/, other.slice(other.lastIndexOf('-'), other.indexOf('@') + 1))
    },
    path => path.replace(/-(\d+)-/, (_, n: string) => `-${Number(n) + 1}-`),
    path => path.replace(/-\d+-/, '-x-'),
    path => path.replace(bounceHost, 'bounce.customer.example'),
    // A key of one's own.
    (_path, others, random, world) => world.pathOf(oneOf(random, others).message, 0, octets(random, 32)),
    (_path, _others, random) => `b-${newId(below(random, 2e12))}-0-${'0'.repeat(16)}@${bounceHost}`,
    // Cut, lengthened, decorated.
    (path, _, random) => path.slice(below(random, 20) + 1),
    path => path.replace('@', '0@'),
    path => path.replace('@', '+0@'),
    path => `"${path.replace('@', '"@')}`,
    path => path.replace('-', '--'),
    () => '',
    (_path, _others, random) => octets(random, below(random, 80)).toString('latin1'),
  ]

/** Bytes flipped, cut out, doubled, moved. */
function mutated(content: Buffer, random: Random): Buffer {
  const octets = [...content]
  for (let i = below(random, 30); i >= 0; i--) {
    const at = below(random, octets.length)
    const length = below(random, 60)
    const kind = below(random, 4)
    if (kind === 0) octets[at] = below(random, 256)
    else if (kind === 1) octets.splice(at, length)
    else if (kind === 2) octets.splice(at, 0, ...octets.slice(at, at + length))
    else octets.splice(below(random, octets.length), 0, ...octets.splice(at, length))
    if (octets.length === 0) octets.push(10)
  }
  return Buffer.from(octets)
}

describe('ten thousand forged or mutated addresses and bounces', () => {
  it('change nothing, send nothing, break nothing and leave nothing behind', async () => {
    await using world = await openFeedbackWorld()
    const random = seededRandom(6)
    const sent: Sent[] = []
    for (let i = 0; i < 20; i++) sent.push(await world.send(['you@theirs.example', 'other@theirs.example']))
    const over = await world.send(['you@theirs.example'], 'bounced')
    const before = await stateOf(world)
    let memory = 0
    let accepted = 0
    for (let i = 0; i < 10_000; i++) {
      if (i === 2000) memory = bytesInUse()
      const path = oneOf(random, oneOf(random, sent).paths)
      const content = mutated(i % 5 === 0 ? arf : oneOf(random, bounces), random)
      const to =
        i % 4 === 0
          ? `fbl@${bounceHost}`
          : i % 4 === 1
            ? over.paths[0]!
            : oneOf(random, forgeries)(path, sent, random, world)
      const taken = await world.receive(to, content)
      if (taken === null) continue
      accepted++
      assert.ok(!taken.some(one => one === 'bounce' || one === 'delay' || one === 'complaint'), `${i}: ${to} ${taken}`)
      world.lines.length = 0
    }
    assert.ok(accepted >= 5000, 'those to addresses that exist were read')
    assert.deepEqual(await stateOf(world), before)
    assert.deepEqual(world.notices, [])
    assert.ok(bytesInUse() - memory < 16_000_000, `${bytesInUse() - memory} bytes more`)
  })

  it('of which a mutated bounce to an address that is ours counts once at most, and only for its recipient', async () => {
    await using world = await openFeedbackWorld()
    const random = seededRandom(7)
    const [one, other] = [await world.send(['you@theirs.example']), await world.send(['you@theirs.example'])]
    for (let i = 0; i < 1000; i++) await world.receive(one.paths[0]!, mutated(oneOf(random, bounces), random))
    const about = [...world.notices].map(({ evidence }) => [evidence.message, evidence.kind])
    assert.deepEqual(about, [[one.message.id, 'bounce']])
    assert.deepEqual(await world.store.events({ message: other.message.id }, 10), [])
    const events = await world.store.events({ message: one.message.id }, 10)
    assert.ok(events.length <= 2, 'one of each kind')
    assert.equal((await world.store.countQueue({})).total, 1, 'one report to the sender')
  })
})

/** All that a forged bounce could change. */
async function stateOf({ store }: FeedbackWorld): Promise<unknown> {
  const [totals, events, queue, next] = await Promise.all([
    store.totals(),
    store.events({}, 1000),
    store.countQueue({}),
    store.nextDueAt(),
  ])
  return { totals, events, queue, next }
}
