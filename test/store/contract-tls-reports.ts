/**
 * Counts for TLS reports and the reports made of them: added up, listed by day, owed once, due in order, forgotten.
 */
import assert from 'node:assert/strict'
import type { TlsCount, TlsFailureDetail, TlsReport } from '../../src/mail/tls-report.ts'
import type { StoreFactory } from './factory.ts'

const noPolicy = {
  policyType: 'no-policy-found',
  policyDomain: 'a.example',
  policyStrings: [],
  mxHostPatterns: [],
} as const
const sts = {
  ...noPolicy,
  policyType: 'sts',
  policyStrings: ['version: STSv1'],
  mxHostPatterns: ['mx.a.example'],
} as const
const expired: TlsFailureDetail = {
  resultType: 'certificate-expired',
  receivingMx: 'mx.a.example',
  receivingIp: '192.0.2.1',
  sendingIp: null,
  additional: 'CERT_HAS_EXPIRED',
}

function count(change: Partial<TlsCount> = {}): TlsCount {
  return { day: '2026-01-15', domain: 'a.example', policy: noPolicy, failure: null, sessions: 1, ...change }
}

function report(change: Partial<TlsReport> = {}): TlsReport {
  return {
    day: '2026-01-15',
    domain: 'a.example',
    reportId: 'r1',
    attempts: 0,
    nextAttemptAt: 5,
    destinations: [],
    ...change,
  }
}

export function contractOfTlsReports(factory: StoreFactory): void {
  describe('counts of TLS sessions', () => {
    it('add up per day, domain, policy and failure', async () => {
      await using t = await factory()
      await t.store.addTlsCounts([count(), count({ failure: expired }), count({ policy: sts, sessions: 3 })])
      await t.store.addTlsCounts([count({ sessions: 4 }), count({ failure: expired }), count({ day: '2026-01-16' })])
      assert.deepEqual(await t.store.tlsCounts('a.example', '2026-01-15'), [
        count({ sessions: 5 }),
        count({ policy: sts, sessions: 3 }),
        count({ failure: expired, sessions: 2 }),
      ])
      assert.deepEqual(await t.store.tlsCounts('b.example', '2026-01-15'), [])
    })

    it('do not grow without bound: then it is no longer told where', async () => {
      await using t = await factory()
      const hosts = Array.from({ length: 1000 }, (_, n) => ({ ...expired, receivingMx: `mx${n}.a.example` }))
      await t.store.addTlsCounts(hosts.map(failure => count({ failure })))
      const counts = await t.store.tlsCounts('a.example', '2026-01-15')
      assert.ok(counts.length <= 500, String(counts.length))
      assert.equal(
        counts.reduce((sum, { sessions }) => sum + sessions, 0),
        1000,
      )
      assert.deepEqual(counts[0]!.failure, { ...expired, receivingMx: null, receivingIp: null, additional: null })
    })

    it('are listed by day, newest first, with their reports', async () => {
      await using t = await factory()
      const names = ['a.example', 'b.example']
      const days = ['2026-01-15', '2026-01-16']
      await t.store.addTlsCounts(days.flatMap(day => names.map(domain => count({ day, domain, sessions: 2 }))))
      await t.store.addTlsCounts([count({ failure: expired })])
      await t.store.saveTlsReport(report())
      const list = async (filter: { domain?: string }, page: object = {}) =>
        (await t.store.listTlsDays(filter, { limit: 10, ...page })).map(({ day, domain }) => `${day}/${domain}`)
      const all = ['2026-01-16/b.example', '2026-01-16/a.example', '2026-01-15/b.example', '2026-01-15/a.example']
      assert.deepEqual(await list({}), all)
      assert.deepEqual(await list({}, { limit: 1, after: all[0] }), [all[1]])
      assert.deepEqual(await list({}, { after: all[1] }), all.slice(2))
      const [newest, older] = await t.store.listTlsDays({ domain: 'a.example' }, { limit: 10 })
      assert.deepEqual(newest, { day: days[1], domain: 'a.example', successful: 2, failed: 0, report: null })
      assert.deepEqual(older, { day: days[0], domain: 'a.example', successful: 2, failed: 1, report: report() })
    })
  })

  describe('a TLS report', () => {
    it('is owed for a day that is over until it is saved, and due when it says', async () => {
      await using t = await factory()
      await t.store.addTlsCounts([count(), count({ domain: 'b.example' }), count({ day: '2026-01-16' })])
      const owed = () => t.store.tlsReportsOwed('2026-01-16', 10)
      assert.deepEqual(await owed(), [
        { day: '2026-01-15', domain: 'a.example' },
        { day: '2026-01-15', domain: 'b.example' },
      ])
      assert.equal(await t.store.nextTlsReportAt(), null)
      await t.store.saveTlsReport(report({ nextAttemptAt: 9 }))
      await t.store.saveTlsReport(report({ domain: 'b.example' }))
      assert.deepEqual(await owed(), [])
      assert.equal(await t.store.nextTlsReportAt(), 5)
      assert.deepEqual(await t.store.dueTlsReports(4, 10), [])
      const due = async (now: number) => (await t.store.dueTlsReports(now, 10)).map(({ domain }) => domain)
      assert.deepEqual(await due(9), ['b.example', 'a.example'])
      await t.store.saveTlsReport(report({ domain: 'b.example', nextAttemptAt: null }))
      assert.deepEqual(await due(9), ['a.example'])
    })

    it('is forgotten with the counts of its day', async () => {
      await using t = await factory()
      await t.store.addTlsCounts([count(), count({ day: '2026-01-16' })])
      await t.store.saveTlsReport(report())
      assert.equal(await t.store.purgeTlsReports('2026-01-16'), 1)
      assert.equal(await t.store.nextTlsReportAt(), null)
      assert.equal((await t.store.listTlsDays({}, { limit: 10 })).length, 1)
    })
  })
}
