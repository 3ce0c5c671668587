/**
 * Debian's Postfix as a relay in a folder of its own, signed for by a milter; otherwise as it comes, durable by default.
 *
 * It trusts loopback, without AUTH. Needs root: Postfix gives up its privileges by itself.
 */
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeCertificate } from '../../test/support/real/certificate.ts'
import { answers, findProgram, freePort, run } from '../../test/support/real/program.ts'
import { addressOf, domainsOf } from './cases.ts'
import { startProgram } from './program.ts'
import { hostOf, type Subject, type SubjectOptions, senderDomain } from './subject.ts'

/** A milter that signs (its protocol has no RFC; libmilter defines it). */
export interface SigningMilter extends AsyncDisposable {
  readonly pid: number
  /** Path of its local socket, which Postfix's user may open. */
  readonly socket: string
  readonly key: Subject['key']
  output(): string
}

/** What `postfix check` would make; pid belongs to root. */
const queues = 'active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace'.split(' ')
/** Where a message waits. */
const waiting = ['maildrop', 'incoming', 'active', 'deferred', 'hold']

export async function startPostfix(
  options: SubjectOptions,
  name: string,
  startMilter: (options: SubjectOptions) => Promise<SigningMilter>,
): Promise<Subject> {
  const { folder, variables } = options
  await using started = new AsyncDisposableStack()
  const milter = started.use(await startMilter(options))
  const port = await freePort()
  await writeFolder(options, port, milter.socket)
  // Not `postfix start-fg`: the master would leave its process group. -d keeps it there, and its output here.
  const program = started.use(
    await startProgram(findProgram('master')!, ['-c', join(folder, 'etc'), '-d'], {
      variables,
      ready: () => answers(port),
    }),
  )
  const cleanup = started.move()
  return {
    name,
    port,
    client: { port, auth: null },
    from: `bench@${senderDomain}`,
    // It knows no customers: another address is all there is of one.
    other: { client: { port, auth: null }, from: `other@${senderDomain}` },
    loopDelays: null,
    pids: [program.pid, milter.pid],
    key: milter.key,
    queued: async () => waiting.reduce((sum, queue) => sum + filesBelow(join(folder, 'queue', queue)), 0),
    output: () => program.output() + milter.output(),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

/** Queues are hashed into folders of folders; a file can go while we count. */
function filesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).length
}

async function writeFolder(options: SubjectOptions, port: number, milterSocket: string): Promise<void> {
  const { folder } = options
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async flag => Number((await run('id', [flag, 'postfix'])).stdout)),
  )
  for (const name of ['etc', 'queue', 'queue/pid']) mkdirSync(join(folder, name))
  for (const name of ['data', ...queues.map(queue => `queue/${queue}`)]) {
    mkdirSync(join(folder, name))
    chownSync(join(folder, name), uid!, gid!)
  }
  chmodSync(folder, 0o755)
  const main = Object.entries(settingsOf(options, milterSocket)).map(([key, value]) => `${key} = ${value}\n`)
  writeFileSync(join(folder, 'etc/main.cf'), main.join(''))
  writeFileSync(join(folder, 'etc/master.cf'), masterOf(port))
}

function settingsOf({ folder, work, sinkPort }: SubjectOptions, milterSocket: string): Record<string, string> {
  const { keyFile, certFile } = writeCertificate(join(folder, 'etc'), hostOf('relay'))
  const sites = domainsOf(work).map((domain, site) => `{${domain} = smtp:[${addressOf(site)}]:${sinkPort}}`)
  return {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    myhostname: hostOf('relay'),
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtpd_peername_lookup: 'no',
    smtpd_tls_security_level: 'may',
    smtpd_tls_key_file: keyFile,
    smtpd_tls_cert_file: certFile,
    smtpd_milters: `unix:${milterSocket}`,
    // Nothing goes out unsigned.
    milter_default_action: 'tempfail',
    transport_maps: `inline:{${sites.join(', ')}}`,
    alias_maps: '',
    local_recipient_maps: '',
    maillog_file: join(folder, 'data/log'),
    maillog_file_prefixes: folder,
    // What it hands on to its daemons, and the slow disk.
    import_environment: 'MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LD_PRELOAD',
  }
}

/** Service, type, private, unprivileged, chroot, wakeup, process limit, command. */
function masterOf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
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
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}
