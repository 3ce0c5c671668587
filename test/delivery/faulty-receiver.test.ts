/**
 * Every fault in every phase of a receiving host, and what the transport makes of it.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import { bytesInUse } from '../support/heap.ts'
import { connectionOf, envelopeTo, hostAt, shortLimits, smallMail, startScriptedHost } from '../support/sending.ts'
import { startSink } from '../support/sink.ts'
import { type FaultKind, type FaultPhase, faultKinds } from '../support/sink-faults.ts'
import { steadyClock } from '../support/steady-clock.ts'

/**
 * A number: that reply, in the phase of the column. A word: that failure, in the phase of the column. `@phase`: in that
 * phase instead. `?` in doubt, `+` the connection can be used again, `~` TLS failed: the caller may try without.
 * `|`: which of them depends on what the network delivered before the reset, or together with the 220 before a handshake.
 */
const table = `
                connect         banner         ehlo       starttls    handshake            auth       mail            rcpt            data                       dot
4xx             450@banner      450            450        250@dot+    tls|odd@starttls~    450        450+            450+            450+                       450+
5xx             554@banner      554            554        250@dot+    tls|odd@starttls~    554        554+            554+            554+                       554+
421             421@banner      421            421        421         tls|odd|closed@starttls~ 421        421             421             421                        421
reset           reset|@banner   reset|@connect reset      reset~      tls|reset@starttls~  reset      reset           reset|@mail     reset|@rcpt|@mail          reset?
close           closed@banner   closed         closed     closed~     tls|closed@starttls~  closed     closed          closed          closed                     closed?
silence         timeout@banner  timeout        timeout    timeout~    timeout@starttls~    timeout    timeout         timeout         timeout                    timeout?
garbage         odd@banner      odd            odd        odd~        tls|odd@starttls~    odd        odd             odd             odd                        odd?
short-code      odd@banner      odd            odd        odd~        tls|odd@starttls~    odd        odd             odd             odd                        odd?
endless-line    odd@banner      odd            odd        odd~        tls|odd@starttls~    odd        odd             odd             odd                        odd?
endless-reply   odd@banner      odd            odd        odd~        tls|odd@starttls~    odd        odd             odd             odd                        odd?
extra-reply     odd@ehlo        odd@ehlo       odd        odd~        tls|odd@starttls~    odd        odd@data        odd@data        odd                        250
trickle         timeout@banner  timeout        timeout    timeout~    tls|timeout|odd@starttls~ timeout   timeout         timeout         timeout                    timeout?
`

/** Where the commands go out one by one, a surplus reply shows earlier and a reset takes no earlier replies with it. */
const oneByOne: Readonly<Record<string, string>> = {
  'mail extra-reply': 'odd',
  'rcpt extra-reply': 'odd',
  'rcpt reset': 'reset',
  'data reset': 'reset',
}

const rows = table.trim().split('\n')
const phases = rows[0]!.trim().split(/\s+/) as FaultPhase[]
const cells = rows.slice(1).flatMap(row => {
  const [kind, ...outcomes] = row.trim().split(/\s+/)
  return phases.map((phase, index) => ({ phase, kind: kind as FaultKind, outcome: outcomes[index]! }))
})

