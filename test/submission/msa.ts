/**
 * A submission server for tests: real sockets, real store, everything accepted at hand.
 */
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { type Config, loadConfig } from '../../src/base/config.ts'
import type { Fields, Log } from '../../src/base/log.ts'
import { hashPassword } from '../../src/base/password.ts'
import type { FreshContent, FreshDelivery } from '../../src/delivery/fresh.ts'
import type { Account } from '../../src/mail/account.ts'
import type { Message } from '../../src/mail/message.ts'
import { Meter } from '../../src/outcome/meter.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { openStore } from '../../src/store/open.ts'
import { openSpool, type Spool } from '../../src/store/spool.ts'
import type { LeasedEntry, Store } from '../../src/store/store.ts'
import { openSubmission, type Submission } from '../../src/submission/listener.ts'
import { account, credential, senderDomain, temporaryFolder } from '../store/fixtures.ts'
import { Dialogue, type DialogueOptions } from '../support/dialogue.ts'

export const password = 'a long enough password'

export interface MsaOptions {
  readonly submission?: Partial<Config['submission']>
  readonly inlineContentBytes?: number
  readonly clock?: Clock
  /** Changes what submission sees of the store. */
  readonly store?: (store: Store) => Pick<Store, 'accept' | 'health'>
  readonly spool?: (spool: Spool) => Spool
  readonly directory?: (directory: ReturnType<typeof openDirectory>) => ReturnType<typeof openDirectory>
  readonly acme?: Partial<Account>
  /** False: nothing is leased to fresh delivery. */
  readonly leases?: boolean
}

export interface Offered {
  readonly entries: readonly LeasedEntry[]
  readonly content: FreshContent
}

export interface LoggedLine {
  readonly level: string
  readonly text: string
  readonly fields: Fields
}

export interface Msa extends AsyncDisposable {
  readonly submission: Submission
  readonly store: Store
  readonly dataDir: string
  readonly offered: Offered[]
  readonly log: readonly LoggedLine[]
  /** Entries asked for and neither offered nor given back. */
  readonly asked: () => number
  readonly waitingSince: number[]
  /** Opens a connection to the first listener. */
  open(options?: Partial<DialogueOptions>): Promise<Dialogue>
  /** … and logs in: as `user-acme` unless told otherwise. */
  loggedIn(username?: string): Promise<Dialogue>
  lastMessage(): Message
  lastContent(): Buffer
  events(event: string): LoggedLine[]
}

const hashed: { hash?: Promise<string> } = {}

/** The listener is plain and takes AUTH unless `submission` says otherwise. */
export async function startMsa(options: MsaOptions = {}): Promise<Msa> {
  const folder = temporaryFolder()
  const clock = options.clock ?? systemClock
  const log: LoggedLine[] = []
  const config = testConfig(folder.path, options)
  const { inlineContentBytes } = config.store
  const recording = recordingLog(log)
  const storeOptions = { dataDir: folder.path, inlineContentBytes, minFreeBytes: 1, log: recording, clock }
  const open = await openStore({ ...storeOptions, inProcess: true })
  await fill(open.store, options.acme ?? {})
  const realDirectory = openDirectory({ store: open.store, clock })
  const directory = options.directory?.(realDirectory) ?? realDirectory
  const realSpool = openSpool(folder.path)
  const spool = options.spool?.(realSpool) ?? realSpool
  const fresh = new RecordingFresh(options.leases ?? true)
  const store = options.store?.(open.store) ?? open.store
  const meter = new Meter()
  const submission = await openSubmission({ config, store, spool, directory, fresh, clock, log: recording, meter })
  const where = () => ({ port: submission.ports[0]!, tls: config.submission.listeners[0]!.tls === 'implicit' })
  return {
    submission,
    store: open.store,
    dataDir: folder.path,
    offered: fresh.offered,
    log,
    asked: () => fresh.asked,
    waitingSince: fresh.waitingSince,
    open: more => Dialogue.greeted({ ...where(), ...more }),
    async loggedIn(username = 'user-acme') {
      const dialogue = await Dialogue.greeted(where())
      await dialogue.say('EHLO client.example', /^250/)
      await dialogue.login(username, password)
      return dialogue
    },
    lastMessage: () => fresh.offered.at(-1)!.entries[0]!.message,
    lastContent: () => fresh.offered.at(-1)!.content as Buffer,
    events: event => log.filter(({ fields }) => fields.event === event),
    async [Symbol.asyncDispose]() {
      await submission.stop()
      directory.close()
      await open.close()
      folder[Symbol.dispose]()
    },
  }
}

function testConfig(dataDir: string, options: MsaOptions): Config {
  const config = loadConfig([], {})
  const listeners = [{ host: '127.0.0.1', port: 0, tls: 'none' as const }]
  return {
    ...config,
    hostname: 'relay.test.example',
    dataDir,
    submission: {
      ...config.submission,
      listeners,
      requireTlsForAuth: false,
      authFailureDelay: 1,
      ...options.submission,
    },
    store: { ...config.store, inlineContentBytes: options.inlineContentBytes ?? config.store.inlineContentBytes },
  }
}

/** Two customers and the CRM: `acme` holds ours.example, an IDN and one address elsewhere; `other` theirs.example. */
async function fill(store: Store, acme: Partial<Account>): Promise<void> {
  hashed.hash ??= hashPassword(password)
  const passwordHash = await hashed.hash
  await store.createAccount({ ...account('acme'), ...acme })
  await store.createAccount(account('other'))
  for (const [id, owner] of [
    ['acme', 'acme'],
    ['other', 'other'],
    ['crm', null],
  ] as const)
    await store.createCredential({ ...credential(id, owner), passwordHash })
  await store.createDomain(senderDomain('ours.example', 'acme'), [])
  await store.createDomain(senderDomain('xn--r8jz45g.example', 'acme'), [])
  await store.createDomain(senderDomain('theirs.example', 'other'), [])
  await store.createSender({ address: 'acme@mail.example', account: 'acme', smtp: null, note: '', createdAt: 0 })
}

class RecordingFresh implements FreshDelivery {
  readonly offered: Offered[] = []
  readonly waitingSince: number[] = []
  readonly #leases: boolean
  asked = 0

  constructor(leases: boolean) {
    this.#leases = leases
  }

  ask(entries: number) {
    this.asked += entries
    const lease = this.#leases ? { owner: 'test/0', until: Number.MAX_SAFE_INTEGER } : undefined
    return { lease, leasable: (domain: string) => domain !== 'closed.example', nextAttemptAt: () => 4_102_444_800_000 }
  }

  offer(entries: readonly LeasedEntry[], content: FreshContent, asked: number): void {
    this.asked -= asked
    this.offered.push({ entries, content })
  }

  giveBack(asked: number): void {
    this.asked -= asked
  }

  waiting(nextDueAt: number): void {
    this.waitingSince.push(nextDueAt)
  }
}

function recordingLog(lines: LoggedLine[]): Log {
  const write = (level: string) => (fields: Fields, text: string) => void lines.push({ level, fields, text })
  const log: Log = {
    debug: () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    debugs: false,
    child: () => log,
  }
  return log
}

/** Where the files of the spool are. */
export function spoolOf(dataDir: string): string {
  return join(dataDir, 'spool')
}
