/**
 * The commands, run in this process against the real API.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { newMessage, outcome, outcomeEvent } from '../store/fixtures.ts'
import { type CliRun, cli } from './support/cli.ts'

/** A command that must succeed. */
async function kitte(api: Api, args: readonly string[], input = ''): Promise<string> {
  const { code, out, err } = await run(api, args, input)
  assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  return out
}

function run(api: Api, args: readonly string[], input = ''): Promise<CliRun> {
  return cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token }, input)
}

async function created(api: Api, ...args: string[]) {
  return JSON.parse(await kitte(api, [...args, '--json']))
}

describe('kitte tls-report', () => {
  it('lists days of domains that want reports, and shows one with what became of it', async () => {
    await using api = await startApi()
    assert.match(await kitte(api, ['tls-report', 'list']), /nothing is counted/)
    assert.match((await run(api, ['tls-report', 'show', 'there.example'])).err, /nothing is counted for there\.example/)
    const policy = {
      policyType: 'no-policy-found',
      policyDomain: 'there.example',
      policyStrings: [],
      mxHostPatterns: [],
    } as const
    const failure = {
      resultType: 'starttls-not-supported',
      receivingMx: 'mx.there.example',
      receivingIp: null,
      sendingIp: null,
      additional: null,
    }
    const day = { day: '2026-01-15', domain: 'there.example' }
    await api.store.addTlsCounts([{ ...day, policy, failure: null, sessions: 3 }])
    await api.store.addTlsCounts([{ ...day, policy, failure, sessions: 2 }])
    assert.match(await kitte(api, ['tls-report', 'list']), /2026-01-15 {2}there\.example +3 +2 {2}the day is not over/)
    const destinations = [
      { uri: 'mailto:tls@there.example', state: 'sent', attempts: 1, at: 0, message: 'message-1' },
      { uri: 'https://there.example/', state: 'failed', attempts: 6, at: 0, status: 503, problem: 'answered 503' },
    ] as const
    await api.store.saveTlsReport({ ...day, reportId: 'r@relay', attempts: 6, nextAttemptAt: null, destinations })
    assert.match(await kitte(api, ['tls-report', 'list', '--domain', 'there.example']), /2 {2}sent +mailto:tls@there/)
    const out = await kitte(api, ['tls-report', 'show', 'there.example'])
    assert.match(out, /^to +mailto:tls@there\.example: sent, .*, message message-1$/m)
    assert.match(out, /^to +https:\/\/there\.example\/: failed, .*, answered 503$/m)
    assert.match(out, /"result-type": "starttls-not-supported"/)
    const shown = JSON.parse(await kitte(api, ['tls-report', 'show', 'there.example', '--day', '2026-01-15', '--json']))
    assert.equal(shown.content['report-id'], 'r@relay')
    assert.match((await run(api, ['tls-report', 'show', 'there.example', '--day', 'x'])).err, /2026-01-15/)
  })
})

describe('kitte account', () => {
  it('creates, lists, shows, limits, suspends, resumes and deletes', async () => {
    await using api = await startApi()
    const out = await kitte(api, ['account', 'create', '株式会社アクメ', '--per-minute', '60'])
    assert.match(out, /^name +株式会社アクメ$/m)
    assert.match(out, /^limits +60\/min$/m)
    assert.match(await kitte(api, ['account', 'list']), /株式会社アクメ {2}60\/min {2}warn/)
    const shown = await kitte(api, ['account', 'show', '株式会社アクメ'])
    assert.match(shown, /^suspended +no$/m)
    const set = ['account', 'set', '株式会社アクメ', '--name', 'Acme', '--per-minute', 'none', '--per-day', '500']
    assert.match(await kitte(api, set), /^limits +500\/day$/m)
    assert.match(await kitte(api, ['account', 'suspend', 'Acme', '--reason', 'unpaid']), /^suspended +unpaid$/m)
    assert.match(await kitte(api, ['account', 'resume', 'Acme']), /^suspended +no$/m)
    assert.match(await kitte(api, ['account', 'delete', 'Acme']), /^deleted account /)
    assert.match(await kitte(api, ['account', 'list']), /no accounts yet/)
  })

  it('asks for the id where a name is not enough', async () => {
    await using api = await startApi()
    await kitte(api, ['account', 'create', 'Acme'])
    await kitte(api, ['account', 'create', 'Acme'])
    const { code, err } = await run(api, ['account', 'show', 'Acme'])
    assert.equal(code, 1)
    assert.match(err, /2 accounts are named Acme\n {2}use the id: \S+, \S+/)
    assert.match((await run(api, ['account', 'show', 'Nobody'])).err, /there is no account Nobody/)
  })

  for (const command of [['queue', 'list'], ['queue', 'finish'], ['queue', 'hold', '--dry-run'], ['limits']]) {
    it(`needs not be known by id to kitte ${command.join(' ')}`, async () => {
      await using api = await startApi()
      await kitte(api, ['account', 'create', 'Acme'])
      await kitte(api, [...command, '--account', 'Acme'])
      const { code, err } = await run(api, [...command, '--account', 'Acne'])
      assert.deepEqual([code, err], [1, 'kitte: there is no account Acne\n  "kitte account list" shows them all\n'])
    })
  }
})

