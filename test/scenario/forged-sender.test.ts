/**
 * Forged senders against the whole relay: every refused message stays in, and every accepted one arrives with exactly one
 * From, of the account that sent it, as readers see it that share no code with us.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Dialogue, stuffed } from '../support/dialogue.ts'
import { findProgram, run, skipAloud, temporaryFolder } from '../support/real/program.ts'
import { type Json, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

interface Case {
  readonly what: string
  /** Whose credential; default the customer's. */
  readonly as?: 'customer' | 'other' | 'crm'
  /** Default the customer's own; '' is the null reverse-path. */
  readonly mailFrom?: string
  readonly parameters?: string
  /** Default: a good one. A whole message when it holds an empty line. */
  readonly header?: string | Buffer
  readonly reply: RegExp
  /** What readers then see; default the customer's address. */
  readonly from?: readonly string[]
  readonly sender?: readonly string[]
  /** Domain of the signature; default ours.example. */
  readonly signer?: string
}

const ok = /^250 2\.0\.0 Ok: queued as /
const notYours = /^550 5\.7\.1 \S+ is not a sender address of this account/
const hidden = /^550 5\.7\.1 \S+ inside the display name or a comment of (?:From|Sender) is not/
const unreadable = /^550 5\.6\.0 The (?:From|Sender) field can not be read: /
const missing = /^550 5\.6\.0 The message has no From field/
const several = /^550 5\.6\.0 The message has several (?:From|Sender) fields/
const behindControl = /^550 5\.6\.0 The header hides/
const syntax = /^501 5\.5\.4 /
const good = 'From: a@ours.example'
const idn = 'a@例え.example'
const relayDomain = 'relay.example.jp'

const envelopes: readonly Case[] = [
  { what: 'its own address', reply: ok },
  { what: 'the null reverse-path', mailFrom: '', reply: ok },
  { what: "another account's domain", mailFrom: 'x@theirs.example', reply: notYours },
  { what: 'a domain of nobody', mailFrom: 'evil@bank.example', reply: notYours },
  { what: 'a subdomain of its own domain', mailFrom: 'a@sub.ours.example', reply: notYours },
  { what: 'its own domain as a subdomain of another', mailFrom: 'a@ours.example.bank.example', reply: notYours },
  { what: 'another case', mailFrom: 'A@OURS.EXAMPLE', reply: ok },
  { what: 'a trailing dot', mailFrom: 'a@ours.example.', reply: /^553 5\.1\.7 / },
  { what: 'a source route over another', mailFrom: '@theirs.example:a@ours.example', reply: ok },
  { what: 'a source route from its own to another', mailFrom: '@ours.example:x@theirs.example', reply: notYours },
  { what: 'two paths', mailFrom: 'a@ours.example> <x@theirs.example', reply: syntax },
  { what: 'an @ in a quoted local part', mailFrom: '"a@ours.example"@theirs.example', reply: notYours },
  { what: 'an IDN without SMTPUTF8', mailFrom: idn, reply: /^553 5\.6\.7 / },
  { what: 'an IDN with SMTPUTF8', mailFrom: idn, parameters: ' SMTPUTF8', reply: ok },
  { what: 'an IDN as A-label in capitals', mailFrom: 'a@XN--R8JZ45G.example', reply: ok },
  { what: 'a Cyrillic look-alike', mailFrom: 'a@\u043eurs.example', parameters: ' SMTPUTF8', reply: notYours },
  { what: 'the A-label of a look-alike', mailFrom: 'a@xn--urs-qdd.example', reply: notYours },
  { what: 'a NUL', mailFrom: 'a@ours.example\0', reply: /^5\d\d 5\.[15]\.\d / },
  { what: 'another account’s domain as trace (AUTH=)', parameters: ' AUTH=x@theirs.example', reply: ok },
]

