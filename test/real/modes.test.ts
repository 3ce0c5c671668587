/**
 * Every sending mode at a real receiver: what rspamd and opendkim write into Authentication-Results behind Debian's Postfix
 * is what `kitte domain explain` said beforehand. And a sender's own SMTP server that is a real Postfix with SASL.
 */
import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import { type Judge, startOpendkim, startRspamd } from '../support/real/judges.ts'
import type { RealMailbox } from '../support/real/mailbox.ts'
import { startNsd } from '../support/real/nsd.ts'
import { startPostfix } from '../support/real/postfix.ts'
import { freePort, waitFor } from '../support/real/program.ts'
import { openRawClient } from '../support/real/raw-client.ts'
import { addCustomer, type Customer, type RelayProcess, startRelayProcess } from '../support/real/relay-process.ts'
import { startSubmissionPostfix } from '../support/real/submission-postfix.ts'

// biome-ignore lint/suspicious/noExplicitAny: the shapes of answers are checked where the API is tested
type Json = any

const receiver = 'receiver.example'
const host = `mx.${receiver}`
const own = { username: 'sales', password: 'correct horse', address: 'sales@own.example' }

/** What is published for each domain beside its DMARC record, and how its mail then travels. */
const modes = {
  'both.example': { published: ['spf', 'dkim'], mode: 'spf-dkim', dmarc: 'pass' },
  'spf.example': { published: ['spf'], mode: 'spf', dmarc: 'pass' },
  'dkim.example': { published: ['dkim'], mode: 'sender-only', dmarc: 'pass' },
  'bare.example': { published: [], mode: 'sender-only', dmarc: 'fail' },
  'own.example': { published: ['spf', 'dkim'], mode: 'spf-dkim', dmarc: 'pass' },
} as const
type Domain = keyof typeof modes
const domains = Object.keys(modes) as Domain[]

