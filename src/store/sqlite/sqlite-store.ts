/**
 * The Store on SQLite as one thread sees it: writes go to the writer, reads happen here on a connection of our own.
 *
 * A read sees every write that was answered. Lists and counts read in the calling thread: their cost follows the page and
 * the number of backlogs (backlog.ts), not what is queued.
 */
import type { Clock } from '../../base/clock.ts'
import { inSlices } from '../../base/slices.ts'
import type {
  AccountStore,
  ClaimStore,
  DetourStore,
  DomainStore,
  EventStore,
  GoOn,
  NewMessage,
  QueueOperationStore,
  QueueStore,
  RequestStore,
  SettingStore,
  SettleBatch,
  ShareLinkStore,
  Store,
  StsPolicyStore,
  SuppressionStore,
  SuspensionStore,
  TlsReportStore,
  VolumeStore,
  WarmUpStore,
  WebhookStore,
} from '../store.ts'
import { openAccountsReader } from './accounts.ts'
import { type Connection, reading } from './connection.ts'
import { openDetoursReader, openQueueOperationsReader } from './detours.ts'
import { openDomainClaimsReader } from './domain-claims.ts'
import { openDomainsReader } from './domains-reader.ts'
import { openEventsReader } from './events.ts'
import { openMessageSearch } from './message-search.ts'
import { openQueueLists } from './queue-lists.ts'
import { acceptRow, type ClaimedRows, entryIdOf, eventRow, leasedEntries, outcomeRow } from './rows.ts'
import { openSettingsReader } from './settings.ts'
import { openShareLinksReader } from './share-links.ts'
import { openSlotsReader } from './slots.ts'
import { openStsPoliciesReader } from './sts-policies.ts'
import { openSuppressionsReader } from './suppressions-reader.ts'
import { openSuspensionsReader } from './suspensions.ts'
import { openTlsReportsReader } from './tls-reports.ts'
import { openTotalsReader } from './totals.ts'
import { openVolumeReader } from './volume.ts'
import { openWarmUpsReader } from './warm-ups.ts'
import { openWebhooksReader } from './webhooks.ts'
import type { WriterClient } from './writer-client.ts'

interface Parts {
  readonly db: Connection
  readonly client: WriterClient
  readonly clock: Clock
}

export function createSqliteStore(parts: Parts): Store {
  const { db, client } = parts
  return {
    ...messageWrites(parts),
    ...leaseWrites(parts),
    ...orderWrites(parts),
    ...queueReads(parts),
    ...accountStore(parts),
    ...domainStore(parts),
    ...shareLinkStore(parts),
    ...stsPolicyStore(parts),
    ...suppressionStore(parts),
    ...suspensionStore(parts),
    ...claimStore(parts),
    ...requestStore(parts),
    ...webhookStore(parts),
    ...volumeStore(parts),
    ...warmUpStore(parts),
    ...tlsReportStore(parts),
    ...smallStores(parts),
    onChange: listener => client.onChange(listener),
    health: () => client.health(),
    async close() {
      await client.close()
      db.close()
    },
  }
}

function shareLinkStore({ db, client }: Parts): ShareLinkStore {
  const read = openShareLinksReader(db)
  return {
    createShareLink: link => client.call('createShareLink', [link]),
    shareLinkByHash: async hash => reading(() => read.shareLinkByHash(hash)),
    listShareLinks: async (domain, page) => reading(() => read.listShareLinks(domain, page)),
    revokeShareLink: (domain, id, at) => client.call('revokeShareLink', [domain, id, at]),
    forgetShareLinks: before => client.call('forgetShareLinks', [before]),
  }
}

function stsPolicyStore({ db, client }: Parts): StsPolicyStore {
  const read = openStsPoliciesReader(db)
  return {
    stsPolicy: async domain => reading(() => read.stsPolicy(domain)),
    listStsPolicies: async page => reading(() => read.listStsPolicies(page)),
    putStsPolicy: policy => client.call('putStsPolicy', [policy]),
    useStsPolicy: (domain, at) => client.call('useStsPolicy', [domain, at]),
    forgetStsPolicies: before => client.call('forgetStsPolicies', [before]),
  }
}

