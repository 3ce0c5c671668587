import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { newMessage } from '../store/fixtures.ts'
import { startApi } from './support/api.ts'

const none = { suppressions: 0, suppressionsKept: 0 }

describe('erasing a recipient by API', () => {
  it('tells what is still queued, and cancels it when asked to', async () => {
    const lines: string[] = []
    await using api = await startApi({ log: { ...silentLog, info: fields => lines.push(JSON.stringify(fields)) } })
    const draft = newMessage({ now: Date.now(), to: ['taro@there.example'], events: true })
    await api.store.accept(draft)
    const erase = (body: object) => api.call('POST', '/v1/recipients/erase', body)
    const left = await erase({ address: 'Taro@there.example' })
    assert.deepEqual(left.body, { messages: 0, events: 0, queued: 1, cancelled: 0, logged: 0, ...none })
    const done = await erase({ address: 'taro@there.example', cancel: true })
    assert.deepEqual(done.body, { messages: 1, events: 1, queued: 0, cancelled: 1, logged: 0, ...none })
    const told = lines.filter(line => line.includes('"erased"'))
    assert.equal(told.length, 2)
    assert.doesNotMatch(told.join(''), /taro/i)
    const shown = await api.call('GET', `/v1/messages/${draft.message.id}`)
    assert.doesNotMatch(JSON.stringify(shown.body), /taro/i)
    assert.match(JSON.stringify(shown.body), /erased@erased\.invalid/)
  })

  it('refuses what is no address', async () => {
    await using api = await startApi()
    const { status, body } = await api.call('POST', '/v1/recipients/erase', { address: 'taro' })
    assert.equal(status, 422)
    assert.match(JSON.stringify(body), /address/)
  })
})
