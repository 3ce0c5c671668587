import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { dmarc, dmarcPolicy } from '../../src/domains/records/dmarc.ts'
import type { RecordConfig } from '../../src/domains/records/record-kind.ts'
import { domainWith } from './domain-with.ts'

const config = {} as RecordConfig

type Case = readonly [sentence: string, domain: string, zone: Zone, reason: string, detail: object, value: string]

const first = 'v=DMARC1; p=none'
const cases: readonly Case[] = [
  ['is published', 'ours.example', { '_dmarc.ours.example': { TXT: ['v=DMARC1; p=reject; rua=mailto:a@ours.example'] } }, 'ok', { policy: 'reject' }, 'v=DMARC1; p=reject; rua=mailto:a@ours.example'],
  ['is published beside another text', 'ours.example', { '_dmarc.ours.example': { TXT: ['other', 'v=DMARC1;p=none'] } }, 'ok', { policy: 'none' }, 'v=DMARC1;p=none'],
  ['is absent', 'ours.example', {}, 'absent', {}, first],
  ['is that of the organizational domain', 'mail.ours.co.jp', { '_dmarc.ours.co.jp': { TXT: ['v=DMARC1; p=reject; sp=quarantine'] } }, 'ok', { notes: 'note-inherited', parent: 'ours.co.jp', policy: 'quarantine' }, first],
  ['is that of the organizational domain without sp=', 'mail.ours.co.jp', { '_dmarc.ours.co.jp': { TXT: ['v=DMARC1; p=reject'] } }, 'ok', { notes: 'note-inherited', parent: 'ours.co.jp', policy: 'reject' }, first],
  ['is not that of a public suffix', 'ours.co.jp', { '_dmarc.co.jp': { TXT: ['v=DMARC1; p=reject'] } }, 'absent', {}, first],
  ['does not count twice', 'ours.example', { '_dmarc.ours.example': { TXT: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] } }, 'two-records', { count: '2' }, first],
  ['has no policy', 'ours.example', { '_dmarc.ours.example': { TXT: ['v=DMARC1; rua=mailto:a@b'] } }, 'syntax', { problem: 'v=DMARC1; rua=mailto:a@b' }, first],
  ['has a policy that is none', 'ours.example', { '_dmarc.ours.example': { TXT: ['v=DMARC1; p=rejekt'] } }, 'syntax', { problem: 'v=DMARC1; p=rejekt' }, first],
] // biome-ignore format: a table

describe('the DMARC record of a sender domain', () => {
  for (const [sentence, name, zone, reason, detail, value] of cases) {
    it(`${sentence}: ${reason}`, async () => {
      const domain = domainWith({ name })
      const record = dmarc.expected(domain, config)[0]!
      const judgement = await dmarc.judge(record, domain, zoneResolver(zone), config)
      assert.equal(judgement.reason, reason)
      assert.deepEqual(judgement.detail, detail)
      const checks = [{ purpose: 'dmarc', name: record.name, ...judgement, checkedAt: 0 }] as const
      assert.equal(dmarc.expected(domainWith({ name, checks }), config)[0]!.value, value)
    })
  }

  it('can not be asked for', async () => {
    const domain = domainWith({})
    const resolver = zoneResolver({})
    resolver.fail('_dmarc.ours.example')
    const judgement = await dmarc.judge(dmarc.expected(domain, config)[0]!, domain, resolver, config)
    assert.equal(judgement.state, 'dns-error')
  })

  it('tells its policy', () => {
    assert.equal(dmarcPolicy('v=DMARC1; p=Quarantine', false), 'quarantine')
    assert.equal(dmarcPolicy('v=DMARC1; sp=none; p=reject', true), 'none')
    assert.equal(dmarcPolicy('v=DMARC1; p', false), null)
  })
})
