/**
 * `kitte limits`, run in this process against the real API.
 */
import assert from 'node:assert/strict'
import type { SlowedSender } from '../../src/delivery/slowed-senders.ts'
import { idle, startApi, token } from '../admin/support/api.ts'
import { cli } from './support/cli.ts'

describe('kitte limits', () => {
  it('shows what sites may get, and the reply that lowered it', async () => {
    const numbers = { connections: 20, messagesPerConnection: 100, perMinute: null }
    const rule = { suffix: '', ...numbers }
    const at = Date.UTC(2026, 0, 15)
    const evidence = { reply: '421 4.7.28 unusual rate', class: 'rate', at, until: at + 86_400_000 }
    const site = {
      running: 0,
      waiting: 0,
      closedUntil: null,
      closing: null,
      nextSlotAt: null,
      free: 1,
      rule,
      senders: [] as SlowedSender[],
    }
    const lowered = {
      shared: 'gmail',
      connections: 5,
      messagesPerConnection: 100,
      perMinute: 42,
      slowStart: false,
      adapted: evidence,
    }
    const slowed = { domain: 'flood.example', perMinute: 6, restsUntil: null, reply: '421 4.7.28 your DKIM domain', at }
    const sites = [
      { ...site, site: 'mx.quiet.example', limits: { ...numbers, shared: null, slowStart: false, adapted: null } },
      { ...site, site: 'mx.strict.example', limits: lowered, senders: [slowed] },
      {
        ...site,
        site: 'mx.new.example',
        limits: { ...numbers, connections: 3, shared: null, slowStart: true, adapted: null },
      },
    ]
    await using api = await startApi({ live: async () => ({ ...idle, sites }) })
    const environment = { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token }
    const { code, out, err } = await cli(['limits'], environment)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /gmail: 送信ドメイン flood\.example のみ毎分6通/)
    assert.match(out, /only mail of flood\.example goes at 6 a minute: 421 4\.7\.28 your DKIM domain/)
    assert.match(out, /^mx\.quiet\.example +– +20 +100 +– +– +– +–$/m)
    assert.match(
      out,
      /^mx\.strict\.example +gmail +5 of 20 +100 +42 of any +– +2026-01-15.* 421 4\.7\.28 unusual rate$/m,
    )
    assert.match(out, /^mx\.new\.example +– +3 of 20 +100 +– +– +– +slow start$/m)
    assert.match(out, /^mx\.new\.example: スロースタート中です。.*最大20接続のうち3接続/m)
    assert.match(out, /^ {2}Slow start: .* 3 of 20 connections/m)
    const bySite = (await cli(['queue', 'list', '--by', 'site'], environment)).out
    assert.match(bySite, /^mx\.strict\.example .* – +421 4\.7\.28 unusual rate$/m)
    const { sites: shown } = JSON.parse((await cli(['limits', '--json'], environment)).out)
    assert.deepEqual(shown[1].adapted.until, '2026-01-16T00:00:00.000Z')
  })

  it('says why a site is closed, who must act and what opens it', async () => {
    const numbers = { connections: 20, messagesPerConnection: 100, perMinute: null }
    const at = Date.UTC(2026, 0, 15)
    const closing = { reply: '421 4.3.2 going down', class: 'remote-trouble', at, times: 3, host: 'mx1.example' }
    const limits = { ...numbers, shared: null, slowStart: false, adapted: null }
    const rule = { suffix: '', ...numbers }
    const site = { running: 0, waiting: 0, closing, nextSlotAt: null, free: 0, rule, senders: [], limits }
    const sites = [
      { ...site, site: 'mx1.example', closedUntil: at + 240_000 },
      { ...site, site: 'mx2.example', closedUntil: null },
    ]
    await using api = await startApi({ live: async () => ({ ...idle, sites }) })
    const { out } = await cli(['limits'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.match(out, /^mx1\.example: .*まで休止中（.*から、続けて3回目） \/ closed until .*, since .*, 3 in a row$/m)
    assert.match(out, /^ {2}mx1\.example: 421 4\.3\.2 going down$/m)
    assert.match(out, /^ {2}宛先のメールサーバーで障害.*対応者: 受信側のサーバー管理者。/m)
    assert.match(out, /^ {2}The recipient's mail server has trouble .* To act: the administrator/m)
    assert.match(out, /kitte queue retry --domain RECIPIENT-DOMAIN tries it now\.$/m)
    assert.match(out, /^mx2\.example: 休止が終わり、1接続で試しています.* was closed, is tried with one connection/m)
  })

  it('shows the rules that Kitte ships, with a reason for each number', async () => {
    await using api = await startApi()
    const { out } = await cli(['limits', '--rules'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.match(out, /^yahoo: yahoodns\.net\n {2}connections +10 {2}practice\n/m)
    assert.match(out, /^ {2}messages each +20 {2}published: https:\/\/help\.yahoo\.com\S+\n +1接続あたり20通まで/m)
  })
})
