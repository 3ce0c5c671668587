/**
 * The HTTP listener: opens, bounds what clients may take, and closes gracefully.
 *
 * Fails to open with a text that names address, port and mend.
 */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { ConfigError } from '../base/config-error.ts'
import { listenTrouble } from '../base/listen-trouble.ts'

export interface Listener {
  readonly port: number
  stop(): Promise<void>
}

/** A request is read within this time: none of ours is larger than an import. */
const requestTimeoutMs = 30_000
const headersTimeoutMs = 10_000
/** An operator's console and a CRM's pool; more is a mistake or an attack. */
const maxConnections = 500
/** Requests under way at a stop get this long. */
const graceMs = 5000

export async function listen(
  app: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
  clock: Clock,
): Promise<Listener> {
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs }, app)
  server.maxConnections = maxConnections
  server.listen({ host, port })
  await once(server, 'listening').catch(error => {
    throw new ConfigError('the configuration', [`http.port: ${listenTrouble(error, host, port)}`])
  })
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>(resolve => void server.close(() => resolve()))
      const cancel = clock.after(graceMs, () => server.closeAllConnections())
      server.closeIdleConnections()
      await closed
      cancel()
    },
  }
}
