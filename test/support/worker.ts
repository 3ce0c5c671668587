/**
 * A delivery worker for tests: real store in a temporary folder, real signing, settling and dispatch; DNS is a zone.
 *
 * `submit` does what submission does after its checks. `transport` and `clock` are the real ones unless given.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { type Config, loadConfig } from '../../src/base/config.ts'
import { newId } from '../../src/base/ids.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { createSeal, type Seal } from '../../src/base/seal.ts'
import { type Dispatcher, openDispatcher } from '../../src/delivery/dispatcher.ts'
import { createSmtpTransport } from '../../src/delivery/smtp-transport.ts'
import type { Transport } from '../../src/delivery/transport.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { type ZoneResolver, zoneResolver } from '../../src/dns/zone-resolver.ts'
import { domainOf } from '../../src/mail/address.ts'
import type { AccountId, CredentialId, Mailbox, MessageId } from '../../src/mail/ids.ts'
import type { Message } from '../../src/mail/message.ts'
import type { Action, Outcome } from '../../src/mail/outcome.ts'
import type { Priority } from '../../src/mail/priority.ts'
import { formatReply } from '../../src/mail/reply.ts'
import { Meter } from '../../src/outcome/meter.ts'
import type { Settler } from '../../src/outcome/settle.ts'
import { settlerOf } from '../../src/settler.ts'
import { type KeyRing, openKeyRing } from '../../src/signing/key-ring.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { type OpenStore, openStore } from '../../src/store/open.ts'
import { openSpool } from '../../src/store/spool.ts'
import type { LeasedEntry, LimitUse, Store } from '../../src/store/store.ts'
import { patienceMs } from './patience.ts'

export interface WorkerOptions {
  readonly zone: Zone
  /** Port of the MX hosts: a sink's. */
  readonly port?: number
  /** As environment variables: `{ KITTE_QUEUE_LEASE: '10s' }`. */
  readonly settings?: Readonly<Record<string, string>>
  readonly sites?: Config['sites']
  readonly transport?: Transport
  readonly clock?: Clock
  readonly log?: Log
  /** Of another worker that is to be continued; it is not removed at the end. */
  readonly store?: Store
  /** Between the dispatcher and the store: to make it fail. */
  readonly around?: (store: Store) => Store
  readonly keyRing?: Pick<KeyRing, 'relayKey' | 'keysOf'>
  readonly owner?: string
}

export interface Submission {
  readonly from?: Mailbox
  readonly reversePath?: Mailbox | null
  readonly to: readonly Mailbox[]
  readonly content?: string
  readonly account?: AccountId
  readonly credential?: CredentialId
  readonly limits?: readonly LimitUse[]
  readonly priority?: Priority
  /** False: left to be claimed from the store. */
  readonly fresh?: boolean
}

export interface Worker extends AsyncDisposable {
  readonly config: Config
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly settler: Settler
  readonly resolver: ZoneResolver
  readonly seal: Seal
  readonly verpKey: Buffer
  submit(mail: Submission): Promise<MessageId>
  /** In the order they were written. */
  outcomes(): Promise<readonly Outcome[]>
  /** The last action of each recipient. */
  actions(): Promise<Readonly<Record<Mailbox, Action>>>
  /** The last reply of each recipient. */
  replies(): Promise<Readonly<Record<Mailbox, string>>>
  /** Resolves when this is true. */
  until(condition: () => boolean | Promise<boolean>, what?: string): Promise<void>
  /** So many outcomes are written. */
  settled(count: number): Promise<void>
}

