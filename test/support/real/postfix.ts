/**
 * Debian's Postfix as the MX of a recipient domain: an instance of its own in a temporary folder.
 *
 * Takes mail for every address of its domains and delivers each copy into one maildir by virtual(8).
 */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { writeCertificate } from './certificate.ts'
import { openMailbox, type RealMailbox } from './mailbox.ts'
import { answers, needProgram, needRoot, run, start, temporaryFolder } from './program.ts'

export interface Postfix extends AsyncDisposable {
  readonly mailbox: RealMailbox
  log(): string
}

export interface MtaOptions {
  readonly host: string
  readonly port: number
  /** The name in its greeting and certificate. */
  readonly name: string
  readonly domains: readonly string[]
}

/** What `postfix check` would make, in a second of shell scripts; pid belongs to root. */
const queues = 'active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace'
  .split(' ')
  .map(name => `queue/${name}`)

export async function startPostfix(test: Context, options: MtaOptions): Promise<Postfix> {
  needRoot(test)
  const master = needProgram(test, 'master')
  const { uid, gid } = await idsOf('postfix')
  const folder = temporaryFolder('kitte-postfix-')
  chmodSync(folder.path, 0o755)
  writeConfiguration(folder.path, options, { uid, gid })
  for (const name of ['data', 'mail', ...queues]) {
    mkdirSync(join(folder.path, name))
    chownSync(join(folder.path, name), uid, gid)
  }
  const configuration = join(folder.path, 'etc')
  // Not `postfix start-fg`: the master would leave our process group. -d keeps it and its output here; as leader of a
  // group of its own it ends its daemons when it is told to end.
  const ready = () => answers(options.port, options.host)
  const running = await start(master, ['-c', configuration, '-d'], ready, { detached: true })
  return {
    mailbox: openMailbox(join(folder.path, 'mail/inbox'), 'lf'),
    log: () => readFileSync(join(folder.path, 'data/log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async flag => Number((await run('id', [flag, user])).stdout)))
  return { uid: uid!, gid: gid! }
}

function writeConfiguration(folder: string, options: MtaOptions, { uid, gid }: { uid: number; gid: number }): void {
  for (const name of ['etc', 'queue', 'queue/pid']) mkdirSync(join(folder, name))
  const { keyFile, certFile } = writeCertificate(join(folder, 'etc'), options.name)
  const settings: Record<string, string | number> = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    myhostname: options.name,
    mydestination: '',
    inet_interfaces: options.host,
    inet_protocols: 'ipv4',
    // The client is on loopback: it must not count as one of ours, or headers would be completed.
    mynetworks: '192.0.2.255/32',
    local_header_rewrite_clients: '',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    smtpd_peername_lookup: 'no',
    smtpd_tls_security_level: 'may',
    smtpd_tls_key_file: keyFile,
    smtpd_tls_cert_file: certFile,
    smtputf8_enable: 'yes',
    message_size_limit: 60_000_000,
    mailbox_size_limit: 0,
    virtual_mailbox_limit: 0,
    virtual_mailbox_domains: options.domains.join(', '),
    virtual_mailbox_base: join(folder, 'mail'),
    virtual_mailbox_maps: 'static:inbox/',
    virtual_minimum_uid: 1,
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
    alias_maps: '',
    local_recipient_maps: '',
    maillog_file: join(folder, 'data/log'),
    maillog_file_prefixes: folder,
  }
  const main = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`)
  writeFileSync(join(folder, 'etc/main.cf'), main.join(''))
  writeFileSync(join(folder, 'etc/master.cf'), masterOf(options))
}

/** Service, type, private, unprivileged, chroot, wakeup, process limit, command. */
function masterOf({ host, port }: MtaOptions): string {
  return `${host}:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}
