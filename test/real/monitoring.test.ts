import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { outcomeClasses } from '../../src/mail/outcome.ts'
import { samplesOf } from '../support/exposition.ts'
import { Load } from '../support/load.ts'
import { type ProcessWorld, startProcessWorld } from '../support/process-relay.ts'
import { freePort, needProgram, run, start, temporaryFolder, waitFor } from '../support/real/program.ts'

const folder = join(import.meta.dirname, '../../config/monitoring')
const alertsFile = join(folder, 'alerts.yaml')

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
}
interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

/** As Grafana asks for them: its variables filled in. */
function panelQueries(): (readonly [title: string, expr: string])[] {
  const { panels } = JSON.parse(readFileSync(join(folder, 'grafana-dashboard.json'), 'utf8')) as Dashboard
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(
      ({ expr }) => [title, expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*')] as const,
    ),
  )
}

function alertQueries(): (readonly [title: string, expr: string])[] {
  const { groups } = parse(readFileSync(alertsFile, 'utf8')) as Alerts
  return groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const))
}

/** Kitte's metrics that a query names. */
function namesIn(expr: string): string[] {
  return expr.match(/\bkitte_\w+/g) ?? []
}

/** Delivered, deferred, bounced and refused mail, so that every panel has something to show. */
async function carrySomeMail(world: ProcessWorld): Promise<void> {
  const to = ['a@sink.example', 'once-451-4.7.1+1@sink.example', '550-5.1.1+2@sink.example']
  const mail = (number: number) => ({ to: [to[number % to.length]!], size: 500 })
  const load = new Load({ ...world.login, port: world.relay.port, connections: 2, count: 30, mail })
  await load.done()
  const wrong = new Load({
    ...world.login,
    port: world.relay.port,
    connections: 1,
    count: 1,
    mail: () => ({ to: ['@'], size: 1 }),
  })
  await wrong.done()
  await waitFor('deliveries', async () => samplesOf((await world.relay.ask('/metrics')).text).some(isDelivered))
}

function isDelivered({ name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> }) {
  return name === 'kitte_outcomes_total' && labels.action === 'delivered'
}

describe('the dashboard and the alert rules', () => {
  let world: ProcessWorld

  before(async () => {
    world = await startProcessWorld({ sink: {}, settings: { queue: { retryAfter: ['1h'] } } })
    await carrySomeMail(world)
  })
  after(() => world[Symbol.asyncDispose]())

  it('ask only for metrics that a running relay announces', async () => {
    const { text } = await world.relay.ask('/metrics')
    const announced = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!))
    const known = (name: string) => announced.has(name) || announced.has(name.replace(/_(?:bucket|sum|count)$/, ''))
    for (const [title, expr] of [...panelQueries(), ...alertQueries()])
      for (const name of namesIn(expr)) assert.ok(known(name), `${title}: ${name}`)
    const classes = alertQueries().flatMap(([, expr]) => /class=~"([^"]+)"/.exec(expr)?.[1]?.split('|') ?? [])
    for (const name of classes) assert.ok((outcomeClasses as readonly string[]).includes(name), name)
  })

  it('cover every metric but those of a single thread or session', async () => {
    const { text } = await world.relay.ask('/metrics')
    const asked = new Set([...panelQueries(), ...alertQueries()].flatMap(([, expr]) => namesIn(expr)))
    const isAsked = (name: string) => ['', '_bucket'].some(suffix => asked.has(name + suffix))
    const announced = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!)
    assert.ok(announced.filter(isAsked).length >= announced.length * 0.7, announced.filter(n => !isAsked(n)).join(' '))
  })

  it('are valid rules for Prometheus', async function () {
    const { code, stdout, stderr } = await run(needProgram(this, 'promtool'), ['check', 'rules', alertsFile])
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /SUCCESS: \d\d rules found/)
  })

  it('have every query answered by a real Prometheus that scrapes the relay', async function () {
    const program = needProgram(this, 'prometheus')
    await using prometheus = await startPrometheus(program, world)
    await waitFor(
      'two scrapes',
      async () => (await prometheus.query('count_over_time(up[1m])'))[0]?.value[1] === '2',
      20_000,
    )
    const empty: string[] = []
    for (const [title, expr] of panelQueries()) {
      const found = await prometheus.query(expr)
      if (found.length === 0) empty.push(title)
    }
    // Sites are shown while mail is under way to them; nothing limits the rate here, and there is no webhook.
    const idle = ['接続数と上限', '毎分の上限', 'Webhookの遅れ']
    assert.deepEqual(
      empty.filter(title => !idle.some(start => title.startsWith(start))),
      [],
    )
    const firing: string[] = []
    for (const [alert, expr] of alertQueries()) if ((await prometheus.query(expr)).length > 0) firing.push(alert)
    // A third of this mail was made to bounce.
    assert.deepEqual(
      firing.filter(alert => alert !== 'KitteManyBounces' && alert !== 'KitteDiskLow'),
      [],
    )
  })
})

type Series = readonly { readonly value: readonly [at: number, value: string] }[]

async function startPrometheus(program: string, { relay }: ProcessWorld) {
  const own = temporaryFolder('kitte-prometheus-')
  const port = await freePort()
  const config = join(own.path, 'prometheus.yml')
  const target = { targets: [`127.0.0.1:${relay.httpPort}`] }
  const scrape = { job_name: 'kitte', scrape_interval: '1s', static_configs: [target] }
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ scrape_configs: [scrape] }))
  const url = `http://127.0.0.1:${port}`
  const ready = async () => (await fetch(`${url}/-/ready`).catch(() => null))?.ok === true
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${own.path}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const running = await start(program, args, ready)
  return {
    async query(expr: string): Promise<Series> {
      const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`)
      const body = (await response.json()) as { status: string; error?: string; data: { result: Series } }
      assert.equal(body.status, 'success', `${expr}: ${body.error}`)
      return body.data.result
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      own[Symbol.dispose]()
    },
  }
}