describe('kitte credential', () => {
  it('prints the password once and clearly', async () => {
    await using api = await startApi()
    await kitte(api, ['account', 'create', 'Acme'])
    const out = await kitte(api, ['credential', 'create', '--account', 'Acme', '--username', 'crm'])
    assert.match(out, /not shown again:\nusername {2}crm\npassword {2}[0-9a-z]{32}\n$/)
    const listed = await kitte(api, ['credential', 'list'])
    assert.match(listed, /crm/)
    assert.ok(!listed.includes(/password {2}(\S+)/.exec(out)![1]!))
    const rotated = await kitte(api, ['credential', 'rotate', 'crm'])
    assert.notEqual(/password {2}(\S+)/.exec(rotated)![1], /password {2}(\S+)/.exec(out)![1])
    assert.match(await kitte(api, ['credential', 'limit', 'crm', '--per-hour', '10']), /10\/h/)
    assert.match(await kitte(api, ['credential', 'revoke', 'crm']), /^revoked credential \S+ \(crm\)$/m)
    assert.match((await run(api, ['credential', 'rotate', 'crm'])).err, /revoked; make a new one/)
  })

  it('must know whose it is', async () => {
    await using api = await startApi()
    assert.match((await run(api, ['credential', 'create'])).err, /give either --account ACCOUNT or --all/)
    assert.match(await kitte(api, ['credential', 'create', '--all']), /^account +all$/m)
  })
})