function suppressionStore({ db, client, clock }: Parts): SuppressionStore {
  const read = openSuppressionsReader(db)
  return {
    putSuppressions: (suppressions, quiet = false) => client.call('putSuppressions', [suppressions, quiet]),
    suppress: suppression => client.call('suppress', [suppression]),
    suppression: async (account, address) => reading(() => read.suppression(account, address, clock.now())),
    listSuppressions: async (filter, page) => reading(() => read.listSuppressions(filter, page, clock.now())),
    suppressedAddresses: async page => reading(() => read.suppressedAddresses(page)),
    countSuppressions: async () => reading(() => read.countSuppressions()),
    removeSuppressions: (keys, at) => client.call('removeSuppressions', [keys, at]),
    eraseSuppressions: address => client.call('eraseSuppressions', [address]),
    purgeSuppressions: (now, limit) => client.call('purgeSuppressions', [now, limit]),
  }
}

function suspensionStore({ db, client }: Parts): SuspensionStore & DetourStore & QueueOperationStore {
  const { suspensions, countSuspended } = openSuspensionsReader(db)
  const { detours } = openDetoursReader(db)
  const { queueOperation, queueOperations } = openQueueOperationsReader(db)
  return {
    addSuspension: suspension => client.call('addSuspension', [suspension]),
    suspensions: async () => reading(suspensions),
    countSuspended: async () => reading(countSuspended),
    catchSuspended: (id, now, limit) => client.call('catchSuspended', [id, now, limit]),
    endSuspension: (id, now) => client.call('endSuspension', [id, now]),
    releaseSuspended: (id, now, limit) => client.call('releaseSuspended', [id, now, limit]),
    addDetour: detour => client.call('addDetour', [detour]),
    detours: async () => reading(detours),
    removeDetour: id => client.call('removeDetour', [id]),
    saveQueueOperation: operation => client.call('saveQueueOperation', [operation]),
    queueOperation: async id => reading(() => queueOperation(id)),
    queueOperations: async () => reading(queueOperations),
  }
}

function messageWrites({
  client,
}: Parts): Pick<QueueStore, 'accept' | 'settle' | 'purge' | 'eraseRecipient' | 'recordReturned'> {
  return {
    async accept(message: NewMessage) {
      const row = acceptRow(message)
      const { leased, nextDueAt } = await client.call('accept', [row], [row])
      return { leased: leased.map(n => entryIdOf(row.id, n)), nextDueAt }
    },
    async settle({ outcomes, reports, events, volume, suppressions }: SettleBatch) {
      const rows = reports.map(({ report, about }) => ({ row: acceptRow(report), about }))
      return client.call(
        'settle',
        [
          {
            outcomes: outcomes.map((outcome, index) => outcomeRow(outcome, volume?.[index])),
            reports: rows,
            events: events.map(eventRow),
            ...(suppressions && { suppressions }),
          },
        ],
        rows.map(({ row }) => row),
      )
    },
    purge: (before, limit) => client.call('purge', [before, limit]),
    recordReturned: ({ reports, ...batch }) => {
      const rows = reports.map(acceptRow)
      return client.call('recordReturned', [{ ...batch, reports: rows }], rows)
    },
    eraseRecipient: (address, messages) => client.call('eraseRecipient', [address, messages]),
  }
}

type LeaseMethods =
  | 'claim'
  | 'claimExpired'
  | 'takeDelayed'
  | 'claimForCancel'
  | 'postpone'
  | 'release'
  | 'renew'
  | 'reclaim'
  | 'clockSetBack'

function leaseWrites({ client, clock }: Parts): Pick<QueueStore, LeaseMethods> {
  const leased = async (rows: Promise<ClaimedRows>) => leasedEntries(await rows)
  return {
    claim: request => leased(client.call('claim', [request])),
    claimExpired: request => leased(client.call('claimExpired', [request])),
    takeDelayed: request => leased(client.call('takeDelayed', [request])),
    claimForCancel: (filter, lease, limit) => leased(client.call('claimForCancel', [filter, lease, limit])),
    postpone: (domains, until) => client.call('postpone', [domains, until]),
    release: (entries, owner) => client.call('release', [entries, owner]),
    renew: (entries, lease) => client.call('renew', [entries, lease]),
    reclaim: of => client.call('reclaim', [of]),
    async clockSetBack(byMs, now) {
      let from = await client.call('setBack', [{ now, byMs }])
      if (byMs === 0) return 0
      const slice = async (limit: number) => {
        const [moved, next] = await client.call('setBackEntries', [{ now, byMs }, from, limit])
        from = next
        return moved
      }
      return inSlices(slice, { clock })
    },
  }
}

