/**
 * Debian's Postfix as a relay in a folder of its own, signed for by a milter; otherwise as it comes, durable by default.
 *
 * It trusts loopback, without AUTH. Needs root: Postfix gives up its privileges by itself.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { postfixIds, writePostfixFolder } from '../../test/support/real/postfix-folder.ts'
import { answers, findProgram, freePort } from '../../test/support/real/program.ts'
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
  writePostfixFolder(folder, {
    ...{ ids: await postfixIds(), host: '127.0.0.1', port, name: hostOf('relay') },
    settings: settingsOf(options, milter.socket),
    services: ['pickup unix n - n 60 1 pickup', 'smtp unix - - n - - smtp'],
  })
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

function settingsOf({ work, sinkPort }: SubjectOptions, milterSocket: string): Record<string, string> {
  const sites = domainsOf(work).map((domain, site) => `{${domain} = smtp:[${addressOf(site)}]:${sinkPort}}`)
  return {
    mynetworks: '127.0.0.0/8',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtpd_milters: `unix:${milterSocket}`,
    // Nothing goes out unsigned.
    milter_default_action: 'tempfail',
    transport_maps: `inline:{${sites.join(', ')}}`,
    // What it hands on to its daemons, and the slow disk.
    import_environment: 'MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LD_PRELOAD',
  }
}
