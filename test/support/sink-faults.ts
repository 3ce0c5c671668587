/**
 * How the sink misbehaves: one fault in one phase, in every session.
 */
import type net from 'node:net'

/** `connect`: right after accept, then closing. `handshake`: in place of a TLS handshake. Else: as the answer of that phase. */
export type FaultPhase =
  | 'connect'
  | 'banner'
  | 'ehlo'
  | 'starttls'
  | 'handshake'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'dot'

export const faultKinds = [
  '4xx',
  '5xx',
  '421',
  'reset',
  'close',
  'silence',
  'garbage',
  'short-code',
  'endless-line',
  'endless-reply',
  'extra-reply',
  'trickle',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  readonly phase: FaultPhase
  readonly kind: FaultKind
}

const trickleEveryMs = 5
const floodBytes = 65_536

/** True when the session is over for the sink: it answers no command any more. */
export function misbehave(socket: net.Socket, phase: FaultPhase, kind: FaultKind, good: string): boolean {
  socket.on('error', () => {})
  const closes = phase === 'connect'
  switch (kind) {
    case '4xx':
      return say(socket, '450 4.3.0 not now\r\n', closes)
    case '5xx':
      return say(socket, '554 5.3.0 never\r\n', closes)
    case '421':
      return say(socket, '421 4.3.2 closing\r\n', true)
    case 'reset':
      socket.resetAndDestroy()
      return true
    case 'close':
      socket.end()
      return true
    case 'silence':
      socket.resume()
      return true
    case 'garbage':
      return say(socket, '\x00\xffwhat?\x16\x03 garbage\r\n', closes)
    case 'short-code':
      return say(socket, '25 ok\r\n', closes)
    case 'endless-line':
      return flood(socket, 'x'.repeat(floodBytes))
    case 'endless-reply':
      return flood(socket, '250-and so on\r\n'.repeat(floodBytes / 16))
    case 'extra-reply':
      return say(socket, `${good}\r\n250 2.0.0 and another\r\n`, closes)
    case 'trickle':
      return trickle(socket, good)
    default:
      return kind satisfies never
  }
}

function say(socket: net.Socket, text: string, closes: boolean): boolean {
  if (closes) socket.end(text, 'latin1')
  else socket.write(text, 'latin1')
  return closes
}

/** As much as the other side takes, for as long as it is there. */
function flood(socket: net.Socket, text: string): boolean {
  const more = () => {
    while (!socket.destroyed && socket.write(text));
  }
  socket.on('drain', more)
  socket.resume()
  more()
  return true
}

/** Byte after byte of a reply that never ends. */
function trickle(socket: net.Socket, good: string): boolean {
  const bytes = `${good.slice(0, 3)}-${'.'.repeat(40)}\r\n`
  let at = 0
  const timer = setInterval(() => {
    if (!socket.destroyed) socket.write(bytes[at++ % bytes.length]!)
  }, trickleEveryMs)
  socket.once('close', () => clearInterval(timer))
  socket.resume()
  return true
}
