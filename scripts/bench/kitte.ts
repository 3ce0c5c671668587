/**
 * Kitte as it runs in production: all checks, limits, log and events on, its own process, a fresh data folder.
 *
 * The zone of sender and sites is served from here. smtp-source can't authenticate, so loopback is a trusted network;
 * the load of our own authenticates.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { openZoneBook, type ZoneBook } from '../../src/sandbox/zone-book.ts'
import { startZoneServer } from '../../src/sandbox/zone-server.ts'
import { freePort, waitFor } from '../../test/support/real/program.ts'
import { addressOf, domainsOf } from './cases.ts'
import { readLoopDelays } from './loop-delays.ts'
import { type Program, startProgram } from './program.ts'
import { hostOf, otherDomain, type Sender, type Subject, type SubjectOptions, senderDomain } from './subject.ts'

interface Api {
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  text(path: string): Promise<string>
}

interface DomainAnswer {
  readonly mode: string
  readonly records: readonly {
    readonly purpose: string
    readonly type: string
    readonly name: string
    readonly value: string
  }[]
}

const root = join(import.meta.dirname, '../..')
/** Of the first customer and of the other one; of more of them it is the first label of their domain. */
const usernames: Readonly<Record<string, string>> = { [senderDomain]: 'bench', [otherDomain]: 'other' }
/** Held and counted, never reached. */
const limits = { perHour: 100_000_000, perDay: 1_000_000_000 }

export async function startKitte(options: SubjectOptions, workers: number | 'auto'): Promise<Subject> {
  await using started = new AsyncDisposableStack()
  const book = zoneOf(options)
  const hosts = { mx: hostOf('mx'), nameServer: hostOf('ns') }
  const zone = await startZoneServer({ book, hosts, host: '127.0.0.1', port: 0, clock: systemClock })
  started.defer(() => zone.stop())
  const [port, authPort, httpPort] = [await freePort(), await freePort(), await freePort()]
  const file = join(options.folder, 'kitte.yaml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configurationOf(options, { zone: zone.port, port, authPort, httpPort, workers })))
  const token = randomBytes(16).toString('hex')
  const program = started.use(await startProcess(file, { ...options.variables, KITTE_ADMIN_TOKEN: token }))
  const api = apiOf(httpPort, token)
  const { key, ...sender } = await addCustomer(api, book, senderDomain, authPort)
  const other = options.work.beside === 'flood' ? await addCustomer(api, book, otherDomain, authPort) : null
  const more: Sender[] = []
  for (let n = 0; n < (options.more ?? 0); n++)
    more.push(await addCustomer(api, book, hostOf(`customer${n}`), authPort))
  const cleanup = started.move()
  return {
    name: workers === 'auto' ? 'kitte' : `kitte, ${workers} worker${workers === 1 ? '' : 's'}`,
    port,
    ...sender,
    other,
    more,
    pids: [program.pid],
    isOurs: true,
    key,
    queued: async () => (await api.call<{ counts: { total: number } }>('GET', '/v1/queue?limit=1')).counts.total,
    loopDelays: async () => readLoopDelays(await api.text('/metrics')),
    output: program.output,
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

function startProcess(file: string, variables: Record<string, string>): Promise<Program> {
  return startProgram(process.execPath, [join(root, 'src/kitte.ts'), 'start', '--config', file], {
    variables,
    ready: output => output.includes('kitte: running'),
  })
}

interface Ports {
  readonly zone: number
  readonly port: number
  readonly authPort: number
  readonly httpPort: number
  readonly workers: number | 'auto'
}

function configurationOf({ folder, sinkPort }: SubjectOptions, { zone, port, authPort, httpPort, workers }: Ports) {
  return {
    hostname: hostOf('relay'),
    dataDir: join(folder, 'data'),
    log: { stdout: false },
    submission: {
      listeners: [
        { host: '127.0.0.1', port, tls: 'none' },
        { host: '127.0.0.1', port: authPort, tls: 'starttls' },
      ],
      requireTlsForAuth: false,
      trustedNetworks: [{ network: '127.0.0.1/32', credential: usernames[senderDomain] }],
    },
    http: { host: '127.0.0.1', port: httpPort },
    dns: { servers: [`127.0.0.1:${zone}`] },
    delivery: { port: sinkPort, allowPrivateAddresses: true, ipv6: false, workers },
    spf: { mechanisms: ['ip4:127.0.0.1'], sendingIps: ['127.0.0.1'] },
    relayDomain: { name: hostOf('relay'), bounceHost: hostOf('bounce.relay') },
  }
}

function zoneOf({ folder, work }: SubjectOptions): ZoneBook {
  const book = openZoneBook(join(folder, 'zone.json'))
  for (const [site, domain] of domainsOf(work).entries()) {
    book.set(domain, { MX: [[10, `mx.${domain}`]] })
    book.set(`mx.${domain}`, { A: [addressOf(site)] })
  }
  return book
}

/** An account with limits, a credential, and a sender domain whose records are published and checked. */
async function addCustomer(
  api: Api,
  book: ZoneBook,
  domain: string,
  port: number,
): Promise<Sender & Pick<Subject, 'key'>> {
  const username = usernames[domain] ?? domain.split('.')[0]!
  const account = (await api.call<{ id: string }>('POST', '/v1/accounts', { name: domain, limits })).id
  const { password } = await api.call<{ password: string }>('POST', '/v1/credentials', { account, username })
  const { records } = await api.call<DomainAnswer>('POST', '/v1/domains', { name: domain, account })
  const texts = records.filter(({ type }) => type === 'TXT')
  for (const { name, value } of texts) book.set(name, { TXT: [value] })
  await waitFor('the sender domain to be verified', async () => {
    const { mode } = await api.call<DomainAnswer>('POST', `/v1/domains/${domain}/verify`)
    return mode === 'spf-dkim'
  })
  const { name, value } = texts.find(({ purpose }) => purpose === 'dkim')!
  return { client: { port, auth: { username, password } }, from: `${username}@${domain}`, key: { name, text: value } }
}

function apiOf(httpPort: number, token: string): Api {
  const request = async (method: string, path: string, body?: unknown): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text
  }
  return {
    call: async <T>(method: string, path: string, body?: unknown) => JSON.parse(await request(method, path, body)) as T,
    text: path => request('GET', path),
  }
}
