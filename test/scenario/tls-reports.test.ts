/**
 * TLS reports through the whole relay (RFC 8460): what connections met is told the next day, signed, once, and not of itself.
 */
import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { manualClock } from '../support/manual-clock.ts'
import { startRelay } from '../support/relay.ts'
import { type SinkMessage, startSink } from '../support/sink.ts'

const hour = 3_600_000
const minute = 60_000

function reportIn({ content }: SinkMessage) {
  const [, encoded] = /Content-Type: application\/tlsrpt\+gzip[\s\S]*?\r\n\r\n([\s\S]*?)\r\n--/.exec(
    content.toString(),
  )!
  return JSON.parse(gunzipSync(Buffer.from(encoded!, 'base64')).toString())
}

describe('a domain that wants TLS reports', () => {
  it('gets one for a day with mail, signed by the relay, and none about the reports themselves', async () => {
    const clock = manualClock()
    await using sink = await startSink({ tls: 'starttls' })
    await using relay = await startRelay({
      zone: {
        ...sink.zone('sink.example', 'reports.example'),
        '_smtp._tls.sink.example': { TXT: ['v=TLSRPTv1; rua=mailto:tls@reports.example'] },
        '_smtp._tls.reports.example': { TXT: ['v=TLSRPTv1; rua=mailto:tls@sink.example'] },
      },
      mxPort: sink.port,
      verified: ['ours.example'],
      clock,
      settings: { KITTE_TLS_REPORTS_MAX_DELAY: '1ms' },
    })
    await relay.submit({ from: 'a@ours.example', to: ['b@sink.example'] })
    await relay.settled()
    await clock.advance(minute)
    const counted = async () => (await relay.api('GET', '/v1/tls-reports')).body.days
    await relay.until(async () => (await counted()).length === 1, 'the session to be counted')
    const [day] = await counted()
    assert.deepEqual([day.domain, day.successful, day.failed, day.report], ['sink.example', 1, 0, null])

    // The relay looks at its sessions every second: what no one waits for is passed over.
    await clock.leap(21 * hour)
    await clock.advance(6 * minute)
    await sink.when(() => sink.messages.length === 2, 'the report')
    const arrived = sink.messages[1]!
    assert.deepEqual([arrived.reversePath, arrived.recipients], [null, ['tls@reports.example']])
    const { policies } = reportIn(arrived)
    assert.deepEqual(policies, [
      {
        policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'sink.example' },
        summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
      },
    ])
    const [signature] = /^DKIM-Signature:[^\r]*(?:\r\n[ \t][^\r]*)*/im.exec(arrived.content.toString())!
    assert.match(signature.replace(/\s+/g, ''), /d=relay\.example\.jp;.*h=.*TLS-Report-Domain:TLS-Report-Submitter/)
    assert.match(arrived.content.toString(), /\bs=\d{8}-tlsrpt;/, 'and by the key that is declared for reports')
    await relay.settled()
    assert.equal(relay.logged('tls-reported').length, 1)

    for (let days = 0; days < 2; days++) {
      await clock.advance(2 * minute)
      await clock.leap(24 * hour)
      await clock.advance(2 * minute)
    }
    assert.equal((await counted()).length, 1, 'no day but the first')
    assert.equal(sink.messages.length, 2)
  })
})
