/**
 * The address of a receiver: what may be registered, and what may be told of it.
 *
 * Userinfo is refused because it would be a password in plain sight; what is meant to be secret belongs into the
 * signature. A query is taken, since some receivers know no other way, but is shown to nobody but the API's user.
 */
const longest = 2000

/** Null: not an address that events can be sent to. */
export function parseEndpoint(text: string): URL | null {
  if (text.length > longest || !URL.canParse(text)) return null
  const url = new URL(text)
  const isPlain = url.username === '' && url.password === '' && url.hash === ''
  return isPlain && (url.protocol === 'https:' || url.protocol === 'http:') && url.hostname !== '' ? url : null
}

/** A host as the resolver takes it: IPv6 without brackets, a name without its trailing dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** Fit for a log line. */
export function originOf(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : ''
}
