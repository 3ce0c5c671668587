import assert from 'node:assert/strict'
import { notes, type Reason, reasons } from '../../src/domains/reasons.ts'
import { tellReason } from '../../src/domains/tell-reason.ts'
import type { Check, DnsRecord } from '../../src/mail/sender-domain.ts'

const record: DnsRecord = { purpose: 'spf', type: 'TXT', name: 'ours.example', value: 'v=spf1 ~all' }

function check(change: Partial<Check>): Check {
  return {
    purpose: 'spf',
    name: 'ours.example',
    state: 'published',
    reason: 'ok',
    found: [],
    detail: {},
    checkedAt: 0,
    ...change,
  }
}

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort()

describe('the reasons', () => {
  for (const [code, reason] of Object.entries(reasons) as [string, Reason][]) {
    it(`${code} says the same in both languages`, () => {
      for (const text of [reason.message, reason.fix]) {
        assert.match(text.ja, /[ぁ-ん]/)
        assert.doesNotMatch(text.en, /[ぁ-んァ-ヶ一-龠]/)
        const used = [placeholders(text.ja), placeholders(text.en)].map(names => [...new Set(names)].join())
        if (code !== 'include-broken') assert.equal(used[0], used[1])
      }
      if (reason.severity === 'problem') assert.match(reason.message.ja, /^未設定/)
    })
  }

  it('have remarks in both languages', () => {
    for (const note of Object.values(notes)) assert.deepEqual(placeholders(note.ja), placeholders(note.en))
  })

  it('are told with everything filled in', () => {
    const missing = tellReason(record, check({ reason: 'mechanism-missing', detail: { missing: 'ip4:192.0.2.1' } }))
    assert.equal(missing.message.ja, '未設定: SPF レコードに ip4:192.0.2.1 が含まれていません。')
    assert.equal(missing.message.en, 'The SPF record does not contain ip4:192.0.2.1.')
    assert.equal(missing.fix.en, 'Replace the value of the TXT record at ours.example by: v=spf1 ~all')
  })

  it('carry remarks', () => {
    const told = tellReason(record, check({ detail: { notes: 'note-hard-fail note-lookups', lookups: '12' } }))
    assert.equal(
      told.message.en,
      'The SPF record is published. It ends in -all, so receivers may reject forwarded mail. It takes 12 DNS lookups in all; other senders of the domain may exceed the limit of 10.',
    )
    assert.match(told.message.ja, /^SPF レコードは設定済です。末尾が -all/)
  })

  it('are told before the first check, and when the code is from another version', () => {
    assert.match(tellReason(record, null).message.ja, /まだ確認していません/)
    assert.equal(tellReason(record, check({ reason: 'from-the-future' })).message.en, 'from-the-future')
  })
})
