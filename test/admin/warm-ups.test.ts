/**
 * Warm-ups, pools and volumes by API and by command.
 */
import assert from 'node:assert/strict'
import { cli } from '../cli/support/cli.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type Api, startApi, token } from './support/api.ts'

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

const clock = () => manualClock()
const variables = {
  KITTE_POOLS: JSON.stringify([{ name: 'bulk', sources: [{ ip: '192.0.2.2', ehlo: 'out2.relay.example.jp' }] }]),
}

async function withDomain(api: Api): Promise<string> {
  const account = await api.account()
  assert.equal((await api.call('POST', '/v1/domains', { name: 'ours.example', account })).status, 201)
  return account
}

describe('warm-ups by API', () => {
  it('begin by a plan of the configuration or by caps, today or later', async () => {
    await using api = await startApi({ clock: clock(), variables })
    await withDomain(api)
    const begun = await api.call('POST', '/v1/warm-ups', { domain: 'ours.example' })
    assert.deepEqual([begun.status, begun.headers.get('location')], [201, '/v1/warm-ups/domain/ours.example'])
    assert.deepEqual([begun.body.plan, begun.body.cap, begun.body.startsOn], ['standard', 50, '2026-01-15'])
    const { body: inForce } = await api.call('GET', '/v1/limits?domain=ours.example')
    assert.deepEqual([inForce.pool, inForce.warmUp], ['default', { state: 'running', cap: 50, taken: 0 }])
    const later = await api.call('POST', '/v1/warm-ups', { source: '192.0.2.2', caps: [5], startsOn: '2026-02-01' })
    assert.deepEqual([later.body.state, later.body.cap, later.body.plan], ['waiting', 0, 'own'])
    const { body } = await api.call('GET', '/v1/warm-ups')
    assert.deepEqual(
      body.warmUps.map(({ name }: { name: string }) => name),
      ['ours.example', '192.0.2.2'],
    )
    assert.equal((await api.call('POST', '/v1/warm-ups', { domain: 'ours.example' })).status, 409)
  })

  it('are refused where the request can not be meant, saying what to write', async () => {
    await using api = await startApi({ clock: clock(), variables })
    await withDomain(api)
    const wrong = async (body: object) => {
      const { status, body: problem } = await api.call('POST', '/v1/warm-ups', body)
      return [status, problem.errors?.[0]?.field]
    }
    assert.deepEqual(await wrong({}), [422, ''])
    assert.deepEqual(await wrong({ source: '192.0.2.9' }), [422, 'source'])
    assert.deepEqual(await wrong({ domain: 'ours.example', plan: 'none' }), [422, 'plan'])
    assert.deepEqual(await wrong({ domain: 'ours.example', startsOn: '2026-01-14' }), [422, 'startsOn'])
    assert.deepEqual(await wrong({ domain: 'ours.example', caps: [0] }), [422, 'caps.0'])
    assert.deepEqual(await wrong({ domain: 'nobody.example' }), [404, undefined])
    assert.equal((await api.call('PATCH', '/v1/warm-ups/domain/ours.example', { state: 'paused' })).status, 404)
  })

  it('are paused, resumed and ended by command', async () => {
    await using api = await startApi({ clock: clock(), variables })
    await withDomain(api)
    assert.match(await kitte(api, 'warm-up', 'start', 'ours.example', '--caps', '10,20'), /^sent +0 of 10$/m)
    const paused = await kitte(api, 'warm-up', 'pause', 'ours.example')
    assert.match(paused, /^state +paused\n +手動で停止中です/m)
    assert.match(await kitte(api, 'warm-up', 'resume', 'ours.example'), /^state +running$/m)
    assert.match(await kitte(api, 'warm-up', 'list'), /^ours\.example +own +running +2026-01-15 +1 of 2 +0 +10$/m)
    assert.equal(JSON.parse(await kitte(api, 'warm-up', 'show', 'ours.example', '--json')).cap, 10)
    assert.match(await kitte(api, 'warm-up', 'end', 'ours.example', '--yes'), /^ended the warm-up/)
    assert.match(await kitte(api, 'warm-up', 'list'), /^no warm-ups/)
  })
})

