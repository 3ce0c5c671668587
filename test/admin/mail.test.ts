/**
 * Messages, queue, events and metrics by API, over mail in the real store.
 */
import assert from 'node:assert/strict'
import type { NewEvent } from '../../src/mail/event.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import type { NewMessage } from '../../src/store/store.ts'
import { newMessage, outcome, outcomeEvent } from '../store/fixtures.ts'
import { type Api, idle, startApi } from './support/api.ts'

// biome-ignore lint/suspicious/noExplicitAny: a JSON document
type Json = any

const facts: Outcome['facts'] = {
  mode: 'spf-dkim',
  modeReason: 'spf and dkim are published',
  signatures: ['20260115._domainkey.ours.example'],
  site: 'mx1.there.example',
  remoteMta: 'mx1.there.example',
  remoteIp: '203.0.113.5',
  sourceIp: null,
  tls: null,
  reversePath: null,
  startedAt: 0,
  durations: { signMs: 1, connectMs: 2, sendMs: 3, totalMs: 6 },
}

/** Of a site that nothing closed and no limit stops. */
const open = { closing: null, nextSlotAt: null, free: 1 }

/** Accepts a message under a lease, as submission does, so that outcomes can be settled. */
async function accept(api: Api, to: string[], more: Partial<Parameters<typeof newMessage>[0]> = {}) {
  const now = Date.now()
  const draft = newMessage({ now, to, lease: { owner: 'test/1', until: now + 60_000 }, events: true, ...more })
  await api.store.accept(draft)
  return draft
}

async function settle(api: Api, outcomes: Outcome[]) {
  const events: NewEvent[] = outcomes.map(outcomeEvent)
  await api.store.settle({ outcomes, reports: [], events })
}

async function deferred(api: Api, draft: NewMessage, n = 0) {
  const { id, envelope } = draft.message
  const recipient = envelope.recipients[n]!.address
  const reply = { code: 451, detail: '4.1', text: 'not now', from: 'remote' } as const
  await settle(api, [
    outcome(`${id}.${n}`, 'deferred', Date.now(), { recipient, reply, class: 'greylisted', actor: 'remote', facts }),
  ])
}

