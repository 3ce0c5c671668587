/**
 * Debian's Postfix as the MX of a recipient domain: an instance of its own in a temporary folder.
 *
 * Takes mail for every address of its domains and delivers each copy into one maildir by virtual(8).
 */
import { chownSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { openMailbox, type RealMailbox } from './mailbox.ts'
import { type PostfixIds, postfixIds, writePostfixFolder } from './postfix-folder.ts'
import { answers, needProgram, needRoot, start, temporaryFolder } from './program.ts'

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
  /** Of Postfix: milters that judge what comes, in this order. */
  readonly milters?: readonly string[]
}

export async function startPostfix(test: Context, options: MtaOptions): Promise<Postfix> {
  needRoot(test)
  const master = needProgram(test, 'master')
  const ids = await postfixIds()
  const folder = temporaryFolder('kitte-postfix-')
  const settings = settingsOf(join(folder.path, 'mail'), options, ids)
  writePostfixFolder(folder.path, { ...options, ids, settings, services: ['virtual unix - n n - - virtual'] })
  mkdirSync(join(folder.path, 'mail'))
  chownSync(join(folder.path, 'mail'), ids.uid, ids.gid)
  const configuration = join(folder.path, 'etc')
  // As leader of a group of its own it ends its daemons when it is told to end.
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

function settingsOf(
  mail: string,
  { domains, milters = [] }: MtaOptions,
  { uid, gid }: PostfixIds,
): Record<string, string | number> {
  return {
    smtpd_milters: milters.join(' '),
    milter_default_action: 'tempfail',
    // The client is on loopback: it must not count as one of ours, or headers would be completed.
    mynetworks: '192.0.2.255/32',
    local_header_rewrite_clients: '',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    smtputf8_enable: 'yes',
    message_size_limit: 60_000_000,
    mailbox_size_limit: 0,
    virtual_mailbox_limit: 0,
    virtual_mailbox_domains: domains.join(', '),
    virtual_mailbox_base: mail,
    virtual_mailbox_maps: 'static:inbox/',
    virtual_minimum_uid: 1,
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
  }
}
