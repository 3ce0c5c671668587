import assert from 'node:assert/strict'
import { modeMessage } from '../../src/admin/mode-message.ts'
import type { SenderAddress } from '../../src/mail/account.ts'
import type { Check, DkimKey, RecordState, SenderDomain } from '../../src/mail/sender-domain.ts'
import { resolveSendingMode } from '../../src/policy/sending-mode.ts'

const now = Date.UTC(2026, 0, 15)
const hour = 3_600_000

type CheckFacts = readonly [state: RecordState, lastPublishedHoursAgo?: number]

function domain(spf: CheckFacts | null, dkim: CheckFacts | null, keyState: DkimKey['state'] = 'active'): SenderDomain {
  const key: DkimKey = {
    domain: 'ours.example',
    selector: '20240125',
    algorithm: 'rsa',
    bits: 2048,
    publicKey: '',
    sealedPrivateKey: '',
    state: keyState,
    createdAt: now,
    stateSince: now,
  }
  const checks = [check('spf', 'ours.example', spf), check('dkim', '20240125._domainkey.ours.example', dkim)]
  return {
    name: 'ours.example',
    account: 'a',
    createdAt: now,
    limits: {},
    archivedAt: null,
    keys: [key],
    checks: checks.filter(entry => entry !== null),
    nextCheckAt: now,
    keyFailure: null,
  }
}

function check(purpose: Check['purpose'], name: string, facts: CheckFacts | null): Check | null {
  if (facts === null) return null
  const [state, hoursAgo] = facts
  const seen = hoursAgo === undefined ? {} : { lastPublishedAt: now - hoursAgo * hour }
  return { purpose, name, state, reason: 'x', found: [], detail: {}, checkedAt: now, ...seen }
}

const ownServer: SenderAddress = {
  address: 'a@ours.example',
  account: 'a',
  smtp: { host: 'smtp.ours.example', port: 587, tls: 'required', username: 'u', sealedPassword: '' },
  note: '',
  createdAt: now,
}
const plainSender: SenderAddress = { ...ownServer, smtp: null }

describe('the sending mode', () => {
  type Expected = readonly [mode: string, dkim: string, reversePath: string, reason: RegExp]
  const cases: [string, SenderDomain | null, SenderAddress | null, Expected][] = [
    ['is spf-dkim when both are published', domain(['published', 0], ['published', 0]), null, ['spf-dkim', 'domain', 'as-submitted', /^spf and dkim are published$/]],
    ['is spf when only spf is published', domain(['published', 0], ['not-published']), null, ['spf', 'relay', 'as-submitted', /^spf is published but dkim is not$/]],
    ['is sender-only, signed by the domain, when only dkim is published', domain(['not-published'], ['published', 0]), null, ['sender-only', 'domain', 'verp', /^dkim is published but spf is not: signed by ours\.example, travels as sender-only$/]],
    ['is sender-only when neither is published', domain(['not-published'], ['not-published']), null, ['sender-only', 'relay', 'verp', /^neither spf nor dkim is published$/]],
    ['is sender-only before the first check', domain(null, null), null, ['sender-only', 'relay', 'verp', /^neither/]],
    ['is sender-only for an address whose domain is not registered', null, plainSender, ['sender-only', 'relay', 'verp', /^ours\.example is not a registered sender domain$/]],
    ['is own-smtp with an own server, without a signature', domain(['published', 0], ['not-published']), ownServer, ['own-smtp', 'none', 'as-submitted', /^a@ours\.example has its own SMTP server smtp\.ours\.example$/]],
    ['is own-smtp, signed, when the key is published', domain(['not-published'], ['published', 0]), ownServer, ['own-smtp', 'domain', 'as-submitted', /signed by ours\.example$/]],
    ['is own-smtp without a registered domain', null, ownServer, ['own-smtp', 'none', 'as-submitted', /own SMTP server/]],
    ['ignores a registered address without own server', domain(['published', 0], ['published', 0]), plainSender, ['spf-dkim', 'domain', 'as-submitted', /./]],
    ['does not sign with a pending key, though its record is published', domain(['published', 0], ['published', 0], 'pending'), null, ['spf', 'relay', 'as-submitted', /dkim is not/]],
    ['does not sign with a retired key', domain(['published', 0], ['published', 0], 'retired'), null, ['spf', 'relay', 'as-submitted', /./]],
    ['counts a lost spf record in its grace time', domain(['not-published', 23], ['published', 0]), null, ['spf-dkim', 'domain', 'as-submitted', /the spf record was lost and still counts/]],
    ['counts no lost spf record after it', domain(['not-published', 24], ['published', 0]), null, ['sender-only', 'domain', 'verp', /spf is not/]],
    ['counts a lost dkim record in its grace time', domain(['published', 0], ['not-published', 1]), null, ['spf-dkim', 'domain', 'as-submitted', /the dkim record was lost/]],
    ['counts a record nobody can ask for in its grace time', domain(['dns-error', 1], ['dns-error', 1]), null, ['spf-dkim', 'domain', 'as-submitted', /the spf and dkim records were lost/]],
    ['counts no record that was never seen and can not be asked for', domain(['dns-error'], ['dns-error']), null, ['sender-only', 'relay', 'verp', /^neither/]],
  ] // biome-ignore format: a table
  for (const [sentence, senderDomain, sender, [mode, dkim, reversePath, reason]] of cases) {
    it(sentence, () => {
      const facts = { from: 'a@ours.example', domain: senderDomain, sender, now, lostGraceMs: 24 * hour }
      const decision = resolveSendingMode(facts)
      assert.deepEqual([decision.mode, decision.dkim, decision.reversePath], [mode, dkim, reversePath])
      assert.match(decision.reason, reason)
      // In the API and on the command line, in both languages.
      const { ja, en } = modeMessage(decision.reason)
      assert.equal(en, decision.reason)
      assert.match(ja, /[\u3040-\u30ff]/)
      assert.equal(ja.includes('レコードが消えました'), en.includes('lost'), ja)
    })
  }

  it('does not count an Ed25519 key alone', () => {
    const { keys, ...rest } = domain(['published', 0], ['published', 0])
    const edKeys = keys.map(key => ({ ...key, algorithm: 'ed25519' as const }))
    const facts = { from: 'a@ours.example', domain: { ...rest, keys: edKeys }, sender: null, now, lostGraceMs: 0 }
    assert.equal(resolveSendingMode(facts).mode, 'spf')
  })

  it('tells which records count', () => {
    const facts = { from: 'a@ours.example', sender: null, now, lostGraceMs: 24 * hour }
    const lost = resolveSendingMode({ ...facts, domain: domain(['not-published', 2], ['not-published']) })
    assert.deepEqual(lost.records, { spf: true, dkim: false })
  })
})
