/**
 * Share links over HTTP: what the page shows, and everything it must not.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/base/clock.ts'
import { type Fields, type Log, silentLog } from '../../src/base/log.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type Api, startApi } from './support/api.ts'

const day = 86_400_000

async function startShop(options: { clock?: Clock; log?: Log; publicUrl?: string } = {}): Promise<Api> {
  const api = await startApi(options)
  const account = await api.account('Secret Account Name')
  api.zone.set('shop.example', {
    NS: ['ns1.xserver.jp', 'ns2.xserver.jp'],
    TXT: ['v=spf1 include:spf.shop-mail.example ~all'],
  })
  api.zone.set('spf.shop-mail.example', { TXT: ['v=spf1 -all'] })
  api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
  await api.call('POST', '/v1/domains', { name: 'shop.example', account, selector: 'sel', bits: 1024 })
  await api.call('POST', '/v1/domains', { name: 'neighbour.example', account, selector: 'other', bits: 1024 })
  return api
}

async function share(api: Api, body: object = {}) {
  const made = await api.call('POST', '/v1/domains/shop.example/share', body)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return made.body as {
    id: string
    token: string
    url: string
    expiresAt: string
    note: { ja: string; en: string } | null
  }
}

/** As a browser without login asks. */
async function open(api: Api, path: string, init: RequestInit = {}) {
  const response = await fetch(api.url + path, { redirect: 'manual', ...init })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const check = (api: Api, token: string) => open(api, `/share/${token}/check?lang=en`, { method: 'POST' })

function withoutTags(text: string): string {
  return text.replace(/<[^>]+>/g, '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
}

describe('a share link', () => {
  it('is made with a token that is shown once, for two weeks or as long as is said', async () => {
    const clock = manualClock()
    await using api = await startShop({ clock })
    const first = await share(api)
    assert.match(first.token, /^[0-9a-z]{40}$/)
    assert.equal(first.url, `${api.url}/share/${first.token}`)
    assert.match(first.note!.en, /http\.publicUrl is not set/)
    assert.equal(Date.parse(first.expiresAt), clock.now() + 14 * day)
    const second = await share(api, { expiresIn: '36h' })
    assert.equal(Date.parse(second.expiresAt), clock.now() + 1.5 * day)
    assert.notEqual(first.token, second.token)
    const listed = await api.call('GET', '/v1/domains/shop.example/share')
    assert.deepEqual(
      listed.body.shares.map(({ id, state }: { id: string; state: string }) => [id, state]),
      [first.id, second.id]
        .toSorted()
        .toReversed()
        .map(id => [id, 'open']),
    )
    assert.ok(!JSON.stringify(listed.body).includes(first.token))
    assert.deepEqual((await api.call('GET', '/v1/domains/neighbour.example/share')).body.shares, [])
  })

  it('refuses a life that is none, and a domain that is not registered', async () => {
    await using api = await startShop()
    for (const expiresIn of ['soon', '0d', '367d', '-1d', 14, '14'])
      assert.equal(
        (await api.call('POST', '/v1/domains/shop.example/share', { expiresIn })).status,
        422,
        String(expiresIn),
      )
    for (const [method, path] of [
      ['POST', '/v1/domains/nobody.example/share'],
      ['GET', '/v1/domains/nobody.example/share'],
      ['DELETE', '/v1/domains/nobody.example/share/x'],
      ['DELETE', '/v1/domains/shop.example/share/x'],
      ['GET', '/v1/domains/nobody.example/request'],
    ] as const)
      assert.equal((await api.call(method, path)).status, 404, path)
  })

  it('of one domain can not be revoked in the name of another', async () => {
    await using api = await startShop()
    const { id, token } = await share(api)
    assert.equal((await api.call('DELETE', `/v1/domains/neighbour.example/share/${id}`)).status, 404)
    assert.equal((await open(api, `/share/${token}`)).status, 200)
  })

  it('is bounded in number per domain', async () => {
    await using api = await startShop()
    for (let made = 0; made < 50; made++) await share(api)
    const refused = await api.call('POST', '/v1/domains/shop.example/share')
    assert.equal(refused.status, 409)
    assert.match(refused.body.detail, /50 open share links already/)
  })

  it('begins as the operator says, without a remark', async () => {
    await using api = await startShop({ publicUrl: 'https://dns.example.jp' })
    const { url, token, note } = await share(api)
    assert.deepEqual([url, note], [`https://dns.example.jp/share/${token}`, null])
  })

  it('is bounded in number also when many are asked for at once', async () => {
    await using api = await startShop()
    const made = await Promise.all(Array.from({ length: 60 }, () => api.call('POST', '/v1/domains/shop.example/share')))
    assert.equal(made.filter(({ status }) => status === 201).length, 50)
  })

  it('is made anew for a repeated request, so that no answer with a token is kept', async () => {
    await using api = await startShop()
    const key = { 'idempotency-key': 'k1' }
    const [first, second] = [
      await api.call('POST', '/v1/domains/shop.example/share', {}, key),
      await api.call('POST', '/v1/domains/shop.example/share', {}, key),
    ]
    assert.deepEqual([first.status, second.status], [201, 201])
    assert.notEqual(first.body.token, second.body.token)
  })
})

describe('a share link that is over', () => {
  it('shows the same as one that never was, whatever ended it', async () => {
    const clock = manualClock()
    await using api = await startShop({ clock })
    const [expiring, revoked, lasting] = [
      await share(api, { expiresIn: '1h' }),
      await share(api, { expiresIn: '3d' }),
      await share(api, { expiresIn: '3d' }),
    ]
    assert.equal((await open(api, `/share/${expiring.token}`)).status, 200)
    await clock.advance(3_600_000)
    assert.equal((await api.call('DELETE', `/v1/domains/shop.example/share/${revoked.id}`)).status, 204)
    assert.equal((await api.call('DELETE', `/v1/domains/shop.example/share/${revoked.id}`)).status, 204, 'twice')

    const unknown = await open(api, `/share/${'0'.repeat(40)}?lang=en`)
    const seen = (headers: Headers) =>
      [...headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name))
    for (const token of [expiring.token, revoked.token, 'x', 'a/b', '%E0%A4%A', `${lasting.token}x`, lasting.id]) {
      const { status, headers, text } = await open(api, `/share/${token}?lang=en`)
      assert.equal(status, 404, token)
      assert.equal(text, unknown.text, token)
      assert.deepEqual(seen(headers), seen(unknown.headers), token)
    }
    for (const { token } of [expiring, revoked]) {
      assert.equal((await open(api, `/share/${token}/request`)).status, 404)
      assert.equal((await check(api, token)).status, 404)
    }
    assert.doesNotMatch(unknown.text, /shop\.example|Kitte/i)
    assert.equal((await open(api, `/share/${lasting.token}`)).status, 200)
    const { shares } = (await api.call('GET', '/v1/domains/shop.example/share')).body
    const stateOf = (id: string) => shares.find((one: { id: string }) => one.id === id).state
    assert.deepEqual([stateOf(expiring.id), stateOf(revoked.id), stateOf(lasting.id)], ['expired', 'revoked', 'open'])
  })

  it('ends with its domain: deleted, and registered again by somebody else', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    await api.call('DELETE', '/v1/domains/shop.example')
    assert.equal((await open(api, `/share/${token}`)).status, 404)
    await api.call('POST', '/v1/domains/shop.example/restore')
    assert.equal((await open(api, `/share/${token}`)).status, 200, 'deleted by mistake')
    await api.call('DELETE', '/v1/domains/shop.example')
    await api.call('POST', '/v1/domains', { name: 'shop.example', account: await api.account('Other'), bits: 1024 })
    assert.equal((await open(api, `/share/${token}`)).status, 404)
  })
})

