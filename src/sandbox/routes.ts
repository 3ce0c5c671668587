/**
 * The sandbox over HTTP: the pages of what arrived, the same as JSON, and the zone.
 *
 * No login, so it answers only on loopback, under a loopback name (a page elsewhere can't reach it by DNS rebinding), and
 * changes nothing for a page of another origin. Answers false for paths that aren't its own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { isAskable } from '../dns/wire.ts'
import type { ZoneEntry } from '../dns/zone.ts'
import type { Arrival, Inbox } from './inbox.ts'
import { arrivalPage, listPage, type PageWords } from './page.ts'
import type { Published, Publisher } from './publish.ts'
import { fieldOf } from './readable.ts'
import { summaryOf } from './verify-arrival.ts'
import type { ZoneBook } from './zone-book.ts'
import { type RecordType, readRecord, recordTypes } from './zone-record.ts'

/** True: the request was for the sandbox and is being answered. */
export type SandboxRoutes = (request: IncomingMessage, response: ServerResponse) => boolean

export interface SandboxRoutesParts extends Publisher {
  readonly inbox: Inbox
  readonly book: ZoneBook
  readonly words: PageWords
}

interface Route {
  readonly method: string
  readonly pattern: RegExp
  readonly answer: (parts: SandboxRoutesParts, match: readonly string[], url: URL) => Answer | Promise<Answer>
}

type Answer =
  | { readonly status: number; readonly json: unknown }
  | { readonly html: string }
  | { readonly source: Buffer }

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const routes: readonly Route[] = [
  { method: 'GET', pattern: /^\/sandbox\/?$/, answer: ({ inbox, words }) => ({ html: listPage(inbox.list(), words) }) },
  { method: 'GET', pattern: /^\/sandbox\/messages$/, answer: ({ inbox }) => ok(inbox.list().map(summary)) },
  { method: 'GET', pattern: /^\/sandbox\/messages\/(\d+)$/, answer: withArrival(arrival => ok(details(arrival))) },
  {
    method: 'GET',
    pattern: /^\/sandbox\/messages\/(\d+)\/source$/,
    answer: withArrival(({ raw }) => ({ source: raw })),
  },
  {
    method: 'GET',
    pattern: /^\/sandbox\/arrivals\/(\d+)$/,
    answer: withArrival((arrival, { words }) => ({ html: arrivalPage(arrival, words) })),
  },
  { method: 'GET', pattern: /^\/sandbox\/zone$/, answer: ({ book }) => ok(book.zone()) },
  { method: 'POST', pattern: /^\/sandbox\/zone\/([^/]+)\/([^/]+)$/, answer: setRecord },
  { method: 'DELETE', pattern: /^\/sandbox\/zone\/([^/]+)\/([^/]+)$/, answer: removeRecords },
  { method: 'POST', pattern: /^\/sandbox\/publish\/([^/]+)$/, answer: (parts, [name]) => told(parts.publish(name!)) },
  {
    method: 'DELETE',
    pattern: /^\/sandbox\/publish\/([^/]+)$/,
    answer: (parts, [name]) => told(parts.unpublish(name!)),
  },
]

export function sandboxRoutes(parts: SandboxRoutesParts): SandboxRoutes {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://sandbox')
    if (url.pathname !== '/sandbox' && !url.pathname.startsWith('/sandbox/')) return false
    answer(parts, request, url)
      .catch(error => problem(500, String(error)))
      .then(result => write(response, result))
    return true
  }
}

async function answer(parts: SandboxRoutesParts, request: IncomingMessage, url: URL): Promise<Answer> {
  if (!isLocal(request)) return problem(403, 'the sandbox answers on loopback only, for example http://127.0.0.1')
  const method = request.method === 'HEAD' ? 'GET' : request.method
  if (method !== 'GET' && !isSameOrigin(request)) return problem(403, 'not for pages of another origin')
  for (const route of routes) {
    const match = route.method === method ? route.pattern.exec(url.pathname) : null
    if (match) return route.answer(parts, match.slice(1).map(decodeName), url)
  }
  return problem(404, `there is no ${request.method} ${url.pathname}`)
}

function isLocal(request: IncomingMessage): boolean {
  const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  return isLoopback(address) && (name === 'localhost' || isLoopback(name))
}

function isLoopback(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers
  return origin === undefined || origin === `http://${host}`
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase()
  } catch {
    return text
  }
}

function withArrival(show: (arrival: Arrival, parts: SandboxRoutesParts) => Answer): Route['answer'] {
  return (parts, [number]) => {
    const arrival = parts.inbox.get(Number(number))
    return arrival ? show(arrival, parts) : problem(404, `no message ${number} is kept`)
  }
}

function setRecord({ book }: SandboxRoutesParts, [name, type]: readonly string[], url: URL): Answer {
  const record = readRecord(type!.toUpperCase(), url.searchParams.getAll('value'))
  if (!isAskable(name!)) return problem(400, `no DNS question can hold the name ${name!.slice(0, 100)}`)
  if (!record) return problem(400, `write one of ${recordTypes.join(', ')} and a value that fits, MX as "10 host"`)
  book.set(name!, { ...book.entry(name!), ...record })
  return ok({ [name!]: book.entry(name!) ?? {} })
}

function removeRecords({ book }: SandboxRoutesParts, [name, type]: readonly string[]): Answer {
  const { [type!.toUpperCase() as RecordType]: removed, ...rest } = book.entry(name!) ?? ({} as ZoneEntry)
  if (removed === undefined) return problem(404, `${name} has no ${type!.toUpperCase()} in the sandbox's zone`)
  book.set(name!, rest)
  return ok({ [name!]: rest })
}

async function told(change: Promise<Published | null>): Promise<Answer> {
  const published = await change
  return published
    ? ok(published)
    : problem(404, 'this domain is not registered: kitte domain create NAME --account ID')
}

function summary(arrival: Arrival): Record<string, unknown> {
  const { number, receivedAt, helo, remoteIp, tls, reversePath, recipients, verdict, raw, message } = arrival
  return {
    number,
    receivedAt: new Date(receivedAt).toISOString(),
    from: fieldOf(message, 'from'),
    subject: fieldOf(message, 'subject'),
    messageId: fieldOf(message, 'message-id'),
    reversePath,
    recipients,
    result: summaryOf(verdict),
    ...verdict,
    client: { helo, ip: remoteIp, tls },
    size: raw.length,
  }
}

function details(arrival: Arrival): Record<string, unknown> {
  const { fields, text } = arrival.message
  return { ...summary(arrival), header: fields.map(([name, value]) => ({ name, value })), text }
}

function ok(json: unknown): Answer {
  return { status: 200, json }
}

/** RFC 9457. */
function problem(status: number, detail: string): Answer {
  return { status, json: { type: 'about:blank', title: 'Sandbox', status, detail } }
}

function write(response: ServerResponse, result: Answer): void {
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
  const { status, type, body } = rendered(result)
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

function rendered(result: Answer): { status: number; type: string; body: string | Buffer } {
  if ('html' in result) return { status: 200, type: 'text/html; charset=utf-8', body: result.html }
  if ('source' in result) return { status: 200, type: 'text/plain; charset=utf-8', body: result.source }
  const type = result.status < 400 ? 'application/json' : 'application/problem+json'
  return { status: result.status, type, body: `${JSON.stringify(result.json, null, 2)}\n` }
}
