import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DotLines } from '../../src/submission/dot-lines.ts'
import { LineEnds } from '../../src/submission/line-ends.ts'
import { normalizeHeader } from '../../src/submission/normalize.ts'
import { Reception } from '../../src/submission/reception.ts'
import { SmtpError } from '../../src/submission/replies.ts'
import { stuffed } from '../support/dialogue.ts'
import { assertLinear } from '../support/linear-time.ts'

/** Texts made of what matters to a reader of lines. */
const lineText = fc.array(
  fc.constantFrom('\r', '\n', '\r\n', '.', '..', ' ', ':', 'a', 'From: x', 'Bcc: y', '\x00', 'é'),
  {
    maxLength: 40,
  },
)
const content = lineText.map(parts => Buffer.from(parts.join(''), 'latin1'))
const cuts = fc.array(fc.nat(60), { maxLength: 8 })

function pieces(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.filter(cut => cut < bytes.length))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) =>
    Buffer.from(bytes.subarray(index === 0 ? 0 : ends[index - 1]!, end)),
  )
}

function withLineEnds(chunks: readonly Buffer[]): Buffer {
  const lineEnds = new LineEnds()
  return Buffer.concat([...chunks.map(chunk => Buffer.from(lineEnds.feed(chunk))), lineEnds.end()])
}

describe('line ends', () => {
  for (const [text, clean] of [
    ['a\r\nb\r\n', 'a\r\nb\r\n'],
    ['a\nb\n', 'a\r\nb\r\n'],
    ['a\rb\r', 'a\r\nb\r\n'],
    ['a\r\r\nb', 'a\r\n\r\nb'],
    ['a\n\r\nb', 'a\r\n\r\nb'],
    ['a\n\rb', 'a\r\n\r\nb'],
    ['\n', '\r\n'],
    ['', ''],
  ] as const) {
    it(`${JSON.stringify(text)} become ${JSON.stringify(clean)}`, () =>
      assert.equal(withLineEnds([Buffer.from(text)]).toString(), clean))
  }

  it('hold no lone CR or LF, are the same however the bytes are cut, and stay as they are the second time', () => {
    fc.assert(
      fc.property(content, cuts, (bytes, at) => {
        const clean = withLineEnds([Buffer.from(bytes)])
        assert.doesNotMatch(clean.toString('latin1'), /\r(?!\n)|(?<!\r)\n/)
        assert.deepEqual(withLineEnds(pieces(bytes, at)), clean)
        assert.deepEqual(withLineEnds([Buffer.from(clean)]), clean)
      }),
    )
  })

  it('of a clean chunk cost no copy', () => {
    const chunk = Buffer.from('a\r\nb\r\n')
    assert.equal(new LineEnds().feed(chunk).buffer, chunk.buffer)
  })
})

function unstuffed(chunks: readonly Buffer[]): { content: string; rest: string } {
  const lines = new DotLines()
  let text = ''
  for (const [index, chunk] of chunks.entries()) {
    const { content, rest } = lines.feed(Buffer.from(chunk))
    text += content.toString('latin1')
    if (rest !== null)
      return { content: text, rest: Buffer.concat([rest, ...chunks.slice(index + 1)]).toString('latin1') }
  }
  throw new Error(`no end in ${JSON.stringify(Buffer.concat([...chunks]).toString())}`)
}

describe('the end of a message', () => {
  for (const [wire, content, rest] of [
    ['.\r\n', '', ''],
    ['a\r\n.\r\nQUIT\r\n', 'a\r\n', 'QUIT\r\n'],
    ['..\r\n.\r\n', '.\r\n', ''],
    ['...a\r\n.\r\n', '..a\r\n', ''],
    ['.a\r\n.\r\n', 'a\r\n', ''],
    ['\r\n.\r\n', '\r\n', ''],
    ['a\n.\n.\r\n.\r\n', 'a\n.\n.\r\n', ''],
    ['a\n.\r\nb\r\n.\r\n', 'a\n.\r\nb\r\n', ''],
    ['a\r.\rb\r\n.\r\n', 'a\r.\rb\r\n', ''],
    ['a\r\n.\nMAIL FROM:<x>\r\n.\r\n', 'a\r\n\nMAIL FROM:<x>\r\n', ''],
    ['a\r\n.\r\r\n.\r\n', 'a\r\n\r\r\n', ''],
  ] as const) {
    it(`in ${JSON.stringify(wire)} is the dot alone between two CRLF`, () => {
      assert.deepEqual(unstuffed([Buffer.from(wire)]), { content, rest })
      assert.deepEqual(unstuffed([...wire].map(sign => Buffer.from(sign))), { content, rest })
    })
  }

  it('is found however the bytes are cut, and what was stuffed comes out as it went in', () => {
    fc.assert(
      fc.property(content, cuts, (bytes, at) => {
        const ended = Buffer.concat([bytes, Buffer.from('\r\n')])
        const wire = Buffer.concat([stuffed(ended), Buffer.from('NOOP\r\n')])
        assert.deepEqual(unstuffed(pieces(wire, at)), { content: ended.toString('latin1'), rest: 'NOOP\r\n' })
      }),
    )
  })

  it('costs a message of nothing but dots no more than any other', () =>
    assertLinear(250_000, lines => {
      const wire = Buffer.from(`${'..\r\n'.repeat(lines)}.\r\n`)
      assert.equal(new DotLines().feed(wire).content.length, 3 * lines)
    }))
})

const added = { received: 'Received: here\r\n', date: 'today', id: 'id1', hostname: 'relay.example' }
const normalized = (block: string) => {
  const header = normalizeHeader(Buffer.from(block, 'latin1'), added, 1000)
  return { ...header, stored: Buffer.concat([...header.parts]).toString('latin1') }
}
const complete = 'Date: x\r\nMessage-ID: <m@x>\r\n'

