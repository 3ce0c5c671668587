/**
 * Which answers send a message to the next host, and which answer stands in the end.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { Connections } from '../../src/delivery/connections.ts'
import { tryHosts } from '../../src/delivery/hosts-in-turn.ts'
import { TlsPolicy } from '../../src/delivery/tls-policy.ts'
import type { HostSpec, OpenResult } from '../../src/delivery/transport.ts'
import type { Failure, RecipientResult } from '../../src/mail/attempt-result.ts'
import { parseReply } from '../../src/mail/reply.ts'
import {
  answerAll,
  refusedConnection,
  type Script,
  scriptedTransport,
  silentHost,
} from '../support/scripted-transport.ts'
import { describeResult, envelopeTo, hostAt, longLimits, smallMail } from '../support/sending.ts'

const hosts = ['192.0.2.1', '192.0.2.2'].map(address =>
  hostAt({ address, port: 25 }, { host: `mx-${address.at(-1)}.example` }),
)

async function tried(script: Script, options: { to?: string[]; specs?: HostSpec[]; cutOff?: boolean } = {}) {
  const transport = scriptedTransport(script)
  const connections = new Connections({
    transport,
    limits: longLimits,
    tlsPolicy: new TlsPolicy(systemClock),
    clock: systemClock,
    idleMs: 1000,
    maxIdle: 10,
  })
  const silent: string[] = []
  const delivery = {
    site: 'mx.example',
    key: 'mx.example',
    maxMessages: 100,
    maxOpen: 20,
    envelope: envelopeTo(options.to ?? ['b@example.com']),
    reversePath: null,
    outgoing: smallMail,
    noteSilent: (address: string) => void silent.push(address),
  }
  const cutOff = () => options.cutOff ?? false
  const parts = {
    connections,
    clock: systemClock,
    log: silentLog,
    cutOff,
  }
  const answers = await tryHosts(delivery, options.specs ?? hosts, parts)
  await connections.stop()
  return {
    results: answers.map(({ result, host }) => `${describeResult(result)} ${host.remoteMta}`),
    opened: transport.opened.map(({ address, tls }) => `${address} ${tls}`),
    sent: transport.sendings.map(
      ({ spec, envelope }) => `${spec.address} ${envelope.recipients.map(r => r.address).join()}`,
    ),
    silent,
  }
}

function failing(failure: Partial<Failure>): (to: readonly { readonly address: string }[]) => RecipientResult[] {
  const whole: Failure = { phase: 'mail', kind: 'reset', detail: 'ECONNRESET', inDoubt: false, ...failure }
  return to => to.map(({ address }) => ({ address, failure: whole }))
}

function answering(line: string, phase: 'banner' | 'ehlo' | 'starttls'): OpenResult {
  return { reply: parseReply(line)!, phase }
}

describe('the next host is tried', () => {
  const opens: readonly [string, () => OpenResult][] = [
    ['a refused connection', refusedConnection],
    ['a silent host', silentHost],
    ['421 in the banner', () => answering('421 4.3.2 busy', 'banner')],
    ['554 in the banner', () => answering('554 5.7.1 go away', 'banner')],
    ['450 to EHLO', () => answering('450 4.3.2 later', 'ehlo')],
  ]
  for (const [what, result] of opens)
    it(`after ${what}`, async () => {
      const { results } = await tried({ open: ({ address }) => (address === '192.0.2.1' ? result() : null) })
      assert.deepEqual(results, ['250 dot mx-2.example'])
    })

  const sends: readonly [string, Script['send']][] = [
    ['451 to MAIL', ({ envelope }) => answerAll(envelope, '451 4.3.0 trouble', 'mail')],
    ['421 to RCPT', ({ envelope }) => answerAll(envelope, '421 4.3.2 closing', 'rcpt')],
    ['a connection lost before the content', ({ envelope }) => failing({ phase: 'rcpt' })(envelope.recipients)],
    ['a malformed reply', ({ envelope }) => failing({ kind: 'malformed-reply' })(envelope.recipients)],
  ]
  for (const [what, send] of sends)
    it(`after ${what}`, async () => {
      const { results } = await tried({
        send: sending => (sending.spec.address === '192.0.2.1' ? send!(sending) : null),
      })
      assert.deepEqual(results, ['250 dot mx-2.example'])
    })

  /** What our side says in a host's name, of what its EHLO reply lacks. */
  const lacking = (line: string, phase: 'mail' | 'rcpt'): RecipientResult[] => [
    { address: 'b@example.com', reply: { ...parseReply(line)!, from: 'relay' }, phase },
  ]
  for (const [what, results] of [
    ['SMTPUTF8', lacking('553 5.6.7 the host does not announce SMTPUTF8', 'rcpt')],
    ['a SIZE that is large enough', lacking('552 5.3.4 larger than the host takes', 'mail')],
  ] as const) {
    it(`when this one lacks ${what}`, async () => {
      const answered = await tried({ send: ({ spec }) => (spec.address === '192.0.2.1' ? results : null) })
      assert.deepEqual(answered.results, ['250 dot mx-2.example'])
    })

    it(`when this one lacks ${what}, and the refusal stands when all do`, async () => {
      const answered = await tried({ send: () => results })
      assert.match(answered.results.join(), /^55[23] (mail|rcpt) mx-2\.example$/)
      assert.equal(answered.sent.length, 2)
    })
  }

  it('with those recipients only that have no final answer', async () => {
    const { results, sent } = await tried(
      {
        send: ({ spec, envelope }) =>
          spec.address === '192.0.2.1'
            ? [
                { address: 'x@example.com', reply: parseReply('550 5.1.1 unknown')!, phase: 'rcpt' },
                ...failing({ phase: 'rcpt' })([envelope.recipients[1]!]),
              ]
            : null,
      },
      { to: ['x@example.com', 'y@example.com'] },
    )
    assert.deepEqual(results, ['550 rcpt mx-1.example', '250 dot mx-2.example'])
    assert.deepEqual(sent, ['192.0.2.1 x@example.com,y@example.com', '192.0.2.2 y@example.com'])
  })

  it('but not when attempts are cut off', async () => {
    const { results } = await tried({ open: refusedConnection }, { cutOff: true })
    assert.deepEqual(results, ['refused connect mx-1.example'])
  })
})