describe('a message by API', () => {
  it('to a thousand recipients that are tried again and again is told with where each stands, within bounds', async () => {
    await using api = await startApi()
    const to = Array.from({ length: 1000 }, (_, n) => `r${n}@there.example`)
    const draft = await accept(api, to)
    const { id } = draft.message
    const tries = 7
    for (let attempt = 1; attempt <= tries; attempt++) {
      const now = Date.now() + attempt * 60_000
      const action = attempt === tries ? 'delivered' : 'deferred'
      const more = { attempt, nextAttemptAt: now }
      await settle(
        api,
        to.map((recipient, n) => outcome(`${id}.${n}`, action, now, { ...more, recipient })),
      )
      const lease = { owner: 'test/1', until: now + 600_000 }
      await api.store.claim({ now, limit: to.length, perDomain: to.length, lease })
    }
    const { body } = await api.call('GET', `/v1/messages/${id}`)
    assert.deepEqual([body.complete, body.counts.delivered], [false, to.length])
    assert.deepEqual(
      new Set(body.entries.map((entry: Json) => `${entry.state} ${entry.reply}`)),
      new Set(['delivered 250 2.0.0 said so']),
    )
    assert.ok(body.events.length <= 6000)
    assert.equal(body.events[0].type, 'message.accepted')
    assert.equal(body.events.at(-1).type, 'message.delivered')
  })

  it('is told with its recipients, attempts, replies, mode and class', async () => {
    await using api = await startApi()
    const draft = await accept(api, ['a@there.example', 'b@there.example', 'c@there.example'])
    const { id } = draft.message
    await deferred(api, draft, 0)
    await settle(api, [
      outcome(`${id}.1`, 'delivered', Date.now(), { recipient: 'b@there.example', facts }),
      outcome(`${id}.2`, 'bounced', Date.now(), {
        recipient: 'c@there.example',
        reply: { code: 550, detail: '1.1', text: 'no such user', from: 'remote' },
        class: 'address-unknown',
        actor: 'recipient',
        facts,
      }),
    ])
    const { status, body } = await api.call('GET', `/v1/messages/${id}`)
    assert.equal(status, 200)
    assert.deepEqual(body.counts, { queued: 1, delivered: 1, bounced: 1, cancelled: 0 })
    assert.equal(body.mode, 'spf-dkim')
    assert.equal(body.complete, true)
    const [waiting, delivered, bounced] = body.entries
    assert.deepEqual([waiting.state, waiting.class, waiting.reply], ['waiting', 'greylisted', '451 4.4.1 not now'])
    assert.equal(waiting.nextAttemptAt, waiting.attempts[0].nextAttemptAt)
    assert.deepEqual([delivered.state, delivered.nextAttemptAt], ['delivered', null])
    assert.deepEqual([bounced.state, bounced.reply], ['bounced', '550 5.1.1 no such user'])
    const [attempt] = bounced.attempts
    assert.match(attempt.message.ja, /存在しません/)
    assert.ok(attempt.next.en.length > 0 && attempt.who.ja.length > 0)
    assert.equal(attempt.reversePath, '<>')
    assert.deepEqual(
      body.events.map((event: { type: string }) => event.type),
      ['message.accepted', 'message.deferred', 'message.delivered', 'message.bounced'],
    )
    assert.equal(body.events[1].data.reply, '451 4.4.1 not now')
    assert.equal((await api.call('GET', '/v1/messages/nothing')).status, 404)
  })

  it('promises another try only where there will be one', async () => {
    await using api = await startApi()
    const { id } = (await accept(api, ['a@there.example', 'b@there.example', 'c@there.example'])).message
    const now = Date.now()
    await settle(api, [
      outcome(`${id}.0`, 'deferred', now, { class: 'network', facts }),
      outcome(`${id}.1`, 'bounced', now, { class: 'network', facts }),
      outcome(`${id}.2`, 'bounced', now, { class: 'of-another-version' as 'other', facts }),
    ])
    const { body } = await api.call('GET', `/v1/messages/${id}`)
    const [waiting, bounced, strange] = body.entries.map((entry: { attempts: Json[] }) => entry.attempts[0])
    assert.match(waiting.next.en, /^It is tried again by itself/)
    assert.match(bounced.next.en, /^Send it again later/)
    assert.match(bounced.next.ja, /^時間をおいて再度お送りください/)
    assert.equal(bounced.message.en, waiting.message.en)
    assert.match(strange.next.en, /ask for the reason/)
  })

  it('is found by recipient, sender, domain, state, Message-ID and time', async () => {
    await using api = await startApi()
    const first = await accept(api, ['a@there.example'])
    const second = await accept(api, ['b@there.example'], { from: 'x@other.example', account: 'other' })
    await settle(api, [outcome(`${second.message.id}.0`, 'delivered', Date.now())])
    const find = async (query: string) => {
      const { status, body } = await api.call('GET', `/v1/messages?${query}`)
      assert.equal(status, 200, JSON.stringify(body))
      return body.messages.map((message: { id: string }) => message.id)
    }
    assert.deepEqual(await find(''), [second.message.id, first.message.id])
    assert.deepEqual(await find('recipient=A@THERE.example&state=queued'), [first.message.id])
    assert.deepEqual(await find('sender=x@other.example'), [second.message.id])
    assert.deepEqual(await find('senderDomain=OTHER.example'), [second.message.id])
    assert.deepEqual(await find('account=other&state=delivered'), [second.message.id])
    assert.deepEqual(await find(`messageIdHeader=<${first.message.messageIdHeader}>`), [first.message.id])
    assert.deepEqual(await find('since=2020-01-01'), [second.message.id, first.message.id])
    assert.deepEqual(await find('until=2020-01-01T00:00:00%2B09:00'), [])
    const { body } = await api.call('GET', '/v1/messages?limit=1')
    assert.deepEqual(await find(`limit=1&cursor=${body.next}`), [first.message.id])
    for (const query of ['since=yesterday', 'recipient=nobody', 'state=lost', 'colour=red']) {
      assert.equal((await api.call('GET', `/v1/messages?${query}`)).status, 400, query)
    }
  })
})

