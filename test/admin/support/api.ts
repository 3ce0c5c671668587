/**
 * The real API on a free port of loopback, over the real store in a folder of its own, and a client for it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Admin, openAdmin } from '../../../src/admin/app.ts'
import type { AdminDependencies, LiveState } from '../../../src/admin/dependencies.ts'
import { renderEvent } from '../../../src/admin/routes/events.ts'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { loadConfig } from '../../../src/base/config.ts'
import { type Log, silentLog } from '../../../src/base/log.ts'
import type { LoopDelay } from '../../../src/base/loop-delay.ts'
import { createSeal, type Seal } from '../../../src/base/seal.ts'
import { openOwnServerTester } from '../../../src/delivery/own-server-test.ts'
import { nowhere } from '../../../src/delivery/whereabouts.ts'
import { zoneResolver } from '../../../src/dns/zone-resolver.ts'
import { createExplainer } from '../../../src/domains/explain.ts'
import { openRelayDns } from '../../../src/domains/relay-dns.ts'
import { type DomainsParts, openDomains } from '../../../src/domains/service.ts'
import { type BulkOrdersParts, startBulkOrders } from '../../../src/outcome/bulk-orders.ts'
import { Meter } from '../../../src/outcome/meter.ts'
import { startSuspensions } from '../../../src/outcome/suspensions.ts'
import { queueVerbs } from '../../../src/queue-verbs.ts'
import { settlerOf } from '../../../src/settler.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { startTlsUpkeep } from '../../../src/tls/open.ts'
import { openWebhooks } from '../../../src/webhooks/service.ts'

export const token = 'a-token-for-tests'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export interface Api extends AsyncDisposable {
  readonly url: string
  readonly store: Store
  readonly zone: ReturnType<typeof zoneResolver>
  readonly seal: Seal
  readonly admin: Admin
  readonly dataDir: string
  readonly dependencies: AdminDependencies
  /** With the token unless headers say otherwise. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  account(name?: string): Promise<string>
}

export interface ApiOptions {
  readonly bulk?: Pick<BulkOrdersParts, 'above'>
  readonly clock?: Clock
  readonly log?: Log
  readonly live?: () => Promise<LiveState>
  readonly whereabouts?: AdminDependencies['whereabouts']
  readonly loopDelays?: () => Promise<Record<string, LoopDelay>>
  /** Null: one is made. */
  readonly adminToken?: string | null
  readonly store?: (store: Store) => Store
  readonly maxBodyBytes?: number
  readonly publicUrl?: string
  readonly extra?: AdminDependencies['extra']
  /** Configuration, as environment variables. */
  readonly variables?: Readonly<Record<string, string>>
  /** Replaced in tests that need generation to fail. */
  readonly makeKey?: DomainsParts['makeKey']
}

export const idle: LiveState = { ports: [2587], sessions: 0, unsettled: 0, sites: [], meter: new Meter().reading }

export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const { clock = systemClock, log = silentLog } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'kitte-api-'))
  const loaded = loadConfig([], { ...options.variables, KITTE_HTTP_PORT: '0', KITTE_DATA_DIR: dataDir })
  const { maxBodyBytes = loaded.http.maxBodyBytes, publicUrl = loaded.http.publicUrl } = options
  const config = { ...loaded, http: { ...loaded.http, maxBodyBytes, publicUrl } }
  const opened = await openStore({ dataDir, ...config.store, minFreeBytes: 1, log, clock, inProcess: true })
  const store = options.store ? options.store(opened.store) : opened.store
  const seal = createSeal(Buffer.alloc(32, 7))
  const zone = zoneResolver({})
  const tlsUpkeep = startTlsUpkeep({ config, store, resolver: zone, clock, log })
  const settler = settlerOf({ config, store, clock, log, meter: new Meter() })
  // A short key is made in a tenth of the time.
  const relayConfig = { ...config, signing: { ...config.signing, rsaBits: 1024 as const } }
  const relay = await openRelayDns({ store, resolver: zone, seal, clock, config: relayConfig })
  const webhooks = await openWebhooks({
    ...{ store, resolver: zone, seal, clock, log, render: renderEvent },
    config: { ...config.webhooks, allowPrivateAddresses: true, ipv6: true },
  })
  const verbs = queueVerbs({ store, settler, clock, log, leaseMs: 60_000 })
  const bulkOrders = await startBulkOrders({ store, verbs, clock, log, ...options.bulk })
  const suspensions = startSuspensions({ store, clock, log })
  const dependencies: AdminDependencies = {
    config,
    store,
    domains: openDomains({
      ...{ store, resolver: zone, seal, clock, log, config },
      ...(options.makeKey ? { makeKey: options.makeKey } : {}),
    }),
    relay,
    tlsPolicies: tlsUpkeep.explainer,
    explainer: createExplainer({ store, resolver: zone, clock, config, relayKey: relay.key }),
    webhooks,
    ownServers: openOwnServerTester({ config, resolver: zone, clock, log }),
    queue: verbs,
    bulkOrders,
    suspensions,
    live: options.live ?? (async () => idle),
    whereabouts: options.whereabouts ?? (async () => nowhere),
    loopDelays: options.loopDelays ?? (async () => ({})),
    seal,
    clock,
    log,
    adminToken: options.adminToken === undefined ? token : options.adminToken,
    extra: options.extra ?? null,
  }
  const admin = await openAdmin(dependencies)
  const url = `http://127.0.0.1:${admin.port}`
  const call: Api['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: read(await response.text()) }
  }
  return {
    ...{ url, store, zone, seal, admin, dataDir, dependencies, call },
    account: async (name = 'Acme') => (await call('POST', '/v1/accounts', { name })).body.id,
    async [Symbol.asyncDispose]() {
      await admin.stop()
      await suspensions.stop()
      await bulkOrders.stop()
      await dependencies.domains.stop()
      await webhooks.stop()
      await tlsUpkeep.stop()
      await settler.stop()
      await opened.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
