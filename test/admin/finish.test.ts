import assert from 'node:assert/strict'
import { account as makeAccount, newMessage } from '../store/fixtures.ts'
import { startApi } from './support/api.ts'

describe('the limits in force by API', () => {
  it('tell when what waits will be done, and when the next mail could leave', async () => {
    await using api = await startApi()
    const limits = { perMinute: 60 }
    await api.store.createAccount(makeAccount('acme', limits))
    for (let mails = 0; mails < 5; mails++) {
      const to = [`n${mails}@there.example`]
      await api.store.accept(newMessage({ now: Date.now(), to, limits: [{ key: 'account:acme', limits }] }))
    }
    const { body } = await api.call('GET', '/v1/queue/finish?by=domain')
    assert.equal(body.by, 'domain')
    const [group] = body.groups
    assert.deepEqual([group.value, group.count, group.limitedBy], ['there.example', 5, 'slots'])
    assert.match(
      group.message.en,
      /^5 for there\.example: done about \d{4}-\d\d-\d\d \d\d:\d\d, limited by send limits/,
    )
    assert.match(group.message.ja, /^there\.example: 5通。.*頃に完了の見込みです$/)
    const { nextSlotAt } = (await api.call('GET', '/v1/limits?account=acme')).body
    assert.ok(Date.parse(nextSlotAt) > Date.now() + 2000, nextSlotAt)
  })

  it('tell what a receiver is given before any mail went there', async () => {
    await using api = await startApi()
    const { body } = await api.call('GET', '/v1/limits?to=aspmx.l.google.com')
    assert.deepEqual([body.sites, body.nextSlotAt], [[], null])
    assert.match(body.rule.name, /gmail/i)
    assert.equal((await api.call('GET', '/v1/queue/finish?by=colour')).status, 400)
  })
})
