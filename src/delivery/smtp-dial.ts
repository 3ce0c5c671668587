/**
 * Opens the TCP connection to one address, from the source address if one is given.
 *
 * Fails by answering a `Failure` in phase `connect`. What Node's error codes mean for an attempt stands here.
 */
import net from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Failure } from '../mail/attempt-result.ts'
import type { HostSpec } from './transport.ts'

export function dial(spec: HostSpec, timeoutMs: number, clock: Clock): Promise<net.Socket | Failure> {
  return new Promise(resolve => {
    const { address: host, port, sourceIp } = spec
    const socket = net.connect({ host, port, noDelay: true, ...(sourceIp ? { localAddress: sourceIp } : {}) })
    const giveUp = (kind: Failure['kind'], detail: string) => {
      cancel()
      socket.destroy()
      resolve({ phase: 'connect', kind, detail, inDoubt: false })
    }
    const cancel = clock.after(timeoutMs, () => giveUp('timeout', `no connection within ${timeoutMs} ms`))
    const refused = (error: Error) => giveUp(kindOf(error), detailOf(error))
    socket.once('error', refused)
    socket.once('connect', () => {
      cancel()
      socket.off('error', refused)
      resolve(socket)
    })
  })
}

const kinds: Readonly<Record<string, Failure['kind']>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  // nodemailer's word for a socket that closed without an error.
  ECONNECTION: 'closed',
}

/** What is neither refusal, reset nor time-out is a way that does not lead there: no route, no such source address. */
export function kindOf(error: Error): Failure['kind'] {
  const code = codeOf(error)
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return 'tls'
  return kinds[code] ?? 'unreachable'
}

export function detailOf(error: Error): string {
  return codeOf(error) || error.message
}

/** nodemailer moves the system's code to `originalCode`. */
function codeOf(error: Error): string {
  const { originalCode, code } = error as NodeJS.ErrnoException & { readonly originalCode?: string }
  return originalCode ?? code ?? ''
}
