/**
 * The OpenAPI document is true: it names the paths that answer, and their answers fit it.
 */
import assert from 'node:assert/strict'
import type { Express } from 'express'
import { z } from 'zod'
import { createApp } from '../../src/admin/app.ts'
import { openMetrics } from '../../src/admin/metrics.ts'
import { newMessage } from '../store/fixtures.ts'
import { type Answer, type Api, startApi } from './support/api.ts'

// biome-ignore lint/suspicious/noExplicitAny: a JSON document
type Json = any

/** `GET /v1/accounts/{id}` of everything Express would route. */
function routed(app: Express): string[] {
  const found: string[] = []
  const walk = (stack: Json[]) => {
    for (const { route, handle } of stack) {
      if (route) {
        const path = route.path.replace(/:(\w+)/g, '{$1}')
        for (const method of Object.keys(route.methods))
          if (method !== '_all') found.push(`${method.toUpperCase()} ${path}`)
      } else if (handle.stack) walk(handle.stack)
    }
  }
  walk((app as Json).router.stack)
  return found.sort()
}

function documented(document: Json): string[] {
  return Object.entries<Json>(document.paths)
    .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
    .sort()
}

/** Fails when an answer is not what the document says of that path, method and status. */
function assertFits(document: Json, method: string, path: string, { status, headers, body }: Answer): void {
  const responses = document.paths[path]?.[method.toLowerCase()]?.responses
  const response = responses?.[status]
  assert.ok(response, `${method} ${path} answered ${status}, documented: ${Object.keys(responses ?? {})}`)
  assert.notEqual(status, 500, `${method} ${path}`)
  if (!response.content) {
    assert.equal(body, '')
    return
  }
  const type = (headers.get('content-type') ?? '').split(';')[0]!
  const { schema } = response.content[type] ?? assert.fail(`${method} ${path} answered ${type}`)
  const whole = schema.$ref ? document.components.schemas.Problem : schema
  const parsed = z.fromJSONSchema(whole).safeParse(body)
  assert.ok(parsed.success, `${method} ${path} ${status}: ${parsed.error && z.prettifyError(parsed.error)}`)
}

describe('the OpenAPI document', () => {
  it('names exactly the routes there are', async () => {
    await using api = await startApi()
    const metrics = openMetrics(api.dependencies)
    const app = createApp(api.dependencies, Promise.resolve('hash'), metrics)
    metrics.stop()
    const document = (await api.call('GET', '/openapi.json')).body
    assert.deepEqual(documented(document), routed(app))
    assert.ok(documented(document).length > 30)
    assert.match(document.openapi, /^3\.1\./)
  })

  it('has one operationId each and resolves all its references', async () => {
    await using api = await startApi()
    const document = (await api.call('GET', '/openapi.json')).body
    const operations = Object.values<Json>(document.paths).flatMap(methods => Object.values<Json>(methods))
    const ids = operations.map(operation => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
      const found = reference!
        .slice(2)
        .split('/')
        .reduce((part, key) => part?.[key], document)
      assert.ok(found, reference)
    }
    for (const [path, methods] of Object.entries<Json>(document.paths)) {
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
        for (const operation of Object.values<Json>(methods))
          assert.ok(operation.parameters?.some((parameter: Json) => parameter.in === 'path' && parameter.name === name))
      }
    }
  })

  it('describes bodies as they are sent', async () => {
    await using api = await startApi()
    const { paths } = (await api.call('GET', '/openapi.json')).body
    const body = paths['/v1/senders'].post.requestBody
    assert.equal(body.required, true)
    const { schema } = body.content['application/json']
    assert.deepEqual(schema.required, ['address', 'account'])
    assert.equal(schema.additionalProperties, false)
    assert.equal(schema.properties.address.type, 'string')
    assert.equal(paths['/v1/domains/{name}/dkim'].post.requestBody.required, false)
    assert.equal(paths['/v1/accounts'].get.parameters.find((one: Json) => one.name === 'limit').required, false)
  })

  it('fits what is answered, good and bad', async () => {
    await using api = await startApi({ bulk: { above: 1 } })
    const document = (await api.call('GET', '/openapi.json')).body
    const seen = new Set<string>()
    const check = async (
      method: string,
      template: string,
      path: string,
      body?: unknown,
      headers?: Record<string, string>,
    ) => {
      const answer = await api.call(method, path, body, headers)
      assertFits(document, method, template, answer)
      seen.add(`${method} ${template}`)
      return answer.body
    }
    await walkThrough(api, check)
    const secured = documented(document).filter(operation => operation.includes(' /v1/'))
    assert.deepEqual(
      secured.filter(operation => !seen.has(operation)),
      [],
      'every operation was tried',
    )
  })
})

