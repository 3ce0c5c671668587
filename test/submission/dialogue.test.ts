import assert from 'node:assert/strict'
import type { Message } from '../../src/mail/message.ts'
import { type Msa, startMsa } from './msa.ts'

const header = 'From: a@ours.example\r\nDate: Thu, 15 Jan 2026 12:00:00 +0900\r\nMessage-ID: <m@ours.example>\r\n'

describe('a client that submits a message', () => {
  let msa: Msa
  before(async () => {
    msa = await startMsa()
  })
  after(() => msa[Symbol.asyncDispose]())

  it('hears its id once it is stored, and finds its bytes unchanged behind Received', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 2\.1\.0 Sender ok$/)
    await client.say('RCPT TO:<b@there.example>', /^250 2\.1\.5 Recipient ok$/)
    const reply = await client.content(
      `${header}\r\n.dot\r\n..\r\nlone\nLF`,
      /^250 2\.0\.0 Ok: queued as [0-9a-z]{26}$/,
    )
    const { id } = msa.lastMessage()
    assert.ok(reply.endsWith(id))
    const stored = msa.lastContent().toString()
    assert.match(
      stored,
      new RegExp(
        '^Received: from client\\.example \\(\\[127\\.0\\.0\\.1\\]\\)\r\n' +
          `\tby relay\\.test\\.example with ESMTPA id ${id}\r\n\tfor <b@there\\.example>;\r\n` +
          '\t[A-Z][a-z]{2}, \\d{1,2} [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0900\r\n',
      ),
    )
    assert.ok(stored.endsWith(`+0900\r\n${header}\r\n.dot\r\n..\r\nlone\r\nLF\r\n`))
    await client.say('QUIT', /^221 2\.0\.0 /)
    await client.closed()
  })

  it('is described in the message, the log and the store alike', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example> BODY=8BITMIME RET=HDRS ENVID=e+2B1', /^250 /)
    await client.say('RCPT TO:<b@there.example> NOTIFY=NEVER ORCPT=rfc822;c@there.example', /^250 /)
    await client.say('RCPT TO:<B@There.Example>', /^250 /)
    await client.say('RCPT TO:<b@THERE.example>', /^250 /)
    await client.content(`${header}Subject: x\r\n\r\nx`, /^250 /)
    const { id, receivedAt, size, client: facts, ...message } = msa.lastMessage()
    const expected: Partial<Message> = {
      account: 'acme',
      credential: 'acme',
      envelope: {
        reversePath: 'a@ours.example',
        recipients: [
          { address: 'b@there.example', notify: ['NEVER'], orcpt: 'rfc822;c@there.example' },
          { address: 'B@there.example' },
        ],
        body: '8BITMIME',
        smtpUtf8: false,
        envid: 'e+1',
        ret: 'HDRS',
      },
      content: { kind: 'inline' },
      from: 'a@ours.example',
      senderDomain: 'ours.example',
      messageIdHeader: 'm@ours.example',
      origin: 'submission',
    }
    assert.deepEqual(message, expected)
    assert.equal(size, msa.lastContent().length)
    assert.deepEqual(facts, { ehlo: 'client.example', address: '127.0.0.1', tls: null })
    assert.doesNotMatch(msa.lastContent().toString(), /\tfor </)
    assert.deepEqual(
      msa.offered.at(-1)!.entries.map(({ entry }) => entry.id),
      [`${id}.0`, `${id}.1`],
    )
    const stored = await msa.store.message(id)
    assert.deepEqual(stored?.message, msa.lastMessage())
    const [event] = await msa.store.events({ message: id }, 10)
    assert.deepEqual([event?.type, event?.at], ['message.accepted', receivedAt])
    const line = msa.events('accepted').at(-1)!.fields
    assert.deepEqual([line.message, line.recipients, line.account], [id, 2, 'acme'])
  })

  it('may pipeline everything but the content (RFC 2920), several messages on one connection', async () => {
    await using client = await msa.loggedIn()
    for (let n = 0; n < 3; n++) {
      client.send('MAIL FROM:<a@ours.example>\r\nRCPT TO:<b@there.example>\r\nRCPT TO:<bad>\r\nDATA\r\n')
      for (const reply of [/^250 2\.1\.0/, /^250 2\.1\.5/, /^553 5\.1\.3/, /^354 /]) await client.expect(reply)
      client.send(`${header}\r\n${n}\r\n.\r\n`)
      await client.expect(/^250 2\.0\.0 /)
      assert.ok(msa.lastContent().toString().endsWith(`\r\n${n}\r\n`))
    }
    client.send(
      `MAIL FROM:<>\r\nRCPT TO:<b@there.example>\r\nDATA\r\n${header}\r\nall at once\r\n.\r\nNOOP\r\nQUIT\r\n`,
    )
    for (const reply of [/^250 2\.1\.0/, /^250 2\.1\.5/, /^354 /, /^250 2\.0\.0 Ok: queued/, /^250 2\.0\.0/, /^221 /])
      await client.expect(reply)
  })

  it('may send its content in the smallest of pieces', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.say('DATA', /^354 /)
    for (const sign of `${header}\r\n..\r\n.`) {
      client.send(sign)
      await new Promise(resolve => setImmediate(resolve))
    }
    client.send('\r\n')
    await client.expect(/^250 2\.0\.0 /)
    assert.ok(msa.lastContent().toString().endsWith(`${header}\r\n.\r\n`))
  })

  it('can not smuggle a second message behind a dot between lone line ends', async () => {
    await using client = await msa.loggedIn()
    const before = msa.offered.length
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.say('DATA', /^354 /)
    for (const end of ['\n.\n', '\n.\r\n', '\r.\r', '\r\n.\n', '\r\n.\r', '\n.\r'])
      client.send(`${header}\r\nx${end}MAIL FROM:<a@ours.example>\r\nRCPT TO:<victim@there.example>\r\nDATA\r\n`)
    client.send('\r\n.\r\n')
    await client.expect(/^250 2\.0\.0 /)
    await client.say('NOOP', /^250 /)
    assert.equal(msa.offered.length, before + 1)
    // What was a line of its own would be one again on the next hop: it is stuffed there, so the dot must be content here.
    assert.doesNotMatch(msa.lastContent().toString('latin1'), /\r(?!\n)|(?<!\r)\n/)
  })

  it('hears where it stands in the order of commands', async () => {
    await using client = await msa.open()
    await client.say('MAIL FROM:<a@ours.example>', /^503 5\.5\.1 /)
    await client.say('EHLO', /^501 5\.5\.4 Syntax: EHLO/)
    await client.say('EHLO a b', /^501 5\.5\.4 Syntax: EHLO/)
    await client.say(`EHLO ${'a'.repeat(256)}`, /^501 5\.5\.4 Syntax: EHLO/)
    await client.say('EHLO x', /^250/)
    await client.say('MAIL FROM:<a@ours.example>', /^530 5\.7\.0 Authentication required: log in/)
    await client.login('user-acme', 'a long enough password')
    await client.login('user-acme', 'a long enough password', /^503 5\.5\.1 /)
    await client.say('RCPT TO:<b@there.example>', /^503 5\.5\.1 Send MAIL first$/)
    await client.say('DATA', /^503 5\.5\.1 Send MAIL first$/)
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('MAIL FROM:<a@ours.example>', /^503 5\.5\.1 MAIL was given already/)
    await client.say('DATA', /^503 5\.5\.1 Send RCPT first$/)
    await client.say('RSET', /^250 2\.0\.0 /)
    await client.say('RCPT TO:<b@there.example>', /^503 5\.5\.1 Send MAIL first$/)
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('EHLO again', /^250/)
    await client.say('RCPT TO:<b@there.example>', /^503 5\.5\.1 Send MAIL first$/)
    await client.say('VRFY b', /^252 2\.1\.5 /)
    await client.say('EXPN list', /^500 5\.5\.1 Command not recognized; EHLO, .* are known here$/)
    await client.say('WIZ x', /^500 5\.5\.1 /)
    await client.say('XCLIENT ADDR=1.2.3.4', /^500 5\.5\.1 /)
    await client.say('BDAT 3 LAST', /^500 5\.5\.1 /)
    await client.say('STARTTLS', /^500 5\.5\.1 /)
    await client.say('NOOP', /^250 2\.0\.0 /)
  })

  it('is told the extensions, and each reply has its own status once', async () => {
    await using client = await msa.open()
    const extensions = (await client.say('EHLO x', /^250/)).split('\n').map(line => line.slice(4))
    const told = extensions.map(line => line.replace(/ \d{4}-\d\d-\d\dT[\d:]+Z$/, ' then'))
    assert.deepEqual(told, [
      'relay.test.example',
      'PIPELINING',
      'SIZE 36700160',
      'AUTH PLAIN LOGIN',
      '8BITMIME',
      'SMTPUTF8',
      'DSN',
      'FUTURERELEASE 2592000 then',
      'ENHANCEDSTATUSCODES',
    ])
    assert.equal(await client.say('HELO x', /^250/), '250 relay.test.example')
    const reply = await client.say('MAIL FROM:<a@theirs.example> FOO=1', /^555/)
    assert.equal(reply.match(/\d\.\d{1,3}\.\d{1,3} /g)?.length, 1)
  })

  it('may use HELO; Received then says SMTP', async () => {
    await using client = await msa.open()
    await client.say('HELO [192.0.2.9]', /^250 /)
    await client.login('user-acme', 'a long enough password')
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<postmaster>', /^250 /)
    await client.content(`${header}\r\nx`, /^250 /)
    assert.match(
      msa.lastContent().toString(),
      /^Received: from \[192\.0\.2\.9\] .*\r\n\tby .* with SMTP id .*\r\n\tfor <postmaster@relay\.test\.example>/,
    )
  })

  it('with a name that can not stand in a field is known by its address', async () => {
    await using client = await msa.open()
    await client.say('EHLO a;(b', /^250/)
    await client.login('user-acme', 'a long enough password')
    await client.say('MAIL FROM:<a@ours.example> SMTPUTF8', /^250 /)
    await client.say('RCPT TO:<ä@there.example>', /^250 /)
    await client.content(`${header}\r\nx`, /^250 /)
    assert.match(
      msa.lastContent().toString(),
      /^Received: from \[127\.0\.0\.1\] .*\r\n\tby .* with UTF8SMTPA id .*\r\n\tfor <ä@there\.example>/,
    )
    assert.equal(msa.lastMessage().envelope.smtpUtf8, true)
  })

  it('hears UTF-8 in replies only after SMTPUTF8 (RFC 6531 §3.7.4.2)', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<ä@ours.example>', /^553 5\.6\.7 <\?@ours\.example> is beyond ASCII/)
    await client.say('MAIL FROM:<a@ours.example> SMTPUTF8', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content('From: ä@theirs.example\r\n\r\nx', /^550 5\.7\.1 ä@theirs\.example is not a sender/)
  })

  it('with 8-bit content is 8BITMIME whatever MAIL said (RFC 6152)', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content(`${header}\r\nä`, /^250 /)
    assert.equal(msa.lastMessage().envelope.body, '8BITMIME')
  })

  it('shows Bcc to nobody', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<secret@there.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content(`Bcc: secret@there.example,\r\n b@there.example\r\n${header}\r\nx`, /^250 /)
    assert.doesNotMatch(msa.lastContent().toString(), /secret/)
  })

  it('is turned away when it speaks HTTP, nonsense or without end', async () => {
    await using web = await msa.open()
    await web.say('GET / HTTP/1.1', /^421 4\.7\.0 /)
    await web.closed()
    await using fool = await msa.open()
    for (let n = 1; n < 10; n++) await fool.say('FOO', /^500 5\.5\.1 /)
    await fool.say('FOO', /^421 4\.7\.0 Closing the connection: too many unknown/)
    await using talker = await msa.open()
    talker.send('x'.repeat(20_000))
    await talker.expect(/^421 4\.7\.0 Closing the connection: the command line is too long$/)
    await talker.closed()
  })
})

describe('mail that delivery can not take at once', () => {
  it('waits in the queue, and delivery is told until when', async () => {
    await using msa = await startMsa({ leases: false })
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content(`${header}\r\nx`, /^250 /)
    assert.deepEqual([msa.offered.length, msa.asked(), msa.waitingSince.length], [0, 0, 1])
    assert.equal((await msa.store.countQueue({})).total, 1)
  })

  it('for a closed site stays unleased while the rest of the message goes', async () => {
    await using msa = await startMsa()
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.say('RCPT TO:<b@closed.example>', /^250 /)
    await client.content(`${header}\r\nx`, /^250 /)
    assert.deepEqual(
      msa.offered[0]!.entries.map(({ entry }) => entry.domain),
      ['there.example'],
    )
    assert.deepEqual([msa.asked(), msa.waitingSince], [0, [4_102_444_800_000]])
  })
})
