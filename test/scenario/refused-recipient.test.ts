import assert from 'node:assert/strict'
import { startRelay } from '../support/relay.ts'
import { startSink } from '../support/sink.ts'

describe('a recipient the next hop refuses', () => {
  it('bounces to the sender while the other recipient is delivered', async () => {
    await using sink = await startSink()
    await using relay = await startRelay({
      zone: sink.zone('sink.example', 'ours.example'),
      mxPort: sink.port,
      verified: ['ours.example'],
    })
    await relay.submit({ from: 'a@ours.example', to: ['ok@sink.example', '550-5.1.1@sink.example'] })
    await relay.settled()
    assert.equal(relay.actions()['ok@sink.example'], 'delivered')
    assert.equal(relay.actions()['550-5.1.1@sink.example'], 'bounced')
    assert.match(sink.lastReportTo('a@ours.example'), /^Status: 5\.1\.1$/m)
  })
})
