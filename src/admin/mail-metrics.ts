/**
 * What happened to mail in the metrics: replies to clients, outcomes by class, and how long things took.
 *
 * Counted by the threads themselves since they began (`outcome/meter.ts`); nothing is read for it.
 */
import { Counter, type Registry } from 'prom-client'
import type { HistogramReading } from '../base/histogram.ts'
import { returnedKinds } from '../mail/returned.ts'
import type { MeterReading } from '../outcome/meter.ts'

const durations = {
  accept: 'kitte_accept_seconds',
  delivery: 'kitte_delivery_seconds',
  attempt: 'kitte_attempt_seconds',
} as const

const helps: Readonly<Record<keyof typeof durations, string>> = {
  accept: 'From the final dot of a client to the commit.',
  delivery: "From acceptance to the recipient's MX taking the mail.",
  attempt: 'From the begin of an attempt to its last reply, per recipient.',
}

export function mailInstruments(registry: Registry) {
  const registers = [registry]
  const outcomes = new Counter({
    name: 'kitte_outcomes_total',
    help: 'Outcomes per recipient by class, deferrals included, since the process began.',
    labelNames: ['action', 'class'],
    registers,
  })
  const refusals = new Counter({
    name: 'kitte_refusals_total',
    help: 'Commands, logins and mails of clients that were refused, by reply.',
    labelNames: ['reply'],
    registers,
  })
  const returned = new Counter({
    name: 'kitte_returned_total',
    help: 'What came back after a delivery, per recipient by kind and class; the recipient stays counted as delivered.',
    labelNames: ['kind', 'class'],
    registers,
  })
  const returnsIgnored = new Counter({
    name: 'kitte_returns_ignored_total',
    help: 'Mail to the bounce host that changed nothing, by reason.',
    labelNames: ['reason'],
    registers,
  })
  let latest: MeterReading | null = null
  for (const kind of Object.keys(durations) as (keyof typeof durations)[])
    registry.registerMetric(histogram(durations[kind], helps[kind], () => latest?.[kind] ?? null))

  /** Null while the data plane does not answer: nothing is shown then, rather than what was. */
  return function set(reading: MeterReading | null): void {
    latest = reading
    outcomes.reset()
    refusals.reset()
    returned.reset()
    returnsIgnored.reset()
    for (const [name, count] of Object.entries(reading?.outcomes ?? {})) {
      const [action = '', outcomeClass = ''] = name.split(' ')
      outcomes.inc({ action, class: outcomeClass }, count)
    }
    // From 0 on, so that the first complaint is an increase.
    if (reading !== null) {
      for (const kind of returnedKinds) returned.inc({ kind, class: '' }, 0)
      returnsIgnored.inc({ reason: 'forged' }, 0)
    }
    for (const [name, count] of Object.entries(reading?.returned ?? {})) {
      const [kind = '', outcomeClass = ''] = name.split(' ')
      returned.inc({ kind, class: outcomeClass }, count)
    }
    for (const [reason, count] of Object.entries(reading?.returnsIgnored ?? {})) returnsIgnored.inc({ reason }, count)
    for (const [reply, count] of Object.entries(reading?.refusals ?? {})) refusals.inc({ reply }, count)
  }
}

/** prom-client's own histograms count by themselves; this one shows what was counted elsewhere. */
function histogram(name: string, help: string, read: () => HistogramReading | null): Counter {
  const metric = {
    name,
    help,
    get: async () => ({ name, help, type: 'histogram', values: valuesOf(name, read()), aggregator: 'sum' }),
    reset: () => {},
  }
  return metric as unknown as Counter
}

function valuesOf(name: string, reading: HistogramReading | null) {
  if (reading === null) return []
  let total = 0
  const buckets = reading.counts.map((count, bucket) => {
    total += count
    const le = reading.bounds[bucket] ?? '+Inf'
    return { labels: { le }, value: total, metricName: `${name}_bucket` }
  })
  return [
    ...buckets,
    { labels: {}, value: reading.sum, metricName: `${name}_sum` },
    { labels: {}, value: total, metricName: `${name}_count` },
  ]
}
