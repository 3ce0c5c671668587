/**
 * An attempt alone: what it loads, how often it signs, what it says of errors and of a changed route.
 */
import assert from 'node:assert/strict'
import { createPrivateKey, createSecretKey } from 'node:crypto'
import { systemClock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/base/config.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { createSeal } from '../../src/base/seal.ts'
import { type AttemptParts, attempt } from '../../src/delivery/attempt.ts'
import { Connections } from '../../src/delivery/connections.ts'
import { ContentBudget, HeldMessage, type HeldMessageParts } from '../../src/delivery/held-message.ts'
import type { Route } from '../../src/delivery/route.ts'
import { SiteLimits } from '../../src/delivery/site-limits.ts'
import { type Group, Site } from '../../src/delivery/throttle.ts'
import { TlsPolicy } from '../../src/delivery/tls-policy.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { SenderAddress } from '../../src/mail/account.ts'
import type { SenderDomain } from '../../src/mail/sender-domain.ts'
import { newDkimKey } from '../../src/signing/key-factory.ts'
import type { SigningKey } from '../../src/signing/signer.ts'
import type { LeasedEntry, NewContent } from '../../src/store/store.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { type Script, type ScriptedTransport, scriptedTransport, silentHost } from '../support/scripted-transport.ts'
import { longLimits } from '../support/sending.ts'

const config = loadConfig([], { KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true' })
const seal = createSeal(Buffer.alloc(32, 1))
const content = Buffer.from('From: sales@example.co.jp\r\nSubject: hello\r\n\r\nhello\r\n')
const message = makeMessage({ size: content.length })
const rule = { suffix: '', connections: 5, messagesPerConnection: 100, perMinute: null }
const route: Route = {
  kind: 'mx',
  key: 'mx1.example.com',
  site: 'mx1.example.com',
  hosts: [{ host: 'mx1.example.com', preference: 10, addresses: ['192.0.2.1', '192.0.2.2'] }],
  own: null,
}

interface World extends AsyncDisposable {
  readonly transport: ScriptedTransport
  readonly site: Site
  readonly parts: AttemptParts & HeldMessageParts
  readonly errors: unknown[]
  readonly contentReads: () => number
}

describe('an attempt', () => {
  let relayKey: SigningKey
  before(async () => {
    const { privateKeyPem } = await newDkimKey({ algorithm: 'rsa', bits: 1024 })
    relayKey = {
      domain: 'relay.example.jp',
      selector: 's',
      algorithm: 'rsa',
      privateKey: createPrivateKey(privateKeyPem),
    }
  })

  function world(
    options: {
      script?: Script
      stored?: NewContent | null
      sender?: SenderAddress
      domain?: () => Promise<SenderDomain | null>
      keysOf?: () => readonly SigningKey[]
      budget?: number
      cutOff?: boolean
    } = {},
  ): World {
    const transport = scriptedTransport(options.script)
    const connections = new Connections({
      transport,
      limits: longLimits,
      tlsPolicy: new TlsPolicy(systemClock),
      clock: systemClock,
      idleMs: 1000,
      maxIdle: 10,
    })
    const errors: unknown[] = []
    let reads = 0
    const log: Log = { ...silentLog, error: fields => void errors.push(fields.err) }
    return {
      transport,
      errors,
      contentReads: () => reads,
      site: new Site(route, new SiteLimits({ key: route.key, rule, shared: null, clock: systemClock }), systemClock),
      parts: {
        config,
        seal,
        resolver: zoneResolver({}),
        verpKey: createSecretKey(Buffer.alloc(32)),
        connections,
        clock: systemClock,
        log,
        lostGraceMs: 0,
        onHungUp: () => {},
        cutOff: () => options.cutOff ?? false,
        directory: {
          domain: options.domain ?? (() => Promise.resolve(null)),
          sender: async () => options.sender ?? null,
        },
        keyRing: { relayKey: () => relayKey, keysOf: options.keysOf ?? (() => []) },
        store: {
          content: async () => {
            reads++
            return options.stored === undefined ? { kind: 'inline', bytes: content } : options.stored
          },
        },
        spool: { absolute: path => `/nowhere/${path}` },
        budget: new ContentBudget(options.budget ?? 1_000_000),
      },
      [Symbol.asyncDispose]: () => connections.stop(),
    }
  }

  function groupOf(
    { parts }: World,
    fresh: Buffer | null = content,
    leased: LeasedEntry[] = [makeLeased(message)],
  ): Group {
    const held = new HeldMessage(message, fresh, parts)
    held.join()
    return { held, leased, route }
  }

  async function run(one: World, group: Group = groupOf(one)) {
    const end = await attempt(group, one.site, one.parts)
    if (!('settled' in end)) throw new Error('untried')
    return end.settled
  }

  it('sends the fresh content as it is, behind its signature', async () => {
    await using one = world()
    const [settled] = await run(one)
    const { outgoing } = one.transport.sendings[0]!
    assert.equal(outgoing.content, content)
    assert.match(outgoing.prefix.toString(), /^DKIM-Signature: /)
    assert.equal(outgoing.size, outgoing.prefix.length + content.length)
    assert.deepEqual(settled!.facts.signatures, ['s._domainkey.relay.example.jp'])
    assert.equal(one.contentReads(), 0)
  })

  it('reads a claimed content from the store, once and signed once for all groups of the message', async () => {
    await using one = world()
    const group = groupOf(one, null)
    group.held.join()
    await run(one, group)
    await run(one, group)
    assert.equal(one.contentReads(), 1)
    assert.equal(one.transport.sendings[0]!.outgoing, one.transport.sendings[1]!.outgoing)
  })

  it('reads it again rather than keep more than the memory allows', async () => {
    await using one = world({ budget: 10 })
    const group = groupOf(one, content)
    await run(one, group)
    await run(one, group)
    assert.equal(one.contentReads(), 2)
  })

  it('names the recipient in the bounce address only when there is one', async () => {
    await using one = world()
    const two = [makeLeased(message), makeLeased(message, { address: 'c@example.com' }, { id: `${message.id}.1` })]
    await run(one)
    await run(one, groupOf(one, content, two))
    assert.match(one.transport.sendings[0]!.reversePath!, new RegExp(`^b-${message.id}-0-`))
    assert.match(one.transport.sendings[1]!.reversePath!, new RegExp(`^b-${message.id}-x-`))
  })

  it('tells of each host that answered apart', async () => {
    await using one = world({
      script: {
        send: ({ spec, envelope: { recipients } }) => {
          if (spec.address !== '192.0.2.1') return null
          const failure = { phase: 'rcpt', kind: 'reset', detail: 'ECONNRESET', inDoubt: false } as const
          const reply = { code: 550, detail: '1.1', text: 'unknown', from: 'remote' } as const
          return [
            { address: recipients[0]!.address, reply, phase: 'rcpt' },
            { address: recipients[1]!.address, failure },
          ]
        },
      },
    })
    const two = [makeLeased(message), makeLeased(message, { address: 'c@example.com' }, { id: `${message.id}.1` })]
    const settled = await run(one, groupOf(one, content, two))
    assert.deepEqual(
      settled.map(({ facts, results }) => [facts.remoteIp, results.map(({ leased }) => leased.entry.id)]),
      [
        ['192.0.2.1', [`${message.id}.0`]],
        ['192.0.2.2', [`${message.id}.1`]],
      ],
    )
  })

  it('tries an address that was silent lately last', async () => {
    await using one = world({ script: { open: ({ address }) => (address === '192.0.2.1' ? silentHost() : null) } })
    await run(one)
    await run(one)
    assert.deepEqual(
      one.transport.opened.map(({ address }) => address),
      ['192.0.2.1', '192.0.2.2'],
    )
  })

  it('is a temporary trouble of ours when something unexpected happens', async () => {
    const cases = {
      'no content': world({ stored: null }),
      'an unreadable file': world({ stored: { kind: 'file', path: 'gone' } }),
      'a directory that fails': world({ domain: () => Promise.reject(new Error('no database')) }),
    }
    for (const [what, one] of Object.entries(cases)) {
      await using disposed = one
      const [settled] = await run(disposed, groupOf(one, null))
      const [result] = settled!.results
      assert.ok(result && 'result' in result && 'reply' in result.result, what)
      assert.deepEqual([result.result.reply.code, result.result.reply.from], [451, 'relay'])
      assert.equal(one.errors.at(-1) instanceof Error, true, what)
      assert.equal(one.transport.opened.length, 0)
    }
  })

  it('does not go out by MX when the sender has a server of its own by now', async () => {
    const smtp = { host: 'smtp.example.co.jp', port: 587, tls: 'required', username: 'u', sealedPassword: '' } as const
    const sender = { address: 'sales@example.co.jp', account: 'account-1', smtp, note: '', createdAt: 0 }
    await using one = world({ sender })
    assert.deepEqual(await attempt(groupOf(one), one.site, one.parts), { untried: true })
    await using other = world({ sender: { ...sender, account: 'account-2' } })
    assert.equal('settled' in (await attempt(groupOf(other), other.site, other.parts)), true)
  })

  it('does not begin when attempts are cut off', async () => {
    await using one = world({ cutOff: true })
    assert.deepEqual(await attempt(groupOf(one), one.site, one.parts), { untried: true })
    assert.equal(one.transport.opened.length, 0)
  })
})
