/**
 * Reads fields of headers and of report blocks, which have the same syntax (RFC 5322 §2.2, RFC 3464 §2.1.1, RFC 5965 §3).
 *
 * For mail that strangers and broken systems wrote: a line that is no field is passed over, the rest is read. Expects LF
 * line ends and Latin-1 text. Never fails; time and memory are linear in the text, which callers bound.
 */

/** Lower-case names with their unfolded values, in order. */
export class Fields {
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values
  }

  get size(): number {
    return this.#values.size
  }

  first(name: string): string | null {
    return this.#values.get(name)?.[0] ?? null
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }
}

const maxFields = 500
const maxValue = 4000
const fieldLine = /^([\x21-\x39\x3b-\x7e]{1,76})[ \t]*:(.*)$/s

export function readFields(text: string): Fields {
  const values = new Map<string, string[]>()
  let count = 0
  for (const line of unfoldedLines(text)) {
    const [, name, value] = fieldLine.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    const key = name.toLowerCase()
    const known = values.get(key)
    if (known) known.push(value.trim().slice(0, maxValue))
    else values.set(key, [value.trim().slice(0, maxValue)])
    if (++count === maxFields) break
  }
  return new Fields(values)
}

function* unfoldedLines(text: string): Generator<string> {
  let pieces: string[] = []
  for (const line of text.split('\n')) {
    if (pieces.length > 0 && (line.startsWith(' ') || line.startsWith('\t'))) {
      pieces.push(line)
      continue
    }
    if (pieces.length > 0) yield pieces.join('')
    pieces = [line]
  }
  if (pieces.length > 0) yield pieces.join('')
}

export interface Parameterised {
  /** Lower case, without parameters. */
  readonly value: string
  readonly parameters: Readonly<Record<string, string>>
}

/** `multipart/report; report-type=delivery-status; boundary="x"` (RFC 2045 §5.1). */
export function parameterised(text: string): Parameterised {
  const [value = ''] = text.split(';', 1)
  const parameters: Record<string, string> = Object.create(null)
  for (const [, name, quoted, plain] of text.matchAll(/;\s*([\w-]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/g))
    parameters[name!.toLowerCase()] ??= quoted === undefined ? plain! : quoted.replace(/\\(.)/g, '$1')
  return { value: value.trim().toLowerCase(), parameters }
}

/** `rfc822; user@example.com` → that address; `utf-8` addresses are decoded (RFC 6533 §3). Null: nothing there. */
export function typedAddress(text: string | null): string | null {
  if (text === null) return null
  const [, type, rest] = /^\s*([\w-]{1,40})\s*;(.*)$/s.exec(text) ?? [undefined, '', text]
  const bare = rest!.trim().replace(/^<(.*)>$/s, '$1')
  const address = type!.toLowerCase() === 'utf-8' ? unitext(bare) : bare
  return address === '' ? null : address.slice(0, 320)
}

/** `dns; mx.example.com` → the name. */
export function typedName(text: string | null): string | null {
  const name = text?.replace(/^\s*[\w-]{1,40}\s*;/, '').trim()
  return name ? name.slice(0, 255) : null
}

/** utf-8-addr-xtext and utf-8-addr-unitext: `\x{5B9B}` stands for one character, the rest is UTF-8 as it came. */
function unitext(text: string): string {
  const decoded = Buffer.from(text, 'latin1').toString('utf8')
  return decoded.replace(/\\x\{([0-9a-fA-F]{1,6})\}/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code > 0x1f && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
