/**
 * `npm start` as a whole, in this process: the first mail, the onboarding, the pages, a restart.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { loadConfig, sandboxFile } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Relay, startRelay } from '../../src/main.ts'
import { cli } from '../cli/support/cli.ts'
import { freePort, waitFor } from '../support/real/program.ts'

interface Arrival {
  readonly number: number
  readonly subject: string
  readonly result: string
  readonly recipients: readonly string[]
}

/** Everything of `npm start` but its ports and its folder. */
async function startSandbox(dataDir: string, ports: Partial<Record<'dns' | 'mx', number>> = {}): Promise<Relay> {
  const config = loadConfig([sandboxFile], {
    KITTE_DATA_DIR: dataDir,
    KITTE_SUBMISSION_LISTENERS: '[{ host: 127.0.0.1, port: 0, tls: starttls }]',
    KITTE_HTTP_PORT: '0',
    KITTE_DNS_SERVERS: `["127.0.0.1:${ports.dns ?? (await freePort())}"]`,
    KITTE_DELIVERY_PORT: String(ports.mx ?? (await freePort())),
    KITTE_LOG_FILE: 'false',
  })
  const secrets = { adminToken: null, sealKey: null }
  const log = { log: silentLog, write() {}, close: async () => {} }
  return startRelay({ config, secrets, sandbox: true, inProcess: true, log })
}

