/**
 * Dispatchers over a real store, with everything else drawn by lot: what receivers answer, when the store answers, what
 * operators order. A seed repeats a run. Time is turned by hand and stands while the store works.
 *
 * For a while all goes wrong that can; then receivers take everything, and every recipient must come to its end. What must
 * never be is told as `faults`, with the second it was seen in. Nothing here waits for real time.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { type ZoneResolver, zoneResolver } from '../../src/dns/zone-resolver.ts'
import { startSuspensions } from '../../src/outcome/suspensions.ts'
import { startJanitor } from '../../src/queue/janitor.ts'
import { openStore } from '../../src/store/open.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { openDelays } from './faulty-store.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { SimulatedPeople } from './simulated-people.ts'
import { Receivers } from './simulated-receivers.ts'
import { StallWatch } from './simulated-stalls.ts'
import { openSimulatedWorker, type SimulatedWorker } from './simulated-worker.ts'
import {
  configOf,
  describeWorld,
  drawSites,
  type Lot,
  leaseMs,
  lotOf,
  type SimulatedSite,
  second,
  zoneOf,
} from './simulated-world.ts'

/** After the trouble, all that a queue may still wait for: closings, pauses, rests of sender domains, slow rates. */
const patienceSeconds = 5400

export interface SimulationOptions {
  readonly seed: number
  /** Seconds in which all goes wrong that can. */
  readonly troubled?: number
  readonly recipients?: number
  /** On top of its own: store calls that fail, so that leases run out and a janitor is needed. */
  readonly failing?: boolean
}

export interface Simulated {
  /** Empty: all was as it must be. */
  readonly faults: readonly string[]
  /** What was drawn, in words. */
  readonly world: string
  readonly delivered: number
  readonly attempts: number
  /** Seconds until all was at its end. */
  readonly seconds: number
}

class Run {
  readonly #options: Required<SimulationOptions>
  readonly #lot: Lot
  readonly #clock: ManualClock
  readonly #sites: readonly SimulatedSite[]
  readonly #delays: ReturnType<typeof openDelays>
  readonly #receivers: Receivers
  readonly #resolver: ZoneResolver
  readonly #config: Config
  readonly #store: Store
  readonly #workers: SimulatedWorker[] = []
  readonly #faults: string[] = []
  readonly #renewed = new Map<string, number>()
  readonly #stalls: StallWatch
  readonly #people: SimulatedPeople

  static async of(options: Required<SimulationOptions>): Promise<Simulated> {
    const dataDir = await mkdtemp(join(tmpdir(), 'kitte-simulation-'))
    const lot = lotOf(options.seed)
    const delays = openDelays(lot, () => clock)
    const clock = manualClock(undefined, delays.settled)
    const opened = await openStore({
      dataDir,
      inlineContentBytes: 131_072,
      minFreeBytes: 1,
      log: silentLog,
      clock,
      inProcess: true,
    })
    try {
      return await new Run(options, { lot, delays, clock, dataDir, store: opened.store }).#run()
    } finally {
      await opened.close()
      await rm(dataDir, { recursive: true, force: true })
    }
  }

  constructor(
    options: Required<SimulationOptions>,
    {
      lot,
      delays,
      clock,
      dataDir,
      store,
    }: { lot: Lot; delays: ReturnType<typeof openDelays>; clock: ManualClock; dataDir: string; store: Store },
  ) {
    this.#options = options
    this.#lot = lot
    this.#clock = clock
    this.#delays = delays
    this.#sites = drawSites(lot)
    this.#resolver = zoneResolver(zoneOf(this.#sites))
    this.#receivers = new Receivers(lot, clock, this.#sites)
    this.#config = configOf(lot, dataDir, this.#sites)
    this.#store = delays.around(store)
    const sites = this.#sites
    const workers = this.#workers
    this.#people = new SimulatedPeople({ lot, clock, sites, workers, store: this.#store })
    this.#stalls = new StallWatch({ clock, sites, workers, config: this.#config, fault: what => this.#fault(what) })
  }

