/**
 * The whole relay in this process, on loopback: real sockets, real SQLite, real signing; DNS and time are ours.
 *
 * `verified` domains are registered for one account, their records put into the zone and checked. Mail is handed in by
 * nodemailer as a stranger would: STARTTLS, AUTH, DATA.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import type { Clock } from '../../src/base/clock.ts'
import { type Config, loadConfig } from '../../src/base/config.ts'
import type { Fields, Log, LogSink } from '../../src/base/log.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { type ZoneResolver, zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { Action } from '../../src/mail/outcome.ts'
import { type Relay, startRelay as start } from '../../src/main.ts'
import { patienceMs } from './patience.ts'

export interface TestRelayOptions {
  readonly zone: Zone
  /** Port of every MX: a sink's. */
  readonly mxPort: number
  /** Domains registered for the account `customer`, with their records published. */
  readonly verified?: readonly string[]
  /** Domains registered for the account `customer`, with nothing published. */
  readonly registered?: readonly string[]
  /** As environment variables: `{ KITTE_QUEUE_LEASE: '10s' }`. */
  readonly settings?: Readonly<Record<string, string>>
  readonly clock?: Clock
  /** Asked instead of the zone. */
  readonly resolver?: Resolver
  /** PEM certificates trusted besides the well-known authorities. */
  readonly trusted?: readonly string[]
  /** An earlier relay's folder: the same relay started again. */
  readonly dataDir?: string
}

// biome-ignore lint/suspicious/noExplicitAny: the shapes of answers are checked where the API is tested
export type Json = any

export interface LoggedLine extends Fields {
  readonly level: string
  readonly text: string
}

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  /** Header fields and body with CRLF; default a short mail from `from`. */
  readonly raw?: string | Buffer
  /** MAIL with REQUIRETLS (RFC 8689). */
  readonly requireTls?: boolean
  readonly dsn?: { readonly id?: string; readonly return?: 'headers' | 'full'; readonly notify?: string | string[] }
}

export interface TestRelay extends AsyncDisposable {
  readonly relay: Relay
  readonly zone: ZoneResolver
  readonly config: Config
  readonly ports: readonly number[]
  readonly lines: readonly LoggedLine[]
  readonly credential: { readonly username: string; readonly password: string }
  readonly account: string
  /** Resolves with the message id when the relay said 250, rejects with its refusal. */
  submit(mail: Mail): Promise<string>
  /** A call of the HTTP API with the admin token; answers status and JSON. */
  api(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Json }>
  /** Publishes what Kitte asks this domain to publish. */
  publish(domain: string): Promise<void>
  /** Resolves when no entry is queued any more. */
  settled(): Promise<void>
  /** Resolves when this is true; asked again and again. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>
  /** The last outcome of each recipient, by the log. */
  actions(): Readonly<Record<string, Action>>
  /** Lines of one event: `logged('bounced')`. */
  logged(event: string): readonly LoggedLine[]
  /** Stops it and keeps its folder, to be started again. */
  stop(): Promise<string>
}

const token = 'test-token-of-a-relay-on-loopback'

export async function startRelay(options: TestRelayOptions): Promise<TestRelay> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kitte-relay-')))
  const config = loadConfig([], { ...defaults(options, dataDir), ...options.settings })
  const zone = zoneResolver(options.zone)
  const lines: LoggedLine[] = []
  const relay = await start({
    config,
    secrets: { adminToken: token, sealKey: null },
    sandbox: false,
    log: memoryLog(lines),
    resolver: options.resolver ?? zone,
    ...(options.trusted ? { trusted: options.trusted } : {}),
    inProcess: true,
    ...(options.clock ? { clock: options.clock } : {}),
  })
  const test = new RunningRelay({ published: options.zone, relay, zone, config, lines, dataDir })
  await test.prepare(options)
  return test
}

function defaults({ mxPort }: TestRelayOptions, dataDir: string): Record<string, string> {
  return {
    KITTE_DATA_DIR: dataDir,
    KITTE_SUBMISSION_LISTENERS: JSON.stringify([
      { host: '127.0.0.1', port: 0, tls: 'starttls' },
      { host: '127.0.0.1', port: 0, tls: 'implicit' },
    ]),
    KITTE_HTTP_PORT: '0',
    KITTE_DELIVERY_PORT: String(mxPort),
    KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true',
    KITTE_SPF_MECHANISMS: '["ip4:127.0.0.1"]',
    KITTE_SPF_SENDING_IPS: '["127.0.0.1"]',
    // Sinks answer by the name of the address, so one refused before is asked again on purpose.
    KITTE_SUPPRESSIONS_HARD_BOUNCES: 'false',
  }
}

