/**
 * A DNS server on loopback, UDP and TCP on one port, that answers what a test wants.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet'

/** Null: silence. Bytes: sent as they are. */
export type Reply = Packet | Buffer | null

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly server: string
  readonly port: number
  /** `udp TXT name`, in the order of arrival. */
  readonly asked: string[]
}

export async function startDnsServer(
  reply: (question: { name: string; type: string }, by: 'udp' | 'tcp', query: DecodedPacket) => Reply | Promise<Reply>,
  at: { readonly host?: string; readonly port?: number } = {},
): Promise<DnsServer> {
  const host = at.host ?? '127.0.0.1'
  const asked: string[] = []
  const open = new Set<Socket>()

  async function answer(bytes: Buffer, by: 'udp' | 'tcp'): Promise<Buffer | null> {
    const query = decode(bytes)
    const question = query.questions[0]!
    asked.push(`${by} ${question.type} ${question.name}`)
    const packet = await reply(question, by, query)
    if (packet === null || Buffer.isBuffer(packet)) return packet
    return encode({ type: 'response', id: query.id, questions: [question], ...packet })
  }

  const tcp = createServer(socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    socket.once('data', async bytes => {
      const message = await answer(bytes.subarray(2), 'tcp')
      if (message === null) return
      const framed = Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])
      // In two parts, as a network may deliver it.
      socket.write(framed.subarray(0, 1))
      setImmediate(() => socket.write(framed.subarray(1)))
    })
  }).listen(at.port ?? 0, host)
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4').bind(port, host)
  await once(udp, 'listening')
  let isClosed = false
  udp.on('message', async (bytes, from) => {
    const message = await answer(bytes, 'udp')
    if (message !== null && !isClosed) udp.send(message, from.port, from.address)
  })

  return {
    server: `${host}:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      isClosed = true
      for (const socket of open) socket.destroy()
      await Promise.all([new Promise(done => udp.close(() => done(null))), new Promise(done => tcp.close(done))])
    },
  }
}
