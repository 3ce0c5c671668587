/**
 * What connections note becomes rows of the store: added up, for those who want to know, within bounds.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { TlsCount } from '../../src/mail/tls-report.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { SessionCounts } from '../../src/tls/session-counts.ts'
import type { TlsResult } from '../../src/tls/tls-result.ts'
import { manualClock } from '../support/manual-clock.ts'

const minute = 60_000
const wanted: Zone = { '_smtp._tls.a.example': { TXT: ['v=TLSRPTv1; rua=mailto:tls@a.example'] } }

function result(change: Partial<TlsResult> = {}): TlsResult {
  return {
    domain: 'a.example',
    policyDomain: 'a.example',
    policyType: 'no-policy-found',
    policyStrings: [],
    mxHostPatterns: [],
    receivingMx: 'mx.a.example',
    receivingIp: '192.0.2.1',
    sendingIp: null,
    result: 'success',
    additional: null,
    ...change,
  }
}

function counting(zone: Zone = wanted) {
  const clock = manualClock()
  const written: TlsCount[] = []
  const state = { isDown: false }
  const store = {
    async addTlsCounts(counts: readonly TlsCount[]) {
      if (state.isDown) throw new StoreUnavailable('down')
      written.push(...counts)
    },
  }
  const resolver = zoneResolver(zone)
  resolver.fail('_smtp._tls.broken.example')
  const record = { resolver, maxDestinations: 4, anyPort: false }
  return { clock, written, state, counts: new SessionCounts({ store, record, clock, log: silentLog }) }
}

const shown = (counts: readonly TlsCount[]) =>
  counts.map(({ domain, failure, sessions }) => `${domain} ${failure?.resultType ?? 'success'} ${sessions}`)

describe('TLS sessions', () => {
  it('are counted in memory and written every minute', async () => {
    const { clock, written, counts } = counting()
    for (let n = 0; n < 3; n++) counts.note(result())
    counts.note(result({ result: 'starttls-not-supported' }))
    assert.equal(written.length, 0)
    await clock.advance(minute)
    assert.deepEqual(shown(written), ['a.example success 3', 'a.example starttls-not-supported 1'])
    assert.equal(written[0]!.day, '2026-01-15')
    await clock.advance(minute)
    assert.equal(written.length, 2, 'once')
    await counts.stop()
    assert.equal(clock.waiting, 0)
  })

  it('belong to the UTC day they were noted on', async () => {
    const { clock, written, counts } = counting()
    await clock.advance(21 * 60 * minute - 1000)
    counts.note(result())
    await clock.advance(2000)
    counts.note(result())
    await counts.stop()
    assert.deepEqual(
      written.map(({ day }) => day),
      ['2026-01-15', '2026-01-16'],
    )
  })

  it('of domains that want no reports are forgotten; where DNS says nothing they are kept', async () => {
    const { clock, written, counts } = counting()
    for (const domain of ['a.example', 'b.example', 'broken.example', '[192.0.2.1]']) counts.note(result({ domain }))
    await clock.advance(minute)
    assert.deepEqual(shown(written), ['a.example success 1', 'broken.example success 1'])
    await counts.stop()
  })

  it('are written at a stop without asking anybody', async () => {
    const { written, counts } = counting()
    counts.note(result({ domain: 'b.example' }))
    await counts.stop()
    assert.deepEqual(shown(written), ['b.example success 1'])
  })

  it('wait while the store can not be written', async () => {
    const { clock, written, state, counts } = counting()
    state.isDown = true
    counts.note(result())
    await clock.advance(minute)
    state.isDown = false
    counts.note(result())
    await clock.advance(minute)
    assert.deepEqual(shown(written), ['a.example success 2'])
    await counts.stop()
  })

  it('of too many hosts are counted without them, and too long a policy is cut', async () => {
    const { clock, written, counts } = counting()
    for (let n = 0; n < 500; n++)
      counts.note(result({ result: 'certificate-expired', receivingMx: `mx${n}.a.example` }))
    counts.note(
      result({ policyType: 'sts', policyStrings: Array.from({ length: 500 }, (_, n) => `mx: mx${n}.a.example`) }),
    )
    await clock.advance(minute)
    assert.ok(written.length < 150, String(written.length))
    assert.equal(
      written.reduce((sum, { sessions }) => sum + sessions, 0),
      501,
    )
    assert.ok(JSON.stringify(written).length < 50_000)
    await counts.stop()
  })
})