const authors: readonly Case[] = [
  {
    what: 'any address at its domain',
    header: 'From: "A. B." <c.d+e@ours.example>',
    from: ['c.d+e@ours.example'],
    reply: ok,
  },
  { what: 'another case', header: 'FROM: a@OURS.Example', from: ['a@OURS.Example'], reply: ok },
  {
    what: 'two of its own',
    header: 'From: a@ours.example, b@ours.example',
    from: ['a@ours.example', 'b@ours.example'],
    reply: ok,
  },
  {
    what: 'its registered address elsewhere',
    header: 'From: acme@mail.example',
    from: ['acme@mail.example'],
    signer: relayDomain,
    reply: ok,
  },
  { what: 'another address there', header: 'From: boss@mail.example', reply: notYours },
  { what: 'an encoded name', header: 'From: =?utf-8?B?5bGx55Sw?= <a@ours.example>', reply: ok },
  { what: 'a raw UTF-8 name', header: Buffer.from('From: 山田 <a@ours.example>'), reply: ok },
  { what: 'a name that is an address', header: 'From: "ceo@bank.example" <a@ours.example>', reply: ok },
  { what: 'folds and comments', header: 'From: (a\r\n b) Ann\r\n\t<a@ours.example> (of Acme)', reply: ok },
  {
    what: 'an IDN as U-label',
    header: Buffer.from(`From: ${idn}`),
    from: [idn],
    signer: 'xn--r8jz45g.example',
    reply: ok,
  },
  {
    what: 'an IDN as A-label',
    header: 'From: a@xn--r8jz45g.example',
    from: ['a@xn--r8jz45g.example'],
    signer: 'xn--r8jz45g.example',
    reply: ok,
  },
  { what: "another account's domain", header: 'From: x@theirs.example', reply: notYours },
  { what: 'a domain of nobody', header: 'From: evil@bank.example', reply: notYours },
  {
    what: 'a foreign author under the null reverse-path',
    mailFrom: '',
    header: 'From: evil@bank.example',
    reply: notYours,
  },
  { what: 'a subdomain', header: 'From: a@mail.ours.example', reply: notYours },
  { what: 'a domain that ends like its own', header: 'From: a@notours.example', reply: notYours },
  { what: 'a trailing dot', header: 'From: a@ours.example.', reply: unreadable },
  { what: 'a foreign second address', header: 'From: a@ours.example, x@theirs.example', reply: notYours },
  { what: 'a foreign first address', header: 'From: x@theirs.example, a@ours.example', reply: notYours },
  { what: 'a foreign second From', header: `${good}\r\nFrom: x@theirs.example`, reply: notYours },
  {
    what: 'a foreign second From far below',
    header: `${good}\r\n${'X: y\r\n'.repeat(200)}fRoM:x@theirs.example`,
    reply: notYours,
  },
  { what: 'a second From of its own', header: `${good}\r\nFrom: b@ours.example`, reply: several },
  { what: 'a space before the colon', header: `${good}\r\nFrom : evil@bank.example`, reply: unreadable },
  { what: 'no From', header: 'Subject: x', reply: missing },
  { what: 'no From but a Sender', header: 'Sender: a@ours.example', reply: missing },
  { what: 'an empty From', header: 'From:', reply: unreadable },
  { what: 'an empty path', header: 'From: <>', reply: unreadable },
  { what: 'a From in the body only', header: `Subject: x\r\n\r\n${good}`, reply: missing },
  { what: 'an encoded word as address', header: 'From: =?utf-8?Q?evil=40bank.example?=', reply: unreadable },
  {
    what: 'brackets in an encoded name',
    header: 'From: =?utf-8?Q?=3Cevil=40bank.example=3E?= <a@ours.example>',
    reply: hidden,
  },
  { what: 'brackets in a quoted name', header: 'From: "<evil@bank.example>" <a@ours.example>', reply: hidden },
  { what: 'an address in a comment', header: 'From: (evil@bank.example) a@ours.example', reply: hidden },
  { what: 'two bracketed addresses', header: 'From: <a@ours.example> <evil@bank.example>', reply: unreadable },
  {
    what: 'a bare address before the bracketed one',
    header: 'From: evil@bank.example <a@ours.example>',
    reply: unreadable,
  },
  { what: 'a foreign group', header: 'From: team: evil@bank.example;', reply: unreadable },
  { what: 'a group and its own', header: 'From: team: evil@bank.example;, a@ours.example', reply: unreadable },
  { what: 'a source route', header: 'From: <@bank.example:a@ours.example>', reply: unreadable },
  { what: 'a folded address', header: 'From:\r\n\tevil@bank.example', reply: notYours },
  { what: 'a field folded after its name', header: 'From\r\n : evil@bank.example', reply: missing },
  { what: 'a From within a folded From', header: `${good}\r\n\tFrom: evil@bank.example`, reply: unreadable },
  { what: 'a From behind a line of white space', header: `${good}\r\n \r\nFrom: evil@bank.example`, reply: notYours },
  { what: 'a Cyrillic look-alike', header: Buffer.from('From: a@\u043eurs.example'), reply: notYours },
  { what: 'a full-width look-alike', header: Buffer.from('From: a@ｏｕｒｓ.example'), reply: unreadable },
  { what: 'an ideographic full stop', header: Buffer.from('From: a@ours。example'), reply: unreadable },
  {
    what: 'bytes that are no UTF-8',
    header: Buffer.from('From: \xe9\xe8 <a@ours.example>', 'latin1'),
    reply: unreadable,
  },
  { what: 'a byte-order mark', header: Buffer.from(`\ufeffFrom: evil@bank.example\r\n${good}`), reply: missing },
  { what: 'an mbox line', header: `From evil@bank.example Thu Jan 15 12:00:00 2026\r\n${good}`, reply: missing },
  { what: 'an mbox line below', header: `${good}\r\nFrom evil@bank.example Thu Jan 15 12:00:00 2026`, reply: ok },
  { what: 'a Subject that names a From', header: Buffer.from(`${good}\r\nSubject: 社内 From: 田中`), reply: ok },
  {
    what: 'an encoded line break in Subject',
    header: `${good}\r\nSubject: =?utf-8?Q?x=0D=0AFrom=3A_evil=40bank.example?=`,
    reply: ok,
  },
  { what: 'a foreign Reply-To', header: `${good}\r\nReply-To: crm@bank.example`, reply: ok },
  // RFC 5322 §3.6.6: says who sent it on, and is no author. DMARC and readers look at From.
  { what: 'a foreign Resent-From', header: `${good}\r\nResent-From: x@theirs.example`, reply: ok },
]

