import assert from 'node:assert/strict'
import { type BulkSenderFacts, checklistOf, gaugesOf } from '../../src/domains/bulk-sender.ts'
import type { RecordState } from '../../src/mail/sender-domain.ts'
import type { Volume } from '../../src/mail/volume.ts'

const today = '2026-01-15'

function volume(more: Partial<Volume>): Volume {
  const none = { delivered: 0, deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }
  return { scope: 'domain', name: 'ours.example', day: today, receiver: 'gmail', ...none, ...more }
}

function facts(state: RecordState, volumes: readonly Volume[]): BulkSenderFacts {
  return {
    domain: { spf: state, dkim: state, mode: 'spf-dkim', records: [{ purpose: 'dmarc', state } as never] },
    relay: { records: [{ purpose: 'ptr', state } as never, { purpose: 'address', state } as never] },
    today,
    volumes,
    recently: '2026-01-09',
  }
}

const statesOf = (of: BulkSenderFacts) => Object.fromEntries(checklistOf(of).map(({ item, state }) => [item, state]))

describe('the gauge of a sender domain', () => {
  it('goes toward what Gmail and Outlook.com call a bulk sender', () => {
    const [gmail, microsoft] = gaugesOf({ today, volumes: [volume({ delivered: 4100 })] })
    assert.deepEqual([gmail?.today, gmail?.limit, gmail?.share, gmail?.state], [4100, 5000, 0.82, 'near'])
    assert.deepEqual([microsoft?.receiver.id, microsoft?.today, microsoft?.state], ['microsoft', 0, 'below'])
  })

  it('remembers the day on which most was sent', () => {
    const [gmail] = gaugesOf({
      today,
      volumes: [volume({ day: '2026-01-02', delivered: 5000 }), volume({ delivered: 7 })],
    })
    assert.deepEqual(
      [gmail?.today, gmail?.state, gmail?.most],
      [7, 'bulk-sender', { day: '2026-01-02', delivered: 5000 }],
    )
  })
})

describe('the organisation of a sender domain', () => {
  const own = [volume({ delivered: 100 })]
  const organisation = (delivered: number) => ({
    name: 'ours.example',
    volumes: [volume({ scope: 'organisation', delivered }), volume({ delivered: 1000 })],
  })

  it('has a gauge of its own: what its name and all its subdomains send', () => {
    const [gmail, microsoft] = gaugesOf({ today, volumes: own, organisation: organisation(4200) })
    assert.deepEqual([gmail?.today, gmail?.state], [100, 'below'])
    assert.deepEqual([gmail?.organisation?.today, gmail?.organisation?.state], [5200, 'bulk-sender'])
    assert.deepEqual(gmail?.organisation?.most, { day: today, delivered: 5200 })
    assert.equal(microsoft?.organisation?.state, 'below')
    assert.equal(gaugesOf({ today, volumes: own })[0]?.organisation, null)
  })

  it('comes first in the checklist, with what it means for a subdomain that sends little', () => {
    const first = (delivered: number) =>
      checklistOf({ ...facts('published', own), organisation: organisation(delivered) })[0]!
    assert.deepEqual(
      [1, 3000, 4000].map(delivered => first(delivered).state),
      ['done', 'unknown', 'missing'],
    )
    assert.match(first(4000).message.ja, /^ours\.example の全サブドメインの合計が1日 5000 通/)
    assert.match(first(4000).fix.en, /every sender domain of ours\.example/)
  })
})

describe('the checklist for bulk senders', () => {
  it('is done where records stand and mail is as it should be; the spam rate nobody knows', () => {
    const sent = volume({ delivered: 200, tls: 200, oneClick: 150 })
    const { 'spam-rate': spam, ...rest } = statesOf(facts('published', [sent]))
    assert.deepEqual([...new Set(Object.values(rest))], ['done'])
    assert.equal(spam, 'unknown')
    const texts = checklistOf(facts('published', [sent]))
    assert.match(texts.find(({ item }) => item === 'one-click')?.message.en ?? '', /^75\.0 % of the 200 mails/)
    assert.match(texts.find(({ item }) => item === 'spam-rate')?.fix.ja ?? '', /postmaster\.google\.com/)
  })

  it('says what is missing', () => {
    const sent = volume({ delivered: 200, tls: 150, complained: 1 })
    const states = statesOf(facts('not-published', [sent]))
    assert.deepEqual([...new Set(Object.values(states))], ['missing'])
  })

  it('does not guess: not what DNS did not say, nor what was sent long ago', () => {
    const states = statesOf(facts('dns-error', [volume({ day: '2026-01-01', delivered: 100 })]))
    assert.deepEqual([...new Set(Object.values(states))], ['unknown'])
  })
})
