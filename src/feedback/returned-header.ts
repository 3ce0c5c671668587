/**
 * The header of a message as a bounce returns it, for the report to its sender: by then its content is no longer stored.
 *
 * Only when it has the message's own Message-ID, only the fields that people know their mail by, and From and Message-ID
 * as we know them: whoever has a reverse-path of ours could write anything here. Null: it is not the message's.
 */
import type { Message } from '../mail/message.ts'
import { encodedWords, field, plain } from '../outcome/report-fields.ts'
import type { Fields } from './fields.ts'

export function returnedHeader(quoted: Fields, { messageIdHeader, from }: Message): Buffer | null {
  if (quoted.first('message-id')?.includes(`<${messageIdHeader}>`) !== true) return null
  const told = (name: string) => field(name, ascii(quoted.first(name.toLowerCase()) ?? ''))
  const lines = [
    ...field('From', from === null ? null : ascii(from)),
    ...told('To'),
    ...told('Cc'),
    ...told('Subject'),
    ...told('Date'),
    ...field('Message-ID', `<${plain(messageIdHeader)}>`),
  ]
  // With the end of a header: what is read up to there is returned.
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Fields are read as Latin-1; what is raw UTF-8 in them becomes encoded words (RFC 2047 §2). */
function ascii(value: string): string {
  const text = plain(Buffer.from(value, 'latin1').toString('utf8'), 'utf8')
  return /[^\x20-\x7e]/.test(text) ? encodedWords(text).replaceAll('\r\n ', ' ') : text
}
