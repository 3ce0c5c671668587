import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../src/base/log.ts'
import { cancelEntries, startExpiry } from '../../src/outcome/expiry.ts'
import { createOriginalReader } from '../../src/outcome/original.ts'
import type { Verdict } from '../../src/outcome/verdict.ts'
import { type LeasedEntry, type NewContent, StoreUnavailable } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { makeLeased, makeMessage, start } from './make.ts'

const minute = 60_000

describe('what waits too long', () => {
  it('is ended once a minute as expired, with its last reply, all of it', async () => {
    const late = many(450, { lastReply: '450 4.2.2 mailbox full', attempts: 7 })
    const { expiry, clock, verdicts, claims } = open({ expired: late })
    await clock.advance(minute)
    assert.equal(verdicts.length, 450)
    assert.deepEqual(claims, [100, 200, 150], 'in slices that grow as time allows')
    const { action, reply, class: found, actor, attempt, facts } = verdicts[0]!.outcome
    assert.deepEqual([action, found, actor, attempt, facts], ['bounced', 'expired', 'recipient', 7, null])
    assert.deepEqual(
      [reply.code, reply.detail, reply.text],
      [451, '4.7', 'expired after 7 attempts in 0 h; last reply: 450 4.2.2 mailbox full'],
    )
    await expiry.stop()
    assert.equal(clock.waiting, 0)
  })

  it('may make its last attempt first, which is due at the expiry itself', async () => {
    const { expiry, clock, asked } = open({})
    await clock.advance(5 * minute)
    assert.equal(asked.expiredBefore, start + 4 * minute)
    await expiry.stop()
  })

  it('is named in a delay notice before that', async () => {
    const { expiry, clock, noticed, asked } = open({ delayed: many(3) })
    await clock.advance(minute)
    assert.deepEqual(
      noticed.map(({ entry }) => entry.id),
      ['m.0', 'm.1', 'm.2'],
    )
    assert.equal(asked.receivedBefore, start + minute - 4 * 3_600_000)
    await expiry.stop()
  })

  it('is left alone while outcomes can not be written', async () => {
    const { expiry, clock, verdicts } = open({ expired: many(1), unsettled: 5 })
    await clock.advance(minute)
    assert.equal(verdicts.length, 0)
    await expiry.stop()
  })

  it('is tried again a minute later when the store fails', async () => {
    const { expiry, clock, verdicts } = open({ expired: many(1), failures: 1 })
    await clock.advance(minute)
    assert.equal(verdicts.length, 0)
    await clock.advance(minute)
    assert.equal(verdicts.length, 1)
    await expiry.stop()
  })
})

describe('cancelling', () => {
  it('takes everything that matches, in parts, and counts it', async () => {
    const waiting = many(430)
    const verdicts: Verdict[] = []
    const count = await cancelEntries(
      {
        store: { claimForCancel: async (_filter, _lease, limit) => waiting.splice(0, limit) },
        settler: { finish: async given => void verdicts.push(...given) },
        clock: manualClock(start),
        owner: 'node/admin',
        leaseMs: 120_000,
      },
      { account: 'account-1' },
      'cancelled by an operator',
    )
    assert.equal(count, 430)
    assert.ok(verdicts.every(({ outcome }) => outcome.action === 'cancelled' && outcome.class === 'cancelled'))
  })
})

describe('the original for a report', () => {
  const contentOf = (content: NewContent | null, folder = '/') =>
    createOriginalReader({
      store: { content: async () => content },
      spool: { absolute: path => join(folder, path) },
    })

  it('is read from the database or the spool, no more than asked for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kitte-original-'))
    await writeFile(join(folder, 'm'), 'Subject: in a file\r\n\r\nbody')
    const inline = contentOf({ kind: 'inline', bytes: Buffer.from('Subject: inline\r\n\r\nbody') })
    assert.equal(String(await inline(makeMessage(), 15)), 'Subject: inline')
    const file = contentOf({ kind: 'file', path: 'm' }, folder)
    assert.equal(String(await file(makeMessage(), 18)), 'Subject: in a file')
    assert.equal(String(await file(makeMessage(), 1000)), 'Subject: in a file\r\n\r\nbody')
    await rm(folder, { recursive: true })
  })

  it('is nothing when it is gone or can not be read', async () => {
    assert.equal(await contentOf(null)(makeMessage(), 10), null)
    assert.equal(await contentOf({ kind: 'file', path: 'nowhere/at/all' })(makeMessage(), 10), null)
    const broken = createOriginalReader({
      store: { content: () => Promise.reject(new StoreUnavailable('gone')) },
      spool: { absolute: path => path },
    })
    assert.equal(await broken(makeMessage(), 10), null)
  })
})

function open(given: { expired?: LeasedEntry[]; delayed?: LeasedEntry[]; unsettled?: number; failures?: number }) {
  const { expired = [], delayed = [], unsettled = 0 } = given
  let failures = given.failures ?? 0
  const clock = manualClock(start)
  const verdicts: Verdict[] = []
  const noticed: LeasedEntry[] = []
  const claims: number[] = []
  const asked = { receivedBefore: 0, expiredBefore: 0 }
  const expiry = startExpiry({
    store: {
      async claimExpired({ now, limit }) {
        asked.expiredBefore = now
        if (failures-- > 0) throw new StoreUnavailable('locked')
        const taken = expired.splice(0, limit)
        claims.push(taken.length)
        return taken
      },
      async takeDelayed({ receivedBefore, limit }) {
        asked.receivedBefore = receivedBefore
        return delayed.splice(0, limit)
      },
    },
    settler: {
      unsettled,
      finish: async given => void verdicts.push(...given),
      notifyDelay: async late => void noticed.push(...late),
    },
    clock,
    log: silentLog,
    owner: 'node/0',
    leaseMs: 120_000,
    delayNoticeAfterMs: 4 * 3_600_000,
  })
  return { expiry, clock, verdicts, noticed, claims, asked }
}

function many(count: number, change: Partial<LeasedEntry['entry']> = {}): LeasedEntry[] {
  return Array.from({ length: count }, (_, n) => makeLeased(makeMessage(), undefined, { id: `m.${n}`, ...change }))
}
