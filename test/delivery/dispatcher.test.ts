/**
 * The dispatcher with everything real but DNS: store, signing, settling, SMTP to sinks on loopback.
 */
import assert from 'node:assert/strict'
import type { SenderDomain } from '../../src/mail/sender-domain.ts'
import { newDkimKey } from '../../src/signing/key-factory.ts'
import { keyPurpose } from '../../src/signing/key-ring.ts'
import { startSink } from '../support/sink.ts'
import { account, startWorker, type Worker } from '../support/worker.ts'

describe('a message with two recipients, one of them refused', () => {
  it('reaches the one and bounces for the other, in one transaction', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    await worker.submit({ to: ['ok@sink.example', '550-5.1.1@sink.example'] })
    await worker.settled(2)
    assert.deepEqual(await worker.actions(), { 'ok@sink.example': 'delivered', '550-5.1.1@sink.example': 'bounced' })
    assert.equal(sink.commands.filter(line => line.startsWith('MAIL')).length >= 1, true)
    assert.deepEqual(sink.messages[0]!.recipients, ['ok@sink.example'])
  })
})

describe('recipients at domains of one provider', () => {
  it('travel in one transaction, at most 100 of them', async () => {
    await using sink = await startSink()
    const zone = {
      'one.example': { MX: [[10, 'mx.provider.example']] },
      'two.example': { MX: [[20, 'mx.provider.example']] },
      'mx.provider.example': { A: ['127.0.0.1'] },
    } as const
    await using worker = await startWorker({ zone, port: sink.port })
    const to = Array.from({ length: 130 }, (_, n) => `r${n}@${n % 2 === 0 ? 'one' : 'two'}.example`)
    await worker.submit({ to })
    await worker.settled(130)
    const sizes = sink.messages.map(message => message.recipients.length).sort((a, b) => b - a)
    assert.deepEqual(sizes, [100, 30])
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.facts!.site, 'mx.provider.example')
  })
})

describe('a first MX that is broken', () => {
  it('is passed over for the second', async () => {
    await using sink = await startSink({ host: '127.0.0.2' })
    const zone = {
      'sink.example': {
        MX: [
          [10, 'dead.sink.example'],
          [20, 'alive.sink.example'],
        ],
      },
      'dead.sink.example': { A: ['127.0.0.1'] },
      'alive.sink.example': { A: ['127.0.0.2'] },
    } as const
    await using worker = await startWorker({ zone, port: sink.port })
    await worker.submit({ to: ['ok@sink.example'] })
    await worker.settled(1)
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.action, 'delivered')
    assert.equal(outcome!.facts!.remoteMta, 'alive.sink.example')
    assert.equal(outcome!.facts!.site, 'alive.sink.example,dead.sink.example')
  })

  it('is passed over when it says 421 at MAIL', async () => {
    await using busy = await startSink({ fault: { phase: 'mail', kind: '421' } })
    await using sink = await startSink({ host: '127.0.0.2', port: busy.port })
    const zone = {
      'sink.example': {
        MX: [
          [10, 'busy.sink.example'],
          [20, 'alive.sink.example'],
        ],
      },
      'busy.sink.example': { A: ['127.0.0.1'] },
      'alive.sink.example': { A: ['127.0.0.2'] },
    } as const
    await using worker = await startWorker({ zone, port: sink.port })
    await worker.submit({ to: ['ok@sink.example'] })
    await worker.settled(1)
    assert.deepEqual(await worker.actions(), { 'ok@sink.example': 'delivered' })
    assert.equal(worker.dispatcher.sites().length, 0, 'the site stays open')
  })
})