const lines: readonly Case[] = [
  { what: 'a From behind a lone LF', header: `${good}\r\nX: y\nFrom: evil@bank.example`, reply: notYours },
  { what: 'a From behind a lone CR', header: `${good}\r\nX: y\rFrom: evil@bank.example`, reply: notYours },
  { what: 'a From behind LF CR', header: `${good}\r\nX: y\n\rFrom: evil@bank.example`, reply: ok },
  { what: 'a From behind CR CR LF', header: `${good}\r\nX: y\r\r\nFrom: evil@bank.example`, reply: ok },
  {
    what: 'a foreign first From behind a lone CR',
    header: `X: y\rFrom: evil@bank.example\r\n${good}`,
    reply: notYours,
  },
  { what: 'a From behind a vertical tab', header: `${good}\r\nX: y\x0bFrom: evil@bank.example`, reply: behindControl },
  { what: 'a From behind a form feed', header: `${good}\r\nX: y\x0cFrom: evil@bank.example`, reply: behindControl },
  { what: 'a From behind a NUL', header: `${good}\r\nX: y\0From: evil@bank.example`, reply: behindControl },
  {
    what: 'a From behind U+0085',
    header: Buffer.from(`${good}\r\nX: y\x85From: evil@bank.example`),
    reply: behindControl,
  },
  {
    what: 'a From behind U+2028',
    header: Buffer.from(`${good}\r\nX: y\u2028From: evil@bank.example`),
    reply: behindControl,
  },
  { what: 'a NUL in From', header: 'From: a@ours.example\0', reply: unreadable },
  { what: 'a NUL in the name of the field', header: `${good}\r\nFr\0om: evil@bank.example`, reply: ok },
  { what: 'a header that ends in a lone LF', header: `${good}\nSubject: x\n\nFrom: evil@bank.example\n`, reply: ok },
  {
    what: 'white space at the very start',
    header: ` From: evil@bank.example\r\n${good}`,
    reply: /^550 5\.6\.0 The header begins/,
  },
]

const senders: readonly Case[] = [
  { what: 'a Sender of its own', header: `${good}\r\nSender: b@ours.example`, sender: ['b@ours.example'], reply: ok },
  { what: 'a foreign Sender', header: `${good}\r\nSender: x@theirs.example`, reply: notYours },
  {
    what: 'a foreign second Sender',
    header: `${good}\r\nSender: a@ours.example\r\nSender: x@theirs.example`,
    reply: notYours,
  },
  { what: 'two Senders', header: `${good}\r\nSender: a@ours.example\r\nSender: b@ours.example`, reply: several },
  {
    what: 'a foreign address in the name of Sender',
    header: `${good}\r\nSender: "<x@theirs.example>" <a@ours.example>`,
    reply: hidden,
  },
]

