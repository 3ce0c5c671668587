/**
 * What holds for every request: tokens, problem documents, bounds, health.
 */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { openAdmin } from '../../src/admin/app.ts'
import type { Fields, Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type Answer, idle, startApi, token } from './support/api.ts'

function assertProblem(answer: Answer, status: number, kind: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  const { type, title, detail, message } = answer.body
  assert.equal(type, `/problems/${kind}`)
  assert.equal(answer.body.status, status)
  for (const text of [title, detail, message.en, message.ja]) assert.ok(typeof text === 'string' && text.length > 3)
}

function remembering(): { log: Log; lines: { level: string; fields: Fields; text: string }[] } {
  const lines: { level: string; fields: Fields; text: string }[] = []
  const add = (level: string) => (fields: Fields, text: string) => void lines.push({ level, fields, text })
  const log: Log = { ...silentLog, debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') }
  return { log, lines }
}

describe('the admin token', () => {
  it('is asked for by every path under /v1, also those that do not exist', async () => {
    await using api = await startApi()
    for (const path of ['/v1/accounts', '/v1/queue', '/v1/nothing']) {
      const answer = await api.call('GET', path, undefined, { authorization: '' })
      assertProblem(answer, 401, 'unauthorized')
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="kitte"')
    }
    const wrong = await api.call('GET', '/v1/accounts', undefined, { authorization: 'Bearer wrong' })
    assertProblem(wrong, 401, 'unauthorized')
    assert.match(wrong.headers.get('www-authenticate') ?? '', /invalid_token/)
  })

  it('is made at first start, kept in a file for the relay’s own user, and stored as a hash only', async () => {
    await using api = await startApi({ adminToken: null })
    const made = api.admin.madeToken!
    assert.match(made, /^[0-9a-z]{40}$/)
    const file = join(api.dataDir, 'admin-token')
    assert.equal(readFileSync(file, 'utf8'), `${made}\n`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const answer = await api.call('GET', '/v1/accounts', undefined, { authorization: `Bearer ${made}` })
    assert.equal(answer.status, 200)
    assert.notEqual(await api.store.setting('admin-token-hash'), made)

    const again = await openAdmin(api.dependencies)
    try {
      assert.equal(again.madeToken, null)
    } finally {
      await again.stop()
    }
  })

  it('makes an address wait after twenty wrong ones, even for the right one', async () => {
    const clock = manualClock()
    await using api = await startApi({ clock })
    for (let i = 0; i < 20; i++)
      assert.equal((await api.call('GET', '/v1/accounts', undefined, { authorization: `Bearer ${i}` })).status, 401)
    const waiting = await api.call('GET', '/v1/accounts')
    assertProblem(waiting, 429, 'too-many-failures')
    assert.equal(waiting.headers.get('retry-after'), '60')
    const elsewhere = await api.call('GET', '/v1/accounts', undefined, { 'x-forwarded-for': '203.0.113.9' })
    assert.equal(elsewhere.status, 200, 'a proxy on this machine tells who asks')
    await clock.advance(60_000)
    assert.equal((await api.call('GET', '/v1/accounts')).status, 200)
  })
})

describe('a wrong admin token', () => {
  it('is counted once however often it comes, so that an old script locks nobody out', async () => {
    await using api = await startApi()
    for (let i = 0; i < 30; i++)
      assert.equal((await api.call('GET', '/v1/accounts', undefined, { authorization: 'Bearer old' })).status, 401)
    assert.equal((await api.call('GET', '/v1/accounts')).status, 200)
  })
})

describe('a request that can not be answered', () => {
  it('is told as a problem, whatever is wrong with it', async () => {
    await using api = await startApi({ maxBodyBytes: 1000 })
    const post = (body: string, headers = {}) => api.call('POST', '/v1/accounts', body, headers)
    assertProblem(await post('{"name": '), 400, 'not-json')
    for (const coding of ['gzip', 'deflate', 'br'])
      assertProblem(await post('{}', { 'content-encoding': coding }), 400, 'not-json')
    assertProblem(await post('"text"'), 400, 'not-json')
    assertProblem(
      await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported-media-type',
    )
    assertProblem(
      await post('{}', { 'content-type': 'application/json; charset=shift_jis' }),
      415,
      'unsupported-media-type',
    )
    assertProblem(await post('{}', { 'content-encoding': 'zip' }), 415, 'unsupported-media-type')
    assertProblem(await post(JSON.stringify({ name: 'x'.repeat(1000) })), 413, 'too-large')
    assertProblem(await post('[]'), 422, 'invalid')
    assertProblem(await api.call('POST', '/v1/accounts'), 422, 'invalid')
    assertProblem(await api.call('GET', '/v1/nothing'), 404, 'no-such-path')
    assertProblem(await api.call('GET', '/nothing'), 404, 'no-such-path')
    assertProblem(await api.call('GET', '/v1/accounts/%zz'), 400, 'bad-request')
    assertProblem(await api.call('GET', '/v1/accounts?limit=many'), 400, 'bad-request')
    assertProblem(await api.call('GET', '/v1/accounts?limit=1&limit=2'), 400, 'bad-request')
    const put = await api.call('PUT', '/v1/accounts', {})
    assertProblem(put, 405, 'method-not-allowed')
    assert.equal(put.headers.get('allow'), 'POST, GET, HEAD, OPTIONS')
    assert.equal((await api.call('OPTIONS', '/v1/accounts')).status, 204)
  })

  it('names every bad field with its mend, in both languages', async () => {
    await using api = await startApi()
    const { body } = await api.call('POST', '/v1/accounts', { nam: 'Acme', limits: { perMinute: 0, perWeek: 7 } })
    const errors = Object.fromEntries(body.errors.map((error: { field: string }) => [error.field, error]))
    assert.deepEqual(Object.keys(errors).sort(), ['limits.perMinute', 'limits.perWeek', 'nam', 'name'])
    assert.match(errors.nam.detail, /there is no such field \(did you mean name\?\); known: name, limits, unaligned/)
    assert.match(errors.name.detail, /is missing; write a name/)
    assert.match(errors.name.message.ja, /必須です/)
    assert.match(errors['limits.perMinute'].detail, /whole number of at least 1/)
    assert.match(errors['limits.perWeek'].message.ja, /perMinute, perHour, perDay/)
  })

  it('has a page behind each type', async () => {
    await using api = await startApi()
    const { body } = await api.call('POST', '/v1/accounts', {})
    const page = await fetch(api.url + body.type)
    assert.equal(page.status, 200)
    assert.match(await page.text(), /入力内容に誤りがあります[\s\S]*Some fields need to be mended/)
    assert.equal((await api.call('GET', '/problems/no-such')).status, 404)
  })

  it('is 503 with a time to wait while the store can not be written', async () => {
    const broken = async () => Promise.reject(new StoreUnavailable('/var/secret path'))
    await using api = await startApi({ store: store => ({ ...store, createAccount: broken }) })
    const answer = await api.call('POST', '/v1/accounts', { name: 'Acme' })
    assertProblem(answer, 503, 'store-unavailable')
    assert.equal(answer.headers.get('retry-after'), '10')
    assert.doesNotMatch(JSON.stringify(answer.body), /secret path/)
  })

  it('is 500 without a word of ours when it is a bug, and the log has the stack', async () => {
    const { log, lines } = remembering()
    const broken = async () => Promise.reject(new TypeError('secret internals'))
    await using api = await startApi({ log, store: store => ({ ...store, createAccount: broken }) })
    const answer = await api.call('POST', '/v1/accounts', { name: 'Acme' })
    assertProblem(answer, 500, 'internal')
    assert.doesNotMatch(JSON.stringify(answer.body), /secret internals/)
    const line = lines.find(({ level }) => level === 'error')
    assert.match(String((line!.fields.err as Error).stack), /secret internals/)
  })
})

describe('every answer', () => {
  it('is kept out of caches and frames, and names no software', async () => {
    await using api = await startApi()
    const { headers } = await api.call('GET', '/v1/accounts')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'self'/)
    assert.equal(headers.get('x-powered-by'), null)
  })

  it('leaves a log line without query and body when something was changed', async () => {
    const { log, lines } = remembering()
    await using api = await startApi({ log })
    await api.call('POST', '/v1/accounts?token=secret', { name: 'secret' })
    const line = lines.find(({ level, text }) => level === 'info' && text === 'API request')
    const { ms, ...fields } = line!.fields
    assert.equal(typeof ms, 'number')
    assert.deepEqual(fields, { method: 'POST', path: '/v1/accounts', status: 201, from: '127.0.0.1' })
    assert.doesNotMatch(JSON.stringify(lines), /secret/)
  })
})

describe('health', () => {
  it('needs no token', async () => {
    await using api = await startApi()
    const anonymous = { authorization: '' }
    assert.deepEqual((await api.call('GET', '/healthz', undefined, anonymous)).body, { status: 'ok' })
    assert.deepEqual((await api.call('GET', '/readyz', undefined, anonymous)).body, { ready: true, reasons: [] })
  })

  it('is 503 with the reasons when mail is not taken', async () => {
    const full = { acceptsMail: false, writable: false, freeBytes: 0, reason: 'the disk is full' }
    await using api = await startApi({
      live: async () => ({ ...idle, ports: [], unsettled: 3 }),
      store: store => ({ ...store, health: async () => full }),
    })
    const answer = await api.call('GET', '/readyz')
    assert.equal(answer.status, 503)
    assert.equal(answer.body.ready, false)
    const reasons = answer.body.reasons.map((reason: { en: string }) => reason.en).join('\n')
    assert.match(reasons, /the disk is full[\s\S]*no port takes mail[\s\S]*3 outcomes/)
    assert.equal((await api.call('GET', '/healthz')).status, 200)
  })

  it('is 503 when the data plane does not answer', async () => {
    await using api = await startApi({ live: async () => Promise.reject(new Error('gone')) })
    assert.match(JSON.stringify((await api.call('GET', '/readyz')).body), /do not answer/)
  })
})

describe('the listener', () => {
  it('says what to do when its port is taken', async () => {
    await using api = await startApi()
    const http = { ...api.dependencies.config.http, port: api.admin.port }
    const config = { ...api.dependencies.config, http }
    const again = openAdmin({ ...api.dependencies, config, adminToken: null })
    await assert.rejects(again, /http\.port: .* is in use; stop what listens there/)
    assert.equal(await api.store.setting('admin-token-hash'), null, 'no token is made that nobody sees')
  })

  it('answers what is under way before it stops, and takes nothing more', async () => {
    const [held, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = async () => {
      reached.resolve()
      await held.promise
      return []
    }
    await using api = await startApi({ store: store => ({ ...store, listAccounts: slow }) })
    const request = api.call('GET', '/v1/accounts', undefined, { connection: 'close' })
    await reached.promise
    const stopped = api.admin.stop()
    held.resolve()
    assert.equal((await request).status, 200)
    await stopped
    await assert.rejects(fetch(`${api.url}/healthz`))
  })

  it('hands requests to the sandbox first, without a token', async () => {
    await using api = await startApi({
      extra: (request, response) => {
        if (request.url !== '/sandbox') return false
        response.end('inbox')
        return true
      },
    })
    assert.equal((await api.call('GET', '/sandbox', undefined, { authorization: '' })).body, 'inbox')
    assert.equal((await api.call('GET', '/healthz')).status, 200)
  })

  it('lives through what is no HTTP', async () => {
    await using api = await startApi()
    const socket = connect(api.admin.port, '127.0.0.1')
    let heard = ''
    socket.on('data', data => {
      heard += data
    })
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.write('EHLO client\r\n\r\n')
    await closed
    assert.match(heard, /^HTTP\/1\.1 400/)
    assert.equal((await api.call('GET', '/healthz', undefined, { authorization: `Bearer ${token}` })).status, 200)
  })
})
