/**
 * An operator at the queue of a running relay: looks, holds, releases, retries, cancels, searches; and after every step
 * all that was accepted is delivered, bounced, cancelled or still queued, per account and in all (design invariant 2).
 */
import assert from 'node:assert/strict'
import { Dialogue } from '../support/dialogue.ts'
import { nextMoment } from '../support/next-moment.ts'
import { type Json, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sinks, startSinks } from '../support/sinks.ts'

const receivers = {
  'one.example': {},
  'two.example': {},
  'stuck.example': {},
  'ours.example': {},
  'theirs.example': {},
} as const
type Verb = 'hold' | 'release' | 'retry' | 'cancel'

interface Counts {
  readonly accepted: number
  readonly delivered: number
  readonly bounced: number
  readonly cancelled: number
  readonly queued: number
}

describe('an operator at the queue', () => {
  let sinks: Sinks<keyof typeof receivers>
  let relay: TestRelay
  let other = ''
  const clients: Dialogue[] = []
  /** Name → message id. */
  const sent = new Map<string, string>()

  before(async () => {
    sinks = await startSinks(receivers)
    relay = await startRelay({
      zone: sinks.zone,
      mxPort: sinks.port,
      verified: ['ours.example'],
      // Nothing is retried by itself while the test runs.
      settings: { KITTE_QUEUE_RETRY_AFTER: '[1h]' },
    })
    other = (await relay.api('POST', '/v1/accounts', { name: 'other' })).body.id
    await relay.api('POST', '/v1/domains', { name: 'theirs.example', account: other })
    clients.push(await loggedIn(relay.credential))
    clients.push(await loggedIn((await relay.api('POST', '/v1/credentials', { account: other })).body))
  })

  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]()
    await relay?.[Symbol.asyncDispose]()
    await sinks?.[Symbol.asyncDispose]()
  })

  afterEach(checkBooks)

  it('sees what waits, and why, by domain, account, sender domain and class', async () => {
    await submit('first', 'ours', ['once-451-4.2.1+1@one.example', 'once-451-4.2.1+2@two.example', 'ok@one.example'])
    await submit('second', 'ours', ['once-451-4.7.0+3@one.example', '550-5.1.1@one.example'])
    await submit('third', 'theirs', ['once-451-4.2.1+4@one.example', 'once-451-4.2.1+5@two.example'])
    await relay.until(() => ends().length === 8, 'the first attempts, and the report on one of them')
    const { body } = await relay.api('GET', '/v1/queue')
    assert.deepEqual(
      [body.counts.total, body.counts.waiting, body.counts.due, body.counts.leased, body.counts.held],
      [5, 5, 0, 0, 0],
    )
    assert.deepEqual(countsOf(body.by.domain), { 'one.example': 3, 'two.example': 2 })
    assert.deepEqual(countsOf(body.by.account), { [relay.account]: 3, [other]: 2 })
    assert.deepEqual(countsOf(body.by.senderDomain), { 'ours.example': 3, 'theirs.example': 2 })
    assert.equal(
      body.by.class.reduce((sum: number, { count }: Json) => sum + count, 0),
      5,
    )
    const [entry] = body.entries
    assert.deepEqual(
      [entry.recipient, entry.state, entry.attempts, entry.lastHost, entry.lastReply],
      ['once-451-4.2.1+1@one.example', 'waiting', 1, 'mx.one.example', '451 4.2.1 says the sink'],
    )
  })

  it('is told beforehand what a command would change, and nothing changes', async () => {
    const before = await queue()
    assert.deepEqual(await dryRun('hold', { account: relay.account }), { matched: 3, changed: 3 })
    assert.deepEqual(await dryRun('release', { account: relay.account }), { matched: 3, changed: 0 })
    assert.deepEqual(await dryRun('retry', { domain: 'two.example' }), { matched: 2, changed: 2 })
    assert.deepEqual(await dryRun('cancel', { senderDomain: 'theirs.example', domain: 'one.example' }), {
      matched: 1,
      changed: 1,
    })
    assert.deepEqual(await dryRun('cancel', { recipient: 'nobody@one.example' }), { matched: 0, changed: 0 })
    assert.deepEqual(await queue(), before)
  })

  it('can not mean everything by saying nothing', async () => {
    for (const body of [{}, { filter: {} }, { filter: { domain: 'not a domain' } }, { filter: { colour: 'red' } }]) {
      const { status, body: problem } = await relay.api('POST', '/v1/queue/cancel', body)
      assert.equal(status, 422, JSON.stringify(problem))
    }
  })

  it('holds the mail of one account: not even a retry sends it, while the other account goes on', async () => {
    assert.equal(await command('hold', { account: relay.account }, 'invoice unpaid'), 3)
    assert.equal(await command('hold', { account: relay.account }), 0, 'once is enough')
    const { body } = await relay.api('GET', '/v1/queue?state=held')
    assert.deepEqual(new Set(body.entries.map((entry: Json) => entry.heldReason)), new Set(['invoice unpaid']))
    assert.deepEqual(await dryRun('retry', null), { matched: 5, changed: 2 })
    assert.equal(await command('retry', null), 2)
    await relay.until(() => deliveredTo(sent.get('third')!).length === 2, 'the mail of the other account')
    assert.deepEqual(await queue(), { total: 3, due: 0, waiting: 0, leased: 0, held: 3 })
    assert.equal(relay.logged('held')[0]!.entries, 3)
    const { body: message } = await relay.api('GET', `/v1/messages/${sent.get('first')}`)
    assert.deepEqual(
      message.entries.map((entry: Json) => entry.state),
      ['held', 'held', 'delivered'],
    )
  })

  it('holds what waits, not who sends: new mail of that account goes out', async () => {
    await submit('fourth', 'ours', ['ok@two.example'])
    await relay.until(() => deliveredTo(sent.get('fourth')!).length === 1, 'the new mail')
  })

  it('releases some of it, which then waits for its time or a retry', async () => {
    assert.equal(await command('release', { domain: 'one.example' }), 2)
    assert.deepEqual(await queue(), { total: 3, due: 0, waiting: 2, leased: 0, held: 1 })
    assert.equal(await command('retry', { recipient: 'once-451-4.2.1+1@one.example' }), 1)
    await relay.until(() => deliveredTo(sent.get('first')!).length === 2, 'the released recipient')
    assert.deepEqual(await queue(), { total: 2, due: 0, waiting: 1, leased: 0, held: 1 })
    const { body } = await relay.api('GET', `/v1/messages/${sent.get('first')}`)
    const types = body.events.filter((event: Json) => event.recipient === 'once-451-4.2.1+1@one.example')
    assert.deepEqual(
      types.map(({ type }: Json) => type),
      ['message.deferred', 'message.held', 'message.released', 'message.retried', 'message.delivered'],
    )
  })

  it('cancels one entry for good, held or not, and the sender gets no report', async () => {
    const reports = relay.logged('reported').length
    const { body } = await relay.api('GET', '/v1/queue?state=held')
    assert.equal(await command('cancel', { entry: body.entries[0].id }, 'wrong list'), 1)
    assert.equal(await command('cancel', { entry: body.entries[0].id }), 0)
    const { body: message } = await relay.api('GET', `/v1/messages/${sent.get('first')}`)
    assert.deepEqual(message.counts, { queued: 0, delivered: 2, bounced: 0, cancelled: 1 })
    assert.equal(message.entries[1].state, 'cancelled')
    assert.match(message.entries[1].reply, /wrong list/)
    assert.equal(relay.logged('cancelled').length, 1)
    assert.equal(relay.logged('reported').length, reports)
  })

  it('can not call back what is being sent, says so, and cancels it when that fails', async () => {
    sinks.at['stuck.example'].setFault({ phase: 'dot', kind: 'silence' })
    await submit('fifth', 'theirs', ['ok@stuck.example'])
    await sinks.at['stuck.example'].when(() => sinks.at['stuck.example'].commands.includes('.'), 'its content')
    assert.deepEqual(await dryRun('cancel', { domain: 'stuck.example' }), { matched: 1, changed: 0 })
    assert.equal(await command('retry', { domain: 'stuck.example' }), 0)
    for (const [verb, ...expected] of [
      ['hold', 1, 1],
      ['release', 1, 0],
      ['cancel', 0, 1],
    ] as const) {
      const { changed, inFlight } = await ordered(verb, { domain: 'stuck.example' }, {})
      assert.deepEqual([changed, inFlight], expected, verb)
    }
    const before = relay.logged('cancelled').length
    sinks.at['stuck.example'].dropConnections()
    await relay.until(() => relay.logged('cancelled').length === before + 1, 'its line in the log')
    const { body } = await relay.api('GET', `/v1/messages/${sent.get('fifth')}`)
    assert.deepEqual([body.entries[0].state, body.counts.cancelled], ['cancelled', 1])
  })

  it('finds messages by what is known about them', async () => {
    const id = (name: string) => sent.get(name)!
    const { receivedAt, messageIdHeader } = (await relay.api('GET', `/v1/messages/${id('third')}`)).body
    const named = encodeURIComponent(`<${messageIdHeader}>`)
    for (const [query, names] of [
      ['recipient=ok@one.example', ['first']],
      ['recipient=OK@One.Example', ['first']],
      ['sender=a@theirs.example', ['fifth', 'third']],
      ['senderDomain=theirs.example', ['fifth', 'third']],
      [`account=${other}`, ['fifth', 'third']],
      [`messageIdHeader=${named}`, ['third']],
      ['state=queued', ['second']],
      ['state=cancelled', ['fifth', 'first']],
      ['state=bounced', ['second']],
      ['recipient=ok@one.example&state=bounced', []],
      ['recipient=once-451-4.2.1%2B2@two.example&state=cancelled', ['first']],
      [`since=${receivedAt}&sender=a@ours.example`, ['fourth']],
      [`until=${receivedAt}&sender=a@ours.example`, ['second', 'first']],
    ] as const) {
      const { status, body } = await relay.api('GET', `/v1/messages?${query}`)
      assert.equal(status, 200, query)
      const found = body.messages
        .filter(({ origin }: Json) => origin === 'submission')
        .map((message: Json) => message.id)
      assert.deepEqual(found, names.map(id), query)
    }
  })

  it('turns the pages of a search', async () => {
    const pages: string[][] = []
    for (let cursor = ''; cursor !== null; ) {
      const { body }: Json = await relay.api('GET', `/v1/messages?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      pages.push(body.messages.map((message: Json) => message.id))
      cursor = body.next
    }
    const all = (await relay.api('GET', '/v1/messages')).body.messages.map((message: Json) => message.id)
    assert.deepEqual(pages.flat(), all)
    assert.ok(pages.every(({ length }) => length <= 2))
  })

  it('empties the queue', async () => {
    assert.equal(await command('cancel', null), 1)
    assert.deepEqual(await queue(), { total: 0, due: 0, waiting: 0, leased: 0, held: 0 })
    const { accepted, delivered, bounced, cancelled, queued } = await relay.relay.store.totals()
    assert.deepEqual(
      { accepted, delivered, bounced, cancelled, queued },
      { accepted: 10, delivered: 6, bounced: 1, cancelled: 3, queued: 0 },
    )
  })

  // ── Words of this file ──

  /** Invariant 2, from the messages of each account, the totals and the metrics. */
  async function checkBooks(): Promise<void> {
    await relay.until(async () => (await queue()).leased + (await queue()).due === 0, 'attempts to end')
    const books = await Promise.all([relay.account, other].map(booksOf))
    for (const { accepted, delivered, bounced, cancelled, queued } of books)
      assert.equal(accepted, delivered + bounced + cancelled + queued)
    const names = ['accepted', 'delivered', 'bounced', 'cancelled', 'queued'] as const
    const sum = Object.fromEntries(names.map(name => [name, books.reduce((total, one) => total + one[name], 0)]))
    assert.deepEqual({ ...(await relay.relay.store.totals()) }, sum)
    const metrics = await metricsOf()
    for (const name of names)
      assert.equal(metrics[`kitte_recipients_${name}${name === 'queued' ? '' : '_total'}`], sum[name], name)
  }

  async function booksOf(account: string): Promise<Counts> {
    const { body } = await relay.api('GET', `/v1/messages?account=${account}&limit=1000`)
    const messages: Json[] = body.messages
    const sum = (of: (message: Json) => number) => messages.reduce((total, message) => total + of(message), 0)
    const queued = sum(({ counts }) => counts.queued)
    assert.equal((await relay.api('GET', `/v1/queue?account=${account}`)).body.counts.total, queued)
    return {
      accepted: sum(({ recipients }) => recipients.length),
      delivered: sum(({ counts }) => counts.delivered),
      bounced: sum(({ counts }) => counts.bounced),
      cancelled: sum(({ counts }) => counts.cancelled),
      queued,
    }
  }

  async function metricsOf(): Promise<Record<string, number>> {
    const text = await (await fetch(`http://127.0.0.1:${relay.relay.httpPort}/metrics`)).text()
    const lines = text.split('\n').filter(line => /^kitte_\w+ /.test(line))
    return Object.fromEntries(lines.map(line => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
  }

  async function loggedIn({
    username,
    password,
  }: {
    readonly username: string
    readonly password: string
  }): Promise<Dialogue> {
    const client = await Dialogue.greeted({ port: relay.ports[1]!, tls: true })
    await client.say('EHLO crm.example', /^250-/)
    await client.login(username, password)
    return client
  }

  async function submit(name: string, whose: 'ours' | 'theirs', to: readonly string[]): Promise<void> {
    const client = clients[whose === 'ours' ? 0 : 1]!
    await nextMoment()
    const from = `a@${whose}.example`
    await client.say(`MAIL FROM:<${from}>`, /^250 /)
    for (const address of to) await client.say(`RCPT TO:<${address}>`, /^250 /)
    const reply = await client.content(`From: ${from}\r\nSubject: ${name}\r\n\r\nhello\r\n`, /^250 /)
    sent.set(name, /queued as (\S+)/.exec(reply)![1]!)
  }

  async function ordered(verb: Verb, filter: object | null, rest: object): Promise<Json> {
    const { status, body } = await relay.api('POST', `/v1/queue/${verb}`, {
      ...(filter ? { filter } : { all: true }),
      ...rest,
    })
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }

  /** How many it changed. `null` is the whole queue. */
  async function command(verb: Verb, filter: object | null, reason?: string): Promise<number> {
    return (await ordered(verb, filter, reason === undefined ? {} : { reason })).changed
  }

  async function dryRun(verb: Verb, filter: object | null): Promise<Json> {
    const { matched, changed } = await ordered(verb, filter, { dryRun: true })
    return { matched: matched.total, changed }
  }

  async function queue(): Promise<Json> {
    const { oldestReceivedAt: _, ...counts } = (await relay.api('GET', '/v1/queue')).body.counts
    return counts
  }

  function deliveredTo(id: string) {
    return relay.logged('delivered').filter(({ message }) => message === id)
  }

  function ends() {
    return ['delivered', 'deferred', 'bounced'].flatMap(event => relay.logged(event))
  }
})

function countsOf(groups: Json[]): Record<string, number> {
  return Object.fromEntries(groups.map(({ value, count }) => [value, count]))
}
