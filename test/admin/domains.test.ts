/**
 * Sender domains by API and by command, over the real service and a zone of ours.
 */
import assert from 'node:assert/strict'
import { cli } from '../cli/support/cli.ts'
import { type Api, startApi, token } from './support/api.ts'

interface Shown {
  readonly records: readonly { purpose: string; type: string; name: string; value: string; state: string }[]
}

/** Publishes what the API asks for, as the customer would. */
function publish(api: Api, { records }: Shown): void {
  for (const { type, name, value } of records) if (type === 'TXT') api.zone.set(name, { TXT: [value] })
}

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

describe('a sender domain by API', () => {
  it('is registered with its records and counts once they are published', async () => {
    await using api = await startApi()
    const account = await api.account()
    const made = await api.call('POST', '/v1/domains', { name: 'Acme.example', account })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    assert.equal(made.headers.get('location'), '/v1/domains/acme.example')
    const { name, spf, dkim, mode, records } = made.body
    assert.deepEqual([name, spf, dkim, mode], ['acme.example', 'not-published', 'not-published', 'sender-only'])
    const record = records.find((one: { purpose: string }) => one.purpose === 'spf')
    assert.deepEqual([record.type, record.name, record.state], ['TXT', 'acme.example', 'not-published'])
    assert.equal(record.value, 'v=spf1 ip4:210.198.21.20 include:m01-ahd-sys.net ~all')
    assert.ok(record.message.ja.length > 0 && record.fix.en.length > 0 && record.checkedAt.endsWith('Z'))
    const key = records.find((one: { purpose: string }) => one.purpose === 'dkim')
    assert.match(key.name, /^\d{8}\._domainkey\.acme\.example$/)
    assert.match(key.value, /^v=DKIM1; k=rsa; p=/)

    api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
    publish(api, made.body)
    const verified = await api.call('POST', '/v1/domains/acme.example/verify')
    assert.deepEqual([verified.status, verified.body.spf, verified.body.dkim], [200, 'published', 'published'])
    assert.equal(verified.body.mode, 'spf-dkim')
    assert.deepEqual((await api.call('GET', '/v1/domains/ACME.example')).body, verified.body)
    const { checks } = (await api.call('GET', '/v1/domains/acme.example/history?limit=1')).body
    assert.equal(checks.length, 1)
    assert.equal(checks[0].state, 'published')
  })

  it('is refused to a second account, naming the first', async () => {
    await using api = await startApi()
    const [first, second] = [await api.account('a'), await api.account('b')]
    await api.call('POST', '/v1/domains', { name: 'acme.example', account: first })
    const refused = await api.call('POST', '/v1/domains', { name: 'acme.example', account: second })
    assert.equal(refused.status, 409)
    assert.equal(refused.body.holder, first)
    for (const text of Object.values<string>(refused.body.message)) assert.ok(text.includes(first), text)
  })

  it('is refused when it is none, with the reason', async () => {
    await using api = await startApi()
    const account = await api.account()
    const suffix = await api.call('POST', '/v1/domains', { name: 'co.jp', account })
    assert.deepEqual([suffix.status, suffix.body.type], [422, '/problems/domain-invalid'])
    assert.match(suffix.body.detail, /public suffix/)
    assert.equal((await api.call('POST', '/v1/domains', { name: 'not a name', account })).status, 422)
    assert.equal((await api.call('POST', '/v1/domains', { name: 'acme.example', account: 'nobody' })).status, 422)
    assert.equal((await api.call('GET', '/v1/domains/nobody.example')).status, 404)
    assert.equal((await api.call('POST', '/v1/domains/nobody.example/verify')).status, 404)
  })

  it('gets a second key beside the first, limits, and comes back after a deletion', async () => {
    await using api = await startApi()
    const account = await api.account()
    await api.call('POST', '/v1/domains', { name: 'acme.example', account, selector: 'first' })
    const rotated = await api.call('POST', '/v1/domains/acme.example/dkim', { selector: 'second', bits: 1024 })
    assert.equal(rotated.status, 201)
    const second = rotated.body.keys.find((key: { selector: string }) => key.selector === 'second')
    assert.deepEqual([second.bits, second.weak, second.state], [1024, true, 'pending'])
    assert.equal((await api.call('POST', '/v1/domains/acme.example/dkim')).status, 201, 'a body is not needed')

    const limited = await api.call('PATCH', '/v1/domains/acme.example', { limits: { perMinute: 60, perDay: 9 } })
    assert.deepEqual(limited.body.limits, { perMinute: 60, perDay: 9 })
    const loosened = await api.call('PATCH', '/v1/domains/acme.example', { limits: { perDay: null } })
    assert.deepEqual(loosened.body.limits, { perMinute: 60 })
    assert.deepEqual((await api.call('GET', '/v1/limits?domain=acme.example')).body.effective, { perMinute: 60 })

    assert.equal((await api.call('DELETE', '/v1/domains/acme.example')).status, 204)
    assert.equal((await api.call('GET', '/v1/domains/acme.example')).status, 404)
    assert.deepEqual((await api.call('GET', '/v1/domains')).body.domains, [])
    const deleted = await api.call('GET', '/v1/domains?archived=true')
    assert.match(deleted.body.domains[0].archivedAt, /Z$/)
    const restored = await api.call('POST', '/v1/domains/acme.example/restore')
    assert.equal(restored.status, 200)
    const selectors = restored.body.keys.map((key: { selector: string }) => key.selector)
    assert.deepEqual([selectors.length, selectors.includes('first'), selectors.includes('second')], [3, true, true])
  })
})