describe('kitte sender', () => {
  it('takes the SMTP password from standard input or a file, never from arguments', async () => {
    await using api = await startApi()
    await kitte(api, ['account', 'create', 'Acme'])
    const smtp = ['--smtp-host', 'smtp.acme.example', '--smtp-user', 'sales']
    const create = ['sender', 'create', 'sales@acme.example', '--account', 'Acme', ...smtp]
    assert.match(await kitte(api, create, 'open sesame\n'), /smtp\.acme\.example:587 as sales, TLS required/)
    const sealed = (await api.store.sender('sales@acme.example'))!.smtp!.sealedPassword
    assert.equal(api.seal.open(sealed, 'own-smtp:sales@acme.example'), 'open sesame')

    const file = join(api.dataDir, 'password')
    writeFileSync(file, 'from a file\r\nsecond line\n')
    await kitte(api, ['sender', 'set', 'sales@acme.example', ...smtp, '--smtp-password-file', file])
    const again = (await api.store.sender('sales@acme.example'))!.smtp!.sealedPassword
    assert.equal(api.seal.open(again, 'own-smtp:sales@acme.example'), 'from a file')

    assert.match((await run(api, create, '')).err, /Password of sales: nothing was given/)
    assert.match((await run(api, ['sender', 'set', 'x@y.example', '--smtp-host', 'h'])).err, /--smtp-user NAME/)
    const { code, err } = await run(api, [...create, '--smtp-password', 'x'])
    assert.equal(code, 1)
    assert.match(err, /unknown option '--smtp-password'/)
  })

  it('sets the limits of an SMTP server, keeps its password, and tells what a test came to', async () => {
    await using api = await startApi()
    await api.account('acme')
    const smtp = ['--smtp-host', 'smtp.acme.example', '--smtp-user', 'sales']
    const made = await run(api, ['sender', 'create', 'a@acme.example', '--account', 'acme', ...smtp], 'open sesame\n')
    assert.match(made.out, /test +no-server: .*[ぁ-ん]/)
    const limited = await run(api, ['sender', 'set', 'a@acme.example', '--smtp-per-minute', '30', '--test', 'skip'])
    assert.match(limited.out, /limits +3 connections, 50 messages on each, 30 recipients a minute/)
    assert.doesNotMatch(limited.out, /^test/m)
    const { smtp: stored } = (await api.store.sender('a@acme.example'))!
    assert.equal(api.seal.open(stored!.sealedPassword, 'own-smtp:a@acme.example'), 'open sesame')
    const tested = await run(api, ['sender', 'test', 'a@acme.example', '--json'])
    assert.deepEqual([JSON.parse(tested.out).finding, JSON.parse(tested.out).works], ['no-server', false])
    assert.match((await run(api, ['sender', 'test', 'b@acme.example'])).err, /sender address b@acme\.example/)
  })

  it('lists, notes and deletes, and is told the holder of a taken address', async () => {
    await using api = await startApi()
    await kitte(api, ['account', 'create', 'Acme'])
    await kitte(api, ['account', 'create', 'Other'])
    await kitte(api, ['sender', 'create', 'sales@acme.example', '--account', 'Acme', '--note', '営業'])
    assert.match(await kitte(api, ['sender', 'list']), /sales@acme\.example.*営業/)
    const taken = await run(api, ['sender', 'create', 'sales@acme.example', '--account', 'Other'])
    assert.equal(taken.code, 1)
    assert.match(taken.err, /すでに登録されています/)
    assert.match(await kitte(api, ['sender', 'set', 'sales@acme.example', '--no-smtp']), /SMTP server +none/)
    assert.match(await kitte(api, ['sender', 'delete', 'sales@acme.example']), /^deleted sender address/)
    assert.equal((await run(api, ['sender', 'show', 'sales@acme.example'])).code, 1)
  })
})

