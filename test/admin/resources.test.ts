/**
 * Accounts, credentials, sender addresses and limits by API.
 */
import assert from 'node:assert/strict'
import { verifyPassword } from '../../src/base/password.ts'
import { startApi } from './support/api.ts'

describe('accounts by API', () => {
  it('are created, listed, changed, suspended and deleted', async () => {
    await using api = await startApi()
    const made = await api.call('POST', '/v1/accounts', { name: ' 株式会社アクメ ', limits: { perMinute: 60 } })
    assert.equal(made.status, 201)
    const { id } = made.body
    assert.equal(made.headers.get('location'), `/v1/accounts/${id}`)
    assert.equal(made.body.name, '株式会社アクメ')
    assert.match(made.body.createdAt, /^\d{4}-\d\d-\d\dT.*Z$/)
    assert.deepEqual(made.body.limits, { perMinute: 60 })

    const change = { limits: { perMinute: null, perDay: 1000 }, unaligned: 'refuse', suspendedReason: 'unpaid' }
    const changed = await api.call('PATCH', `/v1/accounts/${id}`, change)
    assert.equal(changed.status, 200)
    assert.deepEqual((await api.call('GET', `/v1/accounts/${id}`)).body, changed.body)
    assert.deepEqual(changed.body.limits, { perDay: 1000 })
    assert.equal(changed.body.suspendedReason, 'unpaid')
    const resumed = await api.call('PATCH', `/v1/accounts/${id}`, { suspendedReason: null })
    assert.equal(resumed.body.suspendedReason, null)
    assert.equal(resumed.body.unaligned, 'refuse', 'what is not named stays')

    assert.equal((await api.call('DELETE', `/v1/accounts/${id}`)).status, 204)
    assert.equal((await api.call('GET', `/v1/accounts/${id}`)).status, 404)
    assert.equal((await api.call('DELETE', `/v1/accounts/${id}`)).status, 404)
    assert.equal((await api.call('PATCH', `/v1/accounts/${id}`, { name: 'x' })).status, 404)
  })

  it('are not deleted while they hold a sender address', async () => {
    await using api = await startApi()
    const account = await api.account()
    await api.call('POST', '/v1/senders', { address: 'sales@acme.example', account })
    const refused = await api.call('DELETE', `/v1/accounts/${account}`)
    assert.equal(refused.status, 409)
    assert.equal(refused.body.type, '/problems/conflict')
    assert.equal((await api.call('GET', `/v1/accounts/${account}`)).status, 200)
  })

  it('come in pages', async () => {
    await using api = await startApi()
    const made = [await api.account('a'), await api.account('b'), await api.account('c')]
    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await api.call('GET', `/v1/accounts?limit=2${cursor && `&cursor=${cursor}`}`)
      assert.ok(body.accounts.length <= 2)
      seen.push(...body.accounts.map((account: { id: string }) => account.id))
      cursor = body.next
    } while (cursor !== null)
    assert.deepEqual(seen.sort(), made.sort())
  })

  it('need something to change', async () => {
    await using api = await startApi()
    const account = await api.account()
    assert.equal((await api.call('PATCH', `/v1/accounts/${account}`, {})).status, 422)
  })
})

describe('credentials by API', () => {
  it('show their password once and store its hash', async () => {
    await using api = await startApi()
    const account = await api.account()
    const made = await api.call('POST', '/v1/credentials', { account })
    assert.equal(made.status, 201)
    const { id, username, password } = made.body
    assert.match(password, /^[0-9a-z]{32}$/)
    const stored = await api.store.credentialByUsername(username)
    assert.ok(await verifyPassword(password, stored!.passwordHash))

    const shown = [await api.call('GET', '/v1/credentials'), await api.call('GET', `/v1/credentials/${id}`)]
    for (const { status, body } of shown) {
      assert.equal(status, 200)
      assert.doesNotMatch(JSON.stringify(body), /password|argon2/)
    }
  })

  it('belong to an account or to the CRM itself, not to both or neither', async () => {
    await using api = await startApi()
    const account = await api.account()
    const all = await api.call('POST', '/v1/credentials', { scope: 'all', username: 'crm' })
    assert.equal(all.status, 201)
    assert.deepEqual([all.body.account, all.body.scope, all.body.username], [null, 'all', 'crm'])
    for (const body of [{}, { account, scope: 'all' }, { scope: 'account' }]) {
      assert.equal((await api.call('POST', '/v1/credentials', body)).status, 422, JSON.stringify(body))
    }
    const nobody = await api.call('POST', '/v1/credentials', { account: 'nobody' })
    assert.equal(nobody.status, 422)
    assert.match(nobody.body.errors[0].detail, /there is no account with this id/)
  })

  it('have one username each', async () => {
    await using api = await startApi()
    const account = await api.account()
    await api.call('POST', '/v1/credentials', { account, username: 'crm' })
    const second = await api.call('POST', '/v1/credentials', { scope: 'all', username: 'crm' })
    assert.equal(second.status, 409)
    assert.equal(second.body.holder, account)
    assert.equal((await api.call('POST', '/v1/credentials', { scope: 'all', username: 'a b' })).status, 422)
  })

  it('are rotated, limited and revoked', async () => {
    await using api = await startApi()
    const { body: made } = await api.call('POST', '/v1/credentials', { scope: 'all' })
    const rotated = await api.call('POST', `/v1/credentials/${made.id}/rotate`)
    assert.equal(rotated.status, 200)
    assert.notEqual(rotated.body.password, made.password)
    const { passwordHash } = (await api.store.credential(made.id))!
    assert.equal(await verifyPassword(made.password, passwordHash), false)
    assert.equal(await verifyPassword(rotated.body.password, passwordHash), true)

    const limited = await api.call('PATCH', `/v1/credentials/${made.id}`, { limits: { perHour: 5 } })
    assert.deepEqual(limited.body.limits, { perHour: 5 })

    assert.equal((await api.call('DELETE', `/v1/credentials/${made.id}`)).status, 204)
    const { body: revoked } = await api.call('GET', `/v1/credentials/${made.id}`)
    assert.match(revoked.revokedAt, /^\d{4}-/)
    assert.equal((await api.call('DELETE', `/v1/credentials/${made.id}`)).status, 204)
    assert.equal((await api.call('GET', `/v1/credentials/${made.id}`)).body.revokedAt, revoked.revokedAt)
    assert.equal((await api.call('POST', `/v1/credentials/${made.id}/rotate`)).status, 409)
    assert.equal((await api.call('POST', '/v1/credentials/nobody/rotate')).status, 404)
  })
})

