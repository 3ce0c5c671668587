/**
 * What the API and the CLI say of classes, and of a reply that somebody wants to try.
 */
import assert from 'node:assert/strict'
import { outcomeClasses } from '../../src/mail/outcome.ts'
import { classes } from '../../src/outcome/classes.ts'
import { cli } from '../cli/support/cli.ts'
import { type Api, startApi, token } from './support/api.ts'

const ask = (api: Api, body: unknown) => api.call('POST', '/v1/classes/try', body)
const run = (api: Api, ...args: string[]) => cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })

describe('GET /v1/classes', () => {
  it('tells every class in both languages, who must act, and which bounces mean that there is no such address', async () => {
    await using api = await startApi()
    const { status, body } = await api.call('GET', '/v1/classes')
    assert.equal(status, 200)
    assert.deepEqual(
      body.classes.map((one: { class: string }) => one.class),
      outcomeClasses,
    )
    const full = body.classes.find((one: { class: string }) => one.class === 'mailbox-full')
    assert.equal(full.actor, 'recipient')
    assert.deepEqual(full.message, classes['mailbox-full'].sentence)
    assert.deepEqual(full.next, classes['mailbox-full'].next)
    const suppressible = body.classes.filter((one: { suppressible: boolean }) => one.suppressible)
    assert.deepEqual(
      suppressible.map((one: { class: string }) => one.class),
      ['address-unknown', 'domain-unknown'],
    )
  })
})

describe('POST /v1/classes/try', () => {
  it('tells what would become of the mail, the class, and the rule with its source', async () => {
    await using api = await startApi()
    const { status, body } = await ask(api, { reply: '550 5.1.1 <b@example.com>: User unknown' })
    assert.equal(status, 200)
    assert.equal(body.action, 'bounced')
    assert.equal(body.class, 'address-unknown')
    assert.equal(body.suppressible, true)
    assert.match(body.rule.source, /Postfix/)
    assert.equal(body.rule.own, false)
  })

  it('takes phase, site and route into account', async () => {
    await using api = await startApi()
    const reply = '550 Unknown user b@docomo.ne.jp'
    const site = 'mfsmax.docomo.ne.jp'
    assert.equal((await ask(api, { reply })).body.class, 'address-unknown')
    assert.equal((await ask(api, { reply, site })).body.class, 'unknown-or-filtered')
    assert.equal((await ask(api, { reply, site, phase: 'dot' })).body.class, 'blocked-by-recipient')
    const own = await ask(api, { reply: '535 5.7.8 no', phase: 'auth', route: 'own-smtp' })
    assert.deepEqual([own.body.class, own.body.action], ['own-smtp-login', 'deferred'])
  })

  it('reads replies of several lines, and names no rule for what needs none', async () => {
    await using api = await startApi()
    const lines = await ask(api, { reply: '452-4.2.2 The mailbox\n452 4.2.2 is over quota' })
    assert.deepEqual([lines.body.class, lines.body.action], ['mailbox-full', 'deferred'])
    const taken = await ask(api, { reply: '250 ok', phase: 'dot' })
    assert.deepEqual([taken.body.action, taken.body.class, taken.body.rule], ['delivered', 'none', null])
  })

  it('asks the rules of the configuration first, and does as without them', async () => {
    const rules = [
      { id: 'ours', class: 'spam-block', reason: 'we know better', text: ['user unknown'] },
      { id: 'never', class: 'policy', reason: 'too late', digit: 5 },
    ]
    await using api = await startApi({ variables: { KITTE_CLASSIFICATION_RULES: JSON.stringify(rules) } })
    const { body } = await ask(api, { reply: '550 5.1.1 User unknown', phase: 'mail' })
    assert.deepEqual([body.class, body.actor, body.rule.id, body.rule.own], ['spam-block', 'own-ip', 'ours', true])
    // Our own spam-block to MAIL would be tried again.
    assert.equal(body.action, 'bounced')
  })

  it('refuses what is no reply, in both languages', async () => {
    await using api = await startApi()
    for (const [field, value] of [
      ['reply', 'User unknown'],
      ['reply', '550-first\n551 second'],
      ['phase', 'later'],
      ['route', 'fax'],
    ] as const) {
      const { status, body } = await ask(api, { reply: '550 no', [field]: value })
      assert.equal(status, 422, `${field} ${value}`)
      assert.equal(body.errors[0].field, field)
      assert.ok(body.errors[0].ja !== '' && body.errors[0].en !== '')
    }
  })
})

describe('kitte classes', () => {
  it('prints all classes, or one', async () => {
    await using api = await startApi()
    const all = await run(api, 'classes')
    assert.equal(all.code, 0)
    for (const name of outcomeClasses) assert.match(all.out, new RegExp(`^${name}$`, 'm'))
    const one = await run(api, 'classes', 'no-ptr')
    assert.match(one.out, /^no-ptr\n {2}送信元サーバーの逆引き.*\n {2}The recipient's server refused/)
    assert.match(one.out, /to act: 中継サーバーの管理者.* \/ the operator of the relay/)
    const none = await run(api, 'classes', 'no-such')
    assert.equal(none.code, 1)
    assert.match(none.err, /there is no class no-such\n {2}these are: none, address-unknown/)
  })
})

describe('kitte classify', () => {
  it('says what a reply would be taken for, and by which rule', async () => {
    await using api = await startApi()
    const { code, out } = await run(
      api,
      'classify',
      '550-5.7.26 Unauthenticated email is not accepted due',
      "550 5.7.26 to domain's DMARC policy",
    )
    assert.equal(code, 0)
    assert.match(out, /^bounced, dmarc-failed\n {2}reply {2}550 5\.7\.26 Unauthenticated/)
    assert.match(out, /SPFとDKIM/)
    assert.match(out, /^ {2}rule {2}google-dmarc-policy: .*\n {8}Google Workspace/m)
  })

  it('takes phase, site and own server as options, and prints JSON', async () => {
    await using api = await startApi()
    const args = [
      'classify',
      '550 Unknown user b@docomo.ne.jp',
      '--site',
      'mfsmax.docomo.ne.jp',
      '--phase',
      'dot',
      '--json',
    ]
    assert.equal(JSON.parse((await run(api, ...args)).out).class, 'blocked-by-recipient')
    const own = await run(api, 'classify', '535 5.7.8 no', '--phase', 'auth', '--own-smtp')
    assert.match(own.out, /^deferred, own-smtp-login$/m)
    assert.match(own.out, /^ {2}site {2}left alone for a while$/m)
  })

  it('says how to write a reply when it gets none', async () => {
    await using api = await startApi()
    const { code, err } = await run(api, 'classify', 'User unknown')
    assert.equal(code, 1)
    assert.match(err, /write an SMTP reply such as 550 5\.1\.1 User unknown/)
  })
})