  async #run(): Promise<Simulated> {
    const { seed, troubled, recipients, failing } = this.#options
    const count = 1 + (seed % 2)
    for (let n = 0; n < count; n++) this.#workers.push(await this.#openWorker(n))
    const janitor = failing
      ? startJanitor({
          store: this.#store,
          clock: this.#clock,
          log: silentLog,
          leaseMs,
          keepHistoryMs: 1e9,
          onReclaimed: () => {},
        })
      : null
    const suspensions = startSuspensions({ store: this.#store, clock: this.#clock, log: silentLog })
    const orders = new Set<Promise<unknown>>()
    const order = (work: Promise<unknown>) => {
      const done = work
        .catch(error => {
          if (!(error instanceof StoreUnavailable)) this.#fault(String(error.stack ?? error))
        })
        .finally(() => orders.delete(done))
      orders.add(done)
    }
    await this.#clock.advance(second)
    Object.assign(this.#delays.state, { delays: true, fails: failing })
    for (let at = 0; at < troubled; at++) {
      this.#receivers.turn()
      this.#breakNames()
      for (let n = this.#lot.chance(0.4) ? this.#lot.below(60) : 0; n > 0 && this.#people.submitted < recipients; n--)
        order(this.#people.submit())
      if (this.#lot.chance(0.15)) this.#people.draw(order, suspensions)
      await this.#pass()
    }
    this.#receivers.calm = true
    for (const { domains } of this.#sites)
      for (const domain of domains) this.#resolver.set(domain, zoneOf(this.#sites)[domain]!)
    this.#delays.state.fails = false
    await this.#drive(() => orders.size === 0, 'orders')
    for (const { id } of await this.#direct(this.#store.suspensions()))
      await this.#direct(suspensions.resume(id).then(() => {}))
    await this.#direct(this.#store.unhold({}, this.#clock.now()))
    let seconds = troubled
    for (; seconds < troubled + patienceSeconds; seconds++) {
      if (this.#stalls.nothingIsLeft) break
      await this.#pass()
    }
    await this.#atTheEnd()
    await this.#direct(suspensions.stop())
    if (janitor) await this.#direct(janitor.stop())
    for (const worker of this.#workers) await this.#direct(worker.close())
    this.#stalls.close()
    const { delivered, attempts, faults } = this.#receivers
    return {
      faults: [...new Set([...this.#faults, ...faults])],
      world: describeWorld(this.#sites, this.#config),
      delivered: delivered.size,
      attempts,
      seconds,
    }
  }

  #fault(what: string): void {
    this.#faults.push(`${Math.round(this.#clock.monotonic() / second)} s: ${what}`)
  }

  /** Waits for what needs time to pass. */
  async #direct<T>(work: Promise<T>): Promise<T> {
    let done = false
    const end = work.finally(() => (done = true))
    end.catch(() => {})
    await this.#drive(() => done, 'an order')
    return end
  }

  async #drive(isOver: () => boolean, what: string): Promise<void> {
    for (let n = 0; n < 600 && !isOver(); n++) await this.#clock.advance(100)
    if (!isOver()) throw new Error(`seed ${this.#options.seed}: waited too long for ${what}`)
  }

  async #pass(): Promise<void> {
    await this.#clock.advance(second)
    if (Math.round(this.#clock.monotonic() / second) % 5 === 0) this.#stalls.look()
  }

  #openWorker(number: number): Promise<SimulatedWorker> {
    const [clock, config] = [this.#clock, this.#config]
    return openSimulatedWorker({
      ...{ number, config, clock, resolver: this.#resolver, store: this.#noting(this.#store) },
      transport: this.#receivers.transport(config.delivery.maxAttempts),
      tell: lesson => {
        for (const [other, { dispatcher: hears }] of this.#workers.entries())
          if (other !== number) clock.after(this.#lot.oneOf([0, 3, 50]), () => hears.hear(lesson))
      },
    })
  }

  /** Renewals tell what is in hand. */
  #noting(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member = Reflect.get(target, name)
        if (name !== 'renew') return member
        return (entries: readonly string[], lease: unknown) => {
          for (const entry of entries) this.#renewed.set(entry, this.#clock.monotonic())
          return member(entries, lease)
        }
      },
    })
  }

  #breakNames(): void {
    const site = this.#lot.oneOf(this.#sites)
    const domain = this.#lot.oneOf(site.domains)
    if (this.#lot.chance(0.05)) this.#resolver.fail(domain)
    else if (this.#lot.chance(0.1)) this.#resolver.set(domain, zoneOf(this.#sites)[domain]!)
  }

  async #atTheEnd(): Promise<void> {
    const rows = await this.#direct(this.#store.listQueue({}, { limit: 20 }))
    if (rows.length > 0)
      this.#fault(
        `left: ${rows.map(({ entry, state, waitReason }) => `${entry.id} ${state} ${waitReason} in ${Math.round((entry.nextAttemptAt - this.#clock.now()) / 1000)} s${entry.inDoubt ? ' in doubt' : ''}`).join(', ')}`,
      )
    this.#renewed.clear()
    await this.#clock.advance(2 * leaseMs)
    if (rows.length === 0 && this.#renewed.size > 0) this.#fault(`still held: ${[...this.#renewed.keys()].join(', ')}`)
    for (const { dispatcher } of this.#workers)
      for (const { site, running, waiting } of dispatcher.sites())
        if (rows.length === 0 && running + waiting > 0)
          this.#fault(`${site}: ${running} running, ${waiting} waiting at the end`)
    await this.#checkOutcomes()
    for (const { dispatcher } of this.#workers) await this.#direct(dispatcher.stop())
    const { leased } = await this.#direct(this.#store.countQueue({}))
    if (leased > 0) this.#fault(`${leased} leased after the stop`)
  }

  async #checkOutcomes(): Promise<void> {
    const { accepted, delivered, bounced, cancelled, queued } = await this.#direct(this.#store.totals())
    if (accepted !== delivered + bounced + cancelled + queued)
      this.#fault(`${accepted} ≠ ${delivered} + ${bounced} + ${cancelled} + ${queued}`)
    if (accepted !== this.#people.submitted) this.#fault(`${this.#people.submitted} submitted, ${accepted} accepted`)
    if (delivered !== this.#receivers.delivered.size)
      this.#fault(`${this.#receivers.delivered.size} received, ${delivered} known as delivered`)
  }
}

export function simulateDispatchers({
  troubled = 60,
  recipients = 300,
  failing = false,
  seed,
}: SimulationOptions): Promise<Simulated> {
  return Run.of({ seed, troubled, recipients, failing })
}
