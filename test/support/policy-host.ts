/**
 * MTA-STS policy hosts for tests: one HTTPS server on loopback that plays all of them, by the name it is asked for.
 */
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'

export interface PolicyHosts extends AsyncDisposable {
  readonly address: string
  readonly port: number
  /** Paths asked for, with their host: `mta-sts.a.example/.well-known/mta-sts.txt`. */
  readonly asked: readonly string[]
  /** Connections, also those whose handshake failed. */
  readonly connections: number
}

export interface PolicyHostsOptions {
  readonly address?: string
  readonly port?: number
  /** Key and certificate for a name. */
  certificateFor(name: string): { readonly key: string; readonly cert: string }
  /** Answers as the host of that name. */
  answer(name: string, response: ServerResponse, path: string): void
}

export async function startPolicyHosts(options: PolicyHostsOptions): Promise<PolicyHosts> {
  const { address = '127.0.0.1', certificateFor, answer } = options
  const asked: string[] = []
  const contexts = new Map<string, SecureContext>()
  let connections = 0
  const contextFor = (name: string) => {
    const known = contexts.get(name) ?? createSecureContext(certificateFor(name))
    contexts.set(name, known)
    return known
  }
  const server = createServer({ SNICallback: (name, done) => done(null, contextFor(name)) }, (request, response) => {
    const name = (request.headers.host ?? '').replace(/:\d+$/, '')
    asked.push(`${name}${request.url}`)
    response.on('error', () => {})
    answer(name, response, request.url ?? '')
  })
  server.on('connection', () => connections++)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, address, resolve)
  })
  return {
    address,
    port: (server.address() as AddressInfo).port,
    asked,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export function sendPolicy(response: ServerResponse, text: string, type = 'text/plain'): void {
  response.writeHead(200, { 'content-type': type })
  response.end(text)
}

export function policyText(mode: string, mx: readonly string[], maxAge = 86_400): string {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map(host => `mx: ${host}`), `max_age: ${maxAge}`, ''].join('\r\n')
}
