/**
 * Writes config/monitoring/grafana-dashboard.json: the dashboard's panels as data, so that a metric has one place.
 *
 * `--check` writes nothing and ends with 1 when the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(import.meta.dirname, '../config/monitoring/grafana-dashboard.json')

interface Query {
  readonly expr: string
  readonly legend: string
}

interface Panel {
  readonly title: string
  readonly queries: readonly Query[]
  readonly unit?: string
  readonly kind?: 'timeseries' | 'stat' | 'table'
  readonly width?: number
}

const q = (expr: string, legend = ''): Query => ({ expr, legend })
const rate = (metric: string) => `sum(rate(${metric}{instance=~"$instance"}[$__rate_interval]))`
const quantile = (of: string, metric: string) =>
  `histogram_quantile(${of}, sum by (le) (rate(${metric}_bucket{instance=~"$instance"}[$__rate_interval])))`
const here = (metric: string) => `${metric}{instance=~"$instance"}`

/** Rows of the dashboard, each with its panels from left to right. */
const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'いま / Now',
    [
      {
        title: '受付 / Accepts mail',
        kind: 'stat',
        width: 4,
        queries: [q(`min(${here('kitte_store_accepts_mail')})`)],
      },
      { title: '配信部 / Data plane up', kind: 'stat', width: 4, queries: [q(`min(${here('kitte_data_plane_up')})`)] },
      { title: '送信待ち / Queued', kind: 'stat', width: 4, queries: [q(`sum(${here('kitte_recipients_queued')})`)] },
      {
        title: '最も古い待ち / Oldest queued',
        kind: 'stat',
        width: 4,
        unit: 's',
        queries: [q(`max(${here('kitte_queue_oldest_seconds')})`)],
      },
      {
        title: '未記録の結果 / Unsettled outcomes',
        kind: 'stat',
        width: 4,
        queries: [q(`sum(${here('kitte_unsettled_outcomes')})`)],
      },
      {
        title: '空き容量 / Free space',
        kind: 'stat',
        width: 4,
        unit: 'bytes',
        queries: [q(`min(${here('kitte_store_free_bytes')})`)],
      },
    ],
  ],
  [
    'メール / Mail',
    [
      {
        title: '宛先数／秒 / Recipients per second',
        queries: ['accepted', 'delivered', 'bounced', 'cancelled'].map(action =>
          q(rate(`kitte_recipients_${action}_total`), action),
        ),
      },
      {
        title: '送信エラーと再送待ちの理由 / Bounces and deferrals by class',
        queries: [
          q(
            'sum by (action, class) (rate(kitte_outcomes_total{action!="delivered", instance=~"$instance"}[$__rate_interval]))',
            '{{action}} {{class}}',
          ),
        ],
      },
      {
        title: '拒否した投入 / Refused submissions by reply',
        queries: [
          q('sum by (reply) (rate(kitte_refusals_total{instance=~"$instance"}[$__rate_interval]))', '{{reply}}'),
        ],
      },
      {
        title: '配信停止中の宛先 / Suppressed recipients by reason',
        queries: [q(`sum by (reason) (${here('kitte_suppressions')})`, '{{reason}}')],
      },
      {
        title: '配信後に戻ったもの／時 / Came back after delivery, per hour',
        queries: [
          q('sum by (kind, class) (increase(kitte_returned_total{instance=~"$instance"}[1h]))', '{{kind}} {{class}}'),
        ],
      },
      {
        title: '戻り宛てで無視したもの／時 / Ignored at the bounce host, per hour',
        queries: [
          q('sum by (reason) (increase(kitte_returns_ignored_total{instance=~"$instance"}[1h]))', '{{reason}}'),
        ],
      },
    ],
  ],
  [
    '所要時間 / Durations',
    [
      {
        title: '受付 / Final dot to 250',
        unit: 's',
        queries: ['0.5', '0.95', '0.99'].map(of => q(quantile(of, 'kitte_accept_seconds'), `p${Number(of) * 100}`)),
      },
      {
        title: '受付から配信済みまで / Acceptance to delivered',
        unit: 's',
        queries: ['0.5', '0.95', '0.99'].map(of => q(quantile(of, 'kitte_delivery_seconds'), `p${Number(of) * 100}`)),
      },
      {
        title: '1回の試行 / One attempt',
        unit: 's',
        queries: ['0.5', '0.95', '0.99'].map(of => q(quantile(of, 'kitte_attempt_seconds'), `p${Number(of) * 100}`)),
      },
    ],
  ],
  [
    '送信待ち / Queue',
    [
      { title: '状態別 / By state', queries: [q(`sum by (state) (${here('kitte_queue_entries')})`, '{{state}}')] },
      {
        title: '配送先別 / By site (10)',
        queries: [q(`topk(10, ${here('kitte_queue_site_entries')})`, '{{site}}')],
      },
      {
        title: 'アカウント別 / By account (10)',
        queries: [q(`topk(10, ${here('kitte_queue_account_entries')})`, '{{account}}')],
      },
      {
        title: '最も古い待ち、配送先別 / Oldest by site (10)',
        unit: 's',
        queries: [q(`topk(10, ${here('kitte_queue_site_oldest_seconds')})`, '{{site}}')],
      },
      {
        title: '最も古い待ち、アカウント別 / Oldest by account (10)',
        unit: 's',
        queries: [q(`topk(10, ${here('kitte_queue_account_oldest_seconds')})`, '{{account}}')],
      },
      {
        title: 'アカウント別の受付 / Accepted by account (10)',
        queries: [
          q(
            'topk(10, sum by (account) (rate(kitte_account_recipients_total{action="accepted", instance=~"$instance"}[$__rate_interval])))',
            '{{account}}',
          ),
        ],
      },
    ],
  ],
  [
    '配送先 / Sites',
    [
      {
        title: '接続数と上限 / Attempts and connection limits (10)',
        queries: [
          q(`topk(10, ${here('kitte_site_attempts')})`, '{{site}}'),
          q(`topk(10, ${here('kitte_site_connections_limit')})`, 'max {{site}}'),
        ],
      },
      { title: '休止中 / Closed sites', queries: [q(`sum(${here('kitte_sites_closed')})`, 'closed')] },
      {
        title: '毎分の上限 / Rate limits per minute',
        queries: [q(`topk(10, ${here('kitte_site_rate_limit')})`, '{{site}}')],
      },
    ],
  ],
  [
    '内部 / Inside',
    [
      {
        title: 'イベントループの遅れ / Event-loop delay (p99)',
        unit: 's',
        queries: [
          q('max by (thread) (kitte_event_loop_delay_seconds{quantile="0.99", instance=~"$instance"})', '{{thread}}'),
        ],
      },
      { title: 'SMTPセッション / SMTP sessions', queries: [q(`sum(${here('kitte_sessions')})`, 'sessions')] },
      {
        title: 'Webhookの遅れ / Webhook lag (events)',
        queries: [q(`max by (webhook) (${here('kitte_webhook_lag_events')})`, '{{webhook}}')],
      },
    ],
  ],
]

