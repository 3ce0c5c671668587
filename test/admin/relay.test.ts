/**
 * The relay's own records by API and by command, over a zone of ours.
 */
import assert from 'node:assert/strict'
import { cli } from '../cli/support/cli.ts'
import { type Api, startApi, token } from './support/api.ts'

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

describe('the relay itself by API', () => {
  it('tells its name, its addresses and its records with state, reason and fix', async () => {
    await using api = await startApi()
    const { status, body } = await api.call('GET', '/v1/relay')
    assert.equal(status, 200)
    assert.deepEqual([body.hostname, body.sendingIps], ['relay.example.jp', ['210.198.21.20']])
    const { listeners, message, ...bounces } = body.bounces
    const bounceHost = 'bounce.relay.example.jp'
    assert.deepEqual(bounces, { host: bounceHost, complaints: `fbl@${bounceHost}`, postmaster: null })
    assert.deepEqual([listeners, /^Nothing listens/.test(message.en)], [[], true])
    const { checkedAt, resolvers, ...host } = body.records[0]
    assert.ok(Number.isFinite(Date.parse(checkedAt)))
    assert.deepEqual(host, {
      purpose: 'address',
      type: 'A',
      name: 'relay.example.jp',
      optional: false,
      value: '210.198.21.20',
      state: 'not-published',
      reason: 'absent',
      message: {
        ja: '未設定: relay.example.jp に A レコードがありません。',
        en: 'There is no A record at relay.example.jp.',
      },
      fix: {
        ja: 'relay.example.jp に次の A レコードを追加してください: 210.198.21.20',
        en: 'Add this A record at relay.example.jp: 210.198.21.20',
      },
      found: [],
      parts: [{ text: '210.198.21.20', isNew: true }],
      changes: [],
      lookups: null,
      servers: [],
      asked: { ja: 'リゾルバーだけに問い合わせました。', en: 'Only the resolvers were asked.' },
      visibleAt: null,
      visibleWithin: 300,
    })
    assert.deepEqual(
      resolvers.map(({ server, reason, ttl }: { server: string; reason: string; ttl: number }) => [
        server,
        reason,
        ttl,
      ]),
      [['resolver', 'absent', 300]],
    )
    const key = body.records.find((record: { purpose: string }) => record.purpose === 'dkim')
    assert.match(key.value, /^v=DKIM1; k=rsa; p=[\w+/]{100}/)
  })

  it('checks them in DNS now', async () => {
    await using api = await startApi()
    const stateOf = async () => (await api.call('POST', '/v1/relay/verify')).body.records[0].state
    assert.equal(await stateOf(), 'not-published')
    api.zone.set('relay.example.jp', { A: ['210.198.21.20'] })
    assert.equal(await stateOf(), 'published')
    api.zone.fail('relay.example.jp')
    assert.equal(await stateOf(), 'dns-error')
  })
})

describe('the zone of keys behind CNAMEs by API and by command', () => {
  it('is told as records and as lines of a zone file', async () => {
    await using api = await startApi()
    const account = await api.account()
    await api.call('POST', '/v1/domains', { name: 'acme.example', account, dkimForm: 'cname' })
    const { status, body } = await api.call('GET', '/v1/relay/dkim-zone')
    assert.deepEqual([status, body.origin, body.ttl, body.records.length], [200, 'dkim.relay.example.jp', 300, 1])
    const [{ name, value, ...record }] = body.records
    assert.deepEqual(record, { type: 'TXT', domain: 'acme.example', selector: 'kitte1', state: 'pending' })
    assert.match(name, /^[a-z2-7]{16}\.dkim\.relay\.example\.jp$/)
    assert.match(value, /^v=DKIM1; k=rsa; p=MI/)

    const file = await api.call('GET', '/v1/relay/dkim-zone/file')
    assert.match(file.headers.get('content-type') ?? '', /^text\/plain/)
    assert.match(
      file.body,
      /^\$ORIGIN dkim\.relay\.example\.jp\.\n\$TTL 300\n[a-z2-7]{16} IN TXT "v=DKIM1; k=rsa; p=MI/,
    )
    assert.equal(await kitte(api, 'relay', 'zone'), file.body)
    assert.deepEqual(JSON.parse(await kitte(api, 'relay', 'zone', '--json')), body)
  })
})

describe('kitte relay', () => {
  it('prints names and values to be copied, and what is wrong in both languages', async () => {
    await using api = await startApi()
    api.zone.set('20.21.198.210.in-addr.arpa', { PTR: ['host20.isp.example'] })
    api.zone.set('_dmarc.relay.example.jp', { TXT: ['v=DMARC1; p=none'] })
    const out = await kitte(api, 'relay', 'show')
    assert.match(out, /^hostname +relay\.example\.jp$/m)
    assert.match(out, /^records +6 of 7 to look after$/m)
    assert.match(
      out,
      /^PTR {2}未設定 \/ not published\n {2}name +20\.21\.198\.210\.in-addr\.arpa\n {2}type +PTR\n {2}value +relay\.example\.jp$/m,
    )
    assert.match(out, /^ {2}理由 +未設定: 送信元 IP アドレス 210\.198\.21\.20 の逆引き\(PTR\)が host20\.isp\.example/m)
    assert.match(out, /^ {2}fix +Ask whoever gave you the address 210\.198\.21\.20 to set its reverse name/m)
    assert.match(out, /^ {2}found +host20\.isp\.example$/m)
    assert.match(out, /^DMARC {2}設定済 \/ published$/m)
    assert.match(out, /^ {2}name +\d{8}\._domainkey\.relay\.example\.jp$/m)
  })

  it('checks now, and passes on what the API says with --json', async () => {
    await using api = await startApi()
    api.zone.set('relay.example.jp', { A: ['210.198.21.20'] })
    assert.match(await kitte(api, 'relay', 'verify'), /^ADDRESS {2}設定済 \/ published$/m)
    const { records } = JSON.parse(await kitte(api, 'relay', 'verify', '--json'))
    assert.deepEqual([records[0].purpose, records[0].state], ['address', 'published'])
  })
})
