/**
 * Webhooks in the metrics: how far each is behind, whether it runs, and what became of its requests.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Webhooks } from '../webhooks/service.ts'

type State = Awaited<ReturnType<Webhooks['states']>>[number]

export function webhookInstruments(registry: Registry) {
  const common = { labelNames: ['webhook'], registers: [registry] }
  const lag = new Gauge({ name: 'kitte_webhook_lag_events', help: 'Events a webhook has still to look at.', ...common })
  const enabled = new Gauge({ name: 'kitte_webhook_enabled', help: '1 while a webhook is not paused.', ...common })
  const streak = new Gauge({
    name: 'kitte_webhook_failures_in_a_row',
    help: 'Failed requests since the last one that was taken.',
    ...common,
  })
  const events = new Counter({ name: 'kitte_webhook_events_total', help: 'Events taken by a receiver.', ...common })
  const failures = new Counter({ name: 'kitte_webhook_failures_total', help: 'Failed requests.', ...common })

  /** Those that were removed are no longer shown. */
  return function set(states: readonly State[]): void {
    for (const instrument of [lag, enabled, streak, events, failures]) instrument.reset()
    for (const state of states) {
      const labels = { webhook: state.id }
      lag.set(labels, state.lag)
      enabled.set(labels, Number(state.state === 'enabled'))
      streak.set(labels, state.progress.failures)
      events.inc(labels, state.events)
      failures.inc(labels, state.failures)
    }
  }
}
