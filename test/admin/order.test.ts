/**
 * Priorities and schedules by API and by command.
 */
import assert from 'node:assert/strict'
import { cli } from '../cli/support/cli.ts'
import { newMessage } from '../store/fixtures.ts'
import { type Api, startApi, token } from './support/api.ts'

const hour = 3_600_000

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  return code === 0 ? out : err
}

/** One message of each kind; answers the id of the scheduled one, and when it is to be sent. */
async function fill({ store }: Api): Promise<{ readonly id: string; readonly releaseAt: number }> {
  const now = Date.now()
  const releaseAt = now + 2 * hour
  await store.accept(newMessage({ now, message: { priority: 'bulk' } }))
  await store.accept(newMessage({ now, nextAttemptAt: now + hour }))
  const scheduled = newMessage({ now, message: { priority: 'transactional', releaseAt } })
  await store.accept(scheduled)
  return { id: scheduled.message.id, releaseAt }
}

describe('the order of mail by API', () => {
  it('shows priority, schedule and why an entry waits, in both languages', async () => {
    await using api = await startApi()
    const { id, releaseAt } = await fill(api)
    const { body } = await api.call('GET', '/v1/queue')
    const rows = body.entries as { priority: string; waitReason: string; scheduled: boolean }[]
    assert.deepEqual(
      rows.map(row => [row.priority, row.waitReason, row.scheduled]),
      [
        ['bulk', 'turn', false],
        ['normal', 'site', false],
        ['transactional', 'schedule', true],
      ],
    )
    assert.deepEqual(body.by.priority.map((group: { value: string }) => group.value).sort(), [
      'bulk',
      'normal',
      'transactional',
    ])
    const { body: message } = await api.call('GET', `/v1/messages/${id}`)
    assert.deepEqual([message.priority, message.sendAt], ['transactional', new Date(releaseAt).toISOString()])
    assert.match(message.entries[0].waitMessage.ja, /指定された送信日時/)
    assert.match(message.entries[0].waitMessage.en, /scheduled/)
    const narrowed = async (query: string) => (await api.call('GET', `/v1/queue?${query}`)).body.counts.total
    assert.deepEqual([await narrowed('priority=bulk'), await narrowed('scheduled=true')], [1, 1])
    assert.equal(await narrowed('scheduled=false'), 2)
    assert.equal((await api.call('GET', '/v1/queue?priority=urgent')).status, 400)
    assert.equal((await api.call('GET', '/v1/queue?scheduled=maybe')).status, 400)
  })

  it('reschedules, sends now, and leaves scheduled mail alone where only retries are meant', async () => {
    await using api = await startApi()
    const { id } = await fill(api)
    const order = async (verb: string, body: object) => (await api.call('POST', `/v1/queue/${verb}`, body)).body
    const sendAt = new Date(Date.now() + 5 * hour).toISOString()
    assert.equal((await order('reschedule', { all: true, sendAt, dryRun: true })).changed, 1)
    assert.equal((await order('reschedule', { all: true, sendAt })).changed, 1)
    const { body } = await api.call('GET', `/v1/queue?message=${id}`)
    assert.equal(body.entries[0].nextAttemptAt, sendAt)
    assert.equal((await order('retry', { all: true, dryRun: true })).changed, 1)
    assert.equal((await order('retry', { all: true })).changed, 1)
    assert.equal((await order('reschedule', { filter: { message: id }, sendAt: null })).changed, 1)
    assert.equal((await api.store.countQueue({ state: 'due' })).total, 3)
    assert.equal((await order('reschedule', { filter: { message: id }, sendAt })).changed, 0)
  })

  it('refuses times that can not be meant, and says how to write them', async () => {
    await using api = await startApi()
    const tooFar = new Date(Date.now() + 400 * 24 * hour).toISOString()
    for (const sendAt of ['tomorrow', '2026-01-15T09:00:00', tooFar, undefined]) {
      const { status, body } = await api.call('POST', '/v1/queue/reschedule', { all: true, sendAt })
      assert.equal(status, 422, String(sendAt))
      assert.equal(body.errors[0].field, 'sendAt')
    }
    assert.equal((await api.call('POST', '/v1/queue/reschedule', { sendAt: null })).status, 422)
  })

  it("keeps a credential's priority, changed alone or with its limits", async () => {
    await using api = await startApi()
    const made = await api.call('POST', '/v1/credentials', { scope: 'all', priority: 'bulk' })
    assert.deepEqual([made.status, made.body.priority], [201, 'bulk'])
    const path = `/v1/credentials/${made.body.id}`
    const limited = await api.call('PATCH', path, { limits: { perHour: 5 } })
    assert.deepEqual([limited.body.priority, limited.body.limits], ['bulk', { perHour: 5 }])
    const without = await api.call('PATCH', path, { priority: null })
    assert.deepEqual([without.body.priority, without.body.limits], [null, { perHour: 5 }])
    assert.equal((await api.call('PATCH', path, {})).status, 422)
    assert.equal((await api.call('PATCH', path, { priority: 'urgent' })).status, 422)
  })
})

describe('the order of mail by command', () => {
  it('lists by priority and schedule, and reschedules', async () => {
    await using api = await startApi()
    const { id } = await fill(api)
    assert.match(await kitte(api, 'queue', 'list', '--priority', 'bulk'), /^1 entries.*\n\n.*\n.* bulk +due +turn /)
    assert.match(
      await kitte(api, 'queue', 'list', '--scheduled'),
      /^1 entries.*\n\n.*\n.* transactional +waiting +schedule /,
    )
    assert.match(await kitte(api, 'queue', 'list', '--no-scheduled'), /^2 entries/)
    assert.match(await kitte(api, 'queue', 'list', '--by', 'priority'), /^transactional +1 /m)
    assert.match(await kitte(api, 'queue', 'show', id), /指定された送信日時/)
    assert.match(await kitte(api, 'explain', id), /^send at +2/m)
    const later = new Date(Date.now() + 5 * hour).toISOString()
    assert.match(
      await kitte(api, 'queue', 'reschedule', '--all', '--at', later, '--dry-run'),
      /^1 entries would be resch/,
    )
    assert.match(await kitte(api, 'queue', 'reschedule', id, '--at', later), /^1 entries rescheduled/)
    assert.match(await kitte(api, 'queue', 'reschedule', id), /give either --at TIME or --now/)
    assert.match(await kitte(api, 'queue', 'reschedule', id, '--now'), /^1 entries rescheduled/)
    assert.equal(JSON.parse(await kitte(api, 'queue', 'list', '--scheduled', '--json')).counts.total, 0)
  })

  it("changes a credential's priority", async () => {
    await using api = await startApi()
    assert.match(
      await kitte(api, 'credential', 'create', '--all', '--username', 'news', '--priority', 'bulk'),
      /^priority +bulk$/m,
    )
    assert.match(await kitte(api, 'credential', 'list'), /news .* bulk /)
    assert.match(await kitte(api, 'credential', 'priority', 'news', 'none'), /^priority +none$/m)
  })
})
