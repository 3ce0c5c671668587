import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../src/base/log.ts'
import { openForwardedLog } from '../../src/base/log.ts'
import { type Returned, returnedKinds } from '../../src/mail/returned.ts'
import type { Suppression } from '../../src/mail/suppression.ts'
import type { WarmUp } from '../../src/mail/warm-up.ts'
import * as deliveryLog from '../../src/outcome/delivery-log.ts'
import { logEvents, logFields } from '../../src/outcome/log-fields.ts'
import * as returnLog from '../../src/outcome/return-log.ts'
import * as suppressionLog from '../../src/outcome/suppression-log.ts'
import { manualClock } from '../support/manual-clock.ts'
import { makeMessage, makeOutcome, start } from './make.ts'

type Line = Readonly<Record<string, unknown>>

const client = {
  client: '192.0.2.10',
  ehlo: 'crm.example.jp',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  username: 'crm',
  credential: 'credential-1',
  account: 'account-1',
}
const site = { site: 'mx1.example.com', remoteMta: 'mx1.example.com', remoteIp: '203.0.113.25' }
const command = { entries: 12, account: 'account-1', senderDomain: 'example.co.jp', reason: 'held by an operator' }

const tlsReport = { policyDomain: 'example.com', day: '2026-01-15', recipient: 'tls@example.com' }

const warmUp: WarmUp = {
  ...{ kind: 'domain', name: 'example.co.jp', account: 'account-1', plan: 'standard', caps: [50, 100], step: 0 },
  ...{ startsOn: '2026-01-15', createdAt: start, state: 'running', day: '2026-01-15', taken: 50, trustedOn: null },
  pause: { since: '2026-01-15', trouble: { kind: 'bounced', share: 0.2, of: 50 } },
}
const warmUpChanges = (['started', 'advanced', 'paused', 'resumed', 'finished'] as const).map(type => ({
  type,
  warmUp,
}))

const returned: Returned = {
  ...{ kind: 'bounce', message: 'message-1', entry: 'message-1.0', recipient: 'b@example.com', at: start + 60_000 },
  ...{ reply: { code: 550, detail: '1.1', text: 'no such user', from: 'remote' }, class: 'address-unknown' },
  ...{ actor: 'recipient', permanent: true, format: 'rfc3464', system: 'Postfix', reportingMta: 'mx1.example.com' },
  ...{ remoteMta: 'mx2.example.com', finalRecipient: 'c@example.com', feedbackType: 'abuse', client: '192.0.2.7' },
}

const suppression: Suppression = {
  ...{ account: 'account-1', address: 'b@example.com', reason: 'hard-bounce', note: '', createdAt: start },
  ...{ expiresAt: start + 60_000 },
  evidence: {
    ...{ from: 'report', message: 'message-1', at: start, reply: '550 5.1.1 no such user', class: 'address-unknown' },
    remoteMta: 'mx2.example.com',
  },
}

/** One call of every function, all optional facts given. */
const suspension = {
  ...{ id: 's1', filter: { domain: 'down.example', account: 'acme' }, reason: 'outage', createdAt: 0 },
  until: Date.UTC(2026, 0, 15),
}
const detour = {
  ...{ id: 'd1', domain: 'down.example', hosts: [{ host: 'relay.example', port: 587 }], tls: null, createdAt: 0 },
  ...{ until: Date.UTC(2026, 0, 15), note: 'outage' },
}