type Check = (
  method: string,
  template: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Json>

async function walkThrough(api: Api, check: Check): Promise<void> {
  const { id: account } = await check('POST', '/v1/accounts', '/v1/accounts', { name: 'Acme', limits: { perDay: 9 } })
  await check('POST', '/v1/accounts', '/v1/accounts', {})
  await check('POST', '/v1/accounts', '/v1/accounts', '{')
  await check('POST', '/v1/accounts', '/v1/accounts', 'x', { 'content-type': 'text/plain' })
  await check('GET', '/v1/accounts', '/v1/accounts')
  await check('GET', '/v1/accounts', '/v1/accounts', undefined, { authorization: '' })
  await check('GET', '/v1/accounts', '/v1/accounts?limit=0')
  await check('GET', '/v1/accounts/{id}', `/v1/accounts/${account}`)
  await check('GET', '/v1/accounts/{id}', '/v1/accounts/nobody')
  await check('PATCH', '/v1/accounts/{id}', `/v1/accounts/${account}`, { name: 'Acme Ltd' })

  const { id } = await check('POST', '/v1/credentials', '/v1/credentials', { account, username: 'crm' })
  await check('POST', '/v1/credentials', '/v1/credentials', { account, username: 'crm' })
  await check('GET', '/v1/credentials', '/v1/credentials')
  await check('GET', '/v1/credentials/{id}', `/v1/credentials/${id}`)
  await check('PATCH', '/v1/credentials/{id}', `/v1/credentials/${id}`, { limits: { perMinute: 1 } })
  await check('POST', '/v1/credentials/{id}/rotate', `/v1/credentials/${id}/rotate`)
  await check('GET', '/v1/limits', `/v1/limits?credential=${id}`)
  await check('GET', '/v1/limits', '/v1/limits?to=gmail.com')
  await check('GET', '/v1/limits/sites', '/v1/limits/sites')
  await check('DELETE', '/v1/credentials/{id}', `/v1/credentials/${id}`)

  const smtp = { host: 'smtp.acme.example', username: 'u', password: 'p' }
  const address = 'sales@acme.example'
  await check('POST', '/v1/senders', '/v1/senders', { address, account, smtp })
  await check('POST', '/v1/senders', '/v1/senders', { address, account })
  await check('GET', '/v1/senders', '/v1/senders')
  await check('GET', '/v1/senders/{address}', `/v1/senders/${address}`)
  await check('PATCH', '/v1/senders/{address}', `/v1/senders/${address}`, { note: 'x' })
  await check('POST', '/v1/senders/{address}/test', `/v1/senders/${address}/test`)
  await check('POST', '/v1/senders/{address}/test', '/v1/senders/nobody@acme.example/test')

  await walkDomains(account, check)
  await check('GET', '/v1/relay', '/v1/relay')
  await check('POST', '/v1/relay/verify', '/v1/relay/verify')
  await check('GET', '/v1/relay/dkim-zone', '/v1/relay/dkim-zone')
  await check('GET', '/v1/relay/dkim-zone/file', '/v1/relay/dkim-zone/file')
  await walkMail(api, account, check)
  await walkWebhooks(account, check)
  await walkTlsReports(api, check)
  await walkSuppressions(api, account, check)

  await check('DELETE', '/v1/accounts/{id}', `/v1/accounts/${account}`)
  await check('DELETE', '/v1/senders/{address}', `/v1/senders/${address}`)
  await check('DELETE', '/v1/senders/{address}', `/v1/senders/${address}`)
}

async function walkWarmUps(check: Check): Promise<void> {
  const ofDomain = ['/v1/warm-ups/{kind}/{name}', '/v1/warm-ups/domain/acme.example'] as const
  await check('POST', '/v1/warm-ups', '/v1/warm-ups', { domain: 'acme.example' })
  await check('POST', '/v1/warm-ups', '/v1/warm-ups', { domain: 'acme.example' })
  await check('POST', '/v1/warm-ups', '/v1/warm-ups', { plan: 'standard' })
  await check('GET', '/v1/warm-ups', '/v1/warm-ups')
  await check('PATCH', ...ofDomain, { state: 'paused' })
  await check('GET', ...ofDomain)
  await check('PATCH', ...ofDomain, { state: 'running' })
  await check('PATCH', ...ofDomain, { state: 'walking' })
  await check('DELETE', ...ofDomain)
  await check('GET', ...ofDomain)
  await check('GET', '/v1/pools', '/v1/pools')
  await check('GET', '/v1/domains/{name}/volume', '/v1/domains/acme.example/volume')
}

async function walkDomains(account: string, check: Check): Promise<void> {
  const at = (rest = '') => [`/v1/domains/{name}${rest}`, `/v1/domains/acme.example${rest}`] as const
  await check('POST', '/v1/domains', '/v1/domains', { name: 'acme.example', account })
  await check('POST', '/v1/domains', '/v1/domains', { name: 'acme.example', account })
  await check('POST', '/v1/domains', '/v1/domains', { name: 'acme', account })
  await check('GET', '/v1/domains', '/v1/domains')
  await check('GET', ...at())
  await check('GET', '/v1/domains/{name}', '/v1/domains/other.example')
  await check('PATCH', ...at(), { limits: { perMinute: 60 } })
  await check('PATCH', ...at(), { dkimForm: 'cname', returnPath: true })
  await walkWarmUps(check)
  await check('PATCH', ...at(), { tracking: true })
  await check('POST', ...at('/verify'))
  await check('POST', ...at('/dkim'), { algorithm: 'ed25519' })
  await check('GET', ...at('/history'))
  const share = await check('POST', ...at('/share'), { expiresIn: '2d' })
  await check('POST', ...at('/share'), { expiresIn: 'soon' })
  await check('GET', ...at('/share'))
  await check('DELETE', '/v1/domains/{name}/share/{id}', `/v1/domains/acme.example/share/${share.id}`)
  await check('DELETE', '/v1/domains/{name}/share/{id}', '/v1/domains/acme.example/share/none')
  await check('GET', ...at('/request'))
  await check('GET', ...at('/zone'))
  await check('GET', ...at('/explain'))
  const domains = [
    { name: 'acme.example', account },
    { name: 'two.example', account },
    { name: 'co.jp', account },
  ]
  await check('POST', '/v1/domains/bulk', '/v1/domains/bulk', { domains })
  await check('POST', '/v1/domains/bulk', '/v1/domains/bulk', { domains: [] })
  await check('POST', '/v1/domains/verify', '/v1/domains/verify', { names: ['acme.example', 'none.example'] })
  await check('POST', '/v1/domains/verify', '/v1/domains/verify', {})
  await check('GET', '/v1/domains/checks', '/v1/domains/checks')
  await check('POST', ...at('/claim'), { account })
  const other = (await check('POST', '/v1/accounts', '/v1/accounts', { name: 'Other' })).id
  await check('POST', ...at('/claim'), { account: other })
  await check('GET', ...at('/claim'))
  await check('POST', ...at('/claim/verify'))
  await check('POST', '/v1/domains/{name}/claim/verify', '/v1/domains/two.example/claim/verify')
  await check('DELETE', ...at())
  await check('POST', ...at('/restore'))
  await check('POST', ...at('/restore'))
  await check('DELETE', ...at())
}

async function walkWebhooks(account: string, check: Check): Promise<void> {
  const url = 'http://127.0.0.1:1/hook'
  const { id } = await check('POST', '/v1/webhooks', '/v1/webhooks', { url, account, types: ['domain.*'] })
  const at = (rest = '') => [`/v1/webhooks/{id}${rest}`, `/v1/webhooks/${id}${rest}`] as const
  await check('POST', '/v1/webhooks', '/v1/webhooks', { url: 'ftp://crm.example/' })
  await check('GET', '/v1/webhooks', '/v1/webhooks')
  await check('POST', ...at('/test'))
  await check('POST', ...at('/replay'), { from: 1 })
  await check('POST', ...at('/replay'), {})
  await check('POST', ...at('/rotate-secret'))
  await check('PATCH', ...at(), { state: 'paused', reason: 'holidays' })
  await check('PATCH', ...at(), {})
  await check('GET', ...at())
  await check('DELETE', ...at())
  await check('GET', ...at())
  await check('DELETE', ...at())
}

async function walkSuppressions(api: Api, account: string, check: Check): Promise<void> {
  const list = '/v1/suppressions'
  const one = `${list}/you@there.example`
  const evidence = {
    from: 'outcome',
    message: 'm',
    at: 1,
    reply: '550 5.1.1 no',
    remoteMta: 'mx.there.example',
  } as const
  await check('POST', list, list, { address: 'You@there.example', account, note: 'asked by phone' })
  await check('POST', list, list, { address: 'you@there.example' })
  await check('POST', list, list, { address: 'you@there.example', account: 'none' })
  await check('POST', list, list, { address: 'you@there.example', account: null, expiresAt: '2026-01-01' })
  await api.store.suppress({
    ...{ account, address: 'they@there.example', reason: 'hard-bounce', note: '', createdAt: 1, expiresAt: null },
    ...{
      evidence: { ...evidence, class: 'address-unknown' },
      entry: null,
      byDefault: true,
      after: 1,
      countWithinMs: 1,
    },
  })
  await check('GET', list, `${list}?account=${account}`)
  await check('GET', list, `${list}?class=address-unknown&text=5.1.1&scope=all`)
  await check('GET', list, `${list}?reason=none`)
  await check('GET', `${list}/{address}`, `${one}?account=${account}`)
  await check('GET', `${list}/{address}`, one)
  await check('GET', `${list}/export.csv`, `${list}/export.csv`)
  await check('GET', `${list}/export.ndjson`, `${list}/export.ndjson?account=${account}`)
  const suppressions = [{ address: 'a@there.example' }, { address: 'a' }, 7]
  await check('POST', `${list}/import`, `${list}/import`, { account, suppressions })
  await check('POST', `${list}/import`, `${list}/import`, { suppressions: [] })
  await check('DELETE', `${list}/{address}`, `${one}?account=${account}`)
  await check('DELETE', `${list}/{address}`, one)
  await check('POST', `${list}/undo`, `${list}/undo`, { filter: { account, class: 'address-unknown' }, dryRun: true })
  await check('POST', `${list}/undo`, `${list}/undo`, { all: true })
  await check('POST', `${list}/undo`, `${list}/undo`, {})
}

async function walkTlsReports(api: Api, check: Check): Promise<void> {
  const policy = {
    policyType: 'no-policy-found',
    policyDomain: 'there.example',
    policyStrings: [],
    mxHostPatterns: [],
  } as const
  const day = { day: '2026-01-15', domain: 'there.example' }
  await api.store.addTlsCounts([{ ...day, policy, failure: null, sessions: 3 }])
  await check('GET', '/v1/tls-reports', '/v1/tls-reports?domain=there.example')
  const destinations = [{ uri: 'mailto:tls@there.example', state: 'sent', attempts: 1, at: 0, message: 'm' }] as const
  await api.store.saveTlsReport({ ...day, reportId: 'r', attempts: 1, nextAttemptAt: null, destinations })
  await check('GET', '/v1/tls-reports', '/v1/tls-reports?limit=1')
  const times = { fetchedAt: 1, expiresAt: 2, usedAt: 1 }
  await api.store.putStsPolicy({ domain: 'a.example', id: '1', mode: 'none', mx: [], lines: [], ...times })
  await check('GET', '/v1/tls-policies', '/v1/tls-policies')
  await check('GET', '/v1/tls-policies/{domain}', '/v1/tls-policies/there.example')
  await check('GET', '/v1/tls-policies/{domain}', '/v1/tls-policies/no')
  const path = '/v1/tls-reports/{domain}/{day}'
  await check('GET', path, '/v1/tls-reports/there.example/2026-01-15')
  await check('GET', path, '/v1/tls-reports/there.example/2026-01-14')
  await check('GET', path, '/v1/tls-reports/there.example/yesterday')
}

async function walkMail(api: Api, account: string, check: Check): Promise<void> {
  const draft = newMessage({ now: Date.now(), to: ['a@there.example', 'b@there.example'], account, events: true })
  await api.store.accept(draft)
  await check('GET', '/v1/messages', '/v1/messages')
  await check('GET', '/v1/messages/{id}', `/v1/messages/${draft.message.id}`)
  await check('GET', '/v1/messages/{id}', '/v1/messages/none')
  await check('GET', '/v1/queue', '/v1/queue')
  const slice = { filter: { domain: 'quiet.example' }, reason: 'maintenance' }
  await check('POST', '/v1/suspensions', '/v1/suspensions', { ...slice, dryRun: true })
  await check('POST', '/v1/suspensions', '/v1/suspensions', { reason: 'everything?', filter: {} })
  await check('POST', '/v1/suspensions', '/v1/suspensions', { ...slice, until: '2020-01-01' })
  const { suspension } = await check('POST', '/v1/suspensions', '/v1/suspensions', slice)
  await check('GET', '/v1/suspensions', '/v1/suspensions')
  await check('DELETE', '/v1/suspensions/{id}', `/v1/suspensions/${suspension.id}`)
  await check('DELETE', '/v1/suspensions/{id}', `/v1/suspensions/${suspension.id}`)
  const around = { domain: 'quiet.example', hosts: ['relay.example:587', '[2001:db8::1]:25'], note: 'outage' }
  const { id: detour } = await check('POST', '/v1/routes', '/v1/routes', around)
  await check('POST', '/v1/routes', '/v1/routes', around)
  await check('POST', '/v1/routes', '/v1/routes', { ...around, hosts: ['relay.example:port'] })
  await check('GET', '/v1/routes', '/v1/routes')
  await check('DELETE', '/v1/routes/{id}', `/v1/routes/${detour}`)
  await check('DELETE', '/v1/routes/{id}', `/v1/routes/${detour}`)
  const operations = '/v1/queue/operations'
  const begun = await check('POST', '/v1/queue/hold', '/v1/queue/hold', { all: true })
  await check('GET', operations, operations)
  await check('GET', `${operations}/{id}`, `${operations}/${begun.operation.id}`)
  await check('DELETE', `${operations}/{id}`, `${operations}/${begun.operation.id}`)
  await check('GET', `${operations}/{id}`, `${operations}/nothing`)
  await check('GET', '/v1/queue/finish', '/v1/queue/finish?by=account')
  await check('POST', '/v1/queue/hold', '/v1/queue/hold', { all: true })
  await check('POST', '/v1/queue/release', '/v1/queue/release', { all: true })
  await check('POST', '/v1/queue/retry', '/v1/queue/retry', { all: true })
  await check('POST', '/v1/queue/reschedule', '/v1/queue/reschedule', { all: true, sendAt: null })
  await check('POST', '/v1/queue/reschedule', '/v1/queue/reschedule', { all: true, sendAt: 'soon' })
  await check('POST', '/v1/queue/cancel', '/v1/queue/cancel', {})
  await check('POST', '/v1/queue/cancel', '/v1/queue/cancel', { all: true })
  await check('POST', '/v1/recipients/erase', '/v1/recipients/erase', { address: 'b@there.example' })
  await check('POST', '/v1/recipients/erase', '/v1/recipients/erase', { address: 'b' })
  await check('GET', '/v1/classes', '/v1/classes')
  await check('POST', '/v1/classes/try', '/v1/classes/try', { reply: '550 5.1.1 User unknown', phase: 'rcpt' })
  await check('POST', '/v1/classes/try', '/v1/classes/try', { reply: 'no reply' })
  await check('GET', '/v1/events', '/v1/events')
  await check('GET', '/v1/messages/{id}', `/v1/messages/${draft.message.id}`)
}
