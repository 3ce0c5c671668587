/**
 * The sandbox of `npm start`: a name server, a receiving MX and a customer who has already published everything.
 *
 * All of it is on loopback, and its zone says that every domain's mail goes there. Fails to start with ConfigError when a
 * port is taken or the configuration would let mail out.
 */
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { ConfigError } from '../base/config-error.ts'
import { listenTrouble } from '../base/listen-trouble.ts'
import type { Log } from '../base/log.ts'
import type { Seal } from '../base/seal.ts'
import { openResolver } from '../dns/open.ts'
import { relayRecords } from '../domains/relay-records.ts'
import type { Domains } from '../domains/service.ts'
import { openKeyRing } from '../signing/key-ring.ts'
import type { Store } from '../store/store.ts'
import { selfSigned } from '../submission/self-signed.ts'
import { bannerOf, sendCommandOf } from './banner.ts'
import { seedDemo } from './demo.ts'
import { followDkimZone } from './dkim-zone.ts'
import { createInbox } from './inbox.ts'
import { createPublisher, publishRecords } from './publish.ts'
import { startReceivingMx } from './receiving-mx.ts'
import { type SandboxRoutes, sandboxRoutes } from './routes.ts'
import { openZoneBook, type ZoneBook } from './zone-book.ts'
import { startZoneServer } from './zone-server.ts'

export interface SandboxParts {
  readonly config: Config
  readonly store: Store
  readonly domains: Domains
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
}

export interface Sandbox {
  /** `/sandbox…`; false: not a path of the sandbox. */
  readonly handler: SandboxRoutes
  /** What to try next, on one screen. */
  banner(running: { readonly httpPort: number }): string
  stop(): Promise<void>
}

/** Names of the sandbox's own servers; the zone gives them the address they listen on. */
const hosts = { mx: 'mx.kitte.test', nameServer: 'ns.kitte.test' }

export async function startSandbox(parts: SandboxParts): Promise<Sandbox> {
  const started = new AsyncDisposableStack()
  try {
    return await start(parts, started)
  } catch (error) {
    await started.disposeAsync()
    throw error
  }
}

async function start(parts: SandboxParts, started: AsyncDisposableStack): Promise<Sandbox> {
  const { config, store, domains, clock, log } = parts
  const address = loopbackAddresses(config)
  const book = openZoneBook(join(config.dataDir, 'sandbox-zone.json'))
  await publishOwnRecords(parts, book)
  started.defer(followDkimZone({ book, store, config, log }))
  const zone = await startZoneServer({ book, hosts, ...address.dns, clock }).catch(told('dns.servers', address.dns))
  started.defer(() => zone.stop())
  const resolver = openResolver({ ...config.dns, clock })
  started.defer(() => resolver.close())
  const inbox = createInbox()
  const certificate = selfSigned(hosts.mx, clock.now())
  const receiving = { inbox, resolver, name: hosts.mx, ...address.mx, certificate, clock, log }
  const mx = await startReceivingMx(receiving).catch(told('delivery.port', address.mx))
  started.defer(() => mx.stop())
  const publisher = createPublisher(book, domains)
  const demo = await seedDemo({ config, store, domains, clock, publisher, book })
  const words = { sendCommand: sendCommandOf(config, demo), timeZone: config.timeZone }
  return {
    handler: sandboxRoutes({ inbox, book, words, ...publisher }),
    banner: ({ httpPort }) => bannerOf(config, demo, httpPort),
    stop: () => started.disposeAsync(),
  }
}

interface Address {
  readonly host: string
  readonly port: number
}

/** Where the configuration sends questions and mail: both must be here. */
function loopbackAddresses({ dns, delivery }: Config): { dns: Address; mx: Address } {
  const mistakes: string[] = []
  const [, host, port] = /^(127\.\d+\.\d+\.\d+):(\d+)$/.exec(dns.servers[0] ?? '') ?? []
  if (dns.servers.length !== 1 || host === undefined)
    mistakes.push('dns.servers: the sandbox asks only itself; write one address such as ["127.0.0.1:2553"]')
  if (!delivery.allowPrivateAddresses)
    mistakes.push('delivery.allowPrivateAddresses: must be true in the sandbox, whose MX is on loopback')
  if (delivery.port === 25)
    mistakes.push(
      'delivery.port: the sandbox receives on a port of its own, such as 2525; real mail needs --config FILE',
    )
  if (mistakes.length > 0) throw new ConfigError('the sandbox', mistakes)
  return { dns: { host: host!, port: Number(port) }, mx: { host: '127.0.0.1', port: delivery.port } }
}

function told(key: 'dns.servers' | 'delivery.port', { host, port }: Address): (error: Error) => never {
  return error => {
    const variable =
      key === 'dns.servers' ? `KITTE_DNS_SERVERS='["${host}:${port + 1000}"]'` : `KITTE_DELIVERY_PORT=${port + 1000}`
    throw new ConfigError('the sandbox', [`${key}: ${listenTrouble(error, host, port)}: ${variable} npm start`])
  }
}

/** What an operator publishes for a relay, here by ourselves; renewed at each start, as keys and names may be new. */
async function publishOwnRecords({ config, store, seal, clock }: SandboxParts, book: ZoneBook): Promise<void> {
  const { hostname, relayDomain, timeZone, signing } = config
  const ring = { relayDomain: relayDomain.name, rsaBits: signing.rsaBits, timeZone }
  const keyRing = await openKeyRing({ store, seal, clock, ...ring })
  for (const name of [hostname, ...Object.values(hosts)]) book.set(name, { ...book.entry(name), A: ['127.0.0.1'] })
  publishRecords(book, [
    ...relayRecords(keyRing.relayRecord(), config),
    { type: 'TXT', name: `_dmarc.${relayDomain.name}`, value: 'v=DMARC1; p=reject' },
  ])
}