describe('a sender domain with its options by API', () => {
  it('takes them at registration and later, and refuses what there is not', async () => {
    await using api = await startApi()
    const account = await api.account()
    const made = await api.call('POST', '/v1/domains', {
      name: 'acme.example',
      account,
      dkimForm: 'cname',
      returnPath: true,
    })
    assert.deepEqual(
      [made.status, made.body.dkimForm, made.body.returnPath],
      [201, 'cname', true],
      JSON.stringify(made.body),
    )
    assert.deepEqual(
      made.body.records.map(({ purpose, type }: Shown['records'][number]) => `${purpose} ${type}`),
      [...['spf TXT', 'dkim CNAME', 'dkim CNAME', 'dmarc TXT', 'return-path MX', 'return-path-spf TXT']],
    )
    const [key] = made.body.keys
    assert.deepEqual([key.selector, key.form, key.keepUntil, key.canBeDeleted], ['kitte1', 'cname', null, false])
    assert.ok(
      key.advice.ja.length > 0 && key.stateSince.endsWith('Z') && key.record === 'kitte1._domainkey.acme.example',
    )

    const changed = await api.call('PATCH', '/v1/domains/acme.example', { dkimForm: 'txt', limits: { perDay: 9 } })
    assert.deepEqual([changed.status, changed.body.dkimForm, changed.body.limits], [200, 'txt', { perDay: 9 }])
    const refused = await api.call('PATCH', '/v1/domains/acme.example', { tracking: true, limits: { perDay: 5 } })
    assert.deepEqual([refused.status, refused.body.type], [422, '/problems/domain-invalid'])
    assert.match(refused.body.detail, /domains\.trackingTarget/)
    assert.deepEqual((await api.call('GET', '/v1/domains/acme.example')).body.limits, { perDay: 9 }, 'nothing of it')
    const wrong = await api.call('PATCH', '/v1/domains/acme.example', { dkimForm: 'alias', returnPath: 'yes' })
    assert.deepEqual(
      wrong.body.errors.map(({ field }: { field: string }) => field),
      ['dkimForm', 'returnPath'],
    )
  })
})

