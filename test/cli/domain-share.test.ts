/**
 * `kitte domain share`, `shares` and `request`, run in this process against the real API.
 */
import assert from 'node:assert/strict'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { cli } from './support/cli.ts'

const run = (api: Api, ...args: string[]) => cli(['domain', ...args], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })

async function startShop(): Promise<Api> {
  const api = await startApi()
  api.zone.set('shop.example', { NS: ['ns-a1.conoha.io'] })
  const account = await api.account()
  await api.call('POST', '/v1/domains', { name: 'shop.example', account, selector: 'sel', bits: 1024 })
  return api
}

describe('kitte domain share', () => {
  it('prints a link that opens, lists it without its token, and ends it', async () => {
    await using api = await startShop()
    const made = await run(api, 'share', 'shop.example', '--expires', '3d')
    assert.equal(made.code, 0, made.err)
    const [url = ''] = made.out.split('\n')
    assert.match(made.out, /再表示はできません/)
    assert.match(made.out, /http\.publicUrl is not set/)
    assert.equal((await fetch(url)).status, 200)
    const listed = await run(api, 'shares', 'shop.example')
    const [, id = ''] = /^(\S+) +open /m.exec(listed.out) ?? []
    assert.ok(made.out.includes(`--revoke ${id}"`))
    assert.ok(!listed.out.includes(url.split('/').at(-1)!))
    assert.match((await run(api, 'shares', 'shop.example', '--revoke', id)).out, /^revoked share link /)
    assert.equal((await fetch(url)).status, 404)
    assert.match((await run(api, 'shares', 'shop.example')).out, new RegExp(`^${id} +revoked `, 'm'))
  })

  it('says what a life is, and which domain is not there', async () => {
    await using api = await startShop()
    const odd = await run(api, 'share', 'shop.example', '--expires', 'soon')
    assert.deepEqual([odd.code, /30m, 12h or 14d/.test(odd.err)], [1, true], odd.err)
    assert.match((await run(api, 'share', 'nobody.example')).err, /nobody\.example is not registered/)
    assert.match((await run(api, 'shares', 'shop.example')).out, /no share links; "kitte domain share shop\.example"/)
  })
})

describe('kitte domain request', () => {
  it('prints the request in either language', async () => {
    await using api = await startShop()
    const ja = await run(api, 'request', 'shop.example')
    assert.match(ja.out, /^DNS 設定依頼書: shop\.example\n.*名称: sel\._domainkey\n/s)
    const en = await run(api, 'request', 'shop.example', '--lang', 'en')
    assert.match(en.out, /^Request to set DNS records: shop\.example\n/)
    assert.match(en.out, /^名称 \(Host\): sel\._domainkey$/m)
    const json = JSON.parse((await run(api, 'request', 'shop.example', '--json')).out)
    assert.equal(json.text.trimEnd(), ja.out.trimEnd())
    assert.equal((await run(api, 'request', 'shop.example', '--lang', 'fr')).code, 1)
  })
})