describe('pools by API', () => {
  it('are chosen for accounts, domains and credentials, and must be there', async () => {
    await using api = await startApi({ variables })
    const account = await withDomain(api)
    const credential = (await api.call('POST', '/v1/credentials', { account, pool: 'bulk' })).body
    assert.equal(credential.pool, 'bulk')
    for (const path of [`/v1/accounts/${account}`, '/v1/domains/ours.example', `/v1/credentials/${credential.id}`]) {
      assert.equal((await api.call('PATCH', path, { pool: 'bulk' })).body.pool, 'bulk', path)
      const wrong = await api.call('PATCH', path, { pool: 'gone' })
      assert.deepEqual([wrong.status, wrong.body.errors[0].field], [422, 'pool'], path)
      assert.equal((await api.call('PATCH', path, { pool: null })).body.pool, null, path)
      assert.equal((await api.call('GET', path)).body.pool, null, path)
    }
    assert.match(await kitte(api, 'account', 'set', account, '--pool', 'bulk'), /^pool +bulk$/m)
    assert.match(await kitte(api, 'domain', 'change', 'ours.example', '--pool', 'bulk'), /^pool +bulk$/m)
    assert.match(await kitte(api, 'credential', 'pool', credential.username, 'bulk'), /^pool +bulk$/m)
  })

  it('show what went out from each address today', async () => {
    await using api = await startApi({ clock: clock(), variables })
    const counts = { deferred: 1, bounced: 0, complained: 0, tls: 3, oneClick: 0 }
    const row = {
      scope: 'source',
      name: '192.0.2.2',
      day: '2026-01-15',
      receiver: '',
      delivered: 3,
      ...counts,
    } as const
    await api.store.addVolume([row])
    await api.call('POST', '/v1/warm-ups', { source: '192.0.2.2' })
    const { pools } = (await api.call('GET', '/v1/pools')).body
    assert.deepEqual([pools[0].name, pools[0].sources], ['default', []])
    const { ip, ehlo, today, warmUp } = pools[1].sources[0]
    assert.deepEqual([ip, ehlo, today.delivered, warmUp.cap], ['192.0.2.2', 'out2.relay.example.jp', 3, 50])
    assert.match(
      await kitte(api, 'pool', 'list'),
      /^bulk +192\.0\.2\.2 +out2\.relay\.example\.jp +3 +1 +0 +running, 0 of 50$/m,
    )
  })

  it('have their addresses and names among the records of the relay', async () => {
    await using api = await startApi({ variables })
    const { records, sendingIps } = (await api.call('GET', '/v1/relay')).body
    assert.deepEqual(sendingIps, ['210.198.21.20', '192.0.2.2'])
    const names = records.map(({ type, name, value }: Record<string, string>) => `${name} ${type} ${value}`)
    assert.ok(names.includes('2.2.0.192.in-addr.arpa PTR out2.relay.example.jp'))
    assert.ok(names.includes('out2.relay.example.jp A 192.0.2.2'))
    assert.ok(names.includes('out2.relay.example.jp TXT v=spf1 ip4:210.198.21.20 ip4:192.0.2.2 -all'))
  })
})

describe('the volume of a domain by API', () => {
  it('has gauges, days and the checklist, and a picture by command', async () => {
    await using api = await startApi({ clock: clock() })
    await withDomain(api)
    const counts = { deferred: 0, bounced: 2, complained: 0, tls: 4010, oneClick: 0 }
    const day = { scope: 'domain', name: 'ours.example', receiver: 'gmail', delivered: 4010, ...counts } as const
    await api.store.addVolume([
      { ...day, day: '2026-01-15' },
      { ...day, day: '2026-01-14', delivered: 5001 },
    ])
    const { status, body } = await api.call('GET', '/v1/domains/ours.example/volume')
    assert.deepEqual([status, body.today, body.timeZone], [200, '2026-01-15', 'Asia/Tokyo'])
    assert.deepEqual([body.gauges[0].today, body.gauges[0].state, body.days.length], [4010, 'bulk-sender', 2])
    assert.equal(body.checklist.find(({ item }: { item: string }) => item === 'one-click').state, 'missing')
    const out = await kitte(api, 'domain', 'volume', 'ours.example')
    assert.match(out, /^Gmail +█{16}░{4} 4010 of 5000 today \(80 %\), most 5001 on 2026-01-14 {2}bulk sender/m)
    assert.match(out, /^✗ one-click\n {2}直近7日間の配信/m)
    assert.match(out, /^2026-01-14 +Gmail +5001/m)
    assert.equal((await api.call('GET', '/v1/domains/nobody.example/volume')).status, 404)
  })

  it('shows the sum of its organisation beside it, which is what receivers count', async () => {
    await using api = await startApi({ clock: clock() })
    await withDomain(api)
    const counts = { deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }
    const day = { name: 'ours.example', receiver: 'gmail', day: '2026-01-15', ...counts } as const
    await api.store.addVolume([
      { ...day, scope: 'domain', delivered: 1000 },
      { ...day, scope: 'organisation', delivered: 3500 },
    ])
    const { body } = await api.call('GET', '/v1/domains/ours.example/volume')
    const { name, today, state } = body.gauges[0].organisation
    assert.deepEqual([body.gauges[0].state, name, today, state], ['below', 'ours.example', 4500, 'near'])
    assert.deepEqual([body.checklist[0].item, body.checklist[0].state], ['organisation', 'unknown'])
    const out = await kitte(api, 'domain', 'volume', 'ours.example')
    assert.match(out, /^ours\.example \(組織全体 \/ organisation\) █{18}░{2} 4500 of 5000 today/m)
  })
})