describe('the queue by API', () => {
  it('counts, groups and lists what waits', async () => {
    const rule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }
    const limits = { ...rule, shared: null, connections: 5, slowStart: true, adapted: null }
    const site = {
      site: 'mx.there.example',
      running: 1,
      waiting: 2,
      closedUntil: 0,
      ...open,
      rule,
      senders: [],
      limits,
    }
    await using api = await startApi({ live: async () => ({ ...idle, sites: [site] }) })
    const draft = await accept(api, ['a@there.example', 'b@elsewhere.example'])
    await deferred(api, draft, 0)
    const { status, body } = await api.call('GET', '/v1/queue')
    assert.equal(status, 200)
    const { oldestReceivedAt, ...counts } = body.counts
    assert.deepEqual(counts, { total: 2, due: 0, waiting: 1, leased: 1, held: 0 })
    assert.match(oldestReceivedAt, /Z$/)
    assert.deepEqual(
      body.by.domain.map((group: { value: string; count: number }) => [group.value, group.count]).sort(),
      [
        ['elsewhere.example', 1],
        ['there.example', 1],
      ],
    )
    assert.deepEqual(body.by.site.map((group: { value: string; count: number }) => [group.value, group.count]).sort(), [
      ['mx1.there.example', 1],
      ['none', 1],
    ])
    assert.deepEqual(body.by.account[0].count, 2)
    assert.deepEqual(body.by.class.find((group: { value: string }) => group.value === 'greylisted').count, 1)
    assert.deepEqual(
      [body.sites[0].closedUntil, body.sites[0].connections, body.sites[0].rule.connections],
      ['1970-01-01T00:00:00.000Z', 5, 20],
    )
    assert.match(body.sites[0].slowStart.ja, /最大20接続のうち5接続/)
    assert.match(body.sites[0].slowStart.en, /5 of 20 connections/)
    const entry = body.entries.find((row: { id: string }) => row.id === `${draft.message.id}.0`)
    assert.deepEqual([entry.state, entry.attempts, entry.class], ['waiting', 1, 'greylisted'])
    assert.ok(entry.classMessage.ja.length > 0)
    const narrowed = await api.call('GET', '/v1/queue?domain=there.example&state=waiting&class=greylisted')
    assert.equal(narrowed.body.counts.total, 1)
    const ofSite = await api.call('GET', '/v1/queue?site=mx1.there.example')
    assert.deepEqual(
      ofSite.body.entries.map((row: { id: string; lastSite: string }) => [row.id, row.lastSite]),
      [[`${draft.message.id}.0`, 'mx1.there.example']],
    )
    assert.equal((await api.call('GET', '/v1/queue?class=nonsense')).status, 400)
  })

  it("knows a receiver's sites from the own servers of senders that mail to it left by", async () => {
    const rule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }
    const limits = { ...rule, shared: null, slowStart: false, adapted: null }
    const of = (site: string) => ({ site, running: 0, waiting: 0, closedUntil: 0, ...open, rule, senders: [], limits })
    const [mx, own] = ['mx1.there.example', 'smtp:smtp.ours.example:587'] as const
    await using api = await startApi({ live: async () => ({ ...idle, sites: [of(mx), of(own)] }) })
    const draft = await accept(api, ['a@there.example', 'b@there.example'])
    await deferred(api, draft, 0)
    const elsewhere = { recipient: 'b@there.example', facts: { ...facts!, site: own } }
    await settle(api, [outcome(`${draft.message.id}.1`, 'deferred', Date.now(), elsewhere)])
    const sites = async (query: string) =>
      (await api.call('GET', query)).body.sites.map(({ site }: { site: string }) => site)
    assert.deepEqual(await sites('/v1/limits?to=there.example'), [mx])
    assert.deepEqual(await sites('/v1/limits/sites'), [mx, own])
  })

  it('obeys hold, release, retry and cancel, and only counts with dryRun', async () => {
    await using api = await startApi()
    const draft = await accept(api, ['a@there.example', 'b@elsewhere.example'])
    await deferred(api, draft, 0)
    await deferred(api, draft, 1)
    const order = async (verb: string, body: object) => (await api.call('POST', `/v1/queue/${verb}`, body)).body
    const filter = { domain: 'there.example' }

    const dry = await order('hold', { filter, dryRun: true })
    assert.deepEqual([dry.dryRun, dry.changed, dry.matched.total], [true, 1, 1])
    assert.equal((await api.store.countQueue({})).held, 0)

    assert.equal((await order('hold', { filter, reason: 'wrong list' })).changed, 1)
    const { body } = await api.call('GET', `/v1/queue?entry=${draft.message.id}.0`)
    assert.deepEqual([body.entries[0].state, body.entries[0].heldReason], ['held', 'wrong list'])

    assert.equal((await order('release', { all: true })).changed, 1)
    assert.equal((await order('retry', { filter: { message: draft.message.id } })).changed, 2)
    assert.equal((await api.store.countQueue({})).due, 2)

    assert.equal((await order('cancel', { filter, dryRun: true })).changed, 1)
    assert.equal((await order('cancel', { filter, reason: 'sent by mistake' })).changed, 1)
    const { body: message } = await api.call('GET', `/v1/messages/${draft.message.id}`)
    assert.deepEqual(message.counts, { queued: 1, delivered: 0, bounced: 0, cancelled: 1 })
    assert.match(message.entries[0].reply, /sent by mistake/)
  })

  it('is not emptied by a command that forgot its filter', async () => {
    await using api = await startApi()
    for (const body of [{}, { filter: {} }, undefined]) {
      const { status } = await api.call('POST', '/v1/queue/cancel', body)
      assert.equal(status, 422, JSON.stringify(body))
    }
    assert.equal((await api.call('POST', '/v1/queue/cancel', { filter: { domian: 'x.example' } })).status, 422)
    assert.equal((await api.call('POST', '/v1/queue/cancel', { all: true })).status, 200)
  })

  it('is shown also while the data plane does not answer', async () => {
    await using api = await startApi({ live: async () => Promise.reject(new Error('gone')) })
    const { status, body } = await api.call('GET', '/v1/queue')
    assert.deepEqual([status, body.sites], [200, []])
  })
})