describe('a faulty receiver', () => {
  it('is tried in every phase with every fault', () => {
    assert.deepEqual([...new Set(cells.map(({ kind }) => kind))], [...faultKinds])
    assert.ok(cells.every(({ outcome }) => outcome))
  })

  for (const phase of phases) {
    it(`in phase ${phase} ends in the stated outcome, with and without pipelining`, async () => {
      const ofPhase = cells.filter(cell => cell.phase === phase)
      await Promise.all(
        ofPhase.flatMap(({ kind, outcome }) => [
          check(phase, kind, outcome, true),
          check(phase, kind, oneByOne[`${phase} ${kind}`] ?? outcome, false),
        ]),
      )
    })
  }

  it('never makes a later message look delivered by a reply that came too late', async () => {
    // Says one thing too many, but only when the next MAIL is on its way: nothing to notice before.
    let mails = 0
    await using host = await startScriptedHost(socket => {
      socket.write('220 hi\r\n')
      const say = (line: string) => {
        if (line.startsWith('EHLO')) return '250 hi\r\n'
        if (line.startsWith('MAIL')) return ++mails === 1 ? '250 ok\r\n' : '250 stale\r\n250 ok\r\n'
        if (line.startsWith('RCPT')) return '250 ok\r\n'
        if (line.startsWith('DATA')) return '354 go\r\n'
        return line === '.' ? '250 taken\r\n' : ''
      }
      socket.on('data', chunk => {
        for (const line of chunk.toString().split('\r\n')) socket.write(say(line))
      })
    })
    const connection = connectionOf(await transport().open(hostAt(host), shortLimits))
    const [first] = await connection.send(envelopeTo(['a@x.example']), null, smallMail)
    assert.ok(first && 'reply' in first && first.reply.code === 250)
    assert.ok(connection.reusable)
    const [second] = await connection.send(envelopeTo(['b@x.example']), null, smallMail)
    assert.ok(second && 'failure' in second)
    assert.equal(second.failure.kind, 'malformed-reply')
    assert.equal(second.failure.inDoubt, false)
    assert.equal(connection.reusable, false)
    connection.destroy()
  })

  it('leaves no handle and no memory behind after 240 sessions', async () => {
    const kinds: FaultKind[] = ['endless-line', 'endless-reply', 'garbage', 'reset', '421', 'extra-reply']
    const all = kinds.flatMap(kind => [
      { kind, phase: 'ehlo' as const },
      { kind, phase: 'dot' as const },
    ])
    const round = () => Promise.all(all.map(({ kind, phase }) => run(phase, kind, true)))
    await round()
    await socketsGone()
    const before = bytesInUse()
    for (let i = 0; i < 20; i++) await round()
    await socketsGone()
    const growth = bytesInUse() - before
    assert.ok(growth < 4_000_000, `${growth} bytes more are in use`)
  })
})

async function check(phase: FaultPhase, kind: FaultKind, outcome: string, pipelining: boolean): Promise<void> {
  const expected = outcomesOf(outcome, phase)
  const found = await run(phase, kind, pipelining)
  assert.ok(expected.includes(found), `${phase} × ${kind}: ${found} instead of ${expected.join(' or ')}`)
}

/** `reset|@rcpt` in column data → `reset@data`, `reset@rcpt`; `tls|odd@starttls~` → `tls@starttls~`, `odd@starttls~`. */
function outcomesOf(outcome: string, phase: FaultPhase): string[] {
  const [, body = '', marks = ''] = /^(.*?)([?+~]*)$/.exec(outcome)!
  const parts = body.split('|')
  const words = parts.map(part => part.split('@')[0]!).filter(word => word !== '')
  const named = parts.map(part => part.split('@')[1]).filter(at => at !== undefined)
  const ownPhase = parts[0]!.includes('@') || (named.length > 0 && !parts.some(part => part.startsWith('@')))
  const where = ownPhase ? named : [phase, ...named]
  return words.flatMap(word => where.map(at => `${word}@${at}${marks}`))
}

async function run(phase: FaultPhase, kind: FaultKind, pipelining: boolean): Promise<string> {
  const withTls = phase === 'starttls' || phase === 'handshake'
  const login = phase === 'auth' ? { auth: { username: 'crm', password: 'secret' } } : {}
  await using sink = await startSink({
    tls: withTls ? 'starttls' : 'none',
    fault: { phase, kind },
    extensions: pipelining ? ['PIPELINING'] : [],
    ...login,
  })
  const opened = await transport().open(hostAt(sink, { tls: 'opportunistic', ...login }), shortLimits)
  if ('reply' in opened) return `${opened.reply.code}@${opened.phase}`
  if ('failure' in opened) return `${wordOf(opened.failure.kind)}@${opened.failure.phase}${opened.tlsFailed ? '~' : ''}`
  const { connection } = opened
  const results = await connection.send(envelopeTo(['a@x.example', 'b@x.example']), null, smallMail)
  const again = connection.reusable ? '+' : ''
  await connection.quit()
  const told = results.map(result => {
    if ('reply' in result) return `${result.reply.code}@${result.phase}`
    const { failure } = result
    return `${wordOf(failure.kind)}@${failure.phase}${failure.inDoubt ? '?' : ''}`
  })
  assert.equal(new Set(told).size, 1, `two recipients, one fate: ${told.join(', ')}`)
  return `${told[0]}${again}`
}

function wordOf(kind: string): string {
  return kind === 'malformed-reply' ? 'odd' : kind
}

function transport() {
  return createSmtpTransport({ clock: steadyClock, log: silentLog })
}

/** The test's time limit is the limit. */
async function socketsGone(): Promise<void> {
  while (process.getActiveResourcesInfo().includes('TCPSocketWrap')) await new Promise(setImmediate)
}
