/**
 * Sender domains by the thousand and claims to those of others, by API, over the real service and a zone of ours.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../cli/support/cli.ts'
import { type Api, startApi, token } from './support/api.ts'

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

async function settled(api: Api) {
  for (;;) {
    const { body } = await api.call('GET', '/v1/domains/checks')
    if ([body.checks, body.keys].every(({ queued, running }) => queued + running === 0)) return body
  }
}

const entry = (name: string, account: string) => ({ name, account, bits: 1024 })

describe('registering sender domains in bulk', () => {
  it('answers each entry by itself, and makes keys and checks afterwards', async () => {
    await using api = await startApi()
    const [ours, other] = [await api.account('a'), await api.account('b')]
    await api.call('POST', '/v1/domains', entry('taken.example', other))
    await api.call('POST', '/v1/domains', entry('mine.example', ours))
    const domains = [
      entry('One.example', ours),
      entry('taken.example', ours),
      entry('mine.example', ours),
      entry('co.jp', ours),
      entry('not a name', ours),
      { name: 'two.example', account: 'nobody' },
      { name: 'three.example', account: ours, selector: 'S_1', colour: 'red' },
      17,
      entry('one.example', ours),
      { name: 'four.example', account: other, bits: 1024, selector: 'kitte' },
    ]
    const { status, body } = await api.call('POST', '/v1/domains/bulk', { domains })
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(
      body.results.map(({ name, result }: { name: string; result: string }) => `${name} ${result}`),
      [
        'one.example created',
        'taken.example conflict',
        'mine.example exists',
        'co.jp invalid',
        'not a name invalid',
        'two.example invalid',
        'three.example invalid',
        ' invalid',
        'one.example exists',
        'four.example created',
      ],
    )
    assert.deepEqual(body.counts, { created: 2, exists: 2, conflict: 1, invalid: 5 })
    const [created, taken, , suffix, , nobody, fields] = body.results
    assert.deepEqual([created.message, created.errors, created.holder], [null, [], null])
    assert.deepEqual([taken.holder, taken.claim], [other, '/v1/domains/taken.example/claim'])
    for (const { message } of [taken, suffix, nobody, fields]) assert.ok(message.ja && message.en)
    assert.deepEqual(
      fields.errors.map(({ field }: { field: string }) => field),
      ['selector', 'colour'],
    )
    const progress = await settled(api)
    assert.deepEqual([progress.keys.done, progress.keys.failed, progress.checks.failed], [2, 0, 0])
    assert.ok(progress.checks.endedAt !== null)
    for (const [name, selector] of [
      ['one.example', /^\d{8}$/],
      ['four.example', /^kitte$/],
    ] as const) {
      const domain = (await api.call('GET', `/v1/domains/${name}`)).body
      assert.deepEqual([domain.keys.length, domain.keys[0].state, domain.keys[0].bits, domain.keyFailure], [1, 'pending', 1024, null]) // biome-ignore format: one line
      assert.match(domain.keys[0].selector, selector)
      assert.ok(domain.records.every(({ checkedAt }: { checkedAt: string | null }) => checkedAt !== null))
    }
    const again = (await api.call('POST', '/v1/domains/bulk', { domains })).body
    assert.deepEqual(again.counts, { created: 0, exists: 4, conflict: 1, invalid: 5 })
  })

  it('takes a thousand in one call, and not one more', async () => {
    await using api = await startApi()
    const account = await api.account()
    const many = Array.from({ length: 1001 }, (_, n) => ({ name: `d${n}.example`, account, colour: 'red' }))
    const { body } = await api.call('POST', '/v1/domains/bulk', { domains: many.slice(1) })
    assert.equal(body.counts.invalid, 1000)
    for (const domains of [many, [], 'x']) {
      const refused = await api.call('POST', '/v1/domains/bulk', { domains })
      assert.deepEqual([refused.status, refused.body.errors[0].field], [422, 'domains'])
    }
  })

  it('leaves a domain without its key standing, with the reason', async () => {
    await using api = await startApi({ makeKey: () => Promise.reject(new Error('no entropy')) })
    const account = await api.account()
    await api.call('POST', '/v1/domains/bulk', { domains: [entry('one.example', account)] })
    await settled(api)
    const domain = (await api.call('GET', '/v1/domains/one.example')).body
    assert.equal(domain.keyFailure, 'no DKIM key could be made: no entropy')
    assert.deepEqual(
      domain.records.map(({ purpose }: { purpose: string }) => purpose),
      ['spf', 'dmarc'],
    )
  })
})

describe('checking sender domains in bulk', () => {
  it('queues those that are named, filtered, or all', async () => {
    await using api = await startApi()
    const [ours, other] = [await api.account('a'), await api.account('b')]
    const domains = [entry('one.example', ours), entry('two.example', ours), entry('three.example', other)]
    await api.call('POST', '/v1/domains/bulk', { domains })
    await settled(api)
    const named = await api.call('POST', '/v1/domains/verify', { names: ['ONE.example', 'none.example', '?'] })
    assert.deepEqual([named.status, named.headers.get('location')], [202, '/v1/domains/checks'])
    assert.deepEqual(named.body, { queued: 1, unknown: ['none.example', '?'], progress: '/v1/domains/checks' })
    assert.equal((await settled(api)).checks.done, 1)
    api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
    for (const { type, name, value } of (await api.call('GET', '/v1/domains/two.example')).body.records)
      if (type === 'TXT') api.zone.set(name, { TXT: [value] })
    assert.equal((await api.call('POST', '/v1/domains/verify', { all: true })).body.queued, 3)
    await settled(api)
    assert.equal((await api.call('GET', '/v1/domains/two.example')).body.mode, 'spf-dkim')
    for (const [filter, queued] of [
      [{ account: ours }, 2],
      [{ published: true }, 1],
      [{ published: false }, 2],
      [{ account: other, published: true }, 0],
    ] as const) {
      assert.equal((await api.call('POST', '/v1/domains/verify', { filter })).body.queued, queued)
      await settled(api)
    }
    for (const body of [{}, { filter: {} }, { names: [] }, { names: ['a.example'], all: true }, { all: false }])
      assert.equal((await api.call('POST', '/v1/domains/verify', body)).status, 422, JSON.stringify(body))
  })
})

describe('a sender domain of another account', () => {
  it('moves to whoever proves a claim in DNS, with a key of its own', async () => {
    await using api = await startApi()
    const [holder, claimer, third] = [await api.account('a'), await api.account('b'), await api.account('c')]
    const made = await api.call('POST', '/v1/domains', { ...entry('acme.example', holder), selector: 'old' })
    api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
    for (const { type, name, value } of made.body.records) if (type === 'TXT') api.zone.set(name, { TXT: [value] })
    assert.equal((await api.call('POST', '/v1/domains/acme.example/verify')).body.mode, 'spf-dkim')
    await api.call('PATCH', '/v1/domains/acme.example', { limits: { perDay: 5 } })

    await api.call('POST', '/v1/senders', { address: 'sales@acme.example', account: holder })

    const refused = await api.call('POST', '/v1/domains', entry('acme.example', claimer))
    assert.deepEqual([refused.status, refused.body.holder], [409, holder])
    const claim = await api.call('POST', refused.body.claim, { account: claimer })
    assert.equal(claim.status, 201, JSON.stringify(claim.body))
    const { record } = claim.body
    assert.equal(record.name, '_kitte-challenge.acme.example')
    assert.match(record.value, /^kitte-claim=[a-z0-9]{32}$/i)
    const again = await api.call('POST', '/v1/domains/acme.example/claim', { account: claimer })
    assert.deepEqual(again.body.record, record)
    const others = (await api.call('POST', '/v1/domains/acme.example/claim', { account: third })).body
    assert.notEqual(others.record.value, record.value)
    assert.equal((await api.call('GET', '/v1/domains/acme.example/claim')).body.claims.length, 2)

    const path = '/v1/domains/acme.example/claim/verify'
    const missing = await api.call('POST', path, { account: claimer })
    assert.deepEqual([missing.status, missing.body.state, missing.body.domain.account], [200, 'absent', holder])
    api.zone.set(record.name, { TXT: [others.record.value, 'other'] })
    assert.equal((await api.call('POST', path, { account: claimer })).body.state, 'differs')
    api.zone.fail(record.name)
    assert.equal((await api.call('POST', path)).body.state, 'dns-error')
    api.zone.set(record.name, { TXT: [others.record.value, record.value] })
    assert.equal((await api.call('POST', path)).status, 409, 'two are proven: whose is it to be?')
    api.zone.set(record.name, { TXT: [record.value] })
    const moved = (await api.call('POST', path)).body
    assert.deepEqual([moved.state, moved.domain.account, moved.domain.limits], ['moved', claimer, {}])
    assert.deepEqual(
      moved.domain.keys.map(({ selector, state }: { selector: string; state: string }) => `${selector === 'old' ? 'old' : 'new'} ${state}`), // biome-ignore format: one line
      ['new pending', 'old retired'],
    )
    assert.deepEqual([moved.domain.spf, moved.domain.dkim], ['published', 'not-published'])
    assert.equal(moved.domain.records.find(({ purpose }: { purpose: string }) => purpose === 'dkim').name.startsWith('old.'), false) // biome-ignore format: one line

    assert.equal((await api.call('POST', path, { account: third })).status, 404, 'its claim ended with the move')
    const told = async (account: string) =>
      (await api.call('GET', `/v1/events?account=${account}&domain=acme.example`)).body.events
        .map(({ type }: { type: string }) => type)
        .filter((type: string) => type.includes('claim'))
    assert.deepEqual(await told(holder), ['domain.claim_opened', 'domain.claim_opened', 'domain.claimed'])
    assert.deepEqual(await told(claimer), ['domain.claimed'])
    assert.equal((await api.call('GET', '/v1/senders/sales@acme.example')).status, 404)
    const { events } = (await api.call('GET', `/v1/events?account=${holder}&type=sender.removed`)).body
    assert.deepEqual(events[0].data, { address: 'sales@acme.example', to: claimer })
  })

  it('is not had by an account that was deleted before its claim was proven', async () => {
    await using api = await startApi()
    const [holder, claimer] = [await api.account('a'), await api.account('b')]
    await api.call('POST', '/v1/domains', entry('acme.example', holder))
    const { record } = (await api.call('POST', '/v1/domains/acme.example/claim', { account: claimer })).body
    api.zone.set(record.name, { TXT: [record.value] })
    assert.equal((await api.call('DELETE', `/v1/accounts/${claimer}`)).status, 204)
    assert.equal((await api.call('POST', '/v1/domains/acme.example/claim/verify')).status, 404)
    assert.equal((await api.call('GET', '/v1/domains/acme.example')).body.account, holder)
  })

  it('is not claimed by its holder, by nobody, or when it is free', async () => {
    await using api = await startApi()
    const [holder, other] = [await api.account('a'), await api.account('b')]
    await api.call('POST', '/v1/domains', entry('acme.example', holder))
    const claim = (name: string, account: string) => api.call('POST', `/v1/domains/${name}/claim`, { account })
    assert.equal((await claim('acme.example', holder)).status, 409)
    assert.equal((await claim('acme.example', 'nobody')).status, 422)
    assert.equal((await claim('free.example', other)).status, 404)
    assert.equal((await api.call('POST', '/v1/domains/acme.example/claim/verify', { account: other })).status, 404)
    const own = await api.call('POST', '/v1/domains', entry('acme.example', holder))
    assert.deepEqual([own.status, own.body.claim], [409, undefined])
    assert.equal((await api.call('POST', '/v1/domains', entry('shop.acme.example', other))).status, 201)
  })
})

describe('kitte domain', () => {
  it('imports a file and checks all', async () => {
    await using api = await startApi()
    const account = await api.account('Acme')
    const folder = mkdtempSync(join(tmpdir(), 'kitte-import-'))
    try {
      const [csv, json] = [join(folder, 'domains.csv'), join(folder, 'domains.json')]
      writeFileSync(
        csv,
        `\ufeffname,account,bits\r\none.example,Acme,1024\r\n"two.example",${account},1024\r\nco.jp,Acme,\r\n`,
      )
      const told = await kitte(api, 'domain', 'import', csv)
      assert.match(told, /2 created, 0 registered already, 0 of other accounts, 1 not usable/)
      assert.match(told, /co\.jp .*public suffix/)
      writeFileSync(json, JSON.stringify([{ name: 'one.example' }, { name: 'three.example', bits: 1024 }]))
      const answer = JSON.parse(await kitte(api, 'domain', 'import', json, '--account', 'Acme', '--json'))
      assert.deepEqual(answer.counts, { created: 1, exists: 1, conflict: 0, invalid: 0 })
      await settled(api)
      assert.match(await kitte(api, 'domain', 'verify', '--all'), /3 domains .*checked/)
      const checks = await kitte(api, 'domain', 'checks')
      assert.match(checks, /checks.*0 waiting.*3 done.*keys/s)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('says what is wrong with a file', async () => {
    await using api = await startApi()
    const folder = mkdtempSync(join(tmpdir(), 'kitte-import-'))
    try {
      const failing = async (name: string, text: string | null, said: RegExp) => {
        const file = join(folder, name)
        if (text !== null) writeFileSync(file, text)
        const { code, err } = await cli(['domain', 'import', file], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
        assert.equal(code, 1)
        assert.match(err, said)
      }
      await failing('none.csv', null, /there is no file .*none\.csv/)
      await failing('a.csv', 'domain;account\r\nx.example;Acme\r\n', /first line.*name/s)
      await failing('b.csv', 'name,account\nx.example,Acme,7\n', /line 2 has 3 fields/)
      await failing('c.csv', 'name,account\n"x.example,Acme\n', /line 2.*quotation mark/)
      await failing('d.json', '{', /not JSON/)
      await failing('e.json', '{"name":"x"}', /list/)
      await failing('f.csv', 'name\nx.example\n', /--account/)
      await failing('g.csv', 'name,account\nx.example,Nobody\n', /there is no account Nobody/)
      await failing('h.txt', 'x', /\.csv or \.json/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('claims a domain and proves it', async () => {
    await using api = await startApi()
    await api.call('POST', '/v1/domains', entry('acme.example', await api.account('a')))
    await api.account('b')
    const told = await kitte(api, 'domain', 'claim', 'acme.example', '--account', 'b')
    const [, value] = /(kitte-claim=\w+)/.exec(told) ?? []
    assert.match(told, /_kitte-challenge\.acme\.example/)
    const waiting = await cli(['domain', 'prove', 'acme.example'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
    assert.equal(waiting.code, 1)
    assert.match(waiting.err, /There is no TXT record/)
    api.zone.set('_kitte-challenge.acme.example', { TXT: [value!] })
    assert.match(await kitte(api, 'domain', 'prove', 'acme.example'), /has moved to the claimer/)
  })
})