/** Grafana's own way to name a variable. */
const source = { type: 'prometheus', uid: ['$', '{datasource}'].join('') }
const columns = 24
const heights = { stat: 4, timeseries: 8, table: 8 }

const written = `${JSON.stringify(dashboard(), null, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, written)
else if (readFileSync(file, 'utf8') !== written) {
  console.error('config/monitoring/grafana-dashboard.json is stale: node scripts/monitoring.ts')
  process.exitCode = 1
}

function dashboard() {
  return {
    uid: 'kitte',
    title: 'Kitte',
    tags: ['mail', 'kitte'],
    timezone: 'browser',
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' },
        {
          name: 'instance',
          type: 'query',
          label: 'instance',
          datasource: source,
          query: { query: 'label_values(kitte_data_plane_up, instance)', refId: 'instance' },
          includeAll: true,
          allValue: '.*',
          multi: true,
          refresh: 2,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: rows.flatMap(placed()),
  }
}

/** Panels fill their rows from the left; a row that is full begins another. */
function placed() {
  let [id, y] = [0, 0]
  return ([title, panels]: (typeof rows)[number]) => {
    const placedRow: unknown[] = [
      { id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y: y++, w: columns, h: 1 }, panels: [] },
    ]
    let [x, height] = [0, 0]
    for (const panel of panels) {
      const { kind = 'timeseries', width = 8 } = panel
      if (x + width > columns) [x, y] = [0, y + height]
      height = heights[kind]
      placedRow.push(panelOf(panel, kind, ++id, { x, y, w: width, h: height }))
      x += width
    }
    y += height
    return placedRow
  }
}

function panelOf({ title, queries, unit = 'short' }: Panel, kind: string, id: number, gridPos: unknown) {
  return {
    id,
    type: kind,
    title,
    datasource: source,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: kind === 'stat' ? { reduceOptions: { calcs: ['lastNotNull'] } } : { legend: { displayMode: 'list' } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: source,
      expr,
      legendFormat: legend,
    })),
  }
}