describe('the answer of the first host stands', () => {
  const sends: readonly [string, Script['send']][] = [
    ['550 to MAIL', ({ envelope }) => answerAll(envelope, '550 5.7.1 no', 'mail')],
    ['450 to RCPT', ({ envelope }) => answerAll(envelope, '450 4.2.1 greylisted', 'rcpt')],
    ['a rate at MAIL', ({ envelope }) => answerAll(envelope, '421 4.7.0 Too many messages, slow down', 'mail')],
    ['a rate at MAIL, politely', ({ envelope }) => answerAll(envelope, '451 4.7.500 Server busy', 'mail')],
    ['451 after the content', ({ envelope }) => answerAll(envelope, '451 4.3.0 trouble', 'dot')],
    ['421 after the content', ({ envelope }) => answerAll(envelope, '421 4.3.2 closing', 'dot')],
    ['a loss in doubt', ({ envelope }) => failing({ phase: 'dot', inDoubt: true })(envelope.recipients)],
    ['what it lacks', ({ envelope }) => failing({ kind: 'unsupported', detail: 'SMTPUTF8' })(envelope.recipients)],
  ]
  for (const [what, send] of sends)
    it(`for ${what}`, async () => {
      const { opened } = await tried({ send: send! })
      assert.equal(opened.length, 1)
    })
})

describe('when no host takes it', () => {
  it('a reply outweighs silence', async () => {
    const { results } = await tried({
      open: ({ address }) => (address === '192.0.2.1' ? answering('450 4.3.2 busy', 'banner') : silentHost()),
    })
    assert.deepEqual(results, ['450 banner mx-1.example'])
  })

  it('what may pass outweighs a refusal', async () => {
    const { results } = await tried({
      open: ({ address }) => (address === '192.0.2.2' ? answering('554 5.7.1 no', 'banner') : silentHost()),
    })
    assert.deepEqual(results, ['timeout connect mx-1.example'])
  })

  it('addresses without a connection are told', async () => {
    assert.deepEqual((await tried({ open: silentHost })).silent, ['192.0.2.1', '192.0.2.2'])
  })
})

describe('a handshake that breaks', () => {
  const broken: OpenResult = {
    failure: { phase: 'starttls', kind: 'tls', detail: 'alert', inDoubt: false },
    tlsFailed: true,
  }
  const open = ({ tls }: HostSpec) => (tls === 'off' ? null : broken)
  const withTls = (more: Partial<HostSpec>) => [hostAt({ address: '192.0.2.1', port: 25 }, more)]

  it('is followed by plain text where TLS is optional', async () => {
    const { opened, results } = await tried({ open }, { specs: withTls({ tls: 'opportunistic' }) })
    assert.deepEqual(opened, ['192.0.2.1 opportunistic', '192.0.2.1 off'])
    assert.deepEqual(results, ['250 dot mx.sink.example'])
  })

  it('is an end where TLS is required, or a password would follow', async () => {
    for (const more of [
      { tls: 'required' },
      { tls: 'opportunistic', auth: { username: 'u', password: 'p' } },
    ] as const) {
      const { opened } = await tried({ open }, { specs: withTls(more) })
      assert.equal(opened.length, 1)
    }
  })
})
