/**
 * Requests repeated with an Idempotency-Key, over the real API and store.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type Api, startApi, token } from './support/api.ts'

const withKey = (key: string) => ({ 'idempotency-key': key })
const names = async (api: Api) => (await api.call('GET', '/v1/accounts')).body.accounts.map((row: { name: string }) => row.name) // biome-ignore format: one line

describe('a request with an Idempotency-Key', () => {
  it('is carried out once and answered the same again', async () => {
    await using api = await startApi()
    const first = await api.call('POST', '/v1/accounts', { name: 'Acme', limits: { perDay: 5 } }, withKey('k1'))
    const again = await api.call('POST', '/v1/accounts', { limits: { perDay: 5 }, name: 'Acme' }, withKey('"k1"'))
    assert.deepEqual([first.status, again.status], [201, 201])
    assert.deepEqual(again.body, first.body)
    assert.equal(again.headers.get('location'), first.headers.get('location'))
    assert.deepEqual(
      [first, again].map(({ headers }) => headers.get('idempotency-replayed')),
      [null, 'true'],
    )
    assert.deepEqual(await names(api), ['Acme'])
    await api.call('POST', '/v1/accounts', { name: 'Acme', limits: { perDay: 5 } }, withKey('k2'))
    assert.deepEqual(await names(api), ['Acme', 'Acme'])
  })

  it('is answered its password again, which stands in no file', async () => {
    await using api = await startApi()
    const account = await api.account()
    const first = await api.call('POST', '/v1/credentials', { account }, withKey('k'))
    const again = await api.call('POST', '/v1/credentials', { account }, withKey('k'))
    assert.ok(first.body.password.length > 10)
    assert.deepEqual(again.body, first.body)
    for (const file of readdirSync(api.dataDir, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(first.body.password), file.name)
  })

  it('is refused for another request', async () => {
    await using api = await startApi()
    const account = (await api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey('k'))).body.id
    for (const [path, body] of [
      ['/v1/accounts', { name: 'Other' }],
      ['/v1/credentials', { account }],
    ] as const) {
      const refused = await api.call('POST', path, body, withKey('k'))
      assert.deepEqual([refused.status, refused.body.type], [422, '/problems/key-reused'])
    }
    assert.deepEqual(await names(api), ['Acme'])
  })

  it('is refused when it is nested deeper than any of ours', async () => {
    await using api = await startApi()
    const post = (levels: number) =>
      fetch(`${api.url}/v1/accounts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...withKey(`k${levels}`) },
        body: `{"name":${'['.repeat(levels)}${']'.repeat(levels)}}`,
      })
    for (const levels of [10, 40, 100_000]) assert.equal((await post(levels)).status, 422, String(levels))
  })

  it('waits while the same request is under way', async () => {
    const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = (store: Store): Store => ({
      ...store,
      async createAccount(account) {
        reached.resolve()
        await goOn.promise
        await store.createAccount(account)
      },
    })
    await using api = await startApi({ store: slow })
    const first = api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey('k'))
    await reached.promise
    const second = await api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey('k'))
    assert.deepEqual([second.status, second.body.type], [409, '/problems/key-in-use'])
    assert.equal(second.headers.get('retry-after'), '1')
    goOn.resolve()
    const third = await first.then(() => api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey('k')))
    assert.deepEqual(third.body, (await first).body)
    assert.deepEqual(await names(api), ['Acme'])
  })

  it('may be mended and sent again after it was refused', async () => {
    await using api = await startApi()
    const headers = withKey('k')
    assert.equal(
      (await api.call('POST', '/v1/domains', { name: 'acme.example', account: 'none' }, headers)).status,
      422,
    )
    const account = await api.account()
    const made = await api.call('POST', '/v1/domains', { name: 'acme.example', account, bits: 1024 }, headers)
    assert.deepEqual([made.status, made.headers.get('idempotency-replayed')], [201, null])
    const again = await api.call('POST', '/v1/domains', { name: 'acme.example', account, bits: 1024 }, headers)
    assert.deepEqual([again.status, again.body], [201, made.body])
    const path = '/v1/domains/acme.example/dkim'
    await api.call('POST', path, { algorithm: 'ed25519' }, withKey('key'))
    const keys = (await api.call('POST', path, { algorithm: 'ed25519' }, withKey('key'))).body.keys
    assert.equal(keys.length, 2)
  })

  it('is a new one after a day', async () => {
    const clock = manualClock()
    await using api = await startApi({ clock })
    await api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey('k'))
    await clock.advance(86_400_000 - 1)
    assert.equal((await api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey('k'))).headers.get('idempotency-replayed'), 'true') // biome-ignore format: one line
    await clock.advance(86_400_000)
    assert.equal((await api.call('POST', '/v1/accounts', { name: 'Other' }, withKey('k'))).status, 201)
    assert.deepEqual(await names(api), ['Acme', 'Other'])
  })

  it('needs a key that can be one', async () => {
    await using api = await startApi()
    for (const key of ['x'.repeat(201), '""', 'a"b', 'a b']) {
      const refused = await api.call('POST', '/v1/accounts', { name: 'Acme' }, withKey(key))
      assert.equal(refused.status, 400, key)
      assert.equal(refused.body.errors[0].field, 'Idempotency-Key')
    }
    // What creates nothing has no use for one.
    assert.equal((await api.call('GET', '/v1/accounts', undefined, withKey('a b'))).status, 200)
  })
})
