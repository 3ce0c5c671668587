/**
 * What OpenSSL thinks of a chain: a handshake in memory with a server that shows it, trusting one root. Null: it is good.
 */

import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { connect, createSecureContext, TLSSocket } from 'node:tls'

export async function judgedByOpenSsl(
  shown: { readonly key: string; readonly cert: string },
  root: string,
  name: string,
): Promise<string | null> {
  const [ours, theirs] = duplexPair()
  const server = new TLSSocket(theirs as unknown as Socket, {
    isServer: true,
    secureContext: createSecureContext(shown),
  })
  server.on('error', () => {}).resume()
  const client = connect({ socket: ours as unknown as Socket, ca: root, servername: name, rejectUnauthorized: false })
  try {
    await new Promise<void>((resolve, reject) => client.once('secureConnect', resolve).once('error', reject))
    return client.authorized ? null : String(client.authorizationError)
  } finally {
    client.destroy()
    server.destroy()
  }
}
