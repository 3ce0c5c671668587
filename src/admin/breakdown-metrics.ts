/**
 * The mail of accounts and sites in the metrics: what each has accepted, queued and how old it is, and the limits in force.
 *
 * Bounded: those with the most mail are shown (`http.metricsSeries`). What the accounts shown have accepted equals what
 * ended and what is queued at every scrape; depth and age are some seconds old (`shared-answer.ts`).
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { SiteState } from '../delivery/throttle.ts'
import type { AccountId } from '../mail/ids.ts'
import type { AccountTotals, QueueColumn, Store } from '../store/store.ts'

export interface BreakdownParts {
  readonly store: Pick<Store, 'totalsByAccount' | 'countQueueBy' | 'account'>
  readonly clock: Clock
  /** Accounts and sites shown, `http.metricsSeries`. */
  readonly most: number
}

const endings = ['accepted', 'delivered', 'bounced', 'cancelled'] as const
const windows = { perMinute: 'minute', perHour: 'hour', perDay: 'day' } as const
/** What the relay itself sends: reports. */
const relayItself = 'relay'

export function breakdown(registry: Registry, { store, clock, most }: BreakdownParts) {
  const ofAccounts = accountInstruments(registry, store)
  const depths = [depth(registry, 'site'), depth(registry, 'account')]
  const setSites = siteInstruments(registry)

  return {
    async read(): Promise<void> {
      await ofAccounts(await store.totalsByAccount(most))
      const now = clock.now()
      for (const { column, set } of depths) set(await store.countQueueBy(column, {}, most), now)
    },
    /** Those with the most mail in memory; empty while the data plane does not answer. */
    sites(states: readonly SiteState[]): void {
      const busiest = [...states].sort((a, b) => b.running + b.waiting - (a.running + a.waiting))
      setSites(busiest.slice(0, most))
    },
  }
}

function accountInstruments(registry: Registry, store: Pick<Store, 'account'>) {
  const common = { labelNames: ['account', 'action'], registers: [registry] }
  const recipients = new Counter({
    name: 'kitte_account_recipients_total',
    help: 'Recipients of an account accepted, delivered, bounced, cancelled, since ever.',
    ...common,
  })
  const queued = new Gauge({
    name: 'kitte_account_recipients_queued',
    help: 'Recipients of an account without a final outcome.',
    labelNames: ['account'],
    registers: [registry],
  })
  const limit = new Gauge({
    name: 'kitte_account_limit',
    help: 'Recipients an account may send to in a window.',
    labelNames: ['account', 'window'],
    registers: [registry],
  })
  return async (totals: readonly AccountTotals[]) => {
    const limits = await Promise.all(totals.map(({ account }) => limitsOf(account, store)))
    for (const instrument of [recipients, queued, limit]) instrument.reset()
    for (const [index, counts] of totals.entries()) {
      const account = counts.account ?? relayItself
      for (const action of endings) recipients.inc({ account, action }, counts[action])
      queued.set({ account }, counts.queued)
      for (const [window, most] of limits[index]!) limit.set({ account, window }, most)
    }
  }
}

async function limitsOf(
  id: AccountId | null,
  store: Pick<Store, 'account'>,
): Promise<[window: string, most: number][]> {
  const limits = (id === null ? null : await store.account(id))?.limits ?? {}
  const keys = Object.keys(windows) as (keyof typeof windows)[]
  return keys.flatMap(key => (limits[key] === undefined ? [] : [[windows[key], limits[key]]]))
}

function depth(registry: Registry, column: QueueColumn & ('site' | 'account')) {
  const common = { labelNames: [column], registers: [registry] }
  const entries = new Gauge({ name: `kitte_queue_${column}_entries`, help: `Queue entries by ${column}.`, ...common })
  const oldest = new Gauge({
    name: `kitte_queue_${column}_oldest_seconds`,
    help: `Age of the oldest queued message by ${column}.`,
    ...common,
  })
  const set = (rows: Awaited<ReturnType<Store['countQueueBy']>>, now: number) => {
    for (const instrument of [entries, oldest]) instrument.reset()
    for (const { value, count, oldestReceivedAt } of rows) {
      entries.set({ [column]: value }, count)
      oldest.set({ [column]: value }, Math.max(0, now - oldestReceivedAt) / 1000)
    }
  }
  return { column, set }
}

function siteInstruments(registry: Registry) {
  const common = { labelNames: ['site'], registers: [registry] }
  const gauge = (name: string, help: string) => new Gauge({ name, help, ...common })
  const attempts = gauge('kitte_site_attempts', 'Attempts under way to a site.')
  const waiting = gauge('kitte_site_waiting', 'Entries in memory that wait for their turn at a site.')
  const closed = gauge('kitte_site_closed', '1 while a site gets no connections for a while.')
  const connections = gauge('kitte_site_connections_limit', 'Connections to a site at once, as allowed now.')
  const rate = gauge('kitte_site_rate_limit', 'Recipients per minute at a site, as allowed now; not shown: no limit.')
  return (states: readonly SiteState[]) => {
    for (const instrument of [attempts, waiting, closed, connections, rate]) instrument.reset()
    for (const { site, running, waiting: inMemory, closedUntil, limits } of states) {
      attempts.set({ site }, running)
      waiting.set({ site }, inMemory)
      closed.set({ site }, Number(closedUntil !== null))
      connections.set({ site }, limits.connections)
      if (limits.perMinute !== null) rate.set({ site }, limits.perMinute)
    }
  }
}