function orderWrites({ client, clock }: Parts): Pick<QueueStore, 'hold' | 'unhold' | 'retryNow' | 'reschedule'> {
  const ordered = (order: (limit: number) => Promise<number>, goOn?: GoOn) => inSlices(order, { clock, goOn })
  return {
    hold: (filter, reason, now, goOn) => ordered(limit => client.call('hold', [filter, reason, now, limit]), goOn),
    unhold: (filter, now, goOn) => ordered(limit => client.call('unhold', [filter, now, limit]), goOn),
    retryNow(filter, now, goOn) {
      let part = 0
      return ordered(limit => client.call('retryNow', [filter, now, limit, part++]), goOn)
    },
    reschedule: (filter, releaseAt, now) =>
      ordered(limit => client.call('reschedule', [filter, releaseAt, now, limit])),
  }
}

type QueueReads =
  | 'content'
  | 'nextDueAt'
  | 'listQueue'
  | 'countQueue'
  | 'countOwnHolds'
  | 'countQueueBy'
  | 'queueOverview'
  | 'finishBy'
  | 'nextSlot'
  | 'message'
  | 'listMessages'
  | 'totals'
  | 'totalsByAccount'

function queueReads({ db, clock }: Parts): Pick<QueueStore, QueueReads> {
  const lists = openQueueLists(db)
  const slots = openSlotsReader(db)
  const search = openMessageSearch(db)
  const { totals, totalsByAccount } = openTotalsReader(db)
  return {
    content: async message => reading(() => lists.content(message)),
    nextDueAt: async () => reading(() => lists.nextDueAt()),
    listQueue: async (filter, page) => reading(() => lists.listQueue(filter, page, clock.now())),
    countQueue: async filter => reading(() => lists.countQueue(filter, clock.now())),
    countOwnHolds: async filter => reading(() => lists.countOwnHolds(filter, clock.now())),
    countQueueBy: async (column, filter, limit) =>
      reading(() => lists.countQueueBy(column, filter, limit, clock.now())),
    queueOverview: async (filter, page, mostGroups) =>
      reading(() => lists.queueOverview(filter, page, mostGroups, clock.now())),
    nextSlot: async uses => reading(() => slots.nextSlot(uses, clock.now())),
    finishBy: async (column, filter, limit) => reading(() => lists.finishBy(column, filter, limit, clock.now())),
    message: async id => reading(() => search.message(id)),
    listMessages: async (filter, page) => reading(() => search.listMessages(filter, page)),
    totals: async () => reading(totals),
    totalsByAccount: async limit => reading(() => totalsByAccount(limit)),
  }
}

function accountStore({ db, client }: Parts): AccountStore {
  const read = openAccountsReader(db)
  return {
    createAccount: account => client.call('createAccount', [account]),
    account: async id => reading(() => read.account(id)),
    listAccounts: async page => reading(() => read.listAccounts(page)),
    updateAccount: (id, change) => client.call('updateAccount', [id, change]),
    deleteAccount: id => client.call('deleteAccount', [id]),
    createCredential: credential => client.call('createCredential', [credential]),
    credential: async id => reading(() => read.credential(id)),
    credentialByUsername: async username => reading(() => read.credentialByUsername(username)),
    listCredentials: async (filter, page) => reading(() => read.listCredentials(filter, page)),
    updateCredential: (id, change) => client.call('updateCredential', [id, change]),
    createSender: sender => client.call('createSender', [sender]),
    sender: async address => reading(() => read.sender(address)),
    listSenders: async (filter, page) => reading(() => read.listSenders(filter, page)),
    updateSender: (address, change) => client.call('updateSender', [address, change]),
    noteSmtpTrouble: (of, trouble, events) => client.call('noteSmtpTrouble', [of, trouble, events]),
    deleteSender: address => client.call('deleteSender', [address]),
  }
}

function domainStore({ db, client }: Parts): DomainStore {
  const read = openDomainsReader(db)
  return {
    createDomain: (domain, events) => client.call('createDomain', [domain, events]),
    domain: async (name, options) => reading(() => read.domain(name, options)),
    listDomains: async (filter, page) => reading(() => read.listDomains(filter, page)),
    updateDomain: (name, change, events) => client.call('updateDomain', [name, change, events]),
    addKey: (key, events) => client.call('addKey', [key, events]),
    setKeyState: (domain, selector, state, at, events) =>
      client.call('setKeyState', [domain, selector, state, at, events]),
    recordChecks: (domain, checks, nextCheckAt, events) =>
      client.call('recordChecks', [domain, checks, nextCheckAt, events]),
    checkHistory: async (domain, page) => reading(() => read.checkHistory(domain, page)),
    checkBefore: async (domain, check) => reading(() => read.checkBefore(domain, check)),
    dueForCheck: async (now, limit) => reading(() => read.dueForCheck(now, limit)),
    purgeArchivedDomains: before => client.call('purgeArchivedDomains', [before]),
  }
}