describe('kitte queue', () => {
  async function fill(api: Api, account = 'acme') {
    const now = Date.now()
    const to = ['a@there.example', 'b@elsewhere.example']
    const draft = newMessage({ now, to, account, lease: { owner: 'test/1', until: now + 60_000 } })
    await api.store.accept(draft)
    const outcomes = [0, 1].map(n =>
      outcome(`${draft.message.id}.${n}`, 'deferred', now, {
        recipient: to[n]!,
        reply: { code: 451, detail: '7.1', text: 'later \u001b[31mplease', from: 'remote' },
        class: 'greylisted',
      }),
    )
    await api.store.settle({ outcomes, reports: [], events: outcomes.map(outcomeEvent) })
    return draft.message.id
  }

  it('lists what waits, counts it by column and tells about one entry', async () => {
    await using api = await startApi()
    assert.match(await kitte(api, ['queue', 'list']), /^0 entries: 0 due, .*\n\nnothing waits\n$/)
    const id = await fill(api)
    const listed = await kitte(api, ['queue', 'list', '--domain', 'there.example'])
    assert.match(listed, /^1 entries: 0 due, 1 waiting/)
    assert.match(listed, /a@there\.example +normal +waiting +retry +1 .*greylisted +451 4\.7\.1 later/)
    assert.ok(!listed.includes('\u001b'), 'a reply must not colour the terminal')
    assert.match(
      listed,
      /\n\ngreylisted\n {2}初めての.+対応者: 対応不要。.+\n {2}The recipient's .+ To act: nobody\. .+\n$/,
    )
    assert.match(await kitte(api, ['queue', 'list', '--by', 'domain']), /^elsewhere\.example +1 /m)
    assert.match(await kitte(api, ['queue', 'list', '--by', 'class']), /^greylisted +2 /m)
    const bySite = await kitte(api, ['queue', 'list', '--by', 'site'])
    assert.match(bySite, /^none +2 /m)
    assert.match(bySite, /^none: not tried yet \/ まだ送信していません$/m)
    assert.match(bySite, /no site has work/)
    assert.match(await kitte(api, ['queue', 'list', '--site', 'mx.there.example']), /^0 entries/)
    const shown = await kitte(api, ['queue', 'show', `${id}.1`])
    assert.match(shown, /^recipient +b@elsewhere\.example$/m)
    assert.match(shown, / To act: nobody\. /)
    assert.match((await run(api, ['queue', 'show', 'nothing'])).err, /kitte explain nothing/)
  })

  it('names accounts where it counts by them', async () => {
    await using api = await startApi()
    const id = await api.account('株式会社青空')
    await fill(api, id)
    assert.match(await kitte(api, ['queue', 'list', '--by', 'account']), new RegExp(`^${id} +株式会社青空 +2 `, 'm'))
    assert.match(await kitte(api, ['queue', 'finish', '--by', 'account']), new RegExp(`^${id} +株式会社青空 +2 `, 'm'))
  })

  it('holds, releases, retries and cancels, or only counts', async () => {
    await using api = await startApi()
    const id = await fill(api)
    const there = ['--domain', 'there.example']
    assert.match(await kitte(api, ['queue', 'hold', ...there, '--dry-run']), /^1 entries would be held; matched: 1 /)
    assert.match(await kitte(api, ['queue', 'hold', ...there, '--reason', 'wait']), /^1 entries held/)
    assert.match(await kitte(api, ['queue', 'list', '--state', 'held']), /wait/)
    assert.match(await kitte(api, ['queue', 'release', `${id}.0`]), /^1 entries released/)
    assert.match(await kitte(api, ['queue', 'retry', id]), /^2 entries made due now/)
    assert.match((await run(api, ['queue', 'cancel'])).err, /which mail is meant\?\n.*--all/)
    assert.match(await kitte(api, ['queue', 'cancel', '--all']), /^2 entries cancelled/)
    assert.equal((await api.store.countQueue({})).total, 0)
  })
})

describe('any command', () => {
  it('prints the API’s JSON with --json, wherever that stands', async () => {
    await using api = await startApi()
    const { id } = await created(api, 'account', 'create', 'Acme')
    assert.deepEqual(JSON.parse(await kitte(api, ['--json', 'account', 'show', id])), await accountOf(api, id))
    // The API answers nothing to what it deleted; a script that reads JSON has to read something.
    assert.deepEqual(JSON.parse(await kitte(api, ['account', 'delete', id, '--yes', '--json'])), {})
  })

  it('says what to start when nobody answers', async () => {
    const { code, err } = await cli(['account', 'list', '--api', 'http://127.0.0.1:9'], { KITTE_ADMIN_TOKEN: 'x' })
    assert.equal(code, 1)
    assert.match(
      err,
      /no relay answers at http:\/\/127\.0\.0\.1:9 \(.+\)\n {2}start it with "kitte start --config FILE"/,
    )
  })

  it('says which token is missing or wrong', async () => {
    await using api = await startApi()
    const wrong = await cli(['account', 'list'], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: 'wrong' })
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /does not know this admin token\n {2}set KITTE_ADMIN_TOKEN/)
  })

  it('finds the relay and its token by the configuration', async () => {
    await using api = await startApi({ adminToken: null })
    const file = join(api.dataDir, 'kitte.yaml')
    writeFileSync(file, `dataDir: .\nhttp: { host: 0.0.0.0, port: ${api.admin.port} }\n`)
    for (const [args, variables] of [
      [['account', 'list', '--config', file], {}],
      [['account', 'list'], { KITTE_CONFIG: file }],
    ] as const) {
      const { code, out, err } = await cli(args, variables)
      assert.equal(code, 0, err)
      assert.match(out, /no accounts yet/)
    }
    writeFileSync(file, `dataDir: ./elsewhere\nhttp: { port: ${api.admin.port} }\n`)
    const { err } = await cli(['account', 'list', '--config', file])
    assert.match(err, /no admin token for .*\n {2}set KITTE_ADMIN_TOKEN, or name the configuration/)
  })

  it('names every bad field of a refused request, in both languages', async () => {
    await using api = await startApi()
    const { code, err } = await run(api, ['account', 'create', 'x'.repeat(201)])
    assert.equal(code, 1)
    assert.match(err, /name: write a name of 1 to 200 characters\n {4}1〜200文字/)
  })

  it('takes nothing for a name', async () => {
    await using api = await startApi()
    for (const args of [
      ['explain', ''],
      ['domain', 'show', ''],
      ['webhook', 'show', ''],
    ])
      assert.match((await run(api, args)).err, /^kitte: a name or id is empty\n/)
  })

  it('explains itself', async () => {
    const { code, out } = await cli(['queue', 'hold', '--help'])
    assert.equal(code, 0)
    assert.match(out, /--dry-run +only count/)
    assert.match(out, /--config <file>/)
    assert.equal((await cli(['quue'])).code, 1)
    assert.match((await cli(['quue'])).err, /Did you mean queue\?/)
    assert.match((await cli(['account', 'set', 'x', '--per-day', '0'])).err, /whole number of at least 1, or "none"/)
  })
})

