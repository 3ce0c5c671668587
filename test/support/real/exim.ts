/**
 * Debian's Exim as the MX of a recipient domain: its own configuration and spool in a temporary folder.
 *
 * Takes mail for every address and writes each copy, with the line ends of the wire, into one maildir.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { writeCertificate } from './certificate.ts'
import { openMailbox, type RealMailbox } from './mailbox.ts'
import type { MtaOptions } from './postfix.ts'
import { answers, needProgram, needRoot, run, skipAloud, start, temporaryFolder } from './program.ts'

export interface Exim extends AsyncDisposable {
  readonly mailbox: RealMailbox
  log(): string
}

/** Compiled into Debian's binary. */
const eximUser = 'Debian-exim'

export async function startExim(test: Context, options: MtaOptions): Promise<Exim> {
  needRoot(test)
  const exim = needProgram(test, 'exim4')
  const user = await run('id', ['-u', eximUser])
  if (user.code !== 0) skipAloud(test, `there is no user ${eximUser} (.ci/run adds it)`)
  const uid = Number(user.stdout)
  const gid = Number((await run('id', ['-g', eximUser])).stdout)
  const folder = temporaryFolder('kitte-exim-')
  chmodSync(folder.path, 0o755)
  for (const name of ['spool', 'log', 'mail', 'etc']) {
    mkdirSync(join(folder.path, name))
    chownSync(join(folder.path, name), uid, gid)
  }
  const { keyFile, certFile } = writeCertificate(join(folder.path, 'etc'), options.name)
  for (const file of [keyFile, certFile]) chownSync(file, uid, gid)
  const configuration = join(folder.path, 'exim.conf')
  writeFileSync(configuration, configurationOf(exim, folder.path, options, { keyFile, certFile }), { mode: 0o644 })
  const running = await start(exim, ['-C', configuration, '-bdf', '-v'], () => answers(options.port, options.host))
  return {
    mailbox: openMailbox(join(folder.path, 'mail/inbox'), 'crlf'),
    log: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function configurationOf(
  exim: string,
  folder: string,
  options: MtaOptions,
  tls: { keyFile: string; certFile: string },
): string {
  return `primary_hostname = ${options.name}
exim_user = ${eximUser}
exim_path = ${exim}
deliver_drop_privilege
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
local_interfaces = ${options.host}
daemon_smtp_ports = ${options.port}
tls_advertise_hosts = *
tls_certificate = ${tls.certFile}
tls_privatekey = ${tls.keyFile}
smtputf8_advertise_hosts = *
message_size_limit = 60M
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
host_lookup =
rfc1413_query_timeout = 0s
dkim_verify_signers =
keep_environment =
acl_smtp_rcpt = accept_all
begin acl
accept_all:
  accept domains = ${options.domains.join(' : ')}
  deny
begin routers
all:
  driver = accept
  transport = inbox
begin transports
inbox:
  driver = appendfile
  directory = ${folder}/mail/inbox
  maildir_format
  use_crlf
  return_path_add
  envelope_to_add
  user = ${eximUser}
begin retry
* * F,1h,1m
`
}
