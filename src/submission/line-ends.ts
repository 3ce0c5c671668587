/**
 * Turns every lone CR and every lone LF into CRLF, chunk by chunk (RFC 5321 §2.3.8).
 *
 * Done once, before anything is judged or stored: a lone CR or LF becomes CRLF somewhere on the way and would break
 * the signature (RFC 6376 §5.3), or show recipients a header field that we took for text. A clean chunk is answered
 * as it is, without a copy: one native pattern search costs 2.5 µs for 4.9 KB, a loop in JavaScript 7 µs.
 */

const loneLineEnd = /\r(?!\n)|(?<!\r)\n/
const everyLoneLineEnd = new RegExp(loneLineEnd, 'g')
const cr = 0x0d
const crByte = Buffer.from('\r')
const crlf = Buffer.from('\r\n')
const nothing = Buffer.alloc(0)

export class LineEnds {
  /** The last chunk ended with a CR whose LF may come with the next. */
  #heldCr = false

  feed(chunk: Buffer): Buffer {
    const whole = this.#heldCr ? Buffer.concat([crByte, chunk]) : chunk
    this.#heldCr = whole.at(-1) === cr
    return clean(this.#heldCr ? whole.subarray(0, -1) : whole)
  }

  /** What was held back: a CR at the very end is a line end. */
  end(): Buffer {
    const last = this.#heldCr ? crlf : nothing
    this.#heldCr = false
    return last
  }
}

function clean(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  return loneLineEnd.test(text) ? Buffer.from(text.replace(everyLoneLineEnd, '\r\n'), 'latin1') : bytes
}
