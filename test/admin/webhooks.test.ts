/**
 * Webhooks and the history of records by API and by command, over the real services and a receiver on loopback.
 */
import assert from 'node:assert/strict'
import { cli } from '../cli/support/cli.ts'
import { nextMoment } from '../support/next-moment.ts'
import { isSigned, type Receiver, startReceiver, status } from '../webhooks/receiver.ts'
import { until } from '../webhooks/world.ts'
import { type Api, startApi, token } from './support/api.ts'

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

async function register(api: Api, name = 'acme.example') {
  const account = await api.account()
  const { body } = await api.call('POST', '/v1/domains', { name, account, selector: 'sel' })
  return { account, records: body.records as { purpose: string; name: string; value: string }[] }
}

const typesOf = (receiver: Receiver) => receiver.got.map(({ body }) => body.type)

describe('webhooks by API', () => {
  it('tell what happens to a domain, as the API itself shows it', async () => {
    await using api = await startApi()
    await using receiver = await startReceiver()
    const made = await api.call('POST', '/v1/webhooks', { url: receiver.url, types: ['domain.*'] })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    assert.equal(made.headers.get('location'), `/v1/webhooks/${made.body.id}`)
    const { secret } = made.body
    const { records } = await register(api)
    api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
    for (const { name, value } of records) api.zone.set(name, { TXT: [value] })
    await api.call('POST', '/v1/domains/acme.example/verify')
    await until(() => typesOf(receiver).includes('domain.published'))
    assert.equal(new Set(receiver.taken).size, receiver.taken.length, 'each once')
    assert.ok(receiver.got.every(got => isSigned(got, secret)))
    const { events } = (await api.call('GET', '/v1/events?domain=acme.example')).body
    assert.deepEqual(
      receiver.got.map(({ body: { version: _, id: __, ...event } }) => event),
      events.slice(0, receiver.got.length),
    )
    const changed = receiver.got.map(({ body }) => body).findLast(body => body.data.purpose === 'spf')
    assert.deepEqual(changed.data.diff.removed, [])
    assert.ok(changed.data.diff.added.includes('ip4:210.198.21.20'))
    assert.deepEqual([changed.data.from.state, changed.data.to.state], ['not-published', 'published'])
    for (const { message } of [changed.data.from, changed.data.to]) assert.ok(message.ja && message.en)
  })

  it('are checked before they are taken, and never show their secret again', async () => {
    await using api = await startApi()
    for (const [field, body] of [
      ['url', { url: 'https://user:pw@crm.example/' }],
      ['url', { url: 'crm.example' }],
      ['url', {}],
      ['types.0', { url: 'https://crm.example/', types: ['mail.*'] }],
      ['types', { url: 'https://crm.example/', types: [] }],
      ['batch', { url: 'https://crm.example/', batch: 0 }],
      ['account', { url: 'https://crm.example/', account: 'nobody' }],
    ] as const) {
      const refused = await api.call('POST', '/v1/webhooks', body)
      assert.equal(refused.status, 422, field)
      assert.equal(refused.body.errors[0].field, field)
      assert.ok(!JSON.stringify(refused.body).includes('pw@'))
    }
    const { id, secret } = (await api.call('POST', '/v1/webhooks', { url: 'https://crm.example/' })).body
    const shown = [await api.call('GET', `/v1/webhooks/${id}`), await api.call('GET', '/v1/webhooks')]
    assert.ok(!JSON.stringify(shown).includes(secret.slice(6)))
    assert.ok(!JSON.stringify(await api.store.webhook(id)).includes(secret.slice(6)), 'sealed at rest')
    const rotated = (await api.call('POST', `/v1/webhooks/${id}/rotate-secret`)).body
    assert.notEqual(rotated.secret, secret)
    assert.match(rotated.previousSecretUntil, /Z$/)
  })

  it('say why one does not get anything, in both languages, and show it in the metrics', async () => {
    await using api = await startApi()
    await using receiver = await startReceiver(status(401, {}, 'who are you?'))
    const { id } = (await api.call('POST', '/v1/webhooks', { url: receiver.url })).body
    await register(api)
    const look = async () => (await api.call('GET', `/v1/webhooks/${id}`)).body
    await until(async () => (await look()).failures === 1)
    const { lastFailure, lag, nextTryAt, lastSuccess } = await look()
    assert.deepEqual([lastFailure.reason, lastFailure.status, lastFailure.reply], ['refused', 401, 'who are you?'])
    assert.ok(lastFailure.message.ja.includes('401') && lastFailure.fix.en.length > 0)
    assert.ok(lag > 0 && nextTryAt.endsWith('Z') && lastSuccess === null)
    const metrics = (await api.call('GET', '/metrics')).body as string
    assert.match(metrics, new RegExp(`^kitte_webhook_lag_events\\{webhook="${id}"\\} ${lag}$`, 'm'))
    assert.match(metrics, new RegExp(`^kitte_webhook_failures_total\\{webhook="${id}"\\} 1$`, 'm'))
    assert.match(metrics, new RegExp(`^kitte_webhook_events_total\\{webhook="${id}"\\} 0$`, 'm'))
    await api.call('DELETE', `/v1/webhooks/${id}`)
    assert.ok(!((await api.call('GET', '/metrics')).body as string).includes(id))
  })

  it('are not sent beyond what has happened: what comes until then would never be told', async () => {
    await using api = await startApi()
    await using receiver = await startReceiver()
    const { id } = (await api.call('POST', '/v1/webhooks', { url: receiver.url })).body
    await register(api)
    const { newest } = await api.store.eventRange()
    const beyond = await api.call('POST', `/v1/webhooks/${id}/replay`, { from: newest + 2 })
    assert.deepEqual([beyond.status, beyond.body.errors?.[0].field], [422, 'from'])
    const skipped = await api.call('POST', `/v1/webhooks/${id}/replay`, { from: newest + 1 })
    assert.deepEqual([skipped.status, skipped.body.lag], [200, 0])
  })

  it('go with their account', async () => {
    await using api = await startApi()
    const account = await api.account()
    const { id } = (await api.call('POST', '/v1/webhooks', { url: 'https://crm.example/', account })).body
    assert.equal((await api.call('GET', `/v1/webhooks?account=${account}`)).body.webhooks.length, 1)
    assert.equal((await api.call('DELETE', `/v1/accounts/${account}`)).status, 204)
    assert.equal((await api.call('GET', `/v1/webhooks/${id}`)).status, 404)
  })
})

