/**
 * Debian's Exim as a relay in a folder of its own; it signs by itself (relaxed/relaxed, RSA with 2048 bits), durable as it comes.
 *
 * It trusts loopback, without AUTH. Its bounds on how many messages it takes before it only queues are lifted: they are made
 * for mail that comes from anywhere. Deliveries keep its user in place of executing it anew as root, which an unpacked Exim
 * (`.ci/run`) can't do; that spares it time. Its deliveries are nobody's children, so their CPU is not counted anywhere. Needs root and its user: Exim gives up its privileges by itself.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeCertificate } from '../../test/support/real/certificate.ts'
import { answers, findProgram, freePort, run } from '../../test/support/real/program.ts'
import { addressOf, domainsOf } from './cases.ts'
import { startProgram } from './program.ts'
import { type SigningKeyFile, writeSigningKey } from './signing-key.ts'
import { hostOf, type Subject, type SubjectOptions, senderDomain } from './subject.ts'

/** Compiled into Debian's binary. */
const user = 'Debian-exim'

export async function startExim(options: SubjectOptions): Promise<Subject> {
  const { folder, variables } = options
  const program = findProgram('exim4')!
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async flag => Number((await run('id', [flag, user])).stdout)))
  for (const name of ['spool', 'log', 'etc']) {
    mkdirSync(join(folder, name))
    chownSync(join(folder, name), uid!, gid!)
  }
  chmodSync(folder, 0o755)
  const signingKey = writeSigningKey(join(folder, 'etc'))
  const tls = writeCertificate(join(folder, 'etc'), hostOf('relay'))
  for (const file of [signingKey.keyFile, tls.keyFile, tls.certFile]) chownSync(file, uid!, gid!)
  const port = await freePort()
  const configuration = join(folder, 'exim.conf')
  writeFileSync(configuration, configurationOf(options, { program, port, tls, signingKey }), { mode: 0o644 })
  const daemon = await startProgram(program, ['-C', configuration, '-bdf'], { variables, ready: () => answers(port) })
  return {
    name: 'exim',
    port,
    client: { port, auth: null },
    from: `bench@${senderDomain}`,
    // It knows no customers: another address is all there is of one.
    other: { client: { port, auth: null }, from: `other@${senderDomain}` },
    loopDelays: null,
    pids: [daemon.pid],
    losesProcesses: true,
    key: signingKey.key,
    queued: async () => headersBelow(join(folder, 'spool/input')),
    output: daemon.output,
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  }
}

/** Null: it is there. */
export function lackingEximUser(): string | null {
  try {
    execFileSync('id', ['-u', user], { stdio: 'ignore' })
    return null
  } catch {
    return `there is no user ${user}`
  }
}

/** A message that waits has a file of that name; one can go while we count. */
function headersBelow(folder: string): number {
  try {
    return readdirSync(folder).filter(name => name.endsWith('-H')).length
  } catch {
    return 0
  }
}

interface Parts {
  readonly program: string
  readonly port: number
  readonly tls: { readonly keyFile: string; readonly certFile: string }
  readonly signingKey: SigningKeyFile
}

function configurationOf(
  { folder, work, sinkPort }: SubjectOptions,
  { program, port, tls, signingKey }: Parts,
): string {
  const sites = domainsOf(work).map((domain, site) => `${domain} ${addressOf(site)} byname`)
  return `primary_hostname = ${hostOf('relay')}
exim_user = ${user}
exim_path = ${program}
deliver_drop_privilege
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts = *
tls_certificate = ${tls.certFile}
tls_privatekey = ${tls.keyFile}
message_size_limit = 60M
smtp_accept_max = 500
smtp_accept_max_per_connection = 1000000
smtp_accept_queue = 0
smtp_accept_queue_per_connection = 0
remote_max_parallel = 20
host_lookup =
rfc1413_query_timeout = 0s
dkim_verify_signers =
# The slow disk.
keep_environment = LD_PRELOAD
acl_smtp_rcpt = accept_all
begin acl
accept_all:
  accept
begin routers
sites:
  driver = manualroute
  domains = ${domainsOf(work).join(' : ')}
  route_list = ${sites.join(' ; ')}
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = ${sinkPort}
  hosts_avoid_tls = *
  dkim_domain = ${senderDomain}
  dkim_selector = ${signingKey.selector}
  dkim_private_key = ${signingKey.keyFile}
  dkim_canon = relaxed
  dkim_strict = true
begin retry
* * F,1h,1m
`
}
