/**
 * What a message asks of the relay: its priority (X-Kitte-Priority, credential, the signs of a mailing) and when it shall
 * be sent (RFC 4865, X-Kitte-Send-At).
 */
import assert from 'node:assert/strict'
import type { Config } from '../../src/base/config.ts'
import type { Priority } from '../../src/mail/priority.ts'
import type { QueueRow } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type Msa, startMsa } from './msa.ts'

const from = 'From: a@ours.example\r\n'
const hour = 3_600_000

interface Case {
  readonly header?: string
  readonly parameters?: string
  readonly reply?: RegExp
  readonly submission?: Partial<Config['submission']>
}

/** What became of one mail of a day at 12:00 in Tokyo: null when it was refused. */
async function submit(msa: Msa, { header = '', parameters = '', reply = /^250 / }: Case): Promise<QueueRow | null> {
  await using client = await msa.loggedIn()
  await client.say(`MAIL FROM:<a@ours.example>${parameters}`, /^250 /)
  await client.say('RCPT TO:<b@there.example>', /^250 /)
  await client.content(`${header}${from}\r\nx`, reply)
  return (await msa.store.listQueue({}, { limit: 10 })).at(-1) ?? null
}

async function row(given: Case): Promise<QueueRow | null> {
  await using msa = await startMsa({ clock: manualClock(), submission: given.submission ?? {} })
  return await submit(msa, given)
}

async function priorityOf(header: string, submission: Partial<Config['submission']> = {}): Promise<Priority> {
  return (await row({ header, submission }))!.message.priority ?? 'normal'
}

describe('the priority of a message', () => {
  it('is what its header says', async () => {
    assert.equal(await priorityOf('X-Kitte-Priority: transactional\r\n'), 'transactional')
    assert.equal(await priorityOf('x-kitte-priority:\r\n  BULK\r\n'), 'bulk')
    assert.equal(
      await priorityOf('X-Kitte-Priority: normal\r\nList-Unsubscribe: <mailto:u@ours.example>\r\n'),
      'normal',
    )
    assert.equal(await priorityOf(''), 'normal')
  })

  it('is bulk for what says that it is a mailing, unless the configuration leaves that out', async () => {
    const list = 'List-Unsubscribe: <https://ours.example/u>\r\n'
    assert.equal(await priorityOf(list), 'bulk')
    assert.equal(await priorityOf('Precedence: Bulk\r\n'), 'bulk')
    assert.equal(await priorityOf('Precedence: first-class\r\n'), 'normal')
    assert.equal(await priorityOf(list, { listMailIsBulk: false }), 'normal')
  })

  it("is its credential's where the header says nothing, from the next message on", async () => {
    await using msa = await startMsa()
    await using client = await msa.loggedIn()
    const next = async (header: string) => {
      await client.say('MAIL FROM:<a@ours.example>', /^250 /)
      await client.say('RCPT TO:<b@there.example>', /^250 /)
      await client.content(`${header}${from}\r\nx`, /^250 /)
      return msa.lastMessage().priority ?? 'normal'
    }
    assert.equal(await next(''), 'normal')
    await msa.store.updateCredential('acme', { priority: 'transactional' })
    assert.equal(await next('List-Unsubscribe: <mailto:u@ours.example>\r\n'), 'transactional')
    assert.equal(await next('X-Kitte-Priority: bulk\r\n'), 'bulk')
    assert.equal(msa.events('accepted').at(-1)?.fields.priority, 'bulk')
    assert.doesNotMatch(msa.lastContent().toString(), /X-Kitte/)
  })

  it('is refused when it is none, or said twice, with what to write', async () => {
    const bad = /^550 5\.6\.0 The X-Kitte-Priority field says "urgent"; write transactional, normal or bulk/
    assert.equal(await row({ header: 'X-Kitte-Priority: urgent\r\n', reply: bad }), null)
    const twice = 'X-Kitte-Priority: bulk\r\nX-Kitte-Priority: bulk\r\n'
    assert.equal(await row({ header: twice, reply: /^550 5\.6\.0 .*several X-Kitte-Priority fields; leave one/ }), null)
  })
})