function claimStore({ db, client }: Parts): ClaimStore {
  const { claims } = openDomainClaimsReader(db)
  return {
    putClaim: (claim, events) => client.call('putClaim', [claim, events]),
    claims: async domain => reading(() => claims(domain)),
    moveDomain: (move, events) => client.call('moveDomain', [move, events]),
  }
}

function requestStore({ client }: Parts): RequestStore {
  return {
    takeRequest: (key, sealed, until, now) => client.call('takeRequest', [key, sealed, until, now]),
    finishRequest: (key, sealed, until) => client.call('finishRequest', [key, sealed, until]),
    dropRequest: key => client.call('dropRequest', [key]),
    purgeRequests: now => client.call('purgeRequests', [now]),
  }
}

function webhookStore({ db, client }: Parts): WebhookStore {
  const read = openWebhooksReader(db)
  return {
    createWebhook: webhook => client.call('createWebhook', [webhook]),
    webhook: async id => reading(() => read.webhook(id)),
    listWebhooks: async (filter, page) => reading(() => read.listWebhooks(filter, page)),
    updateWebhook: (id, change) => client.call('updateWebhook', [id, change]),
    deleteWebhook: id => client.call('deleteWebhook', [id]),
    saveProgress: (id, progress) => client.call('saveProgress', [id, progress]),
  }
}

function volumeStore({ db, client }: Parts): VolumeStore {
  const { volume } = openVolumeReader(db)
  return {
    volume: async (scope, name, since) => reading(() => volume(scope, name, since)),
    addVolume: volumes => client.call('addVolume', [volumes]),
    purgeVolume: (before, limit) => client.call('purgeVolume', [before, limit]),
  }
}

function warmUpStore({ db, client, clock }: Parts): WarmUpStore {
  const { warmUp, listWarmUps } = openWarmUpsReader(db)
  return {
    createWarmUp: warmUp => client.call('createWarmUp', [warmUp]),
    warmUp: async of => reading(() => warmUp(of)),
    listWarmUps: async page => reading(() => listWarmUps(page)),
    pauseWarmUp: (of, day) => client.call('pauseWarmUp', [of, day]),
    resumeWarmUp: (of, day) => client.call('resumeWarmUp', [of, day]),
    deleteWarmUp: of => client.call('deleteWarmUp', [of]),
    takePlaces: (of, wanted, day) => client.call('takePlaces', [of, wanted, day]),
    givePlaces: (of, count, day) => client.call('givePlaces', [of, count, day]),
    async wakeWaiting(waitsFor, most = Number.POSITIVE_INFINITY) {
      let left = most
      const wake = async (limit: number) => {
        const woken = await client.call('wakeWaiting', [waitsFor, Math.min(limit, left)])
        left -= woken
        return woken
      }
      return inSlices(wake, { clock, goOn: () => left > 0 })
    },
    reviewWarmUps: day => client.call('reviewWarmUps', [day]),
  }
}

function tlsReportStore({ db, client }: Parts): TlsReportStore {
  const read = openTlsReportsReader(db)
  return {
    addTlsCounts: counts => client.call('addTlsCounts', [counts]),
    tlsCounts: async (domain, day) => reading(() => read.tlsCounts(domain, day)),
    listTlsDays: async (filter, page) => reading(() => read.listTlsDays(filter, page)),
    tlsReportsOwed: async (before, limit) => reading(() => read.tlsReportsOwed(before, limit)),
    saveTlsReport: report => client.call('saveTlsReport', [report]),
    dueTlsReports: async (now, limit) => reading(() => read.dueTlsReports(now, limit)),
    nextTlsReportAt: async () => reading(() => read.nextTlsReportAt()),
    purgeTlsReports: before => client.call('purgeTlsReports', [before]),
  }
}

function smallStores({ db, client }: Parts): EventStore & SettingStore {
  const { events, eventRange } = openEventsReader(db)
  const { setting } = openSettingsReader(db)
  return {
    events: async (filter, limit) => reading(() => events(filter, limit)),
    eventRange: async () => reading(eventRange),
    setting: async name => reading(() => setting(name)),
    initSetting: (name, value) => client.call('initSetting', [name, value]),
    setSetting: (name, value) => client.call('setSetting', [name, value]),
  }
}
