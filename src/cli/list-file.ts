/**
 * Reads a file of text as spreadsheets and editors save it: UTF-8, UTF-16 with its mark, or Shift_JIS as Excel in Japan does.
 *
 * Bytes that are no UTF-8 are Shift_JIS, or were cut: the two can be told apart because hardly any Japanese text is both.
 * Fails with CliError: no file, or none of these.
 */
import { existsSync, readFileSync } from 'node:fs'
import { CliError } from './cli-error.ts'

export function readListFile(file: string): string {
  if (!existsSync(file)) throw new CliError(`there is no file ${file}`, 'name a file that this command can read')
  const bytes = readFileSync(file)
  for (const encoding of encodingsOf(bytes)) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes)
    } catch {}
  }
  throw new CliError(`${file} is neither UTF-8 nor Shift_JIS`, 'save it as UTF-8')
}

function encodingsOf(bytes: Uint8Array): readonly string[] {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return ['utf-16le']
  if (first === 0xfe && second === 0xff) return ['utf-16be']
  return ['utf-8', 'shift_jis']
}
