/**
 * Debian's Postfix as somebody's own SMTP server: AUTH under TLS by Cyrus SASL (sasldb), and everything on to one MX.
 *
 * A user may use his own address only, and a client is held to a number of messages a minute where asked for.
 */
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { postfixIds, writePostfixFolder } from './postfix-folder.ts'
import { answers, needProgram, needRoot, run, start, temporaryFolder } from './program.ts'

export interface SubmissionPostfixOptions {
  readonly host: string
  readonly port: number
  /** In its greeting and certificate. */
  readonly name: string
  readonly user: { readonly username: string; readonly password: string; readonly address: string }
  /** Where all its mail goes. */
  readonly next: { readonly host: string; readonly port: number }
  /** Messages of one client within a minute; default: any number. */
  readonly messagesPerMinute?: number
}

export interface SubmissionPostfix extends AsyncDisposable {
  /** PEM file, self-signed. */
  readonly certFile: string
  log(): string
}

export async function startSubmissionPostfix(
  test: Context,
  options: SubmissionPostfixOptions,
): Promise<SubmissionPostfix> {
  needRoot(test)
  const master = needProgram(test, 'master')
  const saslpasswd = needProgram(test, 'saslpasswd2')
  const ids = await postfixIds()
  const folder = temporaryFolder('kitte-own-smtp-')
  const settings = settingsOf(options)
  const services = ['smtp unix - - n - - smtp', 'relay unix - - n - - smtp']
  writePostfixFolder(folder.path, { ...options, ids, settings, services })
  await writeSasl(folder.path, saslpasswd, options, ids)
  const ready = () => answers(options.port, options.host)
  const running = await start(master, ['-c', join(folder.path, 'etc'), '-d'], ready, { detached: true })
  return {
    certFile: join(folder.path, 'etc/cert.pem'),
    log: () => readFileSync(join(folder.path, 'data/log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function settingsOf({
  name,
  next,
  user,
  messagesPerMinute = 0,
}: SubmissionPostfixOptions): Record<string, string | number> {
  return {
    mynetworks: '192.0.2.255/32',
    smtpd_tls_auth_only: 'yes',
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sasl_path: 'smtpd',
    smtpd_sasl_local_domain: name,
    smtpd_sasl_security_options: 'noanonymous',
    smtpd_sender_login_maps: `inline:{ {${user.address} = ${user.username}@${name}} }`,
    smtpd_sender_restrictions: 'reject_sender_login_mismatch',
    smtpd_relay_restrictions: 'permit_sasl_authenticated, reject',
    smtpd_client_message_rate_limit: messagesPerMinute,
    smtpd_client_event_limit_exceptions: '',
    anvil_rate_time_unit: '60s',
    relayhost: `[${next.host}]:${next.port}`,
    smtp_dns_support_level: 'disabled',
    smtp_tls_security_level: 'may',
    smtp_address_preference: 'ipv4',
  }
}

/** Where Debian's build of Postfix looks, beside its own configuration. */
async function writeSasl(
  folder: string,
  saslpasswd: string,
  { name, user }: SubmissionPostfixOptions,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const users = join(folder, 'etc/sasl/users')
  mkdirSync(join(folder, 'etc/sasl'))
  writeFileSync(
    join(folder, 'etc/sasl/smtpd.conf'),
    `pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: ${users}\nmech_list: PLAIN LOGIN\n`,
  )
  const args = ['-p', '-c', '-f', users, '-u', name, user.username]
  const { code, stderr } = await run(saslpasswd, args, Buffer.from(user.password))
  if (code !== 0) throw new Error(`saslpasswd2: ${stderr}`)
  chownSync(users, uid, gid)
}