describe('a site that allows one connection', () => {
  it('never sees two, also not at different hosts', async () => {
    await using first = await startSink()
    await using second = await startSink({ host: '127.0.0.2', port: first.port })
    const zone = {
      'sink.example': {
        MX: [
          [10, 'mx1.sink.example'],
          [20, 'mx2.sink.example'],
        ],
      },
      'mx1.sink.example': { A: ['127.0.0.1'] },
      'mx2.sink.example': { A: ['127.0.0.2'] },
    } as const
    const sites = [{ suffix: '', connections: 1, messagesPerConnection: 100, perMinute: null }]
    await using worker = await startWorker({ zone, port: first.port, sites })
    await worker.submit({ to: ['one@sink.example'] })
    await worker.settled(1)
    assert.equal(first.open, 1, 'the connection is kept')
    first.setFault({ phase: 'mail', kind: '4xx' })
    await worker.submit({ to: ['two@sink.example'] })
    await worker.settled(2)
    assert.deepEqual(await worker.actions(), { 'one@sink.example': 'delivered', 'two@sink.example': 'delivered' })
    await worker.until(() => first.open === 0, 'the first host to be left')
    assert.equal(second.open, 1)
  })
})

describe('a host whose STARTTLS is broken', () => {
  it('gets the mail in plain text', async () => {
    await using sink = await startSink({ tls: 'starttls', fault: { phase: 'handshake', kind: 'reset' } })
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    await worker.submit({ to: ['ok@sink.example'] })
    await worker.settled(1)
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.action, 'delivered')
    assert.equal(outcome!.facts!.tls, null)
    assert.equal(sink.messages[0]!.tls, null)
  })
})

describe('a kept connection', () => {
  it('carries the next messages to the same site', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    for (let n = 1; n <= 3; n++) {
      await worker.submit({ to: [`r${n}@sink.example`] })
      await worker.settled(n)
    }
    assert.deepEqual(sink.messagesPerConnection, [3])
  })

  it('that the host closed meanwhile costs nothing but another connection', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    await worker.submit({ to: ['one@sink.example'] })
    await worker.settled(1)
    sink.dropConnections()
    await worker.submit({ to: ['two@sink.example'] })
    await worker.settled(2)
    assert.deepEqual(await worker.actions(), { 'one@sink.example': 'delivered', 'two@sink.example': 'delivered' })
    assert.equal(sink.connections, 2)
  })
})

describe('how a message travels', () => {
  it('from nobody’s domain: relay signature, bounces to the relay by an address that names the recipient', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    const id = await worker.submit({ to: ['ok@sink.example'] })
    await worker.settled(1)
    const [message] = sink.messages
    assert.match(message!.reversePath!, new RegExp(`^b-${id}-0-[0-9a-z]{16}@${worker.config.relayDomain.bounceHost}$`))
    assert.match(message!.content.toString(), new RegExp(`^DKIM-Signature:[^]*?d=${worker.config.relayDomain.name};`))
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.facts!.mode, 'sender-only')
    assert.equal(outcome!.facts!.signatures.length, 1)
  })

  it('from a domain with published records: its own signature, bounces to the sender', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    await register(worker, 'ours.example')
    await worker.submit({ to: ['ok@sink.example'] })
    await worker.settled(1)
    assert.equal(sink.messages[0]!.reversePath, 'a@ours.example')
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.facts!.mode, 'spf-dkim')
    assert.deepEqual(outcome!.facts!.signatures, ['20260115._domainkey.ours.example'])
  })

  it('keeps the null reverse-path', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    await worker.submit({ to: ['ok@sink.example'], reversePath: null })
    await worker.settled(1)
    assert.equal(sink.messages[0]!.reversePath, null)
  })

  it('is signed by the relay when the domain’s key does not open', async () => {
    await using sink = await startSink()
    await using worker = await startWorker({ zone: sink.zone('sink.example'), port: sink.port })
    await register(worker, 'ours.example', 'not sealed at all')
    await worker.submit({ to: ['ok@sink.example'] })
    await worker.settled(1)
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.action, 'delivered')
    assert.match(outcome!.facts!.signatures.join(), new RegExp(`^[^,]*_domainkey\\.${worker.config.relayDomain.name}$`))
  })

  it('to a domain with a null MX, or without one and any address: not at all', async () => {
    const zone = { 'null.example': { MX: [[0, '']] } } as const
    await using worker = await startWorker({ zone })
    await worker.submit({ to: ['a@null.example', 'b@gone.example'] })
    await worker.settled(2)
    const replies = await worker.replies()
    assert.match(replies['a@null.example']!, /^556 5\.1\.10 /)
    assert.match(replies['b@gone.example']!, /^550 5\.1\.2 /)
  })
})

