/**
 * Everything the writer can be asked to do, by name: the vocabulary between the threads.
 *
 * Each runs inside a transaction it does not end. A name here with its types is what `writer-client.ts` calls.
 */
import type { Instant } from '../../mail/ids.ts'
import type { ClaimRequest } from '../store.ts'
import { openAccept } from './accept.ts'
import { openAccounts, openCredentials, openSenders } from './accounts.ts'
import { openBacklog } from './backlog.ts'
import { openClaim } from './claim.ts'
import { openClaimants } from './claimants.ts'
import type { Connection } from './connection.ts'
import { openDetours, openQueueOperations } from './detours.ts'
import { openDomainClaims } from './domain-claims.ts'
import { openDomains } from './domains.ts'
import { openErase } from './erase.ts'
import { openEvents } from './events.ts'
import { openLanes } from './lanes.ts'
import { openLeases } from './leases.ts'
import { openLines } from './lines.ts'
import { openOrders } from './orders.ts'
import { openPurge } from './purge.ts'
import { openReplan } from './replan.ts'
import { openRequests } from './requests.ts'
import { openReturned } from './returned.ts'
import { openSequences } from './sequences.ts'
import { openSetBack } from './set-back.ts'
import { openSettings } from './settings.ts'
import { openSettle } from './settle.ts'
import { openShareLinks } from './share-links.ts'
import { openSlots } from './slots.ts'
import { openStsPolicies } from './sts-policies.ts'
import { openSuppressions } from './suppressions.ts'
import { openSuspensions } from './suspensions.ts'
import { openTlsReports } from './tls-reports.ts'
import { openTotals } from './totals.ts'
import { openTrace } from './trace.ts'
import type { Transaction } from './transaction.ts'
import { openTurns } from './turns.ts'
import { openVolume } from './volume.ts'
import { openWaiting } from './waiting.ts'
import { openWarmUps } from './warm-ups.ts'
import { openWebhooks } from './webhooks.ts'

export type Commands = ReturnType<typeof openCommands>['commands']
export type OpenCommands = ReturnType<typeof openCommands>
export type CommandName = keyof Commands

/** Commands that take in new mail: refused first when room runs out. */
export const intake: ReadonlySet<string> = new Set<CommandName>(['accept'])

export function openCommands(db: Connection) {
  const sequences = openSequences(db)
  const claimants = openClaimants(db)
  const turns = openTurns(db, claimants)
  const lanes = openLanes(db, turns, claimants)
  const slots = openSlots(db)
  const backlog = openBacklog(db)
  const lines = openLines(db, backlog)
  const waiting = openWaiting(db, turns, backlog)
  const totals = openTotals(db)
  const events = openEvents(db, sequences)
  const trace = openTrace(db)
  const volume = openVolume(db, events)
  const suspensions = openSuspensions(db, events)
  const accept = openAccept({ db, sequences, turns, lines, backlog, slots, totals, events })
  const claim = openClaim({ db, claimants, turns, lines, backlog, waiting, slots })
  const replan = openReplan({ db, turns, backlog, slots })
  const { removeDomain, ...domains } = openDomains(db, events, replan)
  const { deleteAccount, ...accounts } = openAccounts(db, replan)
  const { deleteWebhooksOf, ...webhooks } = openWebhooks(db)
  const { deleteSuppressionsOf, ...suppressions } = openSuppressions(db, events)

  const commands = {
    accept,
    settle: openSettle({ db, turns, backlog, totals, events, volume, accept, suspensions, ...suppressions }),
    claim: (tx: Transaction, request: ClaimRequest) => claim.claim(tx, request),
    claimExpired: (tx: Transaction, request: Omit<ClaimRequest, 'perDomain'>) => claim.claimExpired(tx, request),
    takeDelayed: (tx: Transaction, request: { readonly receivedBefore: Instant; readonly limit: number }) =>
      claim.takeDelayed(tx, request),
    postpone: (tx: Transaction, domains: readonly string[], until: Instant) => lanes.postpone(tx, domains, until),
    ...openLeases(db, lanes, waiting, suspensions),
    ...openOrders({ db, lanes, turns, backlog, waiting, events, claim, suspensions }),
    purge: openPurge(db, trace),
    ...openErase(db),
    ...openReturned({ db, events, volume, accept, ...suppressions }),
    ...accounts,
    deleteAccount: (tx: Transaction, id: string) => {
      totals.flush(tx)
      deleteAccount(tx, id, removeDomain)
      deleteWebhooksOf(tx, id)
      deleteSuppressionsOf(id)
    },
    ...openCredentials(db, replan),
    ...openSenders(db, events),
    ...domains,
    ...openDomainClaims(db, events, replan),
    ...openRequests(db),
    ...openShareLinks(db),
    ...openStsPolicies(db),
    ...suppressions,
    ...suspensions.commands,
    ...openDetours(db),
    ...openQueueOperations(db),
    ...webhooks,
    ...openTlsReports(db),
    ...openSettings(db),
    ...openSetBack(db, backlog, waiting),
    addVolume: volume.addVolume,
    purgeVolume: volume.purgeVolume,
    ...openWarmUps({ db, events, volume, backlog, waiting }),
  }

  /** Writes what the transaction gathered. */
  function flush(tx: Transaction): void {
    totals.flush(tx)
    volume.flush(tx)
    slots.flush(tx)
    turns.flush(tx)
    backlog.flush(tx)
    tx.lines.clear()
  }
  return { commands, flush, trace }
}
