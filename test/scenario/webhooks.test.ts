/**
 * Events of real mail, brought by a whole relay to receivers that are well and that are not.
 */
import assert from 'node:assert/strict'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { startSink } from '../support/sink.ts'
import { isSigned, ok, type Receiver, silent, startReceiver, status } from '../webhooks/receiver.ts'

const settings = { KITTE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES: 'true', KITTE_WEBHOOKS_RETRY_AFTER: '[1s]' }

async function add(relay: TestRelay, receiver: Receiver, choice: object = {}) {
  const made = await relay.api('POST', '/v1/webhooks', { url: receiver.url, types: ['message.*'], ...choice })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return made.body as { readonly id: string; readonly secret: string }
}

/** Of one message, as a receiver gets them. */
function typesOf(receiver: Receiver, message: string): string[] {
  return receiver.got
    .map(({ body }) => body)
    .filter(body => body.message === message)
    .map(body => body.type)
}

describe('events of mail', () => {
  it('come in order, signed, as the API shows them, while another receiver hangs and the mail flows', async () => {
    await using sink = await startSink()
    await using well = await startReceiver()
    await using hanging = await startReceiver(silent)
    await using relay = await startRelay({
      zone: sink.zone('sink.example', 'ours.example'),
      mxPort: sink.port,
      verified: ['ours.example'],
      settings,
    })
    const { secret } = await add(relay, well)
    const stuck = await add(relay, hanging)
    const ids: string[] = []
    for (let n = 0; n < 10; n++)
      ids.push(await relay.submit({ from: 'a@ours.example', to: [`ok${n}@sink.example`, '550-5.1.1@sink.example'] }))
    await relay.settled()
    await relay.until(() => ids.every(id => typesOf(well, id).length === 3), 'all events')
    for (const id of ids) {
      const types = typesOf(well, id)
      assert.equal(types[0], 'message.accepted')
      assert.deepEqual(types.slice(1).sort(), ['message.bounced', 'message.delivered'])
    }
    const seqs = well.got.map(({ body }) => body.seq)
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    )
    assert.ok(well.got.every(got => isSigned(got, secret)))
    const { events } = (await relay.api('GET', `/v1/events?message=${ids[0]}`)).body
    const told = well.got.map(({ body: { version: _, id: __, ...event } }) => event)
    assert.deepEqual(
      told.filter(({ message }) => message === ids[0]),
      events,
    )
    assert.equal((await relay.api('GET', `/v1/webhooks/${stuck.id}`)).body.cursor < seqs[0], true)
    assert.equal(hanging.got.length, 1)
  })

  it('wait for a receiver that fails through a restart of the relay, final outcomes only if so chosen', async () => {
    await using sink = await startSink()
    await using receiver = await startReceiver(status(500))
    const world = { zone: sink.zone('sink.example', 'ours.example'), mxPort: sink.port, settings }
    const first = await startRelay({ ...world, verified: ['ours.example'] })
    const { id } = await add(first, receiver, { terminalOnly: true })
    const mail = { from: 'a@ours.example', to: ['ok@sink.example', '550-5.1.1@sink.example'] }
    const message = await first.submit(mail)
    await first.settled()
    await first.until(() => receiver.got.length > 0, 'the first try')
    const dataDir = await first.stop()
    await using second = await startRelay({ ...world, dataDir })
    assert.ok((await second.api('GET', `/v1/webhooks/${id}`)).body.failures > 0)
    receiver.behaviour = ok
    receiver.got.length = 0
    await second.until(() => typesOf(receiver, message).length === 2, 'all events')
    assert.deepEqual(typesOf(receiver, message).sort(), ['message.bounced', 'message.delivered'])
    assert.ok(receiver.got.every(({ body }) => body.type !== 'message.accepted'))
  })
})
