/**
 * The folder of a Postfix instance of its own, as `postfix check` would make it in a second of shell scripts.
 *
 * TLS on offer, a log of its own, no aliases, no DNS lookups about clients, IPv4; the rest is said by who starts it.
 * Start it by `master -c folder/etc -d`, not by `postfix start-fg`: the master would leave our process group, while -d
 * keeps it there, and its output with us.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeCertificate } from './certificate.ts'
import { run } from './program.ts'

/** Postfix's user. */
export interface PostfixIds {
  readonly uid: number
  readonly gid: number
}

export interface PostfixFolder {
  readonly ids: PostfixIds
  readonly host: string
  readonly port: number
  /** In its greeting and certificate. */
  readonly name: string
  /** Of main.cf, beside the common ones. */
  readonly settings: Readonly<Record<string, string | number>>
  /** Of master.cf, beside the common ones: service, type, private, unprivileged, chroot, wakeup, process limit, command. */
  readonly services: readonly string[]
}

/** All belong to Postfix's user; pid belongs to root. */
const queues = 'active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace'.split(' ')

export async function postfixIds(): Promise<PostfixIds> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async flag => Number((await run('id', [flag, 'postfix'])).stdout)),
  )
  return { uid: uid!, gid: gid! }
}

export function writePostfixFolder(folder: string, options: PostfixFolder): void {
  const { uid, gid } = options.ids
  chmodSync(folder, 0o755)
  for (const name of ['etc', 'queue', 'queue/pid']) mkdirSync(join(folder, name))
  for (const name of ['data', ...queues.map(queue => `queue/${queue}`)]) {
    mkdirSync(join(folder, name))
    chownSync(join(folder, name), uid, gid)
  }
  const settings = { ...commonSettings(folder, options), ...options.settings }
  const main = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`)
  writeFileSync(join(folder, 'etc/main.cf'), main.join(''))
  writeFileSync(join(folder, 'etc/master.cf'), masterOf(options))
}

function commonSettings(folder: string, { host, name }: PostfixFolder): PostfixFolder['settings'] {
  const { keyFile, certFile } = writeCertificate(join(folder, 'etc'), name)
  return {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    myhostname: name,
    mydestination: '',
    inet_interfaces: host,
    inet_protocols: 'ipv4',
    smtpd_peername_lookup: 'no',
    smtpd_tls_security_level: 'may',
    smtpd_tls_key_file: keyFile,
    smtpd_tls_cert_file: certFile,
    alias_maps: '',
    local_recipient_maps: '',
    maillog_file: join(folder, 'data/log'),
    maillog_file_prefixes: folder,
  }
}

function masterOf({ host, port, services }: PostfixFolder): string {
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
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
${services.join('\n')}
`
}
