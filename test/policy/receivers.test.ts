import assert from 'node:assert/strict'
import { bulkFrom, otherReceiver, receiverOf } from '../../src/policy/receivers.ts'

const cases: readonly (readonly [site: string, domain: string, receiver: string])[] = [
  ['alt1.gmail-smtp-in.l.google.com,gmail-smtp-in.l.google.com', 'gmail.com', 'gmail'],
  ['aspmx.l.google.com,alt1.aspmx.l.google.com', 'company.example', 'google-workspace'],
  ['outlook-com.olc.protection.outlook.com', 'outlook.com', 'microsoft'],
  ['company-example.mail.protection.outlook.com', 'company.example', 'microsoft-365'],
  ['mta5.am0.yahoodns.net', 'yahoo.com', 'yahoo'],
  ['mx1.mail.yahoo.co.jp', 'yahoo.co.jp', 'yahoo-japan'],
  ['mx.notyahoo.co.jp', 'notyahoo.co.jp', otherReceiver],
  ['smtp:smtp.customer.example:587', 'gmail.com', 'gmail'],
  ['smtp:smtp.customer.example:587', 'there.example', otherReceiver],
]

describe('the receiver of mail', () => {
  for (const [site, domain, receiver] of cases)
    it(`for ${domain} at ${site} is ${receiver}`, () => assert.equal(receiverOf(site, domain), receiver))

  it('calls bulk senders so from a number on where one is published', () => {
    assert.deepEqual(['gmail', 'microsoft', 'yahoo', otherReceiver].map(bulkFrom), [5000, 5000, null, null])
  })
})
