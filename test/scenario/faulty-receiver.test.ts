/**
 * Every fault in every phase of a receiving host against the whole relay: what becomes of the mail, who must act, whether
 * the site is left alone, and that all of it is delivered once the fault is gone.
 */
import assert from 'node:assert/strict'
import { bytesInUse } from '../support/heap.ts'
import { type Json, type LoggedLine, startRelay, type TestRelay } from '../support/relay.ts'
import type { FaultKind, FaultPhase, SinkOptions } from '../support/sink.ts'
import { faultKinds } from '../support/sink-faults.ts'
import { type Sinks, startSinks } from '../support/sinks.ts'
import { steadyClock } from '../support/steady-clock.ts'

/** `!` the site is closed for a while, `?` in doubt, `|` either: it depends on what the network delivers before a reset. */
const table = `
              connect banner ehlo starttls handshake mail rcpt data dot auth
4xx           T!      T!     T!   ok       ok        T    T    T    T   A!
5xx           L!      L!     L!   ok       ok        B    B    B    B   R!
421           G!      G!     G!   G!       ok        G!   G!   G!   G!  S!
reset         C!|N!   C!|N!  N!   ok       ok        N!   N|N! N|N! N?  O!
close         N!      N!     N!   ok       ok        N!   N    N    N?  O!
silence       N!      N!     N!   ok       ok        N!   N    N    N?  O!
garbage       P!      P!     P!   ok       ok        P!   P    P    P?  Q!
short-code    P!      P!     P!   ok       ok        P!   P    P    P?  Q!
endless-line  P!      P!     P!   ok       ok        P!   P    P    P?  Q!
endless-reply P!      P!     P!   ok       ok        P!   P    P    P?  Q!
extra-reply   P!      P!     P!   ok       ok        P    P    P    ok  Q!
trickle       N!      N!     N!   ok       ok        N!   N    N    N?  O!
`

/** Action, class, who must act, status, who says it. */
const meanings: Readonly<Record<string, string>> = {
  ok: 'delivered none nobody 2.0.0 remote',
  // RFC 5321 §4.2.1: 4yz is tried again.
  T: 'deferred remote-trouble remote 4.3.0 remote',
  // A 5yz before the transaction turns us away and says nothing about this mail.
  L: 'deferred remote-trouble remote 5.3.0 remote',
  B: 'bounced remote-trouble remote 5.3.0 remote',
  G: 'deferred remote-trouble remote 4.3.2 remote',
  // RFC 3463 §3.5: X.4.1 no answer from host, X.4.2 bad connection.
  C: 'deferred network remote 4.4.1 relay',
  N: 'deferred network remote 4.4.2 relay',
  // What can't be understood is temporary, never success.
  P: 'deferred protocol remote 4.5.0 relay',
  // A sender's own server: its login is the sender's to mend.
  A: 'deferred own-smtp-login own-smtp 4.3.0 remote',
  R: 'deferred own-smtp-login own-smtp 5.3.0 remote',
  S: 'deferred own-smtp-login own-smtp 4.3.2 remote',
  O: 'deferred own-smtp-login own-smtp 4.4.2 relay',
  Q: 'deferred own-smtp-login own-smtp 4.5.0 relay',
}

const sender = 'a@ours.example'

interface Cell {
  readonly phase: FaultPhase
  readonly kind: FaultKind
  readonly domain: string
  /** With phase `auth` an address with an SMTP server of its own, which is the faulty one. */
  readonly from: string
  readonly expected: readonly string[]
}

const rows = table.trim().split('\n')
const phases = rows[0]!.trim().split(/\s+/) as FaultPhase[]
const cells: readonly Cell[] = rows.slice(1).flatMap(row => {
  const [kind, ...outcomes] = row.trim().split(/\s+/)
  return phases.map((phase, index) => ({
    phase,
    kind: kind as FaultKind,
    domain: `${kind}.${phase}.example`,
    from: phase === 'auth' ? `own-${kind}@ours.example` : sender,
    expected: outcomes[index]!.split('|').map(spelled),
  }))
})

/** `P?` → `deferred protocol remote 4.5.0 relay ?`. */
function spelled(cell: string): string {
  const [, letter = '', marks = ''] = /^(\w+)([!?]?)$/.exec(cell)!
  return `${meanings[letter]} ${marks}`.trimEnd()
}

/** Long enough for a busy machine, short enough for a suite. */
const settings = {
  KITTE_DELIVERY_COMMAND_TIMEOUT: '2s',
  KITTE_DELIVERY_DOT_TIMEOUT: '2s',
  KITTE_DELIVERY_IDLE_CONNECTION: '500ms',
  KITTE_QUEUE_SITE_CLOSED: '4s',
}
const login = { username: 'acme', password: 'secret' }