const everything: readonly ((log: Log) => void)[] = [
  log => {
    const message = makeMessage()
    const envelope = { ...message.envelope, tls: 'required' as const }
    const asked = { priority: 'transactional' as const, releaseAt: start + 3_600_000 }
    deliveryLog.accepted(log, { ...message, ...asked, envelope }, { totalMs: 7 })
  },
  log =>
    deliveryLog.refused(log, {
      ...client,
      reply: '550 5.7.1 sales@example.jp is not a sender address of this account',
      check: 'sender-is-yours',
      sender: null,
      from: 'sales@example.jp',
      senderDomain: 'example.jp',
      recipient: 'b@example.com',
      recipients: 1,
      to: ['b@example.com', 'c@example.com'],
      size: 10,
      reason: 'not registered',
    }),
  log => deliveryLog.warned(log, makeMessage(), 'unaligned'),
  log => deliveryLog.settled(log, makeOutcome('delivered'), makeMessage()),
  log => deliveryLog.settled(log, makeOutcome('deferred', '450 4.2.0 greylisted'), makeMessage()),
  log => deliveryLog.settled(log, makeOutcome('bounced', '550 5.1.1 no such user'), makeMessage()),
  log => deliveryLog.settled(log, { ...makeOutcome('cancelled', '554 cancelled'), facts: null }, makeMessage()),
  log => deliveryLog.reported(log, makeMessage({ origin: 'dsn' }), { original: 'message-1', report: 'failure' }),
  log => deliveryLog.held(log, command),
  log => deliveryLog.released(log, command),
  log => deliveryLog.retried(log, { ...command, message: 'message-1', recipient: 'b@example.com' }),
  log => deliveryLog.rescheduled(log, { ...command, releaseAt: start }),
  log => deliveryLog.erased(log, { entries: 3 }),
  log => suppressionLog.suppressionsAdded(log, { entries: 3, account: null, reason: 'manual' }),
  log => suppressionLog.suppressionsRemoved(log, { entries: 3, account: null, site: 'there.example' }),
  log => suppressionLog.suppressed(log, suppression),
  log => suppressionLog.suppressionEnded(log, suppression),
  log => deliveryLog.suspended(log, suspension),
  log => deliveryLog.resumed(log, suspension),
  log => deliveryLog.detourAdded(log, detour),
  log => deliveryLog.detourRemoved(log, detour),
  ...warmUpChanges.map(change => (log: Log) => deliveryLog.warmUpChanged(log, change)),
  log => deliveryLog.sourceUnusable(log, { sourceIp: '192.0.2.1', reason: 'EADDRNOTAVAIL' }),
  log => deliveryLog.clockSetBack(log, { byMs: 3_600_000, entries: 2 }),
  log => deliveryLog.poolChanged(log, { pool: 'bulk', entries: 2, isGone: true }),
  ...returnedKinds.map(kind => (log: Log) => returnLog.returned(log, { ...returned, kind }, makeMessage())),
  log => returnLog.returnIgnored(log, { client: '192.0.2.7', recipient: 'x@bounce.example', reason: 'forged' }),
  log => returnLog.returnForwarded(log, makeMessage(), '192.0.2.7'),
  log => deliveryLog.tlsReported(log, { ...tlsReport, message: 'message-1' }),
  log => deliveryLog.tlsReportFailed(log, { ...tlsReport, reason: 'answered 503', nextAttemptAt: 0 }),
  log => deliveryLog.siteClosed(log, { ...site, reply: '421 busy', class: 'rate', until: Date.UTC(2026, 0, 15) }),
  log => deliveryLog.siteOpened(log, site),
  log =>
    deliveryLog.limitsChanged(
      log,
      { ...site, reply: '421 busy', connections: 5, perMinute: 42, messagesPerConnection: 20 },
      'lowered',
    ),
  log =>
    deliveryLog.senderSlowed(log, {
      ...{ site: 'mx.example.net', domain: 'example.co.jp', perMinute: 6 },
      ...{ restsUntil: Date.UTC(2026, 0, 15), reply: '421 4.7.28 too much' },
    }),
  log => deliveryLog.tlsFallback(log, { ...site, reason: 'handshake failed' }),
  log => deliveryLog.authFailed(log, { ...client, reply: '535 5.7.8 no' }),
  log => deliveryLog.connectionRefused(log, { ...client, reply: '421 4.7.0 too many connections' }),
  log => deliveryLog.connectionLost(log, { ...client, reason: 'deadline' }),
  log => deliveryLog.deliveryPaused(log, { reason: 'disk full', entries: 3 }),
  log => deliveryLog.deliveryResumed(log, { entries: 3 }),
  log => deliveryLog.leasesReclaimed(log, 3),
]

