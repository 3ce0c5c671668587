/**
 * Prometheus metrics, read from store and data plane when they are scraped, so that the counts add up:
 * accepted = delivered + bounced + cancelled + queued at every scrape.
 *
 * Counts of the queue's entries and what stands per account and site are not read at every scrape (`shared-answer.ts`):
 * they are 15 s old at most, up to a minute with a million entries.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import { type LoopDelay, openLoopDelay } from '../base/loop-delay.ts'
import { suppressionReasons } from '../mail/suppression.ts'
import type { SuppressionCount } from '../store/store.ts'
import { breakdown } from './breakdown-metrics.ts'
import type { AdminDependencies, LiveState } from './dependencies.ts'
import { mailInstruments } from './mail-metrics.ts'
import { sharedAnswer } from './shared-answer.ts'
import { webhookInstruments } from './webhook-metrics.ts'

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  stop(): void
}

type MetricsParts = Pick<AdminDependencies, 'config' | 'store' | 'live' | 'loopDelays' | 'clock' | 'webhooks'>

export function openMetrics({ config, store, live, loopDelays, clock, webhooks }: MetricsParts): Metrics {
  const registry = new Registry()
  const set = instruments(registry)
  const setWebhooks = webhookInstruments(registry)
  const setMail = mailInstruments(registry)
  const byWhom = breakdown(registry, { store, clock, most: config.http.metricsSeries })
  const depth = sharedAnswer(() => store.countQueue({}), clock)
  const readBreakdown = sharedAnswer(() => byWhom.read(), clock)
  const loop = openLoopDelay()
  return {
    contentType: registry.contentType,
    async text() {
      const [totals, queue, storage, delivery, delays, hooks, , suppressions] = await Promise.all([
        store.totals(),
        depth(),
        store.health(),
        live().catch(() => null),
        loopDelays().catch(() => ({})),
        webhooks.states(),
        readBreakdown(),
        store.countSuppressions(),
      ])
      set.totals({ ...totals })
      set.queue({ due: queue.due, waiting: queue.waiting, leased: queue.leased, held: queue.held })
      set.oldest(queue.oldestReceivedAt === null ? 0 : (clock.now() - queue.oldestReceivedAt) / 1000)
      set.storage(storage)
      set.suppressions(suppressions)
      set.delivery(delivery)
      setMail(delivery?.meter ?? null)
      byWhom.sites(delivery?.sites ?? [])
      setWebhooks(hooks)
      set.loop({ main: loop.read(), ...delays })
      return registry.metrics()
    },
    stop: () => loop.close(),
  }
}

function instruments(registry: Registry) {
  const registers = [registry]
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const labelled = (name: string, help: string, label: string) =>
    new Gauge({ name, help, labelNames: [label], registers })
  const recipients = Object.fromEntries(
    (['accepted', 'delivered', 'bounced', 'cancelled'] as const).map(action => [
      action,
      new Counter({ name: `kitte_recipients_${action}_total`, help: `Recipients ${action}.`, registers }),
    ]),
  )
  const queued = gauge('kitte_recipients_queued', 'Recipients without a final outcome; accepted less all that ended.')
  const entries = labelled('kitte_queue_entries', 'Queue entries by state.', 'state')
  const oldest = gauge('kitte_queue_oldest_seconds', 'Age of the oldest queued message.')
  const suppressed = labelled('kitte_suppressions', 'Recipients that are not tried again, by reason.', 'reason')
  const writable = gauge('kitte_store_writable', '1 while outcomes can be written.')
  const acceptsMail = gauge('kitte_store_accepts_mail', '1 while new mail is taken.')
  const free = gauge('kitte_store_free_bytes', 'Free space where the data stands.')
  const up = gauge('kitte_data_plane_up', '1 while submission and delivery answer.')
  const sessions = gauge('kitte_sessions', 'Open SMTP sessions of clients.')
  const unsettled = gauge('kitte_unsettled_outcomes', 'Outcomes that could not be written so far.')
  const sites = gauge('kitte_sites', 'Sites that delivery knows now.')
  const closed = gauge('kitte_sites_closed', 'Sites that get no connections for a while.')
  const running = gauge('kitte_attempts', 'Attempts under way.')
  const loop = new Gauge({
    name: 'kitte_event_loop_delay_seconds',
    help: 'How late the event loop of a thread was since the last scrape; quantile 1 is the maximum.',
    labelNames: ['thread', 'quantile'],
    registers,
  })
  return {
    totals(counts: Readonly<Record<string, number>>) {
      for (const [action, counter] of Object.entries(recipients)) {
        counter.reset()
        counter.inc(counts[action] ?? 0)
      }
      queued.set(counts.queued ?? 0)
    },
    queue(counts: Readonly<Record<string, number>>) {
      for (const [state, count] of Object.entries(counts)) entries.set({ state }, count)
    },
    oldest: (seconds: number) => oldest.set(Math.max(0, seconds)),
    storage(health: { readonly writable: boolean; readonly acceptsMail: boolean; readonly freeBytes: number }) {
      writable.set(Number(health.writable))
      acceptsMail.set(Number(health.acceptsMail))
      free.set(health.freeBytes)
    },
    suppressions(counts: readonly SuppressionCount[]) {
      for (const reason of suppressionReasons) suppressed.set({ reason }, 0)
      for (const { reason, count } of counts) suppressed.inc({ reason }, count)
    },
    delivery(state: LiveState | null) {
      up.set(Number(state !== null))
      sessions.set(state?.sessions ?? 0)
      unsettled.set(state?.unsettled ?? 0)
      const known = state?.sites ?? []
      sites.set(known.length)
      closed.set(known.filter(site => site.closedUntil !== null).length)
      running.set(known.reduce((sum, site) => sum + site.running, 0))
    },
    loop(delays: Readonly<Record<string, LoopDelay>>) {
      // A thread that doesn't answer has no delay to show, and not the one it had.
      loop.reset()
      for (const [thread, { p50, p99, max }] of Object.entries(delays)) {
        loop.set({ thread, quantile: '0.5' }, p50)
        loop.set({ thread, quantile: '0.99' }, p99)
        loop.set({ thread, quantile: '1' }, max)
      }
    },
  }
}
