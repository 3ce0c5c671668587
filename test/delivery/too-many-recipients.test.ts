/**
 * Hosts that take only some recipients in one transaction (RFC 5321 §4.5.3.1.10), on real sockets.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { Connections } from '../../src/delivery/connections.ts'
import { tryHosts } from '../../src/delivery/hosts-in-turn.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import { TlsPolicy } from '../../src/delivery/tls-policy.ts'
import { describeResult, envelopeTo, hostAt, longLimits, smallMail, startScriptedHost } from '../support/sending.ts'

interface Taker extends AsyncDisposable {
  readonly address: string
  readonly port: number
  /** Recipients of each transaction that was taken. */
  readonly taken: string[][]
  readonly connections: () => number
}

/** `judge`: what is said to a recipient, given those accepted in this transaction. */
async function startTaker(
  judge: (address: string, accepted: readonly string[]) => string,
  mail: (transactions: number) => string = () => '250 ok',
): Promise<Taker> {
  const taken: string[][] = []
  let connections = 0
  const host = await startScriptedHost(socket => {
    connections++
    let accepted: string[] = []
    let inContent = false
    let transactions = 0
    let rest = ''
    const answer = (line: string): string => {
      if (line.startsWith('EHLO')) return '250-hi\r\n250 PIPELINING'
      if (line.startsWith('MAIL')) {
        accepted = []
        return mail(++transactions)
      }
      if (line.startsWith('RCPT')) {
        const address = /<(.*)>/.exec(line)![1]!
        const reply = judge(address, accepted)
        if (reply.startsWith('250')) accepted.push(address)
        return reply
      }
      if (line === 'DATA') {
        inContent = accepted.length > 0
        return inContent ? '354 go' : '554 no valid recipients'
      }
      return '250 ok'
    }
    socket.write('220 hi\r\n')
    socket.on('data', chunk => {
      const lines = `${rest}${chunk}`.split('\r\n')
      rest = lines.pop()!
      for (const line of lines) {
        if (!inContent) socket.write(`${answer(line)}\r\n`)
        else if (line === '.') {
          inContent = false
          taken.push(accepted)
          socket.write('250 taken\r\n')
        }
      }
    })
  })
  return {
    ...{ address: host.address, port: host.port, taken, connections: () => connections },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
}

async function sendTo(host: Taker, to: readonly string[], maxMessages = 100): Promise<string[]> {
  const connections = new Connections({
    transport: createSmtpTransport({ clock: systemClock, log: silentLog }),
    ...{ limits: longLimits, tlsPolicy: new TlsPolicy(systemClock), clock: systemClock, idleMs: 1000, maxIdle: 10 },
  })
  const delivery = {
    ...{ site: 's', key: 's', maxMessages, maxOpen: 20, noteSilent() {} },
    ...{ envelope: envelopeTo(to), reversePath: 'a@ours.example', outgoing: smallMail },
  }
  const parts = { connections, clock: systemClock, log: silentLog, cutOff: () => false }
  const answers = await tryHosts(delivery, [hostAt(host)], parts)
  await connections.stop()
  return answers.map(({ result }) => describeResult(result))
}

const atMost = (count: number) => (_: string, accepted: readonly string[]) =>
  accepted.length < count ? '250 ok' : '452 4.5.3 Too many recipients'
const five = ['a', 'b', 'c', 'd', 'e'].map(name => `${name}@x.example`)

describe('recipients that are too many for one transaction', () => {
  it('have the next ones, on the same connection', async () => {
    await using host = await startTaker(atMost(2))
    assert.deepEqual(await sendTo(host, five), Array(5).fill('250 dot'))
    assert.deepEqual(host.taken, [five.slice(0, 2), five.slice(2, 4), five.slice(4)])
    assert.equal(host.connections(), 1)
  })

  it('are those of another domain, where a host takes one at a time', async () => {
    const domain = (address: string) => address.split('@')[1]
    const oneDomain = (address: string, [first]: readonly string[]) =>
      first === undefined || domain(first) === domain(address)
        ? '250 ok'
        : '451 4.3.0 Multiple destination domains per transaction is unsupported.  Please'
    await using host = await startTaker(oneDomain)
    const to = ['a@one.example', 'a@two.example', 'b@one.example']
    assert.deepEqual(await sendTo(host, to), Array(3).fill('250 dot'))
    assert.deepEqual(host.taken, [['a@one.example', 'b@one.example'], ['a@two.example']])
  })

  it('wait where a transaction takes nobody', async () => {
    await using host = await startTaker(() => '452 4.5.3 Too many recipients')
    assert.deepEqual(await sendTo(host, five.slice(0, 2)), ['452 rcpt', '452 rcpt'])
    assert.deepEqual(host.taken, [])
  })

  it('wait where the connection has carried as many messages as it may', async () => {
    await using host = await startTaker(atMost(1))
    assert.deepEqual(await sendTo(host, five.slice(0, 3), 2), ['250 dot', '250 dot', '452 rcpt'])
  })

  it('keep that answer where the host takes no further transaction', async () => {
    await using host = await startTaker(atMost(1), count => (count === 1 ? '250 ok' : '421 4.7.0 enough'))
    assert.deepEqual(await sendTo(host, five.slice(0, 2)), ['250 dot', '452 rcpt'])
  })

  it('have their own refusal when their turn comes', async () => {
    const judge = (address: string, accepted: readonly string[]) =>
      accepted.length === 1 ? '452 4.5.3 Too many recipients' : address.startsWith('b') ? '550 5.1.1 unknown' : '250 ok'
    await using host = await startTaker(judge)
    assert.deepEqual(await sendTo(host, five.slice(0, 3)), ['250 dot', '550 rcpt', '250 dot'])
  })
})