describe('a faulty receiver', function () {
  let sinks: Sinks<string>
  let relay: TestRelay
  let before = 0
  const ids = new Map<string, string>()

  this.beforeAll(async () => {
    const faulty = cells.map(({ domain, phase, kind }): [string, SinkOptions] => [
      domain,
      {
        tls: phase === 'starttls' || phase === 'handshake' ? 'starttls' : 'none',
        ...(phase === 'auth' ? { auth: login } : {}),
        fault: { phase, kind },
      },
    ])
    sinks = await startSinks(Object.fromEntries<SinkOptions>([['ours.example', {}], ...faulty]))
    relay = await startRelay({
      zone: sinks.zone,
      mxPort: sinks.port,
      verified: ['ours.example'],
      settings,
      clock: steadyClock,
    })
    await relay.submit({ from: sender, to: [sender] })
    await relay.settled()
    for (const { domain, from } of cells.filter(({ phase }) => phase === 'auth')) {
      const smtp = { host: `mx.${domain}`, port: sinks.port, tls: 'opportunistic', ...login }
      await relay.api('POST', '/v1/senders', { address: from, account: relay.account, smtp })
    }
    before = bytesInUse()
    await Promise.all(
      cells.map(async ({ domain, from }) => {
        ids.set(domain, await relay.submit({ from, to: [`a@${domain}`, `b@${domain}`] }))
      }),
    )
    await relay.until(() => cells.every(cell => firstAttempts(relay, cell).length === 2), 'an outcome in every cell')
  })

  this.afterAll(async () => {
    await relay?.[Symbol.asyncDispose]()
    await sinks?.[Symbol.asyncDispose]()
  })

  it('is tried in every phase with every fault', () => {
    assert.deepEqual([...new Set(cells.map(({ kind }) => kind))], [...faultKinds])
    assert.equal(cells.length, phases.length * faultKinds.length)
  })

  for (const phase of phases) {
    it(`in phase ${phase} ends in the stated outcome, in log, queue and message`, async () => {
      const { body: queue } = await relay.api('GET', '/v1/queue?limit=1000')
      for (const cell of cells.filter(one => one.phase === phase)) {
        const { body: message } = await relay.api('GET', `/v1/messages/${ids.get(cell.domain)}`)
        for (const line of firstAttempts(relay, cell)) {
          const found = outcomeOf(line, isClosed(relay, cell))
          assert.ok(
            cell.expected.includes(found),
            `${phase} × ${cell.kind}: ${found}, not ${cell.expected.join(' or ')}`,
          )
          checkMessage(message, line)
          checkQueue(queue, line)
        }
      }
    })
  }

  it('that is closed is shown as closed', async () => {
    const { body } = await relay.api('GET', '/v1/queue')
    const shown = new Set(body.sites.filter((site: Json) => site.closedUntil !== null).map((site: Json) => site.site))
    const closed = relay.logged('site-closed').filter(line => Date.parse(String(line.closedUntil)) > Date.now() + 500)
    for (const { site } of closed) assert.ok(shown.has(site), `${site} is closed`)
  })

  it('costs neither memory nor sockets', async () => {
    await relay.until(() => sinks.open === 0, 'all connections to end')
    const grown = bytesInUse() - before
    assert.ok(grown < 16_000_000, `${grown} bytes more than before`)
  })

  it('gets everything exactly once when it is mended, but for what it bounced', async () => {
    for (const { domain } of cells) sinks.at[domain]!.setFault(null)
    const { body } = await relay.api('POST', '/v1/queue/retry', { all: true })
    assert.equal(body.matched.total, 2 * cells.filter(({ expected }) => expected[0]!.startsWith('deferred')).length)
    await relay.settled()
    for (const { domain, expected, phase, kind } of cells) {
      const delivered = expected[0]!.startsWith('bounced') ? [] : [`a@${domain}`, `b@${domain}`]
      const arrived = sinks.at[domain]!.messages.flatMap(({ recipients }) => recipients).sort()
      assert.deepEqual(arrived, delivered, `${phase} × ${kind}`)
    }
    const { accepted, delivered, bounced, cancelled, queued } = await relay.relay.store.totals()
    assert.deepEqual({ cancelled, queued, rest: accepted - delivered - bounced }, { cancelled: 0, queued: 0, rest: 0 })
  })

  it('is told of once per message it bounced, with both recipients', () => {
    const bounced = cells.filter(({ expected }) => expected[0]!.startsWith('bounced'))
    const reports = sinks.at['ours.example']!.messages.filter(({ reversePath }) => reversePath === null)
    assert.equal(reports.length, bounced.length)
    for (const { domain } of bounced) {
      const [report] = reports.filter(({ content }) => content.includes(`a@${domain}`))
      assert.ok(report?.content.includes(`b@${domain}`), domain)
    }
  })
})

function firstAttempts(relay: TestRelay, { domain }: Cell): LoggedLine[] {
  return relay.lines.filter(
    ({ event, recipient, attempt }) =>
      attempt === 1 &&
      ['delivered', 'deferred', 'bounced'].includes(String(event)) &&
      String(recipient).endsWith(`@${domain}`),
  )
}

function isClosed(relay: TestRelay, { domain }: Cell): boolean {
  return relay.logged('site-closed').some(({ remoteMta }) => remoteMta === `mx.${domain}`)
}

function outcomeOf(line: LoggedLine, closed: boolean): string {
  const { event, class: found, actor, reply, repliedBy, inDoubt } = line
  return `${event} ${found} ${actor} ${statusOf(reply)} ${repliedBy} ${inDoubt ? '?' : ''}${closed ? '!' : ''}`.trimEnd()
}

/** `451 4.4.2 text` → `4.4.2`. */
function statusOf(reply: unknown): string {
  return String(reply).split(' ')[1]!
}

function checkMessage(message: Json, line: LoggedLine): void {
  const [entry] = message.entries.filter((one: Json) => one.recipient === line.recipient)
  const [attempt] = entry.attempts
  assert.deepEqual(
    [attempt.action, attempt.class, attempt.actor, attempt.reply, attempt.repliedBy, attempt.inDoubt],
    [line.event, line.class, line.actor, line.reply, line.repliedBy, line.inDoubt],
  )
  if (line.event !== 'deferred') assert.equal(entry.state, line.event)
}

function checkQueue(queue: Json, line: LoggedLine): void {
  const rows = queue.entries.filter((one: Json) => one.recipient === line.recipient)
  assert.equal(rows.length, line.event === 'deferred' ? 1 : 0, `${line.recipient} in the queue`)
  for (const row of rows)
    assert.deepEqual([row.class, row.lastReply, row.inDoubt], [line.class, line.reply, line.inDoubt])
}