describe('the share page', () => {
  it('shows one domain and names nobody else', async () => {
    await using api = await startShop()
    const { token, id } = await share(api)
    const domain = (await api.call('GET', '/v1/domains/shop.example')).body
    const stored = (await api.store.domain('shop.example'))!
    for (const path of [`/share/${token}`, `/share/${token}/request`, `/share/${token}?lang=en`]) {
      const { text } = await open(api, path)
      for (const secret of [
        'Secret Account',
        domain.account,
        'neighbour',
        'PRIVATE',
        id,
        stored.keys[0]!.sealedPrivateKey,
      ])
        assert.ok(!text.includes(secret), `${path}: ${secret.slice(0, 20)}`)
      for (const record of domain.records) {
        assert.ok(withoutTags(text).includes(record.value), `${path}: ${record.value}`)
        assert.ok(withoutTags(text).includes(record.name), record.name)
      }
    }
  })

  it('says nothing of our resolvers when DNS fails', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    api.zone.fail('shop.example')
    const verified = await api.call('POST', '/v1/domains/shop.example/verify')
    assert.equal(verified.body.spf, 'dns-error')
    const { text } = await open(api, `/share/${token}?lang=en`)
    assert.match(text, /DNS error/)
    assert.match(text, /The DNS servers did not answer/)
    assert.doesNotMatch(text, /SERVFAIL|lookup of/)
  })

  it('is kept out of caches, frames, search engines and referrers, and runs no script of its own', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    const { headers, text } = await open(api, `/share/${token}`)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.match(headers.get('x-robots-tag') ?? '', /noindex/)
    assert.equal(headers.get('x-frame-options'), 'DENY')
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
      assert.ok(policy.includes(part), part)
    assert.doesNotMatch(policy, /unsafe|https:|\*/)
    assert.equal(headers.get('set-cookie'), null)
    assert.doesNotMatch(text, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:/i)
    assert.match(text, /<meta name="robots" content="noindex/)
    assert.doesNotMatch(text, /https?:\/\//, 'leads nowhere else')
    for (const [, file] of text.matchAll(/(?:href|src)="(\/share-assets\/[^"]+)"/g))
      assert.equal((await open(api, file!)).status, 200, file)
    assert.equal((await open(api, '/share-assets/../share/x')).status, 404)
    assert.equal((await open(api, '/share-assets/constructor')).status, 404)
  })

  it('escapes whatever stands in the zone', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    const attack = `v=spf1 <script>alert(1)</script>"' onload=x &amp; ~all`
    api.zone.set('shop.example', { TXT: [attack] })
    await api.call('POST', '/v1/domains/shop.example/verify')
    const { text } = await open(api, `/share/${token}`)
    assert.doesNotMatch(text, /<script>|"' onload/)
    assert.ok(withoutTags(text).includes(attack))
  })

  it('opens without a token in the log, the database, or an error', async () => {
    const lines: string[] = []
    const add = (fields: Fields, text: string) => void lines.push(JSON.stringify(fields) + text)
    const log: Log = { ...silentLog, debug: add, info: add, warn: add, error: add }
    await using api = await startShop({ log })
    const { token } = await share(api)
    await open(api, `/share/${token}`)
    await open(api, `/share/${token}/request`)
    await check(api, token)
    for (const odd of [
      `/Share/${token}`,
      `//share/${token}`,
      `/%73hare/${token}`,
      `/share%2f${token}`,
      `/share/${token}/x`,
    ])
      await open(api, odd)
    assert.ok(lines.some(line => line.includes('/share/…')))
    assert.deepEqual(
      lines.filter(line => line.includes(token)),
      [],
    )
    for (const file of readdirSync(api.dataDir, { recursive: true, withFileTypes: true }))
      if (file.isFile()) assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(token), file.name)
  })

  it('is in the language of the browser unless another is asked for', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    const langOf = async (query: string, accept?: string) => {
      const headers = accept === undefined ? {} : { 'accept-language': accept }
      const { text, headers: answered } = await open(api, `/share/${token}${query}`, { headers })
      const [, lang] = /<html lang="(\w+)">/.exec(text) ?? []
      assert.equal(answered.get('content-language'), lang)
      return lang
    }
    assert.equal(await langOf('', 'ja,en;q=0.8'), 'ja')
    assert.equal(await langOf('', 'en-GB,ja;q=0.5'), 'en')
    assert.equal(await langOf('', 'fr'), 'en')
    assert.equal(await langOf('?lang=en', 'ja'), 'en')
    assert.equal(await langOf('?lang=ja', 'en'), 'ja')
    assert.equal(await langOf('?lang=xx', 'ja'), 'ja')
  })

  it('names the provider, its fields, and marks what is new in a merged record', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    const { text } = await open(api, `/share/${token}?lang=ja`)
    assert.match(text, /エックスサーバー/)
    assert.match(text, /サーバーパネル &#62; DNSレコード設定/)
    for (const label of ['ホスト名', '種別', '内容']) assert.match(text, new RegExp(`class="label">${label}<`))
    assert.match(text, /<code translate="no">sel\._domainkey<\/code>/)
    assert.match(text, /<em>（空欄のまま）<\/em>/)
    assert.match(text, /今ある値を置き換え/)
    assert.match(text, /<mark>ip4:210\.198\.21\.20[^<]*<\/mark>/)
    assert.match(text, /v=spf1 include:spf\.shop-mail\.example ~all/)
    assert.match(text, /新しく追加/)
  })

  it('is 503 with a page, not a stack, while the store does not answer', async () => {
    const broken = new Error('the database is at /var/lib/secret')
    await using api = await startApi({
      store: store => ({ ...store, shareLinkByHash: () => Promise.reject(broken) }),
    })
    const { status, headers, text } = await open(api, `/share/${'0'.repeat(40)}`)
    assert.deepEqual([status, headers.get('retry-after')], [503, '10'])
    assert.doesNotMatch(text, /secret/)
    assert.match(text, /しばらくしてから/)
  })
})

