/**
 * Messages that cost a relay much: large ones, and headers and bodies made to be slow to read.
 *
 * Some are beyond what Kitte takes by default and some just within, because what is refused is never signed.
 */

export interface Heavy {
  readonly kind: string
  /** Header fields, complete lines; those that every message has stand before them. */
  readonly fields: string
  /** As it goes over the wire, dots stuffed (RFC 5321 §4.5.2), without the final one. */
  readonly body: string
}

const text = `${'Kitte bears the postage of this line. '.repeat(2).trimEnd()}\r\n`
const short = 'A short body.\r\n'

export const heavyMessages: readonly (() => Heavy)[] = [
  () => ({ kind: '30 MB of text', fields: '', body: lines(text, 30_000_000) }),
  // Every line must be rewritten before it is hashed (RFC 6376 §3.4.4).
  () => ({ kind: '30 MB of spaces', fields: '', body: lines('a \t b  c \t\r\n', 30_000_000) }),
  () => ({ kind: '10,000 fields, 1 MB', fields: fields(10_000, 100), body: short }),
  () => ({ kind: 'one field of 80,000 lines', fields: folded('X-Folded', 80_000), body: short }),
  () => ({ kind: '900 fields, 500 KB', fields: fields(900, 550), body: short }),
  () => ({ kind: '5 fields of 25,000 lines', fields: fieldsOfLines(5, 25_000), body: short }),
  () => ({ kind: '100,000 lines with a dot', fields: '', body: '..\r\n'.repeat(100_000) }),
]

function lines(line: string, bytes: number): string {
  return line.repeat(Math.ceil(bytes / line.length))
}

function fields(count: number, bytes: number): string {
  const field = (_: unknown, number: number) => `${`X-Field-${number}: `.padEnd(bytes - 2, 'x')}\r\n`
  return Array.from({ length: count }, field).join('')
}

function fieldsOfLines(count: number, lineCount: number): string {
  return Array.from({ length: count }, (_, number) => folded(`X-Folded-${number}`, lineCount)).join('')
}

/** Four octets a line. */
function folded(name: string, lineCount: number): string {
  return `${name}: x\r\n${' x\r\n'.repeat(lineCount - 1)}`
}
