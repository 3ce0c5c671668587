/**
 * What a message with REQUIRETLS asks of a host, and what becomes of it where the host can't (RFC 8689 §4.2.1).
 *
 * TLS with a certificate for the host's name, and the host announces REQUIRETLS under it. A host that lacks one of these is
 * passed over; when none is left the sender is told at once, for nothing was said that waiting could mend. Trouble on the
 * way (no connection, "TLS not available now") is tried again. A bounce (null reverse-path) is protected where that can be
 * had and sent all the same where not (§5). Never fails.
 */
import type { Envelope, ReversePath } from '../mail/envelope.ts'
import type { Reply } from '../mail/reply.ts'
import type { HostSpec, OpenResult } from './transport.ts'

/** Of the envelope as it goes out. */
export function insistsOnTls({ tls }: Pick<Envelope, 'tls'>, reversePath: ReversePath): boolean {
  return tls === 'required' && reversePath !== null
}

/** Whatever else was wished for this host. */
export function insisting(spec: HostSpec): HostSpec {
  return { ...spec, tls: 'required', verifyCertificate: true }
}

/** Why this host can't carry the message; null: it can, or something else is in the way. */
export function lackOf({ host }: HostSpec, opened: OpenResult): Reply | null {
  if ('connection' in opened) return opened.connection.extensions.has('REQUIRETLS') ? null : notAnnounced(host)
  return 'failure' in opened && opened.failure.kind === 'tls' ? withoutTls(host, opened.failure.detail) : null
}

function notAnnounced(host: string): Reply {
  return say(550, '7.30', `${host} does not announce REQUIRETLS, which the sender asked for (RFC 8689)`)
}

/** A host that answers STARTTLS with 4yz can do it at other times. */
function withoutTls(host: string, detail: string): Reply {
  const code = /^4\d\d /.test(detail) ? 451 : 550
  return say(code, '7.10', `no verified TLS with ${host}, which the sender asked for by REQUIRETLS: ${detail}`)
}

function say(code: number, detail: string, text: string): Reply {
  return { code, detail, text, from: 'relay' }
}
