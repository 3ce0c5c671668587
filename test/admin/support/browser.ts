/**
 * Debian's Chromium without a window, driven by its DevTools protocol: looks at a page as a person's browser does.
 *
 * Fails to start when there is none; `browserFile` tells beforehand.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of 50 ms: a condition that does not come true in half a minute never will. */
const mostTries = 600

/** Null: not installed here. */
export const browserFile = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(file => existsSync(file)) ?? null

export interface View {
  readonly width: number
  readonly height: number
  readonly mobile?: boolean
  /** Default: true. */
  readonly scripts?: boolean
  readonly dark?: boolean
  /** As it would be printed. */
  readonly print?: boolean
}

export interface Tab {
  /** Resolves when the page and its scripts are loaded. */
  open(url: string): Promise<void>
  /** The value of an expression in the page, promises awaited; must be JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the page has
  evaluate(expression: string): Promise<any>
  /** Resolves when the expression is true. */
  until(expression: string): Promise<void>
  /** PNG of the whole page. */
  screenshot(): Promise<Buffer>
  pdf(): Promise<Buffer>
  /** What the console said: errors, refused by policy. */
  readonly complaints: readonly string[]
}

export interface Browser extends AsyncDisposable {
  tab(view: View): Promise<Tab>
}

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
  '--remote-debugging-port=0',
  // Nothing but this machine is ever asked.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

export async function startBrowser(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'kitte-browser-'))
  const child = spawn(browserFile!, [...flags, `--user-data-dir=${home}`, 'about:blank'], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, HOME: home },
  })
  const line = await Line.open(await addressOf(child, join(home, 'DevToolsActivePort')))
  return {
    tab: view => openTab(line, view),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      await line.send('Browser.close').catch(() => child.kill('SIGKILL'))
      await ended
      line.close()
      // Its helpers may still write for a moment.
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

async function addressOf(child: ChildProcess, file: string): Promise<string> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Chromium ended with ${child.exitCode}`)
    const [port, path] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    if (port && path) return `ws://127.0.0.1:${port}${path}`
    await pause()
  }
}

async function openTab(line: Line, view: View): Promise<Tab> {
  const { browserContextId } = await line.send('Target.createBrowserContext')
  const { targetId } = await line.send('Target.createTarget', { url: 'about:blank', browserContextId })
  const { sessionId } = await line.send('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, parameters: object = {}) => line.send(method, parameters, sessionId)
  const complaints: string[] = []
  line.listen(sessionId, ({ method, params }) => {
    if (method === 'Runtime.exceptionThrown')
      complaints.push(params.exceptionDetails.exception?.description ?? 'exception')
    if (method === 'Log.entryAdded' && params.entry.level === 'error') complaints.push(params.entry.text)
  })
  for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`)
  const { width, height, mobile = false, scripts = true, dark = false, print = false } = view
  await send('Emulation.setDeviceMetricsOverride', { width, height, mobile, deviceScaleFactor: 1 })
  await send('Emulation.setScriptExecutionDisabled', { value: !scripts })
  await send('Emulation.setEmulatedMedia', {
    media: print ? 'print' : 'screen',
    features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
  })
  await line.send('Browser.grantPermissions', {
    browserContextId,
    permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'],
  })
  return asTab(line, sessionId, send, complaints)
}

// biome-ignore lint/suspicious/noExplicitAny: the protocol's answers
type Send = (method: string, parameters?: object) => Promise<any>

function asTab(line: Line, sessionId: string, send: Send, complaints: readonly string[]): Tab {
  async function evaluate(expression: string) {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    })
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`)
    return result.value
  }
  return {
    complaints,
    evaluate,
    async open(url) {
      const loaded = line.once(sessionId, 'Page.loadEventFired')
      await send('Page.navigate', { url })
      await loaded
    },
    async until(expression) {
      // A page that is just being left has no values to give.
      for (let tries = 0; !(await evaluate(expression).catch(() => false)); tries++) {
        if (tries > mostTries) throw new Error(`never came true: ${expression}`)
        await pause()
      }
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true })
      return Buffer.from(data, 'base64')
    },
    async pdf() {
      const { data } = await send('Page.printToPDF', { printBackground: false, paperWidth: 8.27, paperHeight: 11.69 })
      return Buffer.from(data, 'base64')
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the protocol's events
type Told = { readonly method: string; readonly params: any; readonly sessionId?: string }

/** The protocol's one line for all tabs. */
class Line {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, PromiseWithResolvers<never>>()
  readonly #listeners = new Set<(told: Told) => void>()
  #lastId = 0

  static async open(address: string): Promise<Line> {
    const socket = new WebSocket(address)
    await once(socket, 'open')
    return new Line(socket)
  }

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(data)))
    socket.addEventListener('close', () => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Error('the browser is gone'))
    })
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's answers
  send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<never>()
    this.#waiting.set(id, waiting)
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
    return waiting.promise
  }

  listen(sessionId: string, listener: (told: Told) => void): () => void {
    const own = (told: Told) => void (told.sessionId === sessionId && listener(told))
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  once(sessionId: string, method: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = this.listen(sessionId, told => {
      if (told.method !== method) return
      stop()
      resolve()
    })
    return promise
  }

  close(): void {
    this.#socket.close()
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's messages
  #receive(message: any): void {
    if (message.id === undefined) {
      for (const listener of [...this.#listeners]) listener(message)
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.error) waiting?.reject(new Error(message.error.message))
    else waiting?.resolve(message.result as never)
  }
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 50))
}