const byCrm: readonly Case[] = [
  { what: 'for one customer', header: good, reply: ok },
  {
    what: 'for the other',
    mailFrom: 'x@theirs.example',
    header: 'From: x@theirs.example',
    from: ['x@theirs.example'],
    signer: 'theirs.example',
    reply: ok,
  },
  { what: 'for nobody', header: 'From: evil@bank.example', reply: notYours },
  { what: 'with a reverse-path of nobody', mailFrom: 'evil@bank.example', reply: notYours },
  { what: "with the other customer's reverse-path", mailFrom: 'x@theirs.example', header: good, reply: notYours },
  { what: "with the other customer's Sender", header: `${good}\r\nSender: x@theirs.example`, reply: notYours },
  { what: 'from both customers', header: 'From: a@ours.example, x@theirs.example', reply: notYours },
].map(one => ({ ...one, as: 'crm' as const }))

const byOther: readonly Case[] = [
  { what: "the first account's From", as: 'other', mailFrom: '', header: good, reply: notYours },
  {
    what: "the first account's registered address",
    as: 'other',
    mailFrom: '',
    header: 'From: acme@mail.example',
    reply: notYours,
  },
]

/** What would end the message for somebody: behind it stands a second message. Only CRLF . CRLF may (RFC 5321 §4.1.1.4). */
const falseEnds = [
  '\n.\n',
  '\r.\r',
  '\r\n.\n',
  '\n.\r\n',
  '\r\n.\r',
  '\r.\r\n',
  '\n\n.\n\n',
  '\r\n\x00.\r\n',
  '\r\n.\x00\r\n',
]
const second = (end: string) =>
  [
    'MAIL FROM:<x@theirs.example>',
    'RCPT TO:<victim@sink.example>',
    'DATA',
    'From: x@theirs.example',
    '',
    'smuggled',
  ].join(end)

const groups: Readonly<Record<string, readonly Case[]>> = {
  'an envelope with': envelopes,
  'a message with': [...authors, ...lines, ...senders],
  'the CRM': byCrm,
  'the other account with': byOther,
}

