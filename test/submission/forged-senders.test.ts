import assert from 'node:assert/strict'
import type { Dialogue } from '../support/dialogue.ts'
import { type Msa, startMsa } from './msa.ts'

interface Case {
  readonly what: string
  readonly mailFrom?: string
  readonly parameters?: string
  /** The header; `From: a@ours.example` unless given. */
  readonly header?: string | Buffer
  readonly reply: RegExp
  readonly as?: 'user-crm' | 'user-other'
}

const notYours = (address: string) =>
  new RegExp(`^550 5\\.7\\.1 ${address.replace(/[.+*?()]/g, '\\$&')} is not a sender address of this`)
const hidden = /^550 5\.7\.1 <?evil@bank\.example>? inside the display name or a comment of (?:From|Sender) is not/
const unreadable = (field = 'From') => new RegExp(`^550 5\\.6\\.0 The ${field} field can not be read: `)
const missing = /^550 5\.6\.0 The message has no From field/
const ok = /^250 2\.0\.0 Ok: queued as /

const cases: readonly Case[] = [
  // ── what is allowed ──
  { what: 'a registered domain', header: 'From: a@ours.example', reply: ok },
  { what: 'any local part at it', header: 'From: Any.One+tag@ours.example', reply: ok },
  { what: 'another case of the domain', header: 'From: a@OURS.Example', reply: ok },
  {
    what: 'a registered address elsewhere',
    mailFrom: 'acme@mail.example',
    header: 'From: acme@mail.example',
    reply: ok,
  },
  { what: 'that address in another case', header: 'From: Acme@Mail.Example', reply: ok },
  { what: 'the null reverse-path', mailFrom: '', header: 'From: a@ours.example', reply: ok },
  { what: 'two own addresses', header: 'From: a@ours.example, acme@mail.example\r\nSender: a@ours.example', reply: ok },
  { what: 'a comment', header: 'From: a@ours.example (Ann of Acme)', reply: ok },
  { what: 'folded', header: 'From: Ann\r\n <a@ours.example>', reply: ok },
  { what: 'an encoded name', header: 'From: =?utf-8?B?5bGx55Sw?= <a@ours.example>', reply: ok },
  { what: 'raw UTF-8 in the name', header: Buffer.from('From: 山田 <a@ours.example>'), reply: ok },
  { what: 'a name that is an address', header: 'From: "taro@mail.example" <a@ours.example>', reply: ok },
  { what: 'its own address in brackets in the name', header: 'From: "<a@ours.example>" <a@ours.example>', reply: ok },
  { what: 'an IDN as A-label', header: 'From: a@xn--r8jz45g.example', reply: ok },
  { what: 'an IDN as U-label', header: Buffer.from('From: a@例え.example'), reply: ok },
  { what: 'quotes that mean nothing', header: 'From: "a"@ours.example', reply: ok },
  {
    what: 'UTF-8 local part with SMTPUTF8',
    parameters: ' SMTPUTF8',
    header: Buffer.from('From: 営業@ours.example'),
    reply: ok,
  },
  { what: 'a Sender of its own', header: 'From: a@ours.example\r\nSender: b@ours.example', reply: ok },

  // ── reverse-path ──
  { what: "another account's domain in MAIL", mailFrom: 'x@theirs.example', reply: notYours('x@theirs.example') },
  { what: 'nobody’s domain in MAIL', mailFrom: 'evil@bank.example', reply: notYours('evil@bank.example') },
  { what: 'a subdomain in MAIL', mailFrom: 'a@sub.ours.example', reply: notYours('a@sub.ours.example') },
  { what: 'another address at mail.example in MAIL', mailFrom: 'x@mail.example', reply: notYours('x@mail.example') },
  { what: 'a trailing dot in MAIL', mailFrom: 'a@ours.example.', reply: /^553 5\.1\.7 / },

  // ── From ──
  { what: 'no From', header: 'Subject: x', reply: missing },
  { what: 'an empty From', header: 'From:', reply: unreadable() },
  { what: "another account's domain", header: 'From: x@theirs.example', reply: notYours('x@theirs.example') },
  { what: 'nobody’s domain', header: 'From: evil@bank.example', reply: notYours('evil@bank.example') },
  {
    what: 'a look-alike domain',
    header: 'From: a@ours.example.bank.example',
    reply: notYours('a@ours.example.bank.example'),
  },
  {
    what: 'a foreign From under the null reverse-path',
    mailFrom: '',
    header: 'From: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  { what: 'a second address', header: 'From: a@ours.example, evil@bank.example', reply: notYours('evil@bank.example') },
  {
    what: 'a foreign first address',
    header: 'From: evil@bank.example, a@ours.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a second From',
    header: 'From: a@ours.example\r\nFrom: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a second From far below',
    header: 'From: a@ours.example\r\nSubject: x\r\nX: y\r\nFROM: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a second From of its own',
    header: 'From: a@ours.example\r\nFrom: b@ours.example',
    reply: /^550 5\.6\.0 The message has several From fields/,
  },
  { what: 'a space before the colon', header: 'From : evil@bank.example', reply: unreadable() },
  {
    what: 'a second From with a space before the colon',
    header: 'From: a@ours.example\r\nFrom : evil@bank.example',
    reply: unreadable(),
  },
  { what: 'folded', header: 'From:\r\n evil@bank.example', reply: notYours('evil@bank.example') },
  { what: 'folded inside the address', header: 'From: <a@ours.example\r\n >', reply: unreadable() },
  { what: 'two bracketed addresses', header: 'From: <a@ours.example> <evil@bank.example>', reply: unreadable() },
  {
    what: 'a bare address before the bracketed one',
    header: 'From: evil@bank.example <a@ours.example>',
    reply: unreadable(),
  },
  {
    what: 'an unquoted address as name',
    header: 'From: evil@bank.example, <a@ours.example>',
    reply: notYours('evil@bank.example'),
  },
  { what: 'brackets in a quoted name', header: 'From: "<evil@bank.example>" <a@ours.example>', reply: hidden },
  {
    what: 'brackets in an encoded name',
    header: 'From: =?utf-8?Q?=3Cevil=40bank.example=3E?= <a@ours.example>',
    reply: hidden,
  },
  {
    what: 'brackets in a base64 name',
    header: 'From: =?utf-8?B?PGV2aWxAYmFuay5leGFtcGxlPg==?= <a@ours.example>',
    reply: hidden,
  },
  {
    what: 'a comma in an encoded name',
    header: 'From: =?utf-8?Q?evil=40bank.example=2C?= <a@ours.example>',
    reply: hidden,
  },
  {
    what: 'an encoded line break',
    header: 'From: =?utf-8?Q?x=0D=0AFrom=3A_evil=40bank.example?= <a@ours.example>',
    reply: unreadable(),
  },
  {
    what: 'an encoded word as address',
    header: 'From: =?utf-8?Q?evil=40bank.example=3E?=@ours.example',
    reply: unreadable(),
  },
  { what: 'an address in a comment', header: 'From: (evil@bank.example) a@ours.example', reply: hidden },
  { what: 'a group', header: 'From: x: evil@bank.example;', reply: unreadable() },
  { what: 'an empty group', header: 'From: undisclosed:;', reply: unreadable() },
  { what: 'a source route', header: 'From: <@bank.example:a@ours.example>', reply: unreadable() },
  {
    what: 'a quoted local part with an @',
    header: 'From: "evil@bank.example>"@theirs.example',
    reply: notYours('"evil@bank.example>"@theirs.example'),
  },
  { what: 'an IDN look-alike', header: Buffer.from('From: a@ｏurs.example'), reply: unreadable() },
  { what: 'another IDN', header: Buffer.from('From: a@例文.example'), reply: notYours('a@xn--fsqv94c.example') },
  { what: 'UTF-8 local part without SMTPUTF8', header: Buffer.from('From: 営業@ours.example'), reply: /^550 5\.6\.7 / },
  { what: 'a trailing dot', header: 'From: a@ours.example.', reply: unreadable() },
  { what: 'an address literal', header: 'From: a@[127.0.0.1]', reply: unreadable() },
  { what: 'a NUL', header: 'From: a@ours.example\x00', reply: unreadable() },
  { what: 'a NUL in the address', header: 'From: evil@bank.example\x00@ours.example', reply: unreadable() },
  {
    what: 'bytes that are not UTF-8',
    header: Buffer.from('From: "\x83\x5c" <a@ours.example>', 'latin1'),
    reply: unreadable(),
  },
  { what: 'raw ISO-2022-JP', header: 'From: \x1b$B;3ED\x1b(B <a@ours.example>', reply: unreadable() },
  { what: 'an open quotation', header: 'From: "Ann <a@ours.example>', reply: unreadable() },
  {
    what: 'too many addresses',
    header: `From: ${'a@ours.example,\r\n '.repeat(60)}a@ours.example`,
    reply: /^550 5\.6\.0 The From field names more than 50/,
  },

  // ── hidden from a reader of lines ──
  {
    what: 'a From behind a lone LF',
    header: 'Subject: x\nFrom: evil@bank.example\r\nX: y',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a From behind a lone CR',
    header: 'From: a@ours.example\r\nX: y\rFrom: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a From behind a lone LF in From',
    header: 'From: a@ours.example\nFrom: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a From behind a vertical tab',
    header: 'From: a@ours.example\r\nX: y\x0bFrom: evil@bank.example',
    reply: /^550 5\.6\.0 The header hides/,
  },
  {
    what: 'a From behind a line separator',
    header: Buffer.from('From: a@ours.example\r\nX: y\u2028From: evil@bank.example'),
    reply: /^550 5\.6\.0 The header hides/,
  },
  {
    what: 'a From behind U+0085',
    header: Buffer.from('From: a@ours.example\r\nX: y\u0085From: evil@bank.example'),
    reply: /^550 5\.6\.0 The header hides/,
  },
  {
    what: 'a character that ends in the octet 85 before the word From',
    header: Buffer.from('From: a@ours.example\r\nSubject: 社内 From: 田中'),
    reply: ok,
  },
  {
    what: 'a Sender behind a NUL',
    header: 'From: a@ours.example\r\nX: y\x00Sender: evil@bank.example',
    reply: /^550 5\.6\.0 The header hides/,
  },
  {
    what: 'a continuation line at the very start',
    header: ' From: evil@bank.example\r\nFrom: a@ours.example',
    reply: /^550 5\.6\.0 The header begins with white space/,
  },
  {
    what: 'a From behind a line that is no field',
    header: 'Subject: x\r\nno field\r\nFrom: a@ours.example',
    reply: /^550 5\.6\.0 The message has no From field before the line "no field"/,
  },
  {
    what: 'a foreign From before a line that is no field',
    header: 'From: evil@bank.example\r\nno field\r\nFrom: a@ours.example',
    reply: notYours('evil@bank.example'),
  },
  { what: 'a From in the body only', header: '\r\nFrom: a@ours.example', reply: missing },

  // ── Sender ──
  {
    what: 'a foreign Sender',
    header: 'From: a@ours.example\r\nSender: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'a second, foreign Sender',
    header: 'From: a@ours.example\r\nSender: a@ours.example\r\nSender: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'two Sender fields',
    header: 'From: a@ours.example\r\nSender: a@ours.example\r\nSender: b@ours.example',
    reply: /^550 5\.6\.0 The message has several Sender fields/,
  },
  {
    what: 'a Sender of two addresses',
    header: 'From: a@ours.example\r\nSender: a@ours.example, b@ours.example',
    reply: /^550 5\.6\.0 The Sender field names several/,
  },
  { what: 'an unreadable Sender', header: 'From: a@ours.example\r\nSender: x', reply: unreadable('Sender') },
  {
    what: 'a hidden address in Sender',
    header: 'From: a@ours.example\r\nSender: "<evil@bank.example>" <a@ours.example>',
    reply: hidden,
  },

  // ── the CRM's own credential: From decides the account ──
  { what: 'the CRM for one customer', as: 'user-crm', header: 'From: a@ours.example', reply: ok },
  {
    what: 'the CRM for another',
    as: 'user-crm',
    mailFrom: 'x@theirs.example',
    header: 'From: x@theirs.example',
    reply: ok,
  },
  {
    what: 'the CRM for nobody',
    as: 'user-crm',
    header: 'From: evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: 'the CRM with a reverse-path of nobody',
    as: 'user-crm',
    mailFrom: 'evil@bank.example',
    reply: notYours('evil@bank.example'),
  },
  {
    what: "the CRM with another customer's reverse-path",
    as: 'user-crm',
    mailFrom: 'x@theirs.example',
    header: 'From: a@ours.example',
    reply: notYours('x@theirs.example'),
  },
  {
    what: "the CRM with another customer's Sender",
    as: 'user-crm',
    header: 'From: a@ours.example\r\nSender: x@theirs.example',
    reply: notYours('x@theirs.example'),
  },
  {
    what: 'the CRM with From of two customers',
    as: 'user-crm',
    header: 'From: a@ours.example, x@theirs.example',
    reply: notYours('x@theirs.example'),
  },
  {
    what: 'the other customer as the first',
    as: 'user-other',
    mailFrom: '',
    header: 'From: a@ours.example',
    reply: notYours('a@ours.example'),
  },
]

describe('a sender', () => {
  let msa: Msa
  const clients = new Map<string, Dialogue>()
  before(async () => {
    msa = await startMsa()
    for (const username of ['user-acme', 'user-crm', 'user-other']) clients.set(username, await msa.loggedIn(username))
  })
  after(async () => {
    for (const client of clients.values()) await client[Symbol.asyncDispose]()
    await msa[Symbol.asyncDispose]()
  })

  for (const { what, as = 'user-acme', reply, ...sent } of cases) {
    it(`${reply === ok ? 'may use' : 'is refused'} ${what}`, async () => {
      const before = msa.offered.length
      assert.match(await submit(clients.get(as)!, sent), reply)
      assert.equal(msa.offered.length, before + (reply === ok ? 1 : 0))
    })
  }

  it('that is refused leaves a line in the log that names the check', () => {
    const lines = msa.events('refused').map(({ fields }) => fields)
    assert.ok(lines.length > 40)
    const [line] = lines.filter(({ check }) => check === 'sender-is-yours')
    assert.deepEqual([line!.client, line!.account, line!.username], ['127.0.0.1', 'acme', 'user-acme'])
    assert.match(String(line!.reply), /^550 5\.7\.1 /)
  })

  it('before its recipients are told is found by those that came in the same breath', async () => {
    const before = msa.events('refused').length
    const client = clients.get('user-acme')!
    await client.say('MAIL FROM:<a@stranger.example>', /^550 5\.7\.1 /)
    await client.say('RCPT TO:<b@there.example>', /^503 5\.5\.1 /)
    await client.say('RSET', /^250/)
    await client.say('RCPT TO:<c@there.example>', /^503 5\.5\.1 /)
    const told = msa
      .events('refused')
      .slice(before)
      .map(({ fields: { sender, recipient, reason } }) => [sender, recipient, reason])
    assert.deepEqual(told, [
      ['a@stranger.example', undefined, undefined],
      ['a@stranger.example', 'b@there.example', `its MAIL was answered ${msa.events('refused')[before]!.fields.reply}`],
      [undefined, 'c@there.example', undefined],
    ])
  })

  it('after its content is found in the log by its recipients, its From and the account it would have been of', async () => {
    const before = msa.events('refused').length
    await submit(clients.get('user-crm')!, {
      mailFrom: 'x@theirs.example',
      header: 'From: x@theirs.example\r\nSender: y@nobody.example',
    })
    const { fields } = msa.events('refused')[before]!
    const { account, credential, sender, from, senderDomain, recipient, recipients } = fields
    assert.deepEqual(
      { account, credential, sender, from, senderDomain, recipients },
      {
        ...{ account: 'other', credential: 'crm', sender: 'x@theirs.example', from: 'x@theirs.example' },
        ...{ senderDomain: 'theirs.example', recipients: 1 },
      },
    )
    assert.match(String(recipient), /@/)
  })

  it('of the CRM is stored under the account that From tells', async () => {
    assert.match(
      await submit(clients.get('user-crm')!, { mailFrom: 'x@theirs.example', header: 'From: x@theirs.example' }),
      ok,
    )
    assert.deepEqual([msa.lastMessage().account, msa.lastMessage().credential], ['other', 'crm'])
  })

  it('is known by the first From address', async () => {
    await submit(clients.get('user-acme')!, { header: 'From: B@Ours.example, a@ours.example' })
    assert.deepEqual([msa.lastMessage().from, msa.lastMessage().senderDomain], ['B@ours.example', 'ours.example'])
  })
})

/** The reply that refuses, or the last one. */
async function submit(
  client: Dialogue,
  { mailFrom = 'a@ours.example', parameters = '', header = 'From: a@ours.example' }: Omit<Case, 'what' | 'reply'>,
): Promise<string> {
  const mailed = await client.say(`MAIL FROM:<${mailFrom}>${parameters}`, /^\d/)
  if (!mailed.startsWith('250')) return mailed
  await client.say('RCPT TO:<b@there.example>', /^250 /)
  return client.content(Buffer.concat([Buffer.from(header), Buffer.from('\r\n\r\nText\r\n')]), /^\d/)
}