describe('kitte webhook', () => {
  it('adds, lists, tests, pauses, resumes, replays and removes', async () => {
    await using api = await startApi()
    await using receiver = await startReceiver()
    const added = await kitte(
      api,
      'webhook',
      'add',
      receiver.url,
      '--types',
      'domain.*,message.bounced',
      '--batch',
      '9',
    )
    assert.match(added, /^secret +whsec_\S+$/m)
    assert.match(added, /not shown again.*再表示できません/)
    const [id] = /[0-9a-z]{26}/.exec(added)!
    assert.match(await kitte(api, 'webhook', 'list'), /domain\.\*,message\.bounced +有効 \/ enabled +0$/m)
    assert.match(await kitte(api, 'webhook', 'test', id), /^taken with 204 after \d+ ms$/m)
    assert.match(await kitte(api, 'webhook', 'pause', id, '--reason', 'holidays'), /停止中 \/ paused \(holidays\)/)
    await register(api)
    assert.match(await kitte(api, 'webhook', 'show', id), /^cursor +0, [1-9]\d* behind$/m)
    receiver.behaviour = status(503)
    await kitte(api, 'webhook', 'resume', id)
    await until(async () => /503 が発生/.test(await kitte(api, 'webhook', 'show', id)))
    assert.match(
      await kitte(api, 'webhook', 'test', id),
      /^not taken +受信側でエラー 503[\s\S]*The receiver answered 503/m,
    )
    receiver.behaviour = status(200)
    await kitte(api, 'webhook', 'replay', id, '--from', '1')
    await until(async () => / 0 behind$/m.test(await kitte(api, 'webhook', 'show', id)))
    assert.match(await kitte(api, 'webhook', 'rotate-secret', id), /whsec_/)
    const unclear = await cli(['webhook', 'replay', id], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.match(unclear.err, /either --from SEQ or --since TIME/)
    assert.match(await kitte(api, 'webhook', 'remove', id), /removed webhook/)
    assert.match(await kitte(api, 'webhook', 'list'), /no webhooks/)
  })
})

describe('the history of a domain', () => {
  it('tells what stood in DNS before and after, part by part, in words of both languages', async () => {
    await using api = await startApi()
    const { records } = await register(api)
    api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
    for (const { name, value } of records) api.zone.set(name, { TXT: [value] })
    const verify = async () => {
      await nextMoment()
      return api.call('POST', '/v1/domains/acme.example/verify')
    }
    await verify()
    const spf = records.find(({ purpose }) => purpose === 'spf')!
    api.zone.set('other.example', { TXT: ['v=spf1 -all'] })
    api.zone.set(spf.name, { TXT: [spf.value.replace('~all', 'include:other.example ~all')] })
    await verify()
    api.zone.set(spf.name, { TXT: ['v=spf1 include:other.example ~all'] })
    await verify()
    const { checks } = (await api.call('GET', '/v1/domains/acme.example/history')).body
    const ofSpf = checks.filter((check: { purpose: string }) => check.purpose === 'spf')
    assert.deepEqual(
      ofSpf.map(({ state, diff }: never) => [state, diff]),
      [
        ['not-published', { added: [], removed: ['ip4:210.198.21.20', 'include:m01-ahd-sys.net'], reordered: false }],
        ['published', { added: ['include:other.example'], removed: [], reordered: false }],
        ['published', { added: spf.value.split(' '), removed: [], reordered: false }],
        ['not-published', { added: [], removed: [], reordered: false }],
      ],
    )
    const [last, , , first] = ofSpf
    assert.equal(last.before.found[0], spf.value.replace('~all', 'include:other.example ~all'))
    assert.match(last.message.ja, /ip4:210\.198\.21\.20 が含まれていません|SPF/)
    assert.ok(last.message.en && last.before.message.en)
    assert.equal(first.before, null)
    const paged = (await api.call('GET', '/v1/domains/acme.example/history?limit=1')).body
    assert.deepEqual(paged.checks, checks.slice(0, 1), 'the one before is found beyond the page too')
    const out = await kitte(api, 'domain', 'history', 'acme.example')
    assert.match(out, /spf acme\.example {2}設定済 \/ published → 未設定 \/ not published$/m)
    assert.match(out, /^ {2}- ip4:210\.198\.21\.20$/m)
    assert.match(out, /^ {2}\+ include:other\.example$/m)
  })
})
