import assert from 'node:assert/strict'
import type { Credential } from '../../src/mail/account.ts'
import { Authentication } from '../../src/submission/authentication.ts'
import { SmtpError } from '../../src/submission/replies.ts'
import { trustedUsernames } from '../../src/submission/trusted-networks.ts'
import { credential } from '../store/fixtures.ts'
import { manualClock } from '../support/manual-clock.ts'
import { password, startMsa } from './msa.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a login', () => {
  it('works with PLAIN and LOGIN, with and without initial response', async () => {
    await using msa = await startMsa()
    const plain = base64(`\0user-acme\0${password}`)
    for (const steps of [
      [[`AUTH PLAIN ${plain}`, /^235 2\.7\.0 /]],
      [
        ['AUTH PLAIN', /^334 ?$/],
        [plain, /^235 2\.7\.0 /],
      ],
      [
        ['AUTH LOGIN', /^334 VXNlcm5hbWU6$/],
        [base64('user-acme'), /^334 UGFzc3dvcmQ6$/],
        [base64(password), /^235 /],
      ],
      [
        [`AUTH LOGIN ${base64('user-acme')}`, /^334 /],
        [base64(password), /^235 /],
      ],
      [[`auth plain ${base64(`user-acme\0user-acme\0${password}`)}`, /^235 /]],
    ] as const) {
      await using client = await msa.open()
      await client.say('EHLO x', /^250/)
      for (const [line, reply] of steps) await client.say(line, reply)
      assert.doesNotMatch(await client.say('EHLO x', /^250/), /AUTH/)
    }
  })

  it('that is wrong is 535, and the third ends the connection', async () => {
    await using msa = await startMsa()
    await using client = await msa.open()
    await client.say('EHLO x', /^250/)
    await client.say('AUTH CRAM-MD5', /^504 5\.5\.4 /)
    await client.say('AUTH PLAIN', /^334/)
    await client.say('*', /^501 5\.7\.0 Authentication aborted; send AUTH/)
    await client.login('user-acme', 'wrong', /^535 5\.7\.8 Username or password is wrong/)
    await client.login('nobody', password, /^535 5\.7\.8 /)
    await client.say(`AUTH PLAIN ${base64(`user-crm\0user-acme\0${password}`)}`, /^421 4\.7\.0 Too many failed logins/)
    await client.closed()
    const failed = msa.events('auth-failed').map(({ fields }) => fields.username)
    assert.deepEqual(failed, ['user-acme', 'nobody', 'user-acme'])
    assert.deepEqual(
      msa.events('auth-failed').map(({ fields }) => [fields.credential, fields.account, fields.reason]),
      [
        ['acme', 'acme', 'wrong password'],
        [undefined, undefined, 'there is no such username'],
        ['acme', 'acme', 'wrong password, or on behalf of another'],
      ],
    )
    assert.doesNotMatch(JSON.stringify(msa.log), new RegExp(password))
  })

  it('that is no login is told how to write one', async () => {
    await using msa = await startMsa()
    await using client = await msa.open()
    await client.say('AUTH PLAIN', /^503 5\.5\.1 Send EHLO .* first$/)
    await client.say('EHLO x', /^250/)
    await client.say('AUTH CRAM-MD5', /^504 5\.5\.4 .*; use AUTH PLAIN or AUTH LOGIN$/)
    await client.say('AUTH PLAIN a b', /^501 5\.5\.4 Syntax: AUTH PLAIN /)
    await client.say(`AUTH PLAIN ${base64('no separators')}`, /^501 5\.5\.2 The login can not be read; send base64/)
    await client.say('VRFY', /^501 5\.5\.4 Syntax: VRFY followed by an address$/)
    await client.login('user-acme', password)
    await client.say('AUTH PLAIN', /^503 5\.5\.1 Logged in already; open another connection/)
  })

  it('is answered late when it is wrong', async () => {
    const clock = manualClock()
    await using msa = await startMsa({ clock, submission: { authFailureDelay: 60_000 } })
    await using client = await msa.open()
    await client.say('EHLO x', /^250/)
    const before = clock.waiting
    const answer = client.login('nobody', password, /^535 /)
    while (clock.waiting === before) await new Promise(resolve => setImmediate(resolve))
    let answered = false
    void answer.then(() => (answered = true))
    await clock.advance(59_000)
    assert.equal(answered, false)
    await clock.advance(1_000)
    await answer
  })

  it('of a revoked credential fails, and one that is revoked meanwhile sends nothing more', async () => {
    await using msa = await startMsa()
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RSET', /^250 /)
    await msa.store.updateCredential('acme', { revokedAt: 1 })
    await client.say('MAIL FROM:<a@ours.example>', /^530 5\.7\.0 .*revoked/)
    await using late = await msa.open()
    await late.say('EHLO x', /^250/)
    await late.login('user-acme', password, /^535 5\.7\.8 /)
  })

  it('is 454 while credentials can not be read', async () => {
    await using msa = await startMsa({
      directory: directory => ({
        ...directory,
        credential: () => Promise.reject(new Error('secret path /var/lib/x')),
      }),
    })
    await using client = await msa.open()
    await client.say('EHLO x', /^250/)
    await client.login('user-acme', password, /^454 4\.7\.0 Logins can not be checked/)
    assert.match(String(msa.log.find(({ level }) => level === 'error')?.fields.err), /secret path/)
  })

  it('is not offered, and refused, without TLS where TLS is required', async () => {
    await using msa = await startMsa({ submission: { requireTlsForAuth: true } })
    await using client = await msa.open()
    assert.doesNotMatch(await client.say('EHLO x', /^250/), /AUTH/)
    await client.login('user-acme', password, /^538 5\.7\.11 /)
    await client.say('MAIL FROM:<a@ours.example>', /^530 5\.7\.0 .*STARTTLS/)
  })
})