async function accountOf(api: Api, id: string) {
  return (await api.call('GET', `/v1/accounts/${id}`)).body
}

describe('kitte suspend, kitte route and large orders', () => {
  it('suspends, lists and ends; what is held says why', async () => {
    await using api = await startApi()
    await api.store.accept(newMessage({ now: Date.now(), to: ['b@down.example'] }))
    const slice = ['suspend', 'add', '--domain', 'down.example', '--reason', '障害対応']
    assert.match(await kitte(api, [...slice, '--dry-run']), /1 entries would be held now/)
    assert.match((await run(api, [...slice, '--for', 'ever'])).err, /--for 30m, 2h or 1d/)
    assert.match((await run(api, ['suspend', 'add', '--reason', 'x'])).err, /at least one of account, senderDomain/)
    const { suspension } = await created(api, ...slice, '--for', '2h')
    assert.match(await kitte(api, ['suspend', 'list']), /domain down\.example +in-force +1 .*障害対応/)
    const [entry] = (await api.store.listQueue({}, { limit: 1 })).map(row => row.entry.id)
    const shown = await kitte(api, ['queue', 'show', entry!])
    assert.match(shown, /一時停止中です: 障害対応/)
    assert.match(shown, new RegExp(`^suspension +${suspension.id}$`, 'm'))
    assert.match(await kitte(api, ['suspend', 'end', suspension.id]), /^holds +0 entries$/m)
    assert.match(await kitte(api, ['suspend', 'list']), /nothing is suspended/)
    assert.match((await run(api, ['suspend', 'end', suspension.id])).err, /no suspension/)
  })

  it('adds, lists and removes a route', async () => {
    await using api = await startApi()
    const args = ['route', 'add', 'outlook.com', '--via', 'smart.example:587', 'b.example', '--note', 'outage']
    assert.match(await kitte(api, args), /^goes +via smart\.example:587,b\.example$/m)
    assert.match((await run(api, args)).err, /there is a route for it already/)
    const { routes } = await created(api, 'route', 'list')
    assert.deepEqual(routes[0].hosts, [
      { host: 'smart.example', port: 587 },
      { host: 'b.example', port: null },
    ])
    await kitte(api, ['route', 'remove', routes[0].id])
    assert.match(await kitte(api, ['route', 'list']), /all mail goes to the MX/)
  })

  it('waits for an order to many entries, or prints its operation', async () => {
    await using api = await startApi({ bulk: { above: 2 } })
    const now = Date.now()
    for (let i = 0; i < 3; i++) await api.store.accept(newMessage({ now, to: [`${i}@down.example`] }))
    assert.match(await kitte(api, ['queue', 'hold', '--all']), /hold \w+: done, 3 of 3 entries \(100 %\)/)
    const begun = await created(api, 'queue', 'release', '--all', '--no-wait')
    assert.equal(begun.total, 3)
    assert.match(await kitte(api, ['queue', 'operations', '--stop', begun.id]), /^release /)
    assert.match(await kitte(api, ['queue', 'operations']), /hold +\{\} +done +3 +3/)
  })
})