describe('kitte domain', () => {
  it('prints what to publish, why it does not count, and what to do, in both languages', async () => {
    await using api = await startApi()
    await kitte(api, 'account', 'create', 'アクメ')
    const out = await kitte(api, 'domain', 'create', 'acme.example', '--account', 'アクメ', '--selector', 'sel')
    assert.match(out, /^SPF +未設定 \/ not published$/m)
    assert.match(out, /^ {2}name +acme\.example$/m)
    assert.match(out, /^ {2}value +v=spf1 ip4:210\.198\.21\.20 include:m01-ahd-sys\.net ~all$/m)
    assert.match(out, /^ {2}name +sel\._domainkey\.acme\.example$/m)
    assert.match(out, /^ {2}value +v=DKIM1; k=rsa; p=[A-Za-z0-9+/=]+$/m, 'whole, on one line, to be copied')
    for (const label of ['理由', '対処', 'reason', 'fix']) assert.match(out, new RegExp(`^  ${label} +\\S`, 'm'))

    api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
    publish(api, (await api.call('GET', '/v1/domains/acme.example')).body)
    assert.match(await kitte(api, 'domain', 'verify', 'acme.example'), /^DKIM +設定済 \/ published$/m)
    assert.match(await kitte(api, 'domain', 'list'), /acme\.example .* 設定済 \/ published .* spf-dkim/)
    assert.match(await kitte(api, 'domain', 'history', 'acme.example'), /dkim sel\._domainkey/)
  })

  it('registers with CNAMEs and changes what a domain opts in to', async () => {
    await using api = await startApi()
    await kitte(api, 'account', 'create', 'acme')
    const made = await kitte(api, 'domain', 'create', 'acme.example', '--account', 'acme', '--dkim-form', 'cname')
    assert.match(made, /^keys +kitte1 rsa \d+ pending, by CNAME/m)
    assert.match(made, /^ {2}name +kitte2\._domainkey\.acme\.example\n {2}type +CNAME$/m)
    const changed = await kitte(api, 'domain', 'change', 'acme.example', '--return-path', 'yes', '--dkim-form', 'txt')
    assert.match(changed, /^ {2}name +bounce\.acme\.example\n {2}type +MX\n {2}value +10 relay\.example\.jp$/m)
    assert.match(changed, /^kitte1 +この鍵はもう使われません。.*\n +Not in use any more\. Keep the CNAME/m)
    const back = JSON.parse(await kitte(api, 'domain', 'change', 'acme.example', '--return-path', 'no', '--json'))
    assert.deepEqual([back.returnPath, back.dkimForm], [false, 'txt'])
  })

  it('limits, rotates, deletes with a warning and restores', async () => {
    await using api = await startApi()
    await kitte(api, 'account', 'create', 'Acme')
    await kitte(api, 'domain', 'create', 'acme.example', '--account', 'Acme', '--selector', 'a')
    assert.match(await kitte(api, 'domain', 'limit', 'acme.example', '--per-minute', '60'), /60\/min/)
    assert.match(
      await kitte(api, 'domain', 'issue-dkim', 'acme.example', '--selector', 'b', '--bits', '1024'),
      /b rsa 1024 pending, weak/,
    )
    const deleted = await cli(['domain', 'delete', 'acme.example'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.equal(deleted.code, 0)
    assert.match(deleted.err, /gets a new selector[\s\S]*再登録すると/)
    assert.match(await kitte(api, 'domain', 'list', '--deleted'), /acme\.example/)
    await kitte(api, 'domain', 'create', 'alias.example', '--account', 'Acme', '--dkim-form', 'cname')
    const aliases = async () => {
      const { records } = (await api.call('GET', '/v1/domains/alias.example')).body
      return records.filter(({ type }: { type: string }) => type === 'CNAME')
    }
    const told = await aliases()
    const fitting = await cli(['domain', 'delete', 'alias.example'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.match(fitting.err, /by the same account with --dkim-form cname.*CNAMEs fitting[\s\S]*公開済みのCNAME/)
    assert.doesNotMatch(fitting.err, /new selector/)
    await kitte(api, 'domain', 'create', 'alias.example', '--account', 'Acme', '--dkim-form', 'cname')
    const values = (records: { name: string; value: string }[]) => records.map(({ name, value }) => `${name} ${value}`)
    assert.deepEqual(values(await aliases()), values(told), 'what the warning says is so')
    assert.match(await kitte(api, 'domain', 'restore', 'acme.example'), /^limits +60\/min$/m)
    const missing = await cli(['domain', 'show', 'nobody.example'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.equal(missing.code, 1)
    assert.match(missing.err, /nobody\.example is not registered/)
  })
})
