/**
 * `kitte domain records` and `kitte domain explain`, against the real API.
 */
import assert from 'node:assert/strict'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { cli } from './support/cli.ts'

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

async function withDomain(): Promise<Api> {
  const api = await startApi()
  api.zone.set('ours.example', { TXT: ['v=spf1 ip4:203.0.113.1 -all'] })
  await api.call('POST', '/v1/domains', { name: 'ours.example', account: await api.account() })
  return api
}

describe('kitte domain records', () => {
  it('prints each record in every form, to be copied whole', async () => {
    await using api = await withDomain()
    const out = await kitte(api, 'domain', 'records', 'ours.example')
    const merged = 'v=spf1 ip4:203.0.113.1 ip4:210.198.21.20 include:m01-ahd-sys.net ~all'
    const lines = out.split('\n').map(line => line.trim())
    assert.ok(lines.includes(`value      ${merged}`))
    assert.ok(lines.includes(`zone file  ours.example. 3600 IN TXT "${merged}"`))
    assert.match(out, /host +@\n/)
    assert.match(out, /host +\d{8}\._domainkey\n +full name +\d{8}\._domainkey\.ours\.example\n/)
    const { records } = JSON.parse(await kitte(api, 'domain', 'records', 'ours.example', '--json'))
    assert.deepEqual(records[0].parts, [
      { text: 'v=spf1 ip4:203.0.113.1', isNew: false },
      { text: 'ip4:210.198.21.20 include:m01-ahd-sys.net ~all', isNew: true },
    ])
    assert.equal(records[0].changes.length, 2)
  })

  it('prints lines of a zone file and nothing else', async () => {
    await using api = await withDomain()
    const out = await kitte(api, 'domain', 'records', 'ours.example', '--zone')
    const { headers, body } = await api.call('GET', '/v1/domains/ours.example/zone')
    assert.equal(out, body)
    assert.match(headers.get('content-type')!, /^text\/plain; charset=utf-8$/)
    const records = out.split('\n').filter(line => line !== '' && !line.startsWith(';'))
    assert.ok(records.length >= 3 && records.every(line => / 3600 IN TXT "/.test(line)), out)
  })

  it('shows beside a live record what is new, what is changed and the lookups', async () => {
    await using api = await withDomain()
    const out = await kitte(api, 'domain', 'show', 'ours.example')
    assert.match(out, /new +ip4:210\.198\.21\.20 include:m01-ahd-sys\.net ~all\n/)
    assert.match(out, /変更 +末尾の -all を ~all に変更/)
    assert.match(out, /change +Changed -all at the end to ~all/)
    assert.match(out, /lookups +0 → 1 \(limit 10\)/)
  })
})

describe('kitte domain explain', () => {
  it('tells mode, policy, signatures and verdicts in Japanese and English', async () => {
    await using api = await withDomain()
    const out = await kitte(api, 'domain', 'explain', 'ours.example')
    assert.match(out, /^mode +sender-only \(neither spf nor dkim is published\)$/m)
    assert.match(out, /^reverse-path +bounce\.relay\.example\.jp$/m)
    assert.match(
      out,
      /^DKIM {2}\d{8}\._domainkey\.relay\.example\.jp \(rsa\): invalid\n {2}.*[ぁ-ん].*\n {2}Signed by /m,
    )
    assert.match(out, /^SPF {2}210\.198\.21\.20: none\n/m)
    assert.match(out, /^DMARC {2}210\.198\.21\.20: none\n/m)
    const { addresses } = JSON.parse(await kitte(api, 'domain', 'explain', 'ours.example', '--json'))
    assert.equal(addresses[0].ip, '210.198.21.20')
  })

  it('says that a domain is not registered', async () => {
    await using api = await startApi()
    const { code, err } = await cli(['domain', 'explain', 'x.example'], {
      KITTE_API: api.url,
      KITTE_ADMIN_TOKEN: token,
    })
    assert.equal(code, 1)
    assert.match(err, /x\.example is not registered/)
  })
})