describe('a forged sender', () => {
  let sink: Sink
  let relay: TestRelay
  const clients = new Map<string, Dialogue>()
  /** Recipient → what its message must look like. */
  const accepted = new Map<string, Case>()
  let number = 0

  before(async () => {
    sink = await startSink()
    const own = ['ours.example', 'xn--r8jz45g.example']
    relay = await startRelay({ zone: sink.zone('sink.example', ...own), mxPort: sink.port, verified: own })
    await openOthers(relay, clients)
  })

  after(async () => {
    for (const client of clients.values()) await client[Symbol.asyncDispose]()
    await relay?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  it('is tried in more than 40 ways', () => {
    assert.ok(
      Object.values(groups)
        .flat()
        .filter(({ reply }) => reply !== ok).length > 40,
    )
  })

  for (const [who, cases] of Object.entries(groups)) {
    for (const one of cases) {
      it(`${who} ${one.what} ${one.reply === ok ? 'is taken' : 'is refused'}`, async () => {
        const recipient = `r${++number}@sink.example`
        const before = relay.logged('refused').length
        assert.match(await submit(clients.get(one.as ?? 'customer')!, one, recipient), one.reply)
        if (one.reply === ok) accepted.set(recipient, one)
        assert.equal(relay.logged('refused').length - before, one.reply === ok ? 0 : 1)
      })
    }
  }

  for (const end of falseEnds) {
    for (const how of ['at once', 'byte by byte']) {
      it(`does not get out behind ${JSON.stringify(end)}, sent ${how}`, async () => {
        const client = clients.get('customer')!
        const recipient = `r${++number}@sink.example`
        await envelope(client, {}, recipient)
        await client.say('DATA', /^354 /)
        const content = `${good}\r\n\r\nhello${end}${second(/^(?:\r\n|\r|\n)/.exec(end)![0])}${end}\r\n.\r\n`
        for (const part of how === 'at once' ? [content] : content) await written(client, part)
        await client.expect(ok)
        await client.say('RSET', /^250 2\.0\.0 Flushed/)
        accepted.set(recipient, { what: end, reply: ok })
      })
    }
  }

  it('that follows a real end is judged like any other', async () => {
    const client = clients.get('customer')!
    const recipient = `r${++number}@sink.example`
    await envelope(client, {}, recipient)
    await client.say('DATA', /^354 /)
    client.send(
      `${good}\r\n\r\nhello\r\n.\r\nMAIL FROM:<x@theirs.example>\r\nRCPT TO:<victim@sink.example>\r\nDATA\r\n`,
    )
    await client.expect(ok)
    await client.expect(notYours)
    await client.expect(/^503 /)
    await client.expect(/^503 /)
    accepted.set(recipient, { what: 'a real end', reply: ok })
  })

  it('never arrives: what arrives is what was accepted, to whom it was accepted for', async () => {
    await relay.settled()
    assert.deepEqual(
      sink.messages.map(({ recipients }) => recipients.join()).toSorted(),
      [...accepted.keys()].toSorted(),
    )
    assert.deepEqual(await totalsOf(relay), { accepted: accepted.size, delivered: accepted.size, rest: 0 })
  })

  it('arrives without a line end that somebody could read in another way', () => {
    for (const { content, recipients } of sink.messages)
      assert.doesNotMatch(content.toString('latin1'), /\r(?!\n)|(?<!\r)\n/, recipients.join())
  })

  it('is not seen by other readers either: one From, of the account, signed for it', async function () {
    const python = findProgram('python3') ?? skipAloud(this, 'python3 is not installed')
    using folder = temporaryFolder('kitte-forged-')
    for (const { content, recipients } of sink.messages) writeFileSync(join(folder.path, recipients[0]!), content)
    const { stdout, stderr } = await run(python, [
      join(import.meta.dirname, '../support/real/originators.py'),
      folder.path,
    ])
    assert.equal(stderr, '')
    const read: Json = JSON.parse(stdout)
    for (const [recipient, one] of accepted) {
      const { from = ['a@ours.example'], sender = [], signer = 'ours.example' } = one
      const expected = { fields: 1, from, sender, careless: 1, signers: [signer], covered: [2] }
      assert.deepEqual(read[recipient], expected, one.what)
    }
  })
})

/** A second account, an address of the first elsewhere, and a credential of the CRM itself. */
async function openOthers(relay: TestRelay, clients: Map<string, Dialogue>): Promise<void> {
  const created = async (path: string, body: unknown) => (await relay.api('POST', path, body)).body
  const { id: other } = await created('/v1/accounts', { name: 'other' })
  await created('/v1/domains', { name: 'theirs.example', account: other })
  await relay.publish('theirs.example')
  await relay.api('POST', '/v1/domains/theirs.example/verify')
  await created('/v1/senders', { address: 'acme@mail.example', account: relay.account })
  const logins = {
    customer: relay.credential,
    other: await created('/v1/credentials', { account: other }),
    crm: await created('/v1/credentials', { scope: 'all' }),
  }
  for (const [name, { username, password }] of Object.entries(logins)) {
    const client = await Dialogue.greeted({ port: relay.ports[1]!, tls: true })
    await client.say('EHLO crm.example', /^250-/)
    await client.login(username, password)
    clients.set(name, client)
  }
}

/** The reply that refuses, or the last one. */
async function submit(client: Dialogue, one: Case, recipient: string): Promise<string> {
  const refusal = await envelope(client, one, recipient)
  if (refusal !== null) return refusal
  const header = Buffer.from(one.header ?? good)
  await client.say('DATA', /^354 /)
  client.send(stuffed(Buffer.concat([header, Buffer.from('\r\n\r\nText\r\n')])))
  return client.expect(/^\d/)
}

async function envelope(client: Dialogue, one: Partial<Case>, recipient: string): Promise<string | null> {
  const { mailFrom = 'a@ours.example', parameters = '' } = one
  const mailed = await client.say(`MAIL FROM:<${mailFrom}>${parameters}`, /^\d/)
  if (!mailed.startsWith('250')) return mailed
  await client.say(`RCPT TO:<${recipient}>`, /^250 /)
  return null
}

/** Alone in its TLS record. */
async function written(client: Dialogue, part: string): Promise<void> {
  client.send(Buffer.from(part, 'latin1'))
  await new Promise(setImmediate)
}

async function totalsOf(relay: TestRelay) {
  const { accepted, delivered, bounced, cancelled, queued } = await relay.relay.store.totals()
  return { accepted, delivered, rest: bounced + cancelled + queued }
}