describe('a sender with a server of its own', () => {
  const password = 'correct horse'

  async function withOwnServer(worker: Worker, port: number): Promise<void> {
    await worker.store.createSender({
      address: 'a@ours.example',
      account,
      smtp: {
        host: 'smtp.ours.example',
        port,
        tls: 'opportunistic',
        username: 'crm',
        sealedPassword: worker.seal.seal(password, 'own-smtp:a@ours.example'),
      },
      note: '',
      createdAt: 0,
    })
  }

  it('is sent through that server, logged in, whatever the recipient domains', async () => {
    await using sink = await startSink({ auth: { username: 'crm', password } })
    const zone = { 'smtp.ours.example': { A: ['127.0.0.1'] } } as const
    await using worker = await startWorker({ zone })
    await createAccount(worker)
    await withOwnServer(worker, sink.port)
    await worker.submit({ to: ['x@one.example', 'y@two.example'] })
    await worker.settled(2)
    const [message] = sink.messages
    assert.equal(message!.user, 'crm')
    assert.equal(message!.reversePath, 'a@ours.example')
    assert.deepEqual(message!.recipients, ['x@one.example', 'y@two.example'])
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.facts!.mode, 'own-smtp')
    assert.equal(outcome!.facts!.site, `smtp:smtp.ours.example:${sink.port}`)
  })

  it('is not sent to a private address unless that is allowed', async () => {
    const zone = { 'smtp.ours.example': { A: ['127.0.0.1', '10.0.0.1'] } } as const
    const settings = { KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'false' }
    await using worker = await startWorker({ zone, settings })
    await createAccount(worker)
    await withOwnServer(worker, 587)
    await worker.submit({ to: ['x@one.example'] })
    await worker.settled(1)
    const [outcome] = await worker.outcomes()
    assert.equal(outcome!.action, 'deferred')
    assert.equal(outcome!.actor, 'own-smtp')
    assert.match(outcome!.reply.text, /127\.0\.0\.1/)
  })
})

async function createAccount(worker: Worker): Promise<void> {
  await worker.store.createAccount({
    id: account,
    name: 'Account 1',
    createdAt: 0,
    limits: {},
    unaligned: 'send',
    suspendedReason: null,
  })
}

/** With SPF and DKIM published. */
async function register(worker: Worker, name: string, sealedPrivateKey?: string): Promise<void> {
  await createAccount(worker)
  const selector = '20260115'
  const { privateKeyPem, publicKey } = await newDkimKey({ algorithm: 'rsa', bits: 1024 })
  const owner = `${selector}._domainkey.${name}`
  const check = { state: 'published', reason: 'ok', found: [], detail: {}, checkedAt: 0 } as const
  const domain: SenderDomain = {
    name,
    account,
    createdAt: 0,
    limits: {},
    archivedAt: null,
    keys: [
      {
        domain: name,
        selector,
        algorithm: 'rsa',
        bits: 1024,
        publicKey,
        sealedPrivateKey: sealedPrivateKey ?? worker.seal.seal(privateKeyPem, keyPurpose(name, selector)),
        state: 'active',
        createdAt: 0,
        stateSince: 0,
      },
    ],
    checks: [
      { ...check, purpose: 'spf', name },
      { ...check, purpose: 'dkim', name: owner },
    ],
    nextCheckAt: 0,
    keyFailure: null,
  }
  await worker.store.createDomain(domain, [])
  await worker.store.recordChecks(name, domain.checks, 0, [])
}