describe('sender addresses by API', () => {
  it('are registered once, and the second is told the holder', async () => {
    await using api = await startApi()
    const [first, second] = [await api.account('a'), await api.account('b')]
    const made = await api.call('POST', '/v1/senders', { address: 'Sales@ACME.example', account: first, note: '営業' })
    assert.equal(made.status, 201)
    assert.equal(made.body.address, 'Sales@acme.example')
    assert.equal(made.body.smtp, null)
    const refused = await api.call('POST', '/v1/senders', { address: 'Sales@acme.example', account: second })
    assert.equal(refused.status, 409)
    assert.equal(refused.body.holder, first)
    assert.equal((await api.call('GET', made.headers.get('location')!)).body.note, '営業')
  })

  it('keep the SMTP password sealed for their address, and never answer it', async () => {
    await using api = await startApi()
    const account = await api.account()
    const address = 'sales@acme.example'
    const smtp = { host: 'SMTP.Acme.example', username: 'sales', password: 'open sesame' }
    const { status, body } = await api.call('POST', '/v1/senders', { address, account, smtp })
    assert.equal(status, 201)
    const limits = { connections: 3, messagesPerConnection: 50, perMinute: null }
    const expected = { host: 'smtp.acme.example', port: 587, tls: 'required', username: 'sales', limits, trouble: null }
    assert.deepEqual(body.smtp, expected)
    const stored = await api.store.sender(address)
    assert.doesNotMatch(JSON.stringify(stored), /open sesame/)
    assert.equal(api.seal.open(stored!.smtp!.sealedPassword, `own-smtp:${address}`), 'open sesame')

    const noted = await api.call('PATCH', `/v1/senders/${address}`, { note: 'x' })
    assert.deepEqual(noted.body.smtp, expected, 'what is not named stays')
    const removed = await api.call('PATCH', `/v1/senders/${address}`, { smtp: null })
    assert.equal(removed.body.smtp, null)
    assert.equal((await api.call('DELETE', `/v1/senders/${address}`)).status, 204)
    assert.equal((await api.call('GET', `/v1/senders/${address}`)).status, 404)
  })

  it('are refused when they or their SMTP server can not be', async () => {
    await using api = await startApi()
    const account = await api.account()
    const bad = async (body: object, field: string) => {
      const answer = await api.call('POST', '/v1/senders', { address: 'a@acme.example', account, ...body })
      assert.equal(answer.status, 422, JSON.stringify(body))
      assert.deepEqual(
        answer.body.errors.map((error: { field: string }) => error.field),
        [field],
      )
    }
    await bad({ address: 'nobody' }, 'address')
    await bad({ address: 'a@[192.0.2.1]' }, 'address')
    await bad({ smtp: { host: 'smtp.acme.example', username: 'u' } }, 'smtp.password')
    await bad({ smtp: { host: 'http://x', username: 'u', password: 'p' } }, 'smtp.host')
    await bad({ smtp: { host: '192.0.2.1', username: 'u', password: 'p', port: 70000 } }, 'smtp.port')
    await bad({ note: 'x'.repeat(1001) }, 'note')
    await bad({ account: 'nobody' }, 'account')
  })
})

describe('limits by API', () => {
  it('are the smallest of account and credential', async () => {
    await using api = await startApi()
    const account = await api.account()
    await api.call('PATCH', `/v1/accounts/${account}`, { limits: { perMinute: 60, perDay: 1000 } })
    const { body } = await api.call('POST', '/v1/credentials', { account, limits: { perMinute: 10 } })
    const answer = await api.call('GET', `/v1/limits?credential=${body.id}`)
    const { nextSlotAt, ...told } = answer.body
    assert.match(nextSlotAt, /Z$/)
    assert.deepEqual(told, {
      buckets: [
        { key: `account:${account}`, limits: { perMinute: 60, perDay: 1000 } },
        { key: `credential:${body.id}`, limits: { perMinute: 10 } },
      ],
      effective: { perMinute: 10, perDay: 1000 },
      sites: [],
      rule: null,
      pool: 'default',
      warmUp: null,
    })
    assert.equal((await api.call('GET', '/v1/limits')).status, 400)
    assert.equal((await api.call('GET', '/v1/limits?account=nobody')).status, 404)
  })
})