describe('checking by share link', () => {
  it('leads back to the page, which then shows what is published', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    const before = await open(api, `/share/${token}?lang=en`)
    assert.match(before.text, /0 of 2 published/)
    for (const { name, value } of (await api.call('GET', '/v1/domains/shop.example')).body.records)
      api.zone.set(name, { TXT: [value], ...(name === 'shop.example' ? { NS: ['ns1.xserver.jp'] } : {}) })
    const checked = await check(api, token)
    assert.equal(checked.status, 303)
    assert.equal(checked.headers.get('location'), `/share/${token}?lang=en#summary`)
    const after = await open(api, `/share/${token}?lang=en`)
    assert.match(after.text, /2 of 2 published/)
    assert.match(after.text, /Nothing is left to do/)
    assert.match((await open(api, `/share/${token}/request?lang=en`)).text, /Nothing is left to do/)
  })

  it('is possible every 30 seconds for each link, and says when again', async () => {
    const clock = manualClock()
    await using api = await startShop({ clock })
    const [{ token }, other] = [await share(api), await share(api)]
    const checkedAt = async () => (await api.call('GET', '/v1/domains/shop.example')).body.records[0].checkedAt
    await clock.advance(1000)
    assert.equal((await check(api, token)).headers.get('retry-after'), null)
    const first = await checkedAt()
    await clock.advance(10_000)
    const early = await check(api, token)
    assert.deepEqual([early.status, early.headers.get('retry-after')], [303, '20'])
    assert.equal(await checkedAt(), first, 'not checked again')
    assert.match((await open(api, `/share/${token}?lang=en`)).text, /data-wait="20".*You can check again from /s)
    await check(api, other.token)
    assert.notEqual(await checkedAt(), first, 'another link has its own turn')
    await clock.advance(20_000)
    const second = await checkedAt()
    await check(api, token)
    assert.notEqual(await checkedAt(), second)
  })

  it('takes no other methods, and a look checks nothing', async () => {
    await using api = await startShop()
    const { token } = await share(api)
    assert.equal((await open(api, `/share/${token}/check`)).status, 404)
    for (const method of ['POST', 'PUT', 'DELETE'])
      assert.equal((await open(api, `/share/${token}`, { method })).status, 404)
    assert.equal((await open(api, `/share/${token}`, { method: 'HEAD' })).status, 200)
  })
})

