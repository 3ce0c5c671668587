/**
 * The delivery log of suppressions: what people order, and what the relay concludes and ends by itself.
 *
 * Never fails: a line is plain facts that are at hand.
 */
import type { Log } from '../base/log.ts'
import type { AccountId } from '../mail/ids.ts'
import type { Suppression } from '../mail/suppression.ts'
import type { Store } from '../store/store.ts'
import type { QueueCommand } from './delivery-log.ts'
import { isoTime, type Line, pick } from './log-line.ts'

/** What somebody suppressed, or let go again. */
export type SuppressionCommand = Pick<QueueCommand, 'entries' | 'recipient' | 'site' | 'reason'> & {
  /** Null: for all accounts. */
  readonly account?: AccountId | null | undefined
}

/** Of each that is concluded or ends from now on, whichever thread wrote it; answers how to stop. */
export function logSuppressions(store: Pick<Store, 'onChange'>, log: Log): () => void {
  return store.onChange(change => {
    if (change.kind !== 'suppression') return
    if (change.concluded) suppressed(log, change.concluded)
    for (const ended of change.ended ?? []) suppressionEnded(log, ended)
  })
}

/** A bounce or a complaint came to this. */
export function suppressed(log: Log, suppression: Suppression): void {
  const line: Line = { event: 'suppressed', ...suppressionFacts(suppression) }
  log.info(line, `suppressed ${suppression.address}: ${line.reply ?? suppression.reason}`)
}

/** Its time is over. */
export function suppressionEnded(log: Log, suppression: Suppression): void {
  const line: Line = { event: 'suppression-ended', ...suppressionFacts(suppression) }
  log.info(line, `${suppression.address} may be tried again: its suppression is over`)
}

function suppressionFacts({ account, address: recipient, reason, evidence, expiresAt }: Suppression) {
  const { message, reply, class: of, remoteMta } = evidence ?? {}
  return {
    ...{ account: account ?? undefined, recipient, reason, message, reply: reply ?? undefined, class: of ?? undefined },
    ...{ remoteMta: remoteMta ?? undefined, until: expiresAt === null ? undefined : isoTime(expiresAt) },
  }
}

/** Somebody said that recipients are not to be tried any more … */
export function suppressionsAdded(log: Log, command: SuppressionCommand): void {
  log.info({ event: 'suppressions-added', ...pick(command) }, `suppressed ${whom(command)}`)
}

/** … or that they are again. */
export function suppressionsRemoved(log: Log, command: SuppressionCommand): void {
  log.info({ event: 'suppressions-removed', ...pick(command) }, `let ${whom(command)} be tried again`)
}

function whom({ entries, recipient }: SuppressionCommand): string {
  return recipient ?? `${entries} recipients`
}