export const account = 'account-1'
const verpKey = Buffer.alloc(32, 7)

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? silentLog
  const seal = createSeal(Buffer.alloc(32, 1))
  const dataDir = await mkdtemp(join(tmpdir(), 'kitte-worker-'))
  const config = configOf(options, dataDir)
  const opened: OpenStore | null = options.store
    ? null
    : await openStore({ dataDir, inlineContentBytes: 131_072, minFreeBytes: 1, log, clock, inProcess: true })
  const plain = options.store ?? opened!.store
  const store = options.around?.(plain) ?? plain
  const directory = openDirectory({ store, clock })
  const spool = openSpool(dataDir)
  const resolver = zoneResolver(options.zone)
  const keyRing =
    options.keyRing ??
    (await openKeyRing({
      store,
      seal,
      clock,
      relayDomain: config.relayDomain.name,
      rsaBits: 1024,
      timeZone: 'Asia/Tokyo',
    }))
  const settler = settlerOf({ config, store, clock, log, meter: new Meter() })
  const dispatcher = openDispatcher({
    config,
    store,
    spool,
    directory,
    keyRing,
    resolver,
    transport: options.transport ?? createSmtpTransport({ clock, log }),
    settler,
    clock,
    log,
    owner: options.owner ?? 'node-1/0',
    seal,
    verpKey,
  })
  await until(() => takesFresh(dispatcher), 'the dispatcher')
  const outcomes = async () => (await plain.events({}, 1000)).flatMap(({ data }) => (isOutcome(data) ? [data] : []))
  const worker: Worker = {
    config,
    store: plain,
    dispatcher,
    settler,
    resolver,
    seal,
    verpKey,
    submit: mail => submit(mail, { store: plain, dispatcher, clock }),
    outcomes,
    actions: async () => Object.fromEntries((await outcomes()).map(({ recipient, action }) => [recipient, action])),
    replies: async () =>
      Object.fromEntries((await outcomes()).map(({ recipient, reply }) => [recipient, formatReply(reply)])),
    until,
    settled: count => until(async () => (await outcomes()).length >= count, `${count} outcomes`),
    async [Symbol.asyncDispose]() {
      await dispatcher.stop()
      await settler.stop()
      directory.close()
      await opened?.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return worker
}

function configOf({ port, settings, sites }: WorkerOptions, dataDir: string): Config {
  const config = loadConfig([], {
    KITTE_DATA_DIR: dataDir,
    KITTE_DELIVERY_PORT: String(port ?? 2525),
    KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true',
    KITTE_QUEUE_RETRY_JITTER: '0',
    ...settings,
  })
  return sites ? { ...config, sites } : config
}

async function submit(
  {
    from = 'a@ours.example',
    reversePath = from,
    to,
    content,
    account: owner = account,
    limits = [],
    fresh = true,
    credential = null,
    priority,
  }: Omit<Submission, 'credential'> & { readonly credential?: CredentialId | null },
  { store, dispatcher, clock }: { store: Store; dispatcher: Dispatcher; clock: Clock },
): Promise<MessageId> {
  const now = clock.now()
  const id = newId(now)
  const bytes = Buffer.from(
    content ?? `From: ${from}\r\nSubject: ${id}\r\nMessage-ID: <${id}@ours.example>\r\n\r\nhello\r\n`,
  )
  const recipients = to.map(address => ({ address }))
  const message: Message = {
    id,
    account: owner,
    credential,
    envelope: { reversePath, recipients, body: '7BIT', smtpUtf8: false },
    content: { kind: 'inline' },
    size: bytes.length,
    from,
    senderDomain: domainOf(from),
    messageIdHeader: `${id}@ours.example`,
    receivedAt: now,
    origin: 'submission',
    ...(priority && { priority }),
  }
  const ask = dispatcher.fresh.ask(to.length, owner, priority)
  const entries = recipients.map((recipient, n) => {
    const domain = domainOf(recipient.address)
    const at = { leasable: ask.leasable(domain), nextAttemptAt: ask.nextAttemptAt(domain) }
    return { id: `${id}.${n}`, recipient, domain, expiresAt: now + 4 * 86_400_000, ...at }
  })
  const { leased, nextDueAt } = await store.accept({
    message,
    content: { kind: 'inline', bytes },
    entries,
    limits,
    events: [{ type: 'message.accepted', at: now, account: owner, message: id, data: {} }],
    ...(fresh && ask.lease ? { lease: ask.lease } : {}),
  })
  const taken = entries
    .filter(entry => leased.includes(entry.id))
    .map(
      ({ leasable: _, ...entry }): LeasedEntry => ({
        message,
        entry: { ...entry, message: id, attempts: 0, delayNotified: false, inDoubt: false },
      }),
    )
  dispatcher.fresh.offer(taken, bytes, to.length)
  if (nextDueAt !== null) dispatcher.fresh.waiting(nextDueAt)
  return id
}

/** It first takes back what an earlier life held; until then all mail goes by way of the queue. */
function takesFresh({ fresh }: Dispatcher): boolean {
  const { lease } = fresh.ask(1, null)
  fresh.giveBack(1)
  return lease !== undefined
}

function isOutcome(data: unknown): data is Outcome {
  return typeof data === 'object' && data !== null && 'action' in data && 'entry' in data
}

async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