describe('a header', () => {
  it('gets Received on top, and Date and Message-ID at its end when they are missing', () => {
    const { stored, messageId } = normalized('Subject: s\r\n')
    assert.equal(stored, 'Received: here\r\nSubject: s\r\nDate: today\r\nMessage-ID: <id1@relay.example>\r\n\r\n')
    assert.equal(messageId, 'id1@relay.example')
  })

  it('keeps the Date and the Message-ID it has', () => {
    const { stored, messageId } = normalized(complete)
    assert.equal(stored, `Received: here\r\n${complete}\r\n`)
    assert.equal(messageId, 'm@x')
  })

  it('loses Bcc, Resent-Bcc and Return-Path, folded ones too, and nothing else', () => {
    const { stored } = normalized(
      `Bcc: a\r\n b\r\nA: 1\r\nbCC : c\r\nReturn-Path: <x>\r\nB: 2\r\n  3\r\nResent-Bcc: d\r\n${complete}Bcc:\r\n`,
    )
    assert.equal(stored, `Received: here\r\nA: 1\r\nB: 2\r\n  3\r\n${complete}\r\n`)
  })

  it('that is followed by text without an empty line gets one', () => {
    const { stored } = normalized(`${complete}This is text\r\nBcc: text too\r\n`)
    assert.equal(stored, `Received: here\r\n${complete}\r\nThis is text\r\nBcc: text too\r\n\r\n`)
  })

  it('keeps bytes beyond ASCII, long lines and NUL', () => {
    const block = `${complete}X: é\x00${'x'.repeat(5000)}\r\n`
    assert.equal(normalized(block).stored, `Received: here\r\n${block}\r\n`)
  })
})

async function received(chunks: readonly Buffer[], inlineContentBytes = 1000, limits = {}): Promise<string> {
  const written: Buffer[] = []
  const reception = new Reception({
    limits: {
      maxMessageBytes: 10_000,
      maxHeaderBytes: 2000,
      maxHeaderFieldBytes: 1000,
      maxHeaderFields: 1000,
      ...limits,
    },
    inlineContentBytes,
    spool: {
      create: async () => ({
        write: async chunk => void written.push(Buffer.from(chunk)),
        commit: async () => 'path',
        discard: async () => {},
      }),
    },
    normalizeHeader: block => normalizeHeader(block, added, 1000),
  })
  for (const chunk of chunks) await reception.write(Buffer.from(chunk))
  const { size } = await reception.end()
  const content = await reception.content()
  const bytes = content.kind === 'inline' ? Buffer.from(content.bytes) : Buffer.concat(written)
  assert.equal(bytes.length, size)
  return bytes.toString('latin1')
}

describe('what is stored', () => {
  it('is the same however the bytes are cut and wherever they go, and is itself stable', async () => {
    await fc.assert(
      fc.asyncProperty(content, cuts, async (text, at) => {
        // On the wire the line of the final dot begins behind a CRLF.
        const bytes = Buffer.concat([text, Buffer.from('\r\n')])
        const whole = await received([bytes])
        assert.equal(await received(pieces(bytes, at)), whole)
        assert.equal(await received(pieces(bytes, at), 5), whole)
        assert.doesNotMatch(whole, /\r(?!\n)|(?<!\r)\n/)
        // A second relay finds an empty line where we put it, and adds its Received only.
        assert.equal(await received([Buffer.from(whole, 'latin1')]), `Received: here\r\n${whole}`)
      }),
    )
  })

  for (const [what, sent, stored] of [
    ['an empty message', '', `Received: here\r\nDate: today\r\nMessage-ID: <id1@relay.example>\r\n\r\n`],
    ['a header without body', complete, `Received: here\r\n${complete}\r\n`],
    ['a header with an empty body', `${complete}\r\n`, `Received: here\r\n${complete}\r\n`],
    [
      'a body without header',
      '\r\ntext\r\n',
      `Received: here\r\nDate: today\r\nMessage-ID: <id1@relay.example>\r\n\r\ntext\r\n`,
    ],
    [
      'a body of odd bytes',
      `${complete}\r\n\x00\xff${'y'.repeat(1200)}`,
      `Received: here\r\n${complete}\r\n\x00\xff${'y'.repeat(1200)}`,
    ],
    [
      'a header hidden behind a lone LF',
      `${complete}A: x\nBcc: y\r\n\r\n`,
      `Received: here\r\n${complete}A: x\r\n\r\n`,
    ],
  ] as const) {
    it(`of ${what} is decided`, async () => assert.equal(await received([Buffer.from(sent, 'latin1')]), stored))
  }

  it('is refused beyond the bounds', async () => {
    const refusedWith = (code: number) => (error: unknown) => error instanceof SmtpError && error.reply.code === code
    const tooMuch = Buffer.alloc(10_001, 'x')
    await assert.rejects(received([Buffer.from('\r\n'), tooMuch]), refusedWith(552))
    await assert.rejects(received([tooMuch.subarray(0, 3000)]), refusedWith(552))
    await assert.rejects(received([Buffer.from(`A: ${'x'.repeat(1000)}\r\n\r\n`)]), refusedWith(552))
  })

  it('costs a header that comes byte by byte no more than its length', () =>
    assertLinear(1000, async lines => {
      const header = Buffer.from(`A: ${'x'.repeat(70)}\r\n`.repeat(lines))
      const bytes = Array.from(header, (_, index) => header.subarray(index, index + 1))
      await received(bytes, 1000, { maxMessageBytes: 1_000_000, maxHeaderBytes: 1_000_000 })
    }))
})
