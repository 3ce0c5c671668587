import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import type { Dialogue } from '../support/dialogue.ts'
import { type Msa, spoolOf, startMsa } from './msa.ts'

const mail = 'From: a@ours.example\r\n\r\nx'
const healthy = { acceptsMail: true, writable: true, freeBytes: 1e12, reason: null }

async function begin(client: Dialogue): Promise<void> {
  await client.say('MAIL FROM:<a@ours.example>', /^250 /)
  await client.say('RCPT TO:<b@there.example>', /^250 /)
}

function spooled(msa: Msa): string[] {
  if (!existsSync(spoolOf(msa.dataDir))) return []
  const entries = readdirSync(spoolOf(msa.dataDir), { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => entry.name)
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setImmediate(resolve))
}

describe('a store that takes no mail', () => {
  it('is told at MAIL, so that nobody uploads for nothing', async () => {
    await using msa = await startMsa({
      store: ({ accept }) => ({ accept, health: async () => ({ ...healthy, acceptsMail: false }) }),
    })
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^452 4\.3\.1 /)
  })

  it('is told after the dot when it fails then, and what was set aside is given back', async () => {
    let failing = true
    await using msa = await startMsa({
      store: store => ({
        health: () => store.health(),
        accept: message =>
          failing ? Promise.reject(new StoreUnavailable('disk full at /secret')) : store.accept(message),
      }),
    })
    await using client = await msa.loggedIn()
    await begin(client)
    assert.doesNotMatch(await client.content(mail, /^452 4\.3\.1 /), /secret/)
    assert.deepEqual([msa.asked(), msa.offered.length], [0, 0])
    assert.equal(msa.events('refused')[0]?.fields.reason, 'disk full at /secret')
    assert.deepEqual(
      msa.log.filter(({ level }) => level === 'error'),
      [],
      'clients that try again fill no log with stacks',
    )
    assert.equal((await msa.store.totals()).accepted, 0)
    failing = false
    await begin(client)
    await client.content(mail, /^250 2\.0\.0 /)
  })

  it('leaves no file behind when the spool fails', async () => {
    let writes = 0
    await using msa = await startMsa({
      inlineContentBytes: 1000,
      spool: spool => ({
        ...spool,
        create: async () => {
          const file = await spool.create()
          const write = (chunk: Uint8Array) =>
            writes++ > 0 ? Promise.reject(new StoreUnavailable('no space')) : file.write(chunk)
          return { ...file, write }
        },
      }),
    })
    await using client = await msa.loggedIn()
    await begin(client)
    await client.content(`${mail}${'x'.repeat(500_000)}`, /^452 4\.3\.1 /)
    await until(() => spooled(msa).length === 0)
    await client.say('NOOP', /^250 /)
  })
})

describe('a bug of ours', () => {
  const bug = () => {
    throw new TypeError('x is undefined in /srv/kitte')
  }
  for (const [where, options] of [
    ['MAIL', { directory: directory => ({ ...directory, domain: async () => bug() }) }],
    ['the dot', { store: (store: Store) => ({ health: () => store.health(), accept: async () => bug() }) }],
  ] as const satisfies readonly (readonly [string, NonNullable<Parameters<typeof startMsa>[0]>])[]) {
    it(`at ${where} is 451 4.3.0 without internals, with its stack in the log`, async () => {
      await using msa = await startMsa(options)
      await using client = await msa.loggedIn()
      const mailed = await client.say('MAIL FROM:<a@ours.example>', /^\d/)
      const reply = mailed.startsWith('250') ? await finish(client) : mailed
      assert.match(reply, /^451 4\.3\.0 Temporary local problem; try again later$/)
      const logged = msa.log.find(({ level }) => level === 'error')?.fields.err
      assert.ok(logged instanceof TypeError)
      assert.match(String(logged.stack), /faults\.test/)
    })
  }

  async function finish(client: Dialogue): Promise<string> {
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    return client.content(mail, /^\d/)
  }
})