describe('the request to whoever edits the DNS', () => {
  it('keeps what stands in the zone on its line', async () => {
    await using api = await startShop()
    api.zone.set('shop.example', { TXT: ['v=spf1 -all\r\nValue: v=spf1 +all\u2028\u202e\u001b[31m'] })
    await api.call('POST', '/v1/domains/shop.example/verify')
    const { text } = await open(api, `/share/${(await share(api)).token}/request?lang=en`)
    assert.match(text, /^Current value: v=spf1 -all.*Value: v=spf1 \+all/m)
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u2028\u202e]/)
  })

  it('is text in either language with everything to type', async () => {
    await using api = await startShop()
    const ja = await api.call('GET', '/v1/domains/shop.example/request')
    assert.match(ja.headers.get('content-type') ?? '', /^text\/plain; charset=utf-8/)
    assert.match(ja.body, /^DNS 設定依頼書: shop\.example\n/)
    assert.match(ja.body, /^DNS サービス: エックスサーバー$/m)
    assert.match(ja.body, /^ホスト名: sel\._domainkey$/m)
    assert.match(ja.body, /^現在の値: v=spf1 include:spf\.shop-mail\.example ~all$/m)
    const en = await api.call('GET', '/v1/domains/shop.example/request?lang=en')
    assert.match(en.body, /^Request to set DNS records: shop\.example\n/)
    for (const { value, name } of (await api.call('GET', '/v1/domains/shop.example')).body.records) {
      assert.ok(en.body.includes(`: ${value}\n`), value)
      assert.ok(en.body.includes(`Full name: ${name}\n`), name)
    }
    assert.equal((await api.call('GET', '/v1/domains/shop.example/request?lang=fr')).status, 400)
  })
})
