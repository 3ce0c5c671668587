/**
 * Several data planes in one process: they share the ports, and limits hold for all of them together.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { samplesOf, sumOf } from '../support/exposition.ts'
import { Load } from '../support/load.ts'
import { type ProcessWorld, startProcessWorld } from '../support/process-relay.ts'
import { waitFor } from '../support/real/program.ts'

const workers = 2
/** So many that the system gives some to each worker. */
const maxConnectionsPerAddress = 16
/** Of one site: an odd number, so that the parts differ. */
const connections = 3

/** Opens a session and answers the first reply code. */
function greeting(port: number): Promise<{ readonly socket: Socket; readonly code: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', data => resolve({ socket, code: data.toString().slice(0, 3) }))
  })
}

function threadsOf({ relay }: ProcessWorld, event: string): Set<unknown> {
  return new Set(relay.logged().flatMap(line => (line.event === event ? [line.thread] : [])))
}

describe('a relay with two workers', () => {
  it('takes and delivers mail with both, within the limits of a site and of an address, and what one is told both know', async () => {
    let open = (): number => 0
    let mostOpen = 0
    const dotDelayMs = () => {
      mostOpen = Math.max(mostOpen, open())
      // A kept connection is slower than the clients, so mail waits for the site.
      return 20
    }
    const settings = {
      delivery: { workers },
      submission: { maxConnectionsPerAddress },
      sites: [{ suffix: '', connections, messagesPerConnection: 100, perMinute: null }],
    }
    await using world = await startProcessWorld({ settings, sink: { dotDelayMs } })
    const { relay, sink, login } = world
    open = () => sink.open
    const count = 60
    const mail = (number: number) => ({ to: [`n${number}@sink.example`], size: 500 })
    // A slow login at one worker must not let the other take all mail.
    const hold = () => load.mails.length === 0 && load.connected < maxConnectionsPerAddress
    const load: Load = new Load({
      ...login,
      port: relay.port,
      connections: maxConnectionsPerAddress,
      mail,
      count,
      hold,
    })
    await load.done()
    assert.equal(load.of('accepted').length, count)
    await relay.drained()
    assert.equal(sink.messages.length, count)
    assert.ok(mostOpen >= workers && mostOpen <= connections, `${mostOpen} connections`)

    // The clients are gone for the relay too: each of them counts until then.
    const idle = async () => sumOf(samplesOf((await relay.ask('/metrics')).text), 'kitte_sessions') === 0
    await waitFor('the end of their sessions', idle)
    const refused = { to: ['421-4.7.28@sink.example'], size: 500 }
    await new Load({ ...login, port: relay.port, connections: 1, mail: () => refused, count: 1 }).done()
    await waitFor('both to have learned', async () => threadsOf(world, 'limits-changed').size === workers)
    await waitFor('the end of that session', idle)
    const sessions = await Promise.all(Array.from({ length: maxConnectionsPerAddress + 3 }, () => greeting(relay.port)))
    const codes = sessions.map(({ code }) => code).sort()
    assert.deepEqual(codes, [...Array(maxConnectionsPerAddress).fill('220'), ...Array(3).fill('421')])
    for (const { socket } of sessions) socket.destroy()

    await relay.end('SIGTERM')
    assert.equal(threadsOf(world, 'accepted').size, workers)
    assert.equal(threadsOf(world, 'delivered').size, workers)
  })
})