describe('a sending mode at a real receiver', () => {
  const running = new AsyncDisposableStack()
  const customers = new Map<Domain, Customer>()
  let mailbox: RealMailbox
  let relay: RelayProcess
  let rspamd: Judge
  let opendkim: Judge
  let serverLog: () => string

  before(async function () {
    const [dnsPort, mxPort, ownPort] = [await freePort(), await freePort(), await freePort()]
    const zones = [...domains, receiver, 'kitte.test']
    const nsd = running.use(await startNsd(this, { port: dnsPort, zones, zone: commonZone() }))
    rspamd = running.use(await startRspamd(this, host, dnsPort))
    opendkim = running.use(await startOpendkim(this, `opendkim.${host}`, dnsPort))
    const milters = [rspamd.milter, opendkim.milter]
    const mta = { host: '127.0.0.1', port: mxPort, name: host, domains: [receiver], milters }
    mailbox = running.use(await startPostfix(this, mta)).mailbox
    const next = { host: '127.0.0.1', port: mxPort }
    const server = { host: '127.0.0.1', port: ownPort, name: 'smtp.own.example', user: own, next, messagesPerMinute: 4 }
    const submission = running.use(await startSubmissionPostfix(this, server))
    serverLog = submission.log
    relay = running.use(
      await startRelayProcess({
        dnsPort,
        mxPort,
        config: { signing: { relayToo: true } },
        variables: { NODE_EXTRA_CA_CERTS: submission.certFile },
      }),
    )
    const zone = { ...commonZone(), ...(await relayZone(relay)) }
    for (const domain of domains) {
      const customer = await addCustomer(relay, domain)
      customers.set(domain, customer)
      Object.assign(zone, publishedOf(domain, customer), {
        [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=none'] },
      })
    }
    await nsd.publish(zone)
    for (const domain of domains) await relay.api('POST', `/v1/domains/${domain}/verify`)
    const account = (await relay.api<Json>('GET', '/v1/domains/own.example')).account
    const smtp = {
      host: 'smtp.own.example',
      port: ownPort,
      username: `${own.username}@smtp.own.example`,
      password: own.password,
    }
    const sender = await relay.api<Json>('POST', '/v1/senders', {
      address: own.address,
      account,
      smtp,
      test: 'require',
    })
    assert.equal(sender.test.finding, 'works')
  })

  after(() => running.disposeAsync())
  afterEach(() => mailbox?.empty())

  for (const domain of domains.filter(name => name !== 'own.example')) {
    const { mode, dmarc, published } = modes[domain]
    it(`is ${mode} with ${published.join(' and ') || 'nothing'} published, and judged as the forecast says`, async () => {
      const forecast = await relay.api<Json>('GET', `/v1/domains/${domain}/explain`)
      assert.equal(forecast.mode, mode)
      const [address] = forecast.addresses
      const id = await submit(domain, `a@${domain}`)
      const results = resultsOf(await arrived())
      assert.deepEqual(await modeOf(id), mode)
      assert.deepEqual(results.rspamd.dkim, signaturesOf(forecast), 'DKIM by rspamd')
      assert.deepEqual(results.opendkim.dkim, signaturesOf(forecast), 'DKIM by opendkim')
      assert.deepEqual([results.rspamd.spf, results.rspamd.spfDomain], [address.spf.result, forecast.envelopeDomain])
      assert.equal(address.dmarc.result, dmarc)
      // An unaligned message under p=none is reported as none or fail, as the judge likes it.
      const judged = results.rspamd.dmarc === 'none' ? 'fail' : results.rspamd.dmarc
      assert.equal(judged, address.dmarc.result)
    })
  }

  it("is own-smtp through the customer's Postfix: AUTH, verified TLS, the domain's signature and SPF", async () => {
    const id = await submit('own.example', own.address)
    const raw = await arrived()
    const results = resultsOf(raw)
    const message = await relay.api<Json>('GET', `/v1/messages/${id}`)
    assert.equal(message.mode, 'own-smtp')
    const [attempt] = message.entries[0].attempts
    assert.match(attempt.tls, / verified$/)
    assert.match(raw, /^Received: from relay\.kitte\.test[\s\S]*?by smtp\.own\.example \(Postfix\) with ESMTPSA/m)
    const [{ domain, selector }] = (await relay.api<Json>('GET', '/v1/domains/own.example/explain')).dkim
    assert.deepEqual(results.rspamd.dkim, [`pass ${selector}._domainkey.${domain}`], 'no second one by the relay')
    assert.deepEqual(
      [results.rspamd.spf, results.rspamd.spfDomain, results.rspamd.dmarc],
      ['pass', 'own.example', 'pass'],
    )
  })

  it('is own-smtp and waits where the login may not send as that address, or not so much', async () => {
    const account = (await relay.api<Json>('GET', '/v1/domains/own.example')).account
    const { smtp } = await relay.api<Json>('GET', `/v1/senders/${own.address}`)
    const { limits: _, trouble: __, ...settings } = smtp
    const other = { address: 'other@own.example', account, smtp: { ...settings, password: own.password } }
    await relay.api('POST', '/v1/senders', other)
    const refused = await deferral(await submit('own.example', 'other@own.example'))
    assert.deepEqual([refused.class, refused.actor], ['own-smtp-sender', 'own-smtp'])
    assert.match(refused.reply, /^553 5\.7\.1 .*not owned by user/)

    // Five at most are taken within a minute, those above included.
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push(await submit('own.example', own.address))
    const limited = await firstDeferral(ids)
    assert.match(limited.reply, /^450 4\.7\.1 .*too much mail/)
    assert.deepEqual([limited.class, limited.actor, limited.action], ['own-smtp-limit', 'own-smtp', 'deferred'])
    assert.match(serverLog(), /Message delivery request rate limit exceeded/)
  })

  it('is own-smtp with settings that are saved only if the login works', async () => {
    const { smtp } = await relay.api<Json>('GET', `/v1/senders/${own.address}`)
    const { limits: _, trouble: __, ...settings } = smtp
    const wrong = { smtp: { ...settings, password: 'not that one' }, test: 'require' }
    await assert.rejects(relay.api('PATCH', `/v1/senders/${own.address}`, wrong), /422 .*"finding":"login-refused"/)
    const plain = { smtp: { ...settings, host: 'mx.receiver.example', password: 'x' }, test: 'require' }
    await assert.rejects(relay.api('PATCH', `/v1/senders/${own.address}`, plain), /422 .*"finding":"certificate"/)
  })

  // ── Words of this file ──

  async function submit(domain: Domain, from: string): Promise<string> {
    const client = await openRawClient({ host: '127.0.0.1', port: relay.implicitPort, ...customers.get(domain)! })
    await using _ = client
    const fields = `From: <${from}>\r\nTo: you@${receiver}\r\nSubject: ${domain}\r\n`
    const reply = await client.submit(from, [`you@${receiver}`], Buffer.from(`${fields}\r\nhello\r\n`))
    return /queued as (\S+)/.exec(reply)![1]!
  }

  /** The header of the only message there, unfolded. */
  async function arrived(): Promise<string> {
    const [message] = await mailbox.received(1)
    const text = message!.raw.toString('latin1')
    return text
      .slice(0, text.indexOf('\r\n\r\n'))
      .replace(/\r\n[ \t]+/g, ' ')
      .replaceAll('\r\n', '\n')
  }

  /** The receiver has the mail a moment before the relay has written down that it does. */
  async function modeOf(id: string): Promise<string> {
    let message: Json
    await waitFor('an attempt', async () => {
      message = await relay.api<Json>('GET', `/v1/messages/${id}`)
      return message.entries[0].attempts.length > 0
    })
    assert.equal(message.entries[0].attempts[0].mode, message.mode)
    return message.mode
  }

  async function deferral(id: string): Promise<Json> {
    return firstDeferral([id])
  }

  async function firstDeferral(ids: readonly string[]): Promise<Json> {
    let found: Json
    await waitFor('a deferral', async () => {
      for (const id of ids) {
        const message = await relay.api<Json>('GET', `/v1/messages/${id}`)
        found ??= message.entries[0].attempts.find((attempt: Json) => attempt.action === 'deferred')
      }
      return found !== undefined
    })
    return found
  }
})

interface Results {
  /** `pass selector._domainkey.domain` of each signature, in the order of the header. */
  readonly dkim: readonly string[]
  readonly spf: string | undefined
  readonly spfDomain: string | undefined
  readonly dmarc: string | undefined
}

function resultsOf(header: string): { readonly rspamd: Results; readonly opendkim: Results } {
  const by = (name: string) => header.split('\n').find(field => field.startsWith(`Authentication-Results: ${name};`))
  const [ofRspamd, ofOpendkim] = [by(host), by(`opendkim.${host}`)]
  assert.ok(ofRspamd && ofOpendkim, header)
  return { rspamd: readResults(ofRspamd), opendkim: readResults(ofOpendkim) }
}

/** RFC 8601 §2.2, as far as these two write it. */
function readResults(field: string): Results {
  const parts = field
    .replace(/\([^()]*\)/g, '')
    .split(';')
    .map(part => part.trim())
  const of = (method: string) => parts.filter(part => part.startsWith(`${method}=`))
  const value = (part: string | undefined, name: string) =>
    part && new RegExp(`(?:^|\\s)${name}="?([^\\s";]+)`).exec(part)?.[1]
  const [spf] = of('spf')
  const signature = (part: string) =>
    `${value(part, 'dkim')} ${value(part, 'header.s')}._domainkey.${value(part, 'header.d')}`
  return {
    dkim: of('dkim').map(signature).toSorted(),
    spf: value(spf, 'spf'),
    spfDomain: value(spf, 'smtp.mailfrom')?.replace(/^.*@/, ''),
    dmarc: value(of('dmarc')[0], 'dmarc'),
  }
}

function signaturesOf({ dkim }: Json): string[] {
  return dkim
    .map(
      ({ result, selector, domain }: Json) =>
        `${result === 'valid' ? 'pass' : result} ${selector}._domainkey.${domain}`,
    )
    .toSorted()
}

/** Of the records that a customer was given, those that are published here. */
function publishedOf(domain: Domain, { zone }: Customer): Zone {
  const published: readonly string[] = modes[domain].published
  const purpose = (name: string) => (name === domain ? 'spf' : 'dkim')
  return Object.fromEntries(Object.entries(zone).filter(([name]) => published.includes(purpose(name))))
}

/** What the operator publishes for the relay. */
async function relayZone(relay: RelayProcess): Promise<Zone> {
  const { records } = await relay.api<{ records: { name: string; type: string; value: string }[] }>('GET', '/v1/relay')
  const texts = records.filter(({ type }) => type === 'TXT').map(({ name, value }) => [name, { TXT: [value] }])
  return Object.fromEntries(texts)
}

function commonZone(): Zone {
  return {
    [receiver]: { MX: [[10, host]] },
    [host]: { A: ['127.0.0.1'] },
    'relay.kitte.test': { A: ['127.0.0.1'] },
    'smtp.own.example': { A: ['127.0.0.1'] },
  }
}
