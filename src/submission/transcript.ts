/**
 * The SMTP conversation as debug lines: smtp-server's own logger, which hides what follows AUTH.
 *
 * Not always: clients send their password also behind a refused AUTH, or with a tab where a space belongs, and then it
 * is an unknown command to the library. What is no command of SMTP is therefore told by its length only.
 */
import { format } from 'node:util'
import type { Log } from '../base/log.ts'

/** Commands that hold no secret, and what the library has made of AUTH. */
const harmless =
  /^(?:(?:EHLO|HELO|MAIL|RCPT|DATA|RSET|NOOP|QUIT|VRFY|EXPN|HELP|STARTTLS)(?: |$)|AUTH (?:PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|XOAUTH2|OAUTHBEARER|NTLM|GSSAPI|EXTERNAL)(?: \/\* secured \*\/)?$)/i

/** As smtp-server takes loggers; false when nobody reads it, so that no line is built. */
export function transcript(log: Log) {
  if (!log.debugs) return false
  const write = (_entry: unknown, ...text: unknown[]) => log.debug({}, withoutSecrets(format(...text)))
  return { level: () => {}, trace: () => {}, debug: write, info: write, warn: write, error: write, fatal: write }
}

/** `C: ` and what the client said. */
export function withoutSecrets(line: string): string {
  if (!line.startsWith('C: ')) return line
  const said = line.slice(3)
  return harmless.test(said) || said === '/* secured */' ? line : `C: (${said.length} characters that are no command)`
}
