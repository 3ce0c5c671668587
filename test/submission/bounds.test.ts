import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admission, admissionCounters } from '../../src/submission/admission.ts'
import type { Dialogue } from '../support/dialogue.ts'
import { type Msa, spoolOf, startMsa } from './msa.ts'

const from = 'From: a@ours.example\r\nDate: x\r\nMessage-ID: <m@x>\r\n'

async function begin(client: Dialogue): Promise<void> {
  await client.say('MAIL FROM:<a@ours.example>', /^250 /)
  await client.say('RCPT TO:<b@there.example>', /^250 /)
}

/** The test's own time-out ends a wait in vain. */
async function spoolEmptied(dataDir: string): Promise<void> {
  while (filesIn(spoolOf(dataDir)).length > 0) await new Promise(resolve => setTimeout(resolve, 5))
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

describe('connections', () => {
  it('from one address are bounded, and one that closes makes room', async () => {
    await using msa = await startMsa({ submission: { maxConnectionsPerAddress: 2 } })
    await using _first = await msa.open()
    const second = await msa.open()
    await assert.rejects(msa.open(), /421 4\.7\.0 Too many connections from your address; at most 2/)
    assert.equal(msa.submission.sessions(), 2)
    await second[Symbol.asyncDispose]()
    while (msa.submission.sessions() > 1) await new Promise(resolve => setImmediate(resolve))
    await using _third = await msa.open()
    assert.equal(msa.events('connection-refused').length, 1)
  })

  it('are bounded in all', async () => {
    await using msa = await startMsa({ submission: { maxConnections: 1 } })
    await using _first = await msa.open()
    await assert.rejects(msa.open({ localAddress: '127.0.0.2' }), /421 4\.7\.0 Too many connections to this server/)
  })

  it('are counted down to nothing', () => {
    const admission = new Admission({ inAll: 3, perAddress: 2 })
    const entered = ['a', 'a', 'a', 'b', 'b'].map(address => admission.enter(address))
    assert.deepEqual(
      entered.map(one => ('bound' in one ? one.bound : 'inside')),
      ['inside', 'inside', 'perAddress', 'inside', 'inAll'],
    )
    for (const one of [...entered, ...entered]) if ('leave' in one) one.leave()
    assert.equal(admission.inAll, 0)
    assert.ok('leave' in admission.enter('a'))
  })

  it('are counted by several threads together', () => {
    const counters = admissionCounters()
    const [one, other] = [1, 2].map(() => new Admission({ inAll: 3, perAddress: 2 }, counters))
    const first = one!.enter('a')
    assert.ok('leave' in first)
    assert.ok('leave' in other!.enter('a'))
    assert.deepEqual(other!.enter('a'), { bound: 'perAddress' })
    assert.ok('leave' in one!.enter('b'))
    assert.deepEqual(one!.enter('c'), { bound: 'inAll' })
    assert.deepEqual([one!.inAll, other!.inAll], [2, 1])
    first.leave()
    assert.ok('leave' in other!.enter('a'))
  })
})

describe('a header made to cost time', () => {
  const many = (line: (n: number) => string, times: number) => Array.from({ length: times }, (_, n) => line(n)).join('')

  it('is refused for its number of fields, before each is looked at', async () => {
    await using msa = await startMsa()
    await using client = await msa.loggedIn()
    await begin(client)
    await client.content(`${from}${many(n => `Subject: ${n}\r\n`, 997)}\r\nx`, /^250 /)
    await begin(client)
    await client.content(
      `${from}${many(n => `Subject: ${n}\r\n`, 998)}\r\nx`,
      /^552 5\.3\.4 The header of the message has too many fields; at most 1000/,
    )
    await begin(client)
    await client.content(`${from}${'a:\r\n'.repeat(130_000)}\r\nx`, /^552 5\.3\.4 .*too many fields/)
  })

  it('is refused for more addresses in From and Sender than are worth looking up', async () => {
    let asked = 0
    await using msa = await startMsa({
      directory: real => ({
        ...real,
        domain: name => {
          asked++
          return real.domain(name)
        },
      }),
    })
    await using client = await msa.loggedIn()
    for (const [header, reply] of [
      [
        `From: (${many(n => `${n}@b.example `, 6000)}) a@ours.example\r\n`,
        /^550 5\.6\.0 The From field .*longer than 16384/,
      ],
      [many(n => `From: (${n}@b.example) a@ours.example\r\n`, 700), /^550 5\.6\.0 The From field .*longer than 16384/],
      [
        `From: (${many(n => `${n}@b.example `, 51)}) a@ours.example\r\n`,
        /^550 5\.6\.0 The From .*more than 50 addresses/,
      ],
      [
        `${from}Sender: ${many(n => `${n}@b.example, `, 51)}a@ours.example\r\n`,
        /^550 5\.6\.0 The Sender field names several/,
      ],
    ] as const) {
      await begin(client)
      await client.content(`${header}\r\nx`, reply)
    }
    assert.ok(asked < 10, `${asked} look-ups`)
  })
})

describe('a message within the bounds', () => {
  let msa: Msa
  before(async () => {
    msa = await startMsa({
      inlineContentBytes: 20_000,
      submission: {
        maxMessageBytes: 2_000_000,
        maxRecipients: 3,
        maxHeaderFieldBytes: 5000,
        maxHeaderBytes: 10_000,
        maxReceivedFields: 3,
      },
    })
  })
  after(() => msa[Symbol.asyncDispose]())

  it('has its recipients counted, duplicates once', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    for (const recipient of ['a', 'b', 'a', 'c', 'b']) await client.say(`RCPT TO:<${recipient}@there.example>`, /^250 /)
    await client.say('RCPT TO:<d@there.example>', /^452 4\.5\.3 Too many recipients; at most 3/)
    await client.content(`${from}\r\nx`, /^250 /)
    assert.equal(msa.lastMessage().envelope.recipients.length, 3)
  })

  it('is refused by its SIZE before it is sent, and by its bytes after', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example> SIZE=2000001', /^552 5\.3\.4 The message is too big; at most 2000000/)
    await client.say('MAIL FROM:<a@ours.example> SIZE=99999999999999999999', /^552 5\.3\.4 /)
    await client.say('MAIL FROM:<a@ours.example> SIZE=10', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.content(Buffer.concat([Buffer.from(`${from}\r\n`), Buffer.alloc(2_000_000, 'x\r\n')]), /^552 5\.3\.4 /)
    await begin(client)
    await client.content(`${from}\r\nnext`, /^250 /)
    // The file goes after the reply; on a busy disk the next message is in before that.
    await spoolEmptied(msa.dataDir)
  })

  it('is refused for a header field, a header, or a loop', async () => {
    await using client = await msa.loggedIn()
    for (const [header, reply] of [
      [`${from}X-Long: ${'x'.repeat(4990)}\r\n`, /^250 /],
      [`${from}X-Long: ${'x'.repeat(5000)}\r\n`, /^552 5\.3\.4 The header field x-long is too big; at most 5000/],
      [`${from}X-Folded: ${'x\r\n '.repeat(2000)}\r\n`, /^552 5\.3\.4 The header field x-folded/],
      [
        `${from}${`X: ${'x'.repeat(100)}\r\n`.repeat(100)}`,
        /^552 5\.3\.4 The header of the message is too big; at most 10000/,
      ],
      [`Received: x\r\nReceived: y\r\nReceived: z\r\n${from}`, /^250 /],
      [
        `Received: w\r\nReceived: x\r\nReceived: y\r\nReceived: z\r\n${from}`,
        /^554 5\.4\.6 .*more than 3 Received fields/,
      ],
    ] as const) {
      await begin(client)
      await client.content(`${header}\r\nx`, reply)
    }
  })

  it('goes to a synced file when it is large, byte by byte as it came', async () => {
    await using client = await msa.loggedIn()
    await begin(client)
    const body = `${randomBytes(750_000).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`
    await client.content(`${from}\r\n${body}`, /^250 /)
    const message = msa.lastMessage()
    assert.ok(message.content.kind === 'file')
    const { content } = msa.offered.at(-1)!
    assert.ok('path' in content && content.path === join(msa.dataDir, message.content.path))
    const stored = readFileSync(content.path)
    assert.equal(stored.length, message.size)
    assert.ok(stored.toString().endsWith(`+0900\r\n${from}\r\n${body}`))
  })
})