describe('events by API', () => {
  it('are read on from a cursor', async () => {
    await using api = await startApi()
    const draft = await accept(api, ['a@there.example'])
    const first = await api.call('GET', '/v1/events?limit=1')
    assert.deepEqual(
      first.body.events.map((event: { type: string }) => event.type),
      ['message.accepted'],
    )
    await deferred(api, draft)
    const second = await api.call('GET', `/v1/events?after=${first.body.after}`)
    assert.deepEqual(
      second.body.events.map((event: { type: string }) => event.type),
      ['message.deferred'],
    )
    const nothing = await api.call('GET', `/v1/events?after=${second.body.after}`)
    assert.deepEqual([nothing.body.events, nothing.body.after], [[], second.body.after])
    assert.equal((await api.call('GET', '/v1/events?type=message.deferred')).body.events.length, 1)
    assert.equal((await api.call('GET', '/v1/events?type=nonsense')).status, 400)
  })

  it('are read on behind those that do not fit, from beyond the newest too, and gaps are told', async () => {
    await using api = await startApi()
    await deferred(api, await accept(api, ['a@there.example']))
    const { newest } = await api.store.eventRange()
    for (const query of ['type=message.bounced', 'account=nobody', 'after=999999999'])
      assert.deepEqual((await api.call('GET', `/v1/events?${query}`)).body, {
        ...{ events: [], after: newest, deletedThrough: 0 },
      })
    const full = await api.call('GET', '/v1/events?limit=1')
    assert.equal(full.body.after, full.body.events[0].seq)
    await api.call('POST', '/v1/queue/cancel', { all: true })
    await api.store.purge(Date.now() + 60_000, 10)
    const { deletedThrough } = (await api.call('GET', '/v1/events')).body
    assert.ok(deletedThrough >= newest, String(deletedThrough))
  })
})

describe('metrics', () => {
  it('tell the delay of each thread, and none of one that does not answer', async () => {
    let answers = true
    const loopDelays = async () => {
      if (!answers) throw new Error('gone')
      return { 'data-plane-0': { p50: 0, p99: 0.02, max: 0.25 } }
    }
    await using api = await startApi({ loopDelays })
    const scrape = async () => (await fetch(`${api.url}/metrics`)).text()
    const text = await scrape()
    assert.match(text, /^kitte_event_loop_delay_seconds\{thread="main",quantile="1"\} [\d.]+$/m)
    const lines = text.split('\n').filter(line => line.includes('thread="data-plane-0"'))
    assert.deepEqual(
      lines.map(line => line.slice(line.indexOf('quantile'))),
      ['quantile="0.5"} 0', 'quantile="0.99"} 0.02', 'quantile="1"} 0.25'],
    )
    answers = false
    assert.doesNotMatch(await scrape(), /data-plane/)
  })

  it('add up', async () => {
    await using api = await startApi({ live: async () => ({ ...idle, sessions: 4 }) })
    const draft = await accept(api, ['a@there.example', 'b@there.example', 'c@there.example'])
    await deferred(api, draft, 0)
    await settle(api, [outcome(`${draft.message.id}.1`, 'delivered', Date.now())])
    const response = await fetch(`${api.url}/metrics`)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const value = (name: string) => Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (.+)$`, 'm').exec(text)?.[1])
    assert.equal(value('kitte_recipients_accepted_total'), 3)
    assert.equal(value('kitte_recipients_delivered_total'), 1)
    assert.equal(value('kitte_recipients_queued'), 2)
    const ended = ['delivered', 'bounced', 'cancelled'].map(action => value(`kitte_recipients_${action}_total`))
    assert.equal(value('kitte_recipients_queued') + ended.reduce((sum, count) => sum + count), 3)
    assert.equal(value('kitte_queue_entries{state="waiting"}'), 1)
    assert.equal(value('kitte_sessions'), 4)
    assert.equal(value('kitte_store_writable'), 1)
    const again = await (await fetch(`${api.url}/metrics`)).text()
    assert.match(again, /^kitte_recipients_accepted_total 3$/m, 'read twice, counted once')
  })
})