describe('a message for later', () => {
  const now = manualClock().now()
  const at = (ms: number) => new Date(now + ms).toISOString()

  it('is kept until the moment its header names, which is taken out', async () => {
    await using msa = await startMsa({ clock: manualClock() })
    const kept = await submit(msa, { header: 'X-Kitte-Send-At: Thu, 15 Jan 2026 15:00:00 +0900\r\n' })
    assert.deepEqual([kept!.waitReason, kept!.entry.nextAttemptAt], ['schedule', now + 3 * hour])
    assert.equal(kept!.message.releaseAt, now + 3 * hour)
    assert.equal(kept!.entry.expiresAt - kept!.entry.nextAttemptAt, 4 * 24 * hour)
    const content = await msa.store.content(kept!.message.id)
    assert.ok(content?.kind === 'inline')
    assert.doesNotMatch(Buffer.from(content.bytes).toString(), /X-Kitte/i)
    assert.equal(msa.events('accepted')[0]?.fields.releaseAt, at(3 * hour))
    assert.equal(msa.asked(), 0)
    assert.deepEqual(msa.waitingSince, [now + 3 * hour])
  })

  it('is kept as MAIL asks, for a time or until a moment (RFC 4865)', async () => {
    assert.equal((await row({ parameters: ' HOLDFOR=3600' }))!.entry.nextAttemptAt, now + hour)
    assert.equal((await row({ parameters: ` HOLDUNTIL=${at(2 * hour)}` }))!.entry.nextAttemptAt, now + 2 * hour)
    const both = { parameters: ' HOLDFOR=3600', header: `X-Kitte-Send-At: ${at(5 * hour)}\r\n` }
    assert.equal((await row(both))!.entry.nextAttemptAt, now + 5 * hour)
  })

  it('goes out at once when the moment is past', async () => {
    await using msa = await startMsa({ clock: manualClock() })
    for (const given of [
      { header: `X-Kitte-Send-At: ${at(-hour)}\r\n` },
      { parameters: ` HOLDUNTIL=${at(-hour)}` },
      { parameters: ' HOLDFOR=0' },
    ]) {
      await submit(msa, given)
      assert.equal(msa.lastMessage().releaseAt, undefined)
    }
    assert.equal(msa.offered.length, 3)
  })

  const refusals: readonly (readonly [parameters: string, reply: RegExp])[] = [
    ['HOLDFOR=soon', /^501 5\.5\.4 The parameter HOLDFOR is malformed: it must be a number of seconds/],
    ['HOLDFOR=1234567890', /^501 5\.5\.4 /],
    ['HOLDFOR', /^501 5\.5\.4 /],
    ['HOLDUNTIL=tomorrow', /^501 5\.5\.4 .*HOLDUNTIL.* such as 2026-01-15T09:00:00Z/],
    ['HOLDUNTIL=2026-02-30T09:00:00Z', /^501 5\.5\.4 /],
    ['HOLDFOR=60 HOLDUNTIL=2026-01-16T09:00:00Z', /^501 5\.5\.4 .*leave one of them out/],
    ['HOLDFOR=2592001', /^501 5\.5\.4 .*at most 2592000 seconds/],
    ['HOLDUNTIL=2026-03-01T09:00:00Z', /^501 5\.5\.4 .*at most 2592000 seconds/],
  ]

  it('is refused at MAIL when that can not be read or is too far ahead', async () => {
    await using msa = await startMsa({ clock: manualClock() })
    await using client = await msa.loggedIn()
    for (const [parameters, reply] of refusals) await client.say(`MAIL FROM:<a@ours.example> ${parameters}`, reply)
    await client.say('MAIL FROM:<a@ours.example> HOLDFOR=2592000', /^250 /)
  })

  it('is refused after DATA when its header can not be read or is too far ahead', async () => {
    const unclear = /^550[- ]5\.6\.0 The X-Kitte-Send-At field says "tomorrow"; write a time with its zone/
    assert.equal(await row({ header: 'X-Kitte-Send-At: tomorrow\r\n', reply: unclear }), null)
    assert.equal(await row({ header: 'X-Kitte-Send-At: 2026-01-16T09:00:00\r\n', reply: /^550[- ]5\.6\.0 / }), null)
    const inJapanese = {
      header: 'X-Kitte-Send-At: 明日の朝\r\n',
      parameters: ' SMTPUTF8',
      reply: /says "明日の朝"; write/,
    }
    assert.equal(await row(inJapanese), null)
    const late = {
      header: `X-Kitte-Send-At: ${at(31 * 24 * hour)}\r\n`,
      reply: /^550[- ]5\.6\.0 .*2026-02-14T03:00:00/,
    }
    assert.equal(await row(late), null)
  })

  it('is announced with its bounds, and neither announced nor taken where it is turned off', async () => {
    await using msa = await startMsa({ clock: manualClock() })
    await using client = await msa.open()
    assert.match(await client.say('EHLO x', /^250/), /^250-FUTURERELEASE 2592000 2026-02-14T03:00:00Z\r?$/m)
    await using without = await startMsa({ clock: manualClock(), submission: { maxFutureRelease: 0 } })
    await using other = await without.loggedIn()
    assert.doesNotMatch(await other.say('EHLO x', /^250/), /FUTURERELEASE/)
    await other.say('MAIL FROM:<a@ours.example> HOLDFOR=60', /^555 5\.5\.4 /)
    const header = `X-Kitte-Send-At: ${at(hour)}\r\n`
    assert.equal(await submit(without, { header, reply: /^550 5\.6\.0 .*leave the X-Kitte-Send-At field out/ }), null)
  })
})
