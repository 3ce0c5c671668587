/**
 * OpenDKIM as a milter: signs relaxed/relaxed with an RSA key of 2048 bits, as Kitte does.
 *
 * On a local socket, as Debian sets it up; over TCP a message took 90 ms: small writes waited
 * for delayed acknowledgements.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/real/program.ts'
import type { SigningMilter } from './postfix.ts'
import { startProgram } from './program.ts'
import { writeSigningKey } from './signing-key.ts'
import { type SubjectOptions, senderDomain } from './subject.ts'

export async function startOpendkim({ folder, variables }: SubjectOptions): Promise<SigningMilter> {
  const { selector, keyFile, key } = writeSigningKey(folder)
  const socket = join(folder, 'milter.sock')
  const file = join(folder, 'opendkim.conf')
  // The folder lies below one that everybody may write to.
  writeFileSync(
    file,
    `Mode s
Socket local:${socket}
UMask 000
Domain ${senderDomain}
Selector ${selector}
KeyFile ${keyFile}
Canonicalization relaxed/relaxed
InternalHosts csl:127.0.0.1
RequireSafeKeys no
Syslog no
`,
  )
  const program = await startProgram(findProgram('opendkim')!, ['-f', '-x', file], {
    variables,
    ready: () => existsSync(socket),
  })
  return { ...program, socket, key, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() }
}
