/**
 * A receiver of webhooks: a real HTTP server on loopback that keeps what it gets and answers as it is told.
 */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Got {
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a JSON document
  readonly body: any
}

export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void

export const ok: Behaviour = response => void response.writeHead(204).end()
export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Behaviour =>
  response =>
    void response.writeHead(code, headers).end(body)
/** Never answers. */
export const silent: Behaviour = () => {}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Every request, taken or not. */
  readonly got: Got[]
  /** Ids of events in the requests that were answered with 2xx, in order. */
  readonly taken: string[]
  behaviour: Behaviour
}

export async function startReceiver(behaviour: Behaviour = ok): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const text = (await buffer(request).catch(() => Buffer.alloc(0))).toString()
    const body = JSON.parse(text)
    receiver.got.push({ headers: request.headers, text, body })
    response.once('finish', () => {
      if (response.statusCode < 300) receiver.taken.push(...eventsOf(body).map(event => event.id))
    })
    receiver.behaviour(response, request)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    got: [],
    taken: [],
    behaviour,
    async [Symbol.asyncDispose]() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  return receiver
}

export function eventsOf(body: Got['body']): { id: string; type: string; seq: number | null }[] {
  return body.events ?? [body]
}

/** As the README tells receivers to do it. */
export function isSigned({ headers, text }: Got, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
  return String(headers['webhook-signature']).split(' ').includes(expected)
}
