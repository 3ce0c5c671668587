/**
 * Kitte as a process of its own, started like in production, with its API.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Zone } from '../../../src/dns/zone.ts'
import { freePort, start, temporaryFolder } from './program.ts'

export interface RelayProcess extends AsyncDisposable {
  readonly pid: number
  readonly starttlsPort: number
  readonly implicitPort: number
  readonly folder: string
  api<T>(method: string, path: string, body?: unknown): Promise<T>
  output(): string
}

export interface RelayProcessOptions {
  readonly dnsPort: number
  readonly mxPort: number
  /** Beside `dns.servers`. */
  readonly dns?: Readonly<Record<string, unknown>>
  /** More of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly variables?: Readonly<Record<string, string>>
}

/** A credential and the records of a sender domain to be published. */
export interface Customer {
  readonly username: string
  readonly password: string
  readonly zone: Zone
}

export const program = join(import.meta.dirname, '../../../src/kitte.ts')

export async function startRelayProcess(options: RelayProcessOptions): Promise<RelayProcess> {
  const { dnsPort, mxPort, dns = {} } = options
  const folder = temporaryFolder('kitte-relay-')
  const [starttlsPort, implicitPort, httpPort] = [await freePort(), await freePort(), await freePort()]
  const listeners = [
    { host: '127.0.0.1', port: starttlsPort, tls: 'starttls' },
    { host: '127.0.0.1', port: implicitPort, tls: 'implicit' },
  ]
  const common = configOf({ dataDir: join(folder.path, 'data'), listeners, httpPort, dnsPort, mxPort, dns })
  const config = { ...common, ...options.config }
  const file = join(folder.path, 'kitte.yaml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config))
  const token = randomBytes(16).toString('hex')
  const args = [program, 'start', '--config', file]
  const env = { ...process.env, ...options.variables, KITTE_ADMIN_TOKEN: token }
  const ready = (output: string) => output.includes('kitte: running')
  const running = await start(process.execPath, args, ready, { env })
  return {
    pid: running.process.pid!,
    starttlsPort,
    implicitPort,
    folder: folder.path,
    api: (method, path, body) => callApi(`http://127.0.0.1:${httpPort}${path}`, token, method, body),
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** A relay on loopback that asks our name server and delivers to our MX. */
export function configOf(parts: {
  readonly dataDir: string
  readonly listeners: readonly { readonly host: string; readonly port: number; readonly tls: string }[]
  readonly httpPort: number
  readonly dnsPort: number
  readonly mxPort: number
  readonly dns?: Readonly<Record<string, unknown>>
}) {
  return {
    hostname: 'relay.kitte.test',
    dataDir: parts.dataDir,
    log: { stdout: false },
    submission: { listeners: parts.listeners },
    http: { host: '127.0.0.1', port: parts.httpPort },
    dns: { servers: [`127.0.0.1:${parts.dnsPort}`], ...parts.dns },
    // The same on every machine: `auto` goes by its cores.
    delivery: { port: parts.mxPort, allowPrivateAddresses: true, ipv6: false, workers: 1 },
    queue: { retryAfter: ['1s'] },
    spf: { mechanisms: ['ip4:127.0.0.1'], sendingIps: ['127.0.0.1'] },
    relayDomain: { name: 'relay.kitte.test', bounceHost: 'bounce.relay.kitte.test' },
  }
}

/** Registers a domain and a credential for it. */
export async function addCustomer(relay: Pick<RelayProcess, 'api'>, domain: string): Promise<Customer> {
  const account = await relay.api<{ id: string }>('POST', '/v1/accounts', { name: domain })
  const { username, password } = await relay.api<Customer>('POST', '/v1/credentials', { account: account.id })
  const { records } = await relay.api<{ records: { name: string; type: string; value: string }[] }>(
    'POST',
    '/v1/domains',
    {
      name: domain,
      account: account.id,
    },
  )
  const texts = records.filter(({ type }) => type === 'TXT')
  return { username, password, zone: Object.fromEntries(texts.map(({ name, value }) => [name, { TXT: [value] }])) }
}

export async function callApi<T>(url: string, token: string, method: string, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}