describe('the sandbox', () => {
  let dataDir: string
  let relay: Relay
  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'kitte-sandbox-'))
    relay = await startSandbox(dataDir)
  })
  after(async () => {
    await relay.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const urlOf = (path: string) => `http://127.0.0.1:${relay.httpPort}${path}`
  const get = async <T>(path: string) => (await (await fetch(urlOf(path))).json()) as T
  const said = (pattern: RegExp) => pattern.exec(relay.sandbox!.banner(relay))?.[1] ?? ''

  async function send(subject: string, from = 'hello@customer.example', to = 'you@anywhere.example'): Promise<Arrival> {
    const auth = { user: said(/user .*? (\w+)$/m), pass: said(/password .*? (\w+)$/m) }
    const [port] = (await relay.state()).ports
    const transport = createTransport({ host: '127.0.0.1', port: port!, auth, tls: { rejectUnauthorized: false } })
    await transport.sendMail({ from, to, subject, text: 'Hello' })
    transport.close()
    let found: Arrival | undefined
    await waitFor(`${subject} to arrive`, async () => {
      found = (await get<Arrival[]>('/sandbox/messages')).find(arrival => arrival.subject === subject)
      return found !== undefined
    })
    return found!
  }

  it('shows the first mail as passed by SPF, DKIM and DMARC', async () => {
    assert.equal((await send('first')).result, 'spf=pass dkim=pass dmarc=pass')
  })

  it('fits one screen and names all that is needed', () => {
    const banner = relay.sandbox!.banner(relay)
    assert.ok(banner.split('\n').length <= 30, banner)
    assert.match(banner, /^printf .* \| curl .*--ssl-reqd/m)
    assert.match(banner, /^swaks /m)
    assert.match(banner, new RegExp(`http://127.0.0.1:${relay.httpPort}/sandbox`))
    assert.match(said(/token .*? (\w+)$/im), /^\w{40}$/)
  })

  it('lets a domain be registered, published, verified and taken out again', async () => {
    const account = (await relay.store.listAccounts({ limit: 1 }))[0]!
    const registered = await relay.domains.register({ name: 'shop.example', account: account.id })
    assert.deepEqual([registered.spf, registered.dkim], ['not-published', 'not-published'])
    assert.equal((await send('unpublished', 'a@shop.example')).result, 'spf=pass dkim=pass dmarc=none')
    assert.equal((await fetch(urlOf('/sandbox/publish/shop.example'), { method: 'POST' })).status, 200)
    const verified = await relay.domains.verify('shop.example')
    assert.deepEqual([verified.spf, verified.dkim, verified.mode], ['published', 'published', 'spf-dkim'])
    assert.equal((await send('published', 'a@shop.example')).result, 'spf=pass dkim=pass dmarc=pass')
    assert.equal((await fetch(urlOf('/sandbox/publish/shop.example'), { method: 'DELETE' })).status, 200)
    assert.equal(JSON.stringify(await get('/sandbox/zone')).includes('shop.example'), false)
  })

  it('publishes the keys behind CNAMEs as the operator would, as long as they are needed', async () => {
    const kitte = async (...args: string[]) => {
      const { code, out, err } = await cli(args, {
        KITTE_API: urlOf(''),
        KITTE_ADMIN_TOKEN: said(/token .*? (\w+)$/im),
      })
      assert.equal(code, 0, err)
      return out
    }
    const targets = async () =>
      Object.keys(await get<object>('/sandbox/zone')).filter(name => name.endsWith('.dkim.relay.kitte.test'))
    await kitte('domain', 'create', 'alias.example', '--account', 'demo', '--dkim-form', 'cname')
    await waitFor('the key in the zone', async () => (await targets()).length === 1)
    await kitte('sandbox', 'publish', 'alias.example')
    assert.match(await kitte('domain', 'verify', 'alias.example'), /^mode +spf-dkim/m)
    await kitte('domain', 'issue-dkim', 'alias.example')
    await waitFor('the next key beside it', async () => (await targets()).length === 2)
    await kitte('domain', 'change', 'alias.example', '--dkim-form', 'txt')
    await waitFor('the next key to go', async () => (await targets()).length === 1)
  })

  it('lets single records be tried out', async () => {
    const set = (path: string) => fetch(urlOf(`/sandbox/zone/${path}`), { method: 'POST' })
    assert.equal((await set(`tried.example/TXT?value=${encodeURIComponent('v=spf1 -all')}&value=two`)).status, 200)
    const zone = await get<Record<string, unknown>>('/sandbox/zone')
    assert.deepEqual(zone['tried.example'], { TXT: ['v=spf1 -all', 'two'] })
    assert.equal((await set('tried.example/MX?value=ten%20mx')).status, 400)
    assert.equal((await set('tried.example/A?value=192.0.2.1')).status, 400, 'an address that mail could leave to')
    assert.equal((await fetch(urlOf('/sandbox/zone/tried.example/TXT'), { method: 'DELETE' })).status, 200)
    assert.equal((await fetch(urlOf('/sandbox/zone/tried.example/TXT'), { method: 'DELETE' })).status, 404)
  })

  it('is reached by kitte sandbox', async () => {
    const kitte = async (...args: string[]) => {
      const { code, out, err } = await cli(args, {
        KITTE_API: urlOf(''),
        KITTE_ADMIN_TOKEN: said(/token .*? (\w+)$/im),
      })
      assert.equal(code, 0, err)
      return out
    }
    await kitte('domain', 'create', 'typed.example', '--account', 'demo')
    assert.match(await kitte('sandbox', 'publish', 'typed.example'), /^typed\.example +TXT +v=spf1 ip4:127/m)
    assert.match(await kitte('domain', 'verify', 'typed.example'), /^mode +spf-dkim/m)
    await kitte('sandbox', 'zone', 'set', 'typed.example', 'TXT', 'v=spf1 ip4:127.0.0.1 -all')
    assert.match(await kitte('domain', 'verify', 'typed.example'), /^SPF +未設定/m)
    assert.match(await kitte('sandbox', 'zone', 'remove', 'typed.example', 'txt'), /no records/)
    await kitte('sandbox', 'unpublish', 'typed.example')
    assert.doesNotMatch(await kitte('sandbox', 'zone'), /typed\.example/)
    assert.match(await kitte('relay', 'verify'), /^records +all 7 published$/m)
    await send('typed')
    assert.match(await kitte('sandbox', 'inbox'), /typed +spf=pass dkim=pass dmarc=pass/)
  })

  it('shows pages in which nothing of a message is markup', async () => {
    const { number } = await send('<script>alert(1)</script>')
    for (const path of ['/sandbox', `/sandbox/arrivals/${number}`]) {
      const response = await fetch(urlOf(path))
      const html = await response.text()
      assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
      assert.ok(html.includes('&#60;script&#62;alert(1)'), path)
      assert.ok(!html.includes('<script'), path)
    }
    const source = await (await fetch(urlOf(`/sandbox/messages/${number}/source`))).text()
    assert.match(source, /^DKIM-Signature: /)
    assert.equal((await fetch(urlOf('/sandbox/arrivals/999999'))).status, 404)
  })

  it('answers no other name and no page of another origin', async () => {
    assert.equal(await statusOf('GET', '/sandbox', { host: 'rebound.example' }), 403)
    assert.equal(await statusOf('POST', '/sandbox/publish/customer.example', { origin: 'http://evil.example' }), 403)
    assert.equal(await statusOf('GET', '/sandbox', { host: 'localhost:1' }), 200)
  })

  function statusOf(method: string, path: string, headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port: relay.httpPort, method, path, headers }, response => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      call.once('error', reject).end()
    })
  }

  it('names a port that is taken and how to choose another', async () => {
    const port = await freePort()
    const holder = createServer().listen(port, '127.0.0.1')
    await refusesToStart({ dns: port }, /dns\.servers: 127\.0\.0\.1:\d+ is in use; .*KITTE_DNS_SERVERS=/)
    await refusesToStart({ mx: port }, /delivery\.port: 127\.0\.0\.1:\d+ is in use.*KITTE_DELIVERY_PORT=/)
    holder.close()
  })

  it('refuses a configuration that could let mail out', () =>
    refusesToStart({ mx: 25 }, /delivery\.port: the sandbox receives on a port of its own/))

  async function refusesToStart(ports: { dns?: number; mx?: number }, message: RegExp): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'kitte-sandbox-'))
    await assert.rejects(startSandbox(folder, ports), message)
    rmSync(folder, { recursive: true, force: true })
  }

  it('is the same after a restart', async () => {
    const password = said(/password .*? (\w+)$/m)
    await relay.stop()
    relay = await startSandbox(dataDir)
    assert.equal(said(/password .*? (\w+)$/m), password)
    assert.equal((await send('after the restart')).result, 'spf=pass dkim=pass dmarc=pass')
  })
})