describe('a trusted network', () => {
  const trusted = (credential: string) => ({
    submission: { trustedNetworks: [{ network: '127.0.0.0/8', credential }] },
  })

  it('submits without AUTH as its credential', async () => {
    await using msa = await startMsa(trusted('user-acme'))
    await using client = await msa.open()
    await client.say('EHLO x', /^250/)
    await client.say('MAIL FROM:<a@theirs.example>', /^550 5\.7\.1 /)
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.login('user-other', password, /^503 5\.5\.1 AUTH is not allowed between MAIL/)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content('From: a@ours.example\r\n\r\nx', /^250 /)
    assert.equal(msa.lastMessage().credential, 'acme')
    assert.match(msa.lastContent().toString(), / with ESMTP id /)
    await client.login('user-other', password)
    await client.say('MAIL FROM:<a@theirs.example>', /^250 /)
  })

  it('of a credential that does not exist submits nothing', async () => {
    await using msa = await startMsa(trusted('missing'))
    await using client = await msa.open()
    await client.say('EHLO x', /^250/)
    await client.say('MAIL FROM:<a@ours.example>', /^530 5\.7\.0 .*trusted for no valid credential/)
  })

  it('is found for IPv4, IPv6 and mapped addresses', () => {
    const usernameOf = trustedUsernames([
      { network: '10.0.0.0/8', credential: 'ten' },
      { network: '2001:db8::/32', credential: 'six' },
    ])
    assert.deepEqual(['10.1.2.3', '::ffff:10.1.2.3', '11.0.0.1', '2001:db8::1', '::1'].map(usernameOf), [
      'ten',
      'ten',
      null,
      'six',
      null,
    ])
  })
})

describe('the check of passwords', () => {
  const known: Credential = { ...credential('c', 'acme'), username: 'known', passwordHash: 'hash' }

  function checking(options: { maxFailures?: number; stored?: () => Credential | null } = {}) {
    const clock = manualClock()
    const verified: string[] = []
    const release: (() => void)[] = []
    let held = false
    const authentication = new Authentication({
      directory: { credential: async username => (username === 'known' ? (options.stored?.() ?? known) : null) },
      clock,
      maxFailuresPerAddress: options.maxFailures ?? 100,
      verify: async (given, hash) => {
        verified.push(hash)
        if (held) await new Promise<void>(resolve => release.push(resolve))
        return given === 'right' && hash.startsWith('hash')
      },
    })
    const check = (username: string, given: string, address = '192.0.2.1') =>
      authentication.check({ username, password: given }, address).then(
        () => 'ok',
        error => (error instanceof SmtpError ? String(error.reply.code) : Promise.reject(error)),
      )
    return { clock, verified, release, check, hold: () => (held = true) }
  }

  it('asks Argon2 once for a client that comes back, and again when the stored hash changed', async () => {
    let stored = known
    const { check, verified } = checking({ stored: () => stored })
    for (let n = 0; n < 3; n++) assert.equal(await check('known', 'right'), 'ok')
    assert.equal(verified.length, 1)
    stored = { ...known, passwordHash: 'hash2' }
    assert.equal(await check('known', 'right'), 'ok')
    assert.equal(await check('known', 'wrong'), '535')
    assert.equal(verified.length, 3)
  })

  it('costs an unknown username what a wrong password does', async () => {
    const { check, verified } = checking()
    assert.equal(await check('unknown', 'right'), '535')
    assert.match(verified[0]!, /^\$argon2id\$/)
  })

  it('does not remember a revoked credential as right', async () => {
    let stored = known
    const { check } = checking({ stored: () => stored })
    assert.equal(await check('known', 'right'), 'ok')
    stored = { ...known, revokedAt: 1 }
    assert.equal(await check('known', 'right'), '535')
  })

  it('blocks an address, not the others, for 10 minutes', async () => {
    const { check, clock } = checking({ maxFailures: 3 })
    for (let n = 0; n < 3; n++) assert.equal(await check('known', `wrong ${n}`), '535')
    assert.equal(await check('known', 'right'), '454')
    assert.equal(await check('known', 'right', '192.0.2.2'), 'ok')
    await clock.advance(10 * 60_000)
    assert.equal(await check('known', 'right'), 'ok')
  })

  it('counts the same wrong password once, so that a stale credential locks nobody else out', async () => {
    const { check, verified } = checking({ maxFailures: 3 })
    for (let n = 0; n < 30; n++) assert.equal(await check('known', 'stale'), '535')
    for (let n = 0; n < 30; n++) assert.equal(await check('gone', 'stale'), '535')
    assert.equal(verified.length, 2)
    assert.equal(await check('known', 'right'), 'ok')
    assert.equal(await check('known', 'guess'), '535')
    assert.equal(await check('known', 'right'), '454')
  })

  it('counts no right password as a guess, whatever became of its credential', async () => {
    const { check } = checking({ maxFailures: 1, stored: () => ({ ...known, revokedAt: 1 }) })
    for (let n = 0; n < 3; n++) assert.equal(await check('known', 'right'), '535')
  })

  it('runs two at a time, lets some wait and turns the rest away', async () => {
    const { check, verified, release, hold } = checking({ maxFailures: 1000 })
    hold()
    const answers = Array.from({ length: 203 }, (_, n) => check('known', `wrong ${n}`))
    assert.equal(await answers[202]!, '454')
    assert.equal(verified.length, 2)
    while (verified.length < 202 || release.length > 0) {
      for (const go of release.splice(0)) go()
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.deepEqual(new Set(await Promise.all(answers.slice(0, 202))), new Set(['535']))
  })
})
