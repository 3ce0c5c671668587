/**
 * Debian's Postfix, Exim and OpenSMTPD as hosts that take mail, fail to hand it on, and write a bounce.
 *
 * Each takes mail for one domain and passes it on to a next hop, which refuses; its bounces go to the bounce host by a
 * fixed route, as DNS would say. Everything on loopback, each with configuration and queue of its own in a temporary folder.
 */
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Context } from 'mocha'
import { postfixIds, writePostfixFolder } from './postfix-folder.ts'
import { answers, needProgram, needRoot, run, skipAloud, start, temporaryFolder } from './program.ts'

export interface BouncingMta extends AsyncDisposable {
  /** What it says about itself, for when a test fails. */
  log(): string
}

export interface BouncingOptions {
  readonly host: string
  readonly port: number
  /** In its greeting and its reports. */
  readonly name: string
  readonly domain: string
  /** Ports of 127.0.0.1. */
  readonly nextHopPort: number
  readonly bounceHost: string
  readonly bouncePort: number
}

export async function startBouncingPostfix(test: Context, options: BouncingOptions): Promise<BouncingMta> {
  needRoot(test)
  const master = needProgram(test, 'master')
  const ids = await postfixIds()
  const folder = temporaryFolder('kitte-postfix-')
  const { domain, bounceHost, nextHopPort, bouncePort } = options
  const settings = {
    mynetworks: '192.0.2.255/32',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    relay_domains: domain,
    relay_recipient_maps: '',
    transport_maps: `inline:{{${domain} = smtp:[127.0.0.1]:${nextHopPort}}, {${bounceHost} = smtp:[127.0.0.1]:${bouncePort}}}`,
    smtp_tls_security_level: 'may',
    smtp_host_lookup: 'native',
    smtp_dns_support_level: 'disabled',
  }
  const services = ['smtp unix - - n - - smtp', 'relay unix - - n - - smtp']
  writePostfixFolder(folder.path, { ...options, ids, settings, services })
  const ready = () => answers(options.port, options.host)
  const running = await start(master, ['-c', join(folder.path, 'etc'), '-d'], ready, { detached: true })
  return {
    log: () => readFileSync(join(folder.path, 'data/log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

export async function startBouncingExim(test: Context, options: BouncingOptions): Promise<BouncingMta> {
  needRoot(test)
  const exim = needProgram(test, 'exim4')
  const ids = await idsOf(test, 'Debian-exim')
  const folder = temporaryFolder('kitte-exim-')
  chmodSync(folder.path, 0o755)
  for (const name of ['spool', 'log']) {
    mkdirSync(join(folder.path, name))
    chownSync(join(folder.path, name), ids.uid, ids.gid)
  }
  // It runs itself again, as its user, to write a bounce; where it was unpacked only root may be able to reach it.
  const program = join(folder.path, 'exim4')
  copyFileSync(exim, program)
  chmodSync(program, 0o755)
  const configuration = join(folder.path, 'exim.conf')
  writeFileSync(configuration, eximConfiguration(program, folder.path, options), { mode: 0o644 })
  const running = await start(program, ['-C', configuration, '-bdf', '-v', '-q1s'], () =>
    answers(options.port, options.host),
  )
  return {
    log: () => {
      const file = join(folder.path, 'log/mainlog')
      return running.output() + (existsSync(file) ? readFileSync(file, 'utf8') : '')
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function eximConfiguration(exim: string, folder: string, options: BouncingOptions): string {
  const { name, host, port, domain, bounceHost, nextHopPort, bouncePort } = options
  return `primary_hostname = ${name}
exim_user = Debian-exim
exim_path = ${exim}
deliver_drop_privilege
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
local_interfaces = ${host}
daemon_smtp_ports = ${port}
host_lookup =
rfc1413_query_timeout = 0s
dkim_verify_signers =
keep_environment =
acl_smtp_rcpt = accept_domain
begin acl
accept_domain:
  accept domains = ${domain}
  deny
begin routers
onward:
  driver = manualroute
  domains = ${domain}
  route_list = ${domain} 127.0.0.1::${nextHopPort}
  self = send
  transport = smtp
back:
  driver = manualroute
  domains = ${bounceHost}
  route_list = ${bounceHost} 127.0.0.1::${bouncePort}
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  allow_localhost
  dkim_domain =
begin retry
* * F,1h,1s
`
}

/**
 * Its folders are compiled in: it runs in a mount namespace of its own, where they are empty and in memory.
 * smtpd(8) asks for the owners and modes.
 */
const prepared = `set -e
for folder in /var/spool /var/lib /run; do mount -t tmpfs -o mode=755 none $folder; done
mkdir -p /var/lib/opensmtpd/empty
install -d -m 711 /var/spool/smtpd
install -d -m 770 -g opensmtpq /var/spool/smtpd/offline
install -d -m 700 -o opensmtpq /var/spool/smtpd/purge
exec "$@"`

export async function startBouncingOpenSmtpd(test: Context, options: BouncingOptions): Promise<BouncingMta> {
  needRoot(test)
  // Postfix has an smtpd too.
  const smtpd = join(dirname(needProgram(test, 'smtpctl')), 'smtpd')
  for (const user of ['opensmtpd', 'opensmtpq']) await idsOf(test, user)
  const allowed = await run('unshare', ['--mount', 'true'])
  if (allowed.code !== 0) skipAloud(test, 'may not make a mount namespace for OpenSMTPD, whose folders are compiled in')
  const folder = temporaryFolder('kitte-opensmtpd-')
  const configuration = join(folder.path, 'smtpd.conf')
  const { name, host, port, domain, bounceHost, nextHopPort, bouncePort } = options
  writeFileSync(
    configuration,
    `listen on ${host} port ${port} hostname ${name}
action "onward" relay host "smtp://127.0.0.1:${nextHopPort}"
action "back" relay host "smtp://127.0.0.1:${bouncePort}"
match from any for domain "${domain}" action "onward"
match from any for domain "${bounceHost}" action "back"
`,
  )
  const args = ['--mount', 'sh', '-c', prepared, 'sh', smtpd, '-d', '-f', configuration]
  const running = await start('unshare', args, () => answers(port, host))
  return {
    log: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

async function idsOf(test: Context, user: string): Promise<{ uid: number; gid: number }> {
  const found = await run('id', ['-u', user])
  if (found.code !== 0) skipAloud(test, `there is no user ${user} (.ci/run adds it)`)
  return { uid: Number(found.stdout), gid: Number((await run('id', ['-g', user])).stdout) }
}
