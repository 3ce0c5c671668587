/**
 * Bounce mails of many systems: recipient, status, class and kind as their documentation says.
 */
import assert from 'node:assert/strict'
import { judgeReport } from '../../src/feedback/judge.ts'
import { readReturned } from '../../src/feedback/read.ts'
import { statusOf } from '../../src/mail/reply.ts'
import { explain } from '../../src/outcome/classify.ts'
import { bounceMails as mails } from './bounces/all.ts'
import type { BounceMail } from './bounces/shape.ts'

/** As the wire brings it. */
function octetsOf({ raw }: BounceMail): Buffer {
  const octets = typeof raw === 'string' ? Buffer.from(raw) : raw
  return Buffer.from(octets.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
}

describe('bounce mails of many systems', () => {
  it('are a hundred of at least twenty systems', () => {
    assert.ok(mails.length >= 100, `${mails.length} mails`)
    assert.ok(new Set(mails.map(({ system }) => system)).size >= 20)
  })

  for (const [index, mail] of mails.entries())
    it(`${index + 1}: ${mail.system} says ${mail.expected.status} of ${mail.expected.recipient}`, () => {
      const reading = readReturned(octetsOf(mail))
      assert.ok(reading.kind === 'status', `read as ${reading.kind}`)
      const [first, ...more] = reading.recipients
      assert.deepEqual(more, [])
      assert.deepEqual(
        {
          kind: first!.action === 'delayed' ? 'delay' : 'bounce',
          recipient: first!.addresses[0],
          status: statusOf(first!.reply),
          class: judgeReport(explain, first!).class,
        },
        mail.expected,
        JSON.stringify(reading),
      )
      if (reading.format === 'text') assert.equal(reading.system, mail.system)
    })
})