class RunningRelay implements TestRelay {
  readonly relay: Relay
  readonly zone: ZoneResolver
  readonly config: Config
  readonly lines: LoggedLine[]
  readonly #dataDir: string
  /** What the zone began with: publishing adds to it. */
  readonly #published: Zone
  ports: readonly number[] = []
  credential = { username: '', password: '' }
  account = ''
  #stopped = false

  constructor(parts: {
    published: Zone
    relay: Relay
    zone: ZoneResolver
    config: Config
    lines: LoggedLine[]
    dataDir: string
  }) {
    this.relay = parts.relay
    this.zone = parts.zone
    this.config = parts.config
    this.lines = parts.lines
    this.#dataDir = parts.dataDir
    this.#published = parts.published
  }

  async prepare({ verified = [], registered = [], dataDir }: TestRelayOptions): Promise<void> {
    this.ports = (await this.relay.state()).ports
    if (dataDir !== undefined) return
    this.account = (await this.#created('/v1/accounts', { name: 'customer' })).id
    this.credential = await this.#created('/v1/credentials', { account: this.account })
    for (const name of [...verified, ...registered]) {
      await this.#created('/v1/domains', { name, account: this.account })
    }
    for (const name of verified) {
      await this.publish(name)
      const { body } = await this.api('POST', `/v1/domains/${name}/verify`)
      assert.deepEqual([body.spf, body.dkim], ['published', 'published'], JSON.stringify(body.records))
    }
  }

  async #created(path: string, body: unknown): Promise<Json> {
    const answer = await this.api('POST', path, body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  }

  async submit({ from, to, raw, dsn, requireTls = false }: Mail): Promise<string> {
    const { username: user, password: pass } = this.credential
    const tls = { rejectUnauthorized: false }
    const client = createTransport({
      host: '127.0.0.1',
      port: this.ports[0]!,
      secure: false,
      requireTLS: true,
      tls,
      auth: { user, pass },
    })
    try {
      const content = raw ?? `From: ${from}\r\nTo: ${to[0]}\r\nSubject: hello\r\n\r\nhello\r\n`
      const { response } = await client.sendMail({
        envelope: { from, to: [...to] },
        raw: content,
        ...(dsn ? { dsn } : {}),
        ...(requireTls ? { requireTLSExtensionEnabled: true } : {}),
      })
      return /queued as (\S+)/.exec(response)![1]!
    } finally {
      client.close()
    }
  }

  async api(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
    const response = await fetch(`http://127.0.0.1:${this.relay.httpPort}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }

  async publish(domain: string): Promise<void> {
    const { body } = await this.api('GET', `/v1/domains/${domain}`)
    for (const { type, name, value } of body.records) {
      if (type === 'TXT') this.zone.set(name, { ...this.#published[name], TXT: [value] })
    }
  }

  settled(): Promise<void> {
    return this.until(async () => (await this.relay.store.totals()).queued === 0, 'an empty queue')
  }

  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + patienceMs
    while (!(await condition())) {
      assert.ok(
        performance.now() < deadline,
        `waited in vain for ${what}\n${this.lines.map(line => JSON.stringify(line)).join('\n')}`,
      )
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  actions(): Readonly<Record<string, Action>> {
    const ends = this.lines.filter(({ event }) =>
      ['delivered', 'deferred', 'bounced', 'cancelled'].includes(String(event)),
    )
    return Object.fromEntries(ends.map(({ recipient, event }) => [recipient, event]))
  }

  logged(event: string): readonly LoggedLine[] {
    return this.lines.filter(line => line.event === event)
  }

  async stop(): Promise<string> {
    this.#stopped = true
    await this.relay.stop()
    return this.#dataDir
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#stopped) await this.stop()
    await rm(this.#dataDir, { recursive: true, force: true })
  }
}

function memoryLog(lines: LoggedLine[]): LogSink {
  const log = logInto(lines, {})
  return { log, write() {}, close: async () => {} }
}

function logInto(lines: LoggedLine[], common: Fields): Log {
  const at = (level: string) => (fields: Fields, text: string) => void lines.push({ ...common, ...fields, level, text })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    debugs: false,
    child: fields => logInto(lines, { ...common, ...fields }),
  }
}