describe('a client that vanishes', () => {
  it('in the middle of a large message leaves nothing: no message, no file, no session', async () => {
    await using msa = await startMsa({ inlineContentBytes: 1000 })
    const client = await msa.loggedIn()
    await begin(client)
    await client.say('DATA', /^354 /)
    client.send(`${mail}${'x'.repeat(100_000)}\r\n`)
    await until(() => spooled(msa).length === 1)
    client.destroy()
    await until(() => msa.submission.sessions() === 0 && spooled(msa).length === 0)
    assert.equal((await msa.store.totals()).accepted, 0)
    assert.match(String(msa.events('connection-lost')[0]?.fields.reason), /vanished in the middle/)
  })

  it('right after the final dot has its message accepted', async () => {
    let accepting = () => {}
    const reached = new Promise<void>(resolve => (accepting = resolve))
    let goOn = () => {}
    const held = new Promise<void>(resolve => (goOn = resolve))
    await using msa = await startMsa({
      store: store => ({
        health: () => store.health(),
        accept: async message => {
          accepting()
          await held
          return store.accept(message)
        },
      }),
    })
    const client = await msa.loggedIn()
    await begin(client)
    await client.say('DATA', /^354 /)
    client.send(`${mail}\r\n.\r\n`)
    await reached
    client.destroy()
    await until(() => msa.submission.sessions() === 0)
    goOn()
    await until(() => msa.offered.length === 1)
    await until(() => msa.events('connection-lost').length === 1)
    assert.equal((await msa.store.totals()).accepted, 1)
    assert.match(String(msa.events('connection-lost')[0]?.fields.reason), /gone before it heard 250 2\.0\.0 Ok: queued/)
  })
})

describe('a stop', () => {
  it('says goodbye to the idle, lets a message finish and takes nobody new', async () => {
    await using msa = await startMsa()
    await using idle = await msa.loggedIn()
    await using waiting = await msa.loggedIn()
    await begin(waiting)
    await using busy = await msa.loggedIn()
    await begin(busy)
    await busy.say('DATA', /^354 /)
    const stopped = msa.submission.stop()
    await idle.expect(/^421 4\.3\.2 /)
    await waiting.expect(/^421 4\.3\.2 /)
    await assert.rejects(msa.open())
    busy.send(`${mail}\r\n.\r\n`)
    await busy.expect(/^250 2\.0\.0 /)
    await busy.expect(/^421 4\.3\.2 /)
    await stopped
    assert.equal(msa.submission.sessions(), 0)
  })
})

describe('an account', () => {
  it('that is suspended sends nothing and hears why', async () => {
    await using msa = await startMsa({ acme: { suspendedReason: 'unpaid since May' } })
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^550 5\.7\.1 This account is suspended: unpaid since May$/)
    await using crm = await msa.loggedIn('user-crm')
    await begin(crm)
    await crm.content(mail, /^550 5\.7\.1 This account is suspended/)
  })

  it('that refuses unaligned mail hears which record to publish', async () => {
    await using msa = await startMsa({ acme: { unaligned: 'refuse' } })
    await using client = await msa.loggedIn()
    await begin(client)
    await client.content(
      mail,
      /^550 5\.7\.26 .*mail from ours\.example: publish the TXT record "v=spf1 ip4:.* ~all" at ours\.example/,
    )
  })

  it('that wants a warning has the mail accepted with one', async () => {
    await using msa = await startMsa({ acme: { unaligned: 'warn' } })
    await using client = await msa.loggedIn()
    await begin(client)
    await client.content(mail, /^250 /)
    const events = await msa.store.events({ message: msa.lastMessage().id }, 10)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['message.accepted', 'message.warned'],
    )
    const { reason, message } = events[1]!.data as { reason: string; message: { ja: string; en: string } }
    assert.equal(message.en, reason)
    assert.match(
      message.ja,
      /ours\.example のTXTレコード「v=spf1 ip4:.* ~all」を公開してください。DMARCポリシーは確認できていません。$/,
    )
    assert.equal(msa.events('warned').length, 1)
  })

  it('with limits has them counted for the message', async () => {
    const limits: unknown[] = []
    await using msa = await startMsa({
      acme: { limits: { perMinute: 60 } },
      store: store => ({
        health: () => store.health(),
        accept: message => {
          limits.push(...message.limits)
          return store.accept(message)
        },
      }),
    })
    await using client = await msa.loggedIn()
    await begin(client)
    await client.content(mail, /^250 /)
    assert.deepEqual(limits, [{ key: 'account:acme', limits: { perMinute: 60 } }])
  })
})
