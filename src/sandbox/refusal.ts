/**
 * How the sandbox's receiving MX refuses: by the recipient's local part, so that failures can be tried out.
 *
 * `550-5.1.1@anything` is refused at RCPT with that reply, `data-451-4.7.1@anything` after the final dot, `421@…` closes
 * the connection. The enhanced class must be the code's first digit (RFC 3463 §3.1), else it is left as x.0.0.
 */

export interface Refusal {
  readonly code: number
  /** With its enhanced status, as it stands after the code. */
  readonly text: string
  readonly at: 'rcpt' | 'dot'
}

const pattern = /^(data-)?([45]\d\d)(?:-([45])\.(\d{1,3}\.\d{1,3}))?$/

/** Null: the recipient is welcome. */
export function refusalOf(localPart: string): Refusal | null {
  const [, atDot, code, statusClass, detail] = pattern.exec(localPart) ?? []
  if (code === undefined) return null
  const status = statusClass === code[0] && detail !== undefined ? detail : '0.0'
  return {
    code: Number(code),
    text: `${code[0]}.${status} refused because the address asks for it`,
    at: atDot === undefined ? 'rcpt' : 'dot',
  }
}
