/**
 * What smtp-server is told to do and, mostly, not to do by itself.
 */
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { HostName } from '../mail/ids.ts'
import { transcript } from './transcript.ts'

export type Listener = Config['submission']['listeners'][number]

/** Until the TLS handshake of an implicit TLS listener is done there is no session with deadlines yet. */
const handshakeTimeoutMs = 60_000
/** The library's own time-out for stopping, out of the way of ours. */
const never = 2 ** 31 - 1

/** Policy is the sessions': who must log in, and where a password may be said. */
export function serverOptions({ tls }: Listener, hostname: HostName, log: Log) {
  return {
    name: hostname,
    secure: tls === 'implicit',
    authOptional: true,
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    disabledCommands: ['XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL', ...(tls === 'starttls' ? [] : ['STARTTLS'])],
    hideENHANCEDSTATUSCODES: false,
    disableReverseLookup: true,
    keepAlive: true,
    socketTimeout: handshakeTimeoutMs,
    closeTimeout: never,
    logger: transcript(log),
  }
}