describe('the delivery log', () => {
  it('writes every documented field and event, and nothing else', async () => {
    const lines = await linesOf(log => {
      // As the data plane's threads open theirs.
      for (const tell of everything) tell(log.child({ thread: 'relay/0' }))
    })
    const written = new Set(lines.flatMap(line => Object.keys(line)))
    assert.deepEqual([...written].sort(), logFields.map(([name]) => name).sort())
    assert.deepEqual([...new Set(lines.map(line => line.event))].sort(), logEvents.map(([name]) => name).sort())
  })

  it('stands in three files, and nobody else writes events', () => {
    const root = join(import.meta.dirname, '../../src')
    const others = globSync('**/*.ts', { cwd: root }).filter(
      file => !/^outcome\/(?:delivery|return|suppression)-log\.ts$/.test(file),
    )
    const writing = others.filter(file =>
      /\.(?:info|warn|error|debug)\(\s*\{\s*event\b/.test(readFileSync(join(root, file), 'utf8')),
    )
    assert.deepEqual(writing, [])
  })

  it('tells each thing once, at info, or at warn when an operator should look', async () => {
    const lines = await linesOf(log => {
      for (const tell of everything) tell(log)
    })
    assert.equal(lines.length, everything.length)
    const warnings = lines.filter(line => line.level === 'warn').map(line => line.event)
    assert.deepEqual(warnings, [
      'warned',
      'warm-up-paused',
      'source-unusable',
      'clock-set-back',
      'pool-changed',
      'tls-report-failed',
      'site-closed',
      'sender-slowed',
      'tls-fallback',
      'auth-failed',
      'connection-refused',
      'delivery-paused',
      'leases-reclaimed',
    ])
  })

  it('holds all facts of a delivery', async () => {
    const [line] = await linesOf(log => deliveryLog.settled(log, makeOutcome(), makeMessage()))
    const { time, ...rest } = line!
    assert.ok(typeof time === 'string')
    assert.deepEqual(rest, {
      level: 'info',
      event: 'delivered',
      message: '01jhm3w5c0f8k2v6q9x7r1t4ab',
      account: 'account-1',
      senderDomain: 'example.co.jp',
      sender: 'sales@example.co.jp',
      from: 'sales@example.co.jp',
      size: 64,
      entry: '01jhm3w5c0f8k2v6q9x7r1t4ab.0',
      recipient: 'b@example.com',
      mode: 'spf-dkim',
      modeReason: 'spf and dkim are published',
      signatures: ['20240125._domainkey.example.co.jp'],
      reversePath: 'sales@example.co.jp',
      site: 'mx1.example.com,mx2.example.com',
      remoteMta: 'mx1.example.com',
      remoteIp: '203.0.113.25',
      sourceIp: '210.198.21.20',
      tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384 verified',
      tlsPolicy: 'mta-sts:enforce',
      signMs: 2,
      connectMs: 48,
      sendMs: 61,
      totalMs: 113,
      reply: '250 2.0.0 ok',
      repliedBy: 'remote',
      class: 'none',
      actor: 'nobody',
      attempt: 1,
      inDoubt: false,
      queuedMs: 1234,
      text: 'delivered to b@example.com: 250 2.0.0 ok',
    })
  })

  it('keeps out what a caller had in its object besides', async () => {
    const leaky = { ...client, reply: '535 no', password: 'secret', content: 'Subject: secret' }
    const [line] = await linesOf(log => deliveryLog.authFailed(log, leaky))
    assert.doesNotMatch(JSON.stringify(line), /secret/)
  })

  it('writes the null reverse-path as <>', async () => {
    const message = makeMessage()
    const [line] = await linesOf(log =>
      deliveryLog.accepted(log, { ...message, envelope: { ...message.envelope, reversePath: null } }),
    )
    assert.equal(line!.sender, '<>')
  })

  it('names the recipient of an accepted message only when there is one', async () => {
    const message = makeMessage()
    const recipients = [{ address: 'b@example.com' }, { address: 'c@example.com' }]
    const [line] = await linesOf(log =>
      deliveryLog.accepted(log, { ...message, envelope: { ...message.envelope, recipients } }),
    )
    assert.deepEqual([line!.recipient, line!.recipients], [undefined, 2])
  })

  it('has a meaning and an example of the right type for every field', () => {
    for (const [name, meaning, example] of logFields) {
      assert.match(meaning, /\S.*\.$/, name)
      if (name.endsWith('Ms')) assert.equal(typeof example, 'number', name)
    }
  })
})

/** Through the real logger, so that its own fields count too. */
async function linesOf(tell: (log: Log) => void): Promise<Line[]> {
  let text = ''
  const sink = openForwardedLog('debug', manualClock(), lines => {
    text += lines
  })
  tell(sink.log)
  await sink.close()
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}
