/**
 * How far a connection must be protected, in rising order.
 *
 * `opportunistic`: as far as the host can (RFC 7435). `required`: TLS or nothing. `verified`: TLS with a certificate that
 * proves the host's name, by a known authority or by DANE.
 */
export const tlsLevels = ['opportunistic', 'required', 'verified'] as const

export type TlsLevel = (typeof tlsLevels)[number]
