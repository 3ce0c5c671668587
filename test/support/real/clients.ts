/**
 * Real mail clients, each asked to submit the same bytes: swaks, curl, msmtp, Python's smtplib, nodemailer.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { type Ended, findProgram, run } from './program.ts'

export interface Submission {
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'implicit'
  readonly mechanism: 'PLAIN' | 'LOGIN'
  readonly username: string
  readonly password: string
  readonly from: string
  readonly to: readonly string[]
  /** CRLF line ends, not dot-stuffed, ends with CRLF. */
  readonly message: Buffer
  /** For files that a client wants to read. */
  readonly folder: string
}

export interface MailClient {
  readonly name: string
  /** Whether it knows SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean
  /** Null: it can run here; else why not. */
  missing(): string | null
  /** Resolves when the relay said 250. */
  submit(submission: Submission): Promise<void>
}

const python = '/usr/bin/python3'

export const mailClients: readonly MailClient[] = [
  { name: 'swaks', smtpUtf8: false, missing: () => missing('swaks'), submit: submitBySwaks },
  { name: 'curl', smtpUtf8: true, missing: () => missing('curl'), submit: submitByCurl },
  { name: 'msmtp', smtpUtf8: false, missing: () => missing('msmtp'), submit: submitByMsmtp },
  { name: 'smtplib', smtpUtf8: true, missing: () => missing(python), submit: submitBySmtplib },
  { name: 'nodemailer', smtpUtf8: true, missing: () => null, submit: submitByNodemailer },
]

function missing(program: string): string | null {
  const found = program.startsWith('/') ? existsSync(program) : findProgram(program) !== null
  return found ? null : `${program} is not installed (.ci/run installs it)`
}

async function submitBySwaks(wish: Submission): Promise<void> {
  // --no-data-fixup: the data exactly as on the wire, final dot included; swaks itself ends it with CRLF.
  const file = join(wish.folder, 'swaks.data')
  const stuffed = wish.message.toString('latin1').replace(/^\./gm, '..')
  writeFileSync(file, Buffer.from(`${stuffed}.`, 'latin1'))
  ended(
    await run('swaks', [
      ...['--server', wish.host, '--port', String(wish.port), wish.tls === 'implicit' ? '--tls-on-connect' : '--tls'],
      ...['--auth', wish.mechanism, '--auth-user', wish.username, '--auth-password', wish.password],
      ...['--from', wish.from, '--to', wish.to.join(','), '--no-data-fixup', '--data', `@${file}`],
      ...['--hide-all', '--timeout', '60s'],
    ]),
  )
}

async function submitByCurl(wish: Submission): Promise<void> {
  const scheme = wish.tls === 'implicit' ? 'smtps' : 'smtp'
  ended(
    await run(
      'curl',
      [
        ...['-sS', '--insecure', '--ssl-reqd', '--url', `${scheme}://${wish.host}:${wish.port}`],
        ...['--user', `${wish.username}:${wish.password}`, '--login-options', `AUTH=${wish.mechanism}`],
        ...['--mail-from', wish.from, ...wish.to.flatMap(address => ['--mail-rcpt', address])],
        ...['--upload-file', '-'],
      ],
      wish.message,
    ),
  )
}

async function submitByMsmtp(wish: Submission): Promise<void> {
  const secret = join(wish.folder, 'msmtp.secret')
  writeFileSync(secret, wish.password, { mode: 0o600 })
  ended(
    await run(
      'msmtp',
      [
        ...[`--host=${wish.host}`, `--port=${wish.port}`, '--tls=on', '--tls-certcheck=off'],
        ...[`--tls-starttls=${wish.tls === 'starttls' ? 'on' : 'off'}`, `--auth=${wish.mechanism.toLowerCase()}`],
        ...[`--user=${wish.username}`, `--passwordeval=cat ${secret}`, `--from=${wish.from}`, '--', ...wish.to],
      ],
      // It reads Unix lines and sends CRLF.
      Buffer.from(wish.message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    ),
  )
}

async function submitBySmtplib({ message, folder: _, ...wish }: Submission): Promise<void> {
  const isUtf8 = [wish.from, ...wish.to].some(address => /[^\x00-\x7f]/.test(address))
  const options = isUtf8 ? ['SMTPUTF8', 'BODY=8BITMIME'] : ['BODY=8BITMIME']
  const script = join(import.meta.dirname, 'submit.py')
  ended(await run(python, [script, JSON.stringify({ ...wish, options })], message))
}

async function submitByNodemailer(wish: Submission): Promise<void> {
  const transport = createTransport({
    host: wish.host,
    port: wish.port,
    secure: wish.tls === 'implicit',
    requireTLS: true,
    tls: { rejectUnauthorized: false },
    auth: { user: wish.username, pass: wish.password },
    authMethod: wish.mechanism,
  })
  try {
    const { rejected } = await transport.sendMail({
      envelope: { from: wish.from, to: [...wish.to] },
      raw: wish.message,
    })
    if (rejected.length > 0) throw new Error(`refused: ${rejected.join(', ')}`)
  } finally {
    transport.close()
  }
}

function ended({ code, stdout, stderr }: Ended): void {
  if (code !== 0) throw new Error(`ended with ${code}:\n${stdout}${stderr}`)
}
