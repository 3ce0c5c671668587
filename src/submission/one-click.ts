/**
 * Whether a mail can be unsubscribed from with one click, as Gmail, Yahoo and Microsoft ask of bulk senders (RFC 8058 §3.1).
 */
import { fieldsNamed, type HeaderBlock, unfoldedValue } from '../mail/header.ts'

/** List-Unsubscribe with an HTTPS address, and List-Unsubscribe-Post with the one value there is; each once. */
export function isOneClick(header: HeaderBlock): boolean {
  const [post, another] = fieldsNamed(header, 'list-unsubscribe-post')
  if (post === undefined || another !== undefined) return false
  if (!/^\s*List-Unsubscribe=One-Click\s*$/i.test(unfoldedValue(header, post))) return false
  const links = fieldsNamed(header, 'list-unsubscribe')
  return links.length === 1 && /<\s*https:\/\/[^>]+>/i.test(unfoldedValue(header, links[0]!))
}
