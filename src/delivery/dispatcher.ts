/**
 * Turns due queue entries into attempts: claim or take fresh → site → limits → attempt → settle.
 *
 * One for each data-plane worker. Entries of one message for one site travel together. All entries in memory are under
 * this worker's lease and bounded in number; when it dies, they come back. Nothing is attempted while outcomes can't be
 * written. Never fails: an unexpected error ends one attempt, as a temporary problem of ours (design invariant 9).
 */

import { createSecretKey } from 'node:crypto'
import { openCalendar } from '../base/calendar.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { Seal } from '../base/seal.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { EntryId, Instant } from '../mail/ids.ts'
import type { Settler } from '../outcome/settle.ts'
import { Claims } from '../queue/claim.ts'
import { Leases } from '../queue/leases.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import type { Detoured } from '../store/detoured.ts'
import type { Directory } from '../store/directory.ts'
import type { Spool } from '../store/spool.ts'
import type { Store } from '../store/store.ts'
import type { Suppressed } from '../store/suppressed.ts'
import type { Suspended } from '../store/suspended.ts'
import type { TlsDecisions } from '../tls/open.ts'
import type { TlsResults } from '../tls/tls-result.ts'
import { Connections } from './connections.ts'
import { Departures } from './departures.ts'
import { Destinations } from './destinations.ts'
import type { FreshDelivery } from './fresh.ts'
import { ContentBudget } from './held-message.ts'
import { Intake } from './intake.ts'
import type { Lesson } from './lessons.ts'
import { LimitsMemory } from './limits-memory.ts'
import { Placement } from './placement.ts'
import { Pools } from './pools.ts'
import { Returns } from './returns.ts'
import { Runner } from './runner.ts'
import type { SiteLimits } from './site-limits.ts'
import { SiteRing } from './site-ring.ts'
import { SlowedSenders } from './slowed-senders.ts'
import { StoreGate } from './store-gate.ts'
import type { Group, Site, SiteState } from './throttle.ts'
import { TlsPolicy } from './tls-policy.ts'
import type { Transport } from './transport.ts'
import { UnderWay } from './under-way.ts'
import { WarmUpGate } from './warm-up-gate.ts'
import { type Sought, type Whereabouts, whereabouts } from './whereabouts.ts'

export interface DispatcherParts {
  readonly config: Config
  readonly store: Store
  readonly spool: Pick<Spool, 'absolute'>
  readonly directory: Pick<Directory, 'account' | 'credentialById' | 'domain' | 'sender'>
  readonly keyRing: Pick<KeyRing, 'relayKey' | 'keysOf'> & Partial<Pick<KeyRing, 'reportKey'>>
  readonly resolver: Resolver
  readonly transport: Transport
  /** Absent: opportunistic TLS everywhere. */
  readonly tls?: Pick<TlsDecisions, 'policies' | 'accountLevels'>
  readonly tlsResults?: TlsResults | undefined
  /** Absent: nobody is suppressed. */
  readonly suppressed?: Pick<Suppressed, 'mayBe' | 'find'>
  /** Absent: nothing is suspended … */
  readonly suspended?: Pick<Suspended, 'length' | 'find'>
  /** … and all goes by MX. */
  readonly detoured?: Pick<Detoured, 'list' | 'onChange'>
  readonly settler: Pick<Settler, 'settle' | 'finish' | 'unsettled' | 'onDue'>
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  readonly seal: Seal
  readonly verpKey: Buffer
  /** To all other workers of this node; absent: there are none. */
  readonly tell?: ((lesson: Lesson) => void) | undefined
}

export interface Dispatcher {
  readonly fresh: FreshDelivery
  /** Something may be due that wasn't before. */
  wake(): void
  /** What another worker of this node has learned of a site. */
  hear(lesson: Lesson): void
  /** No new attempts; running ones get a bounded time, everything else goes back to the queue. */
  stop(): Promise<void>
  /** Sites with mail in memory, closed ones, and those whose limits were adapted: one of all that share them. */
  sites(): SiteState[]
  whereabouts(sought: Sought): Whereabouts
}

/** Entries in memory for each attempt that may be under way: enough that none waits for a claim. */
const entriesPerAttempt = 10
/** Contents of waiting messages; beyond it they are read again. 64 MiB is 13,000 mails of the usual 5 kB. */
const contentBytes = 64 * 1024 * 1024
/** Running attempts may end in their own time, and then are cut off: together below the 30 s that Docker and systemd leave. */
const endMs = 15_000
const cutOffMs = 5_000
/** Between tries to take back what an earlier life of this worker held. */
const reclaimAgainMs = 1_000

/** Begins at once: takes back what this owner held before, then claims. */
export function openDispatcher(parts: DispatcherParts): Dispatcher {
  const dispatcher = new LeasingDispatcher(parts)
  void dispatcher.start()
  return dispatcher
}

class LeasingDispatcher implements Dispatcher {
  readonly fresh: FreshDelivery
  readonly #parts: DispatcherParts
  readonly #leases: Leases
  readonly #gate: StoreGate
  readonly #ring: SiteRing
  readonly #memory: LimitsMemory
  readonly #claims: Claims
  readonly #connections: Connections
  readonly #returns: Returns
  readonly #warmUps: WarmUpGate
  readonly #senders: SlowedSenders
  readonly #departures: Departures
  readonly #underWay = new UnderWay()
  readonly #hear: (lesson: Lesson) => void
  readonly #placement: Placement
  readonly #unsubscribe: () => void
  #stopped: Promise<void> | null = null
  #phase: 'starting' | 'running' | 'stopping' | 'cut-off' = 'starting'

  constructor(parts: DispatcherParts) {
    const { config, store, settler, clock, log, owner } = parts
    this.#parts = parts
    this.#leases = new Leases({ store, clock, log, owner, leaseMs: config.queue.lease })
    this.#gate = new StoreGate({ store, clock, log, unsettled: () => settler.unsettled, onOpen: () => this.#goOn() })
    this.#connections = openConnections(parts)
    const { siteClosed: firstMs, siteClosedMaximum: maximumMs } = config.queue
    this.#senders = new SlowedSenders({
      clock,
      rest: { firstMs, maximumMs },
      onChange: () => this.#memory.changed(),
    })
    this.#warmUps = new WarmUpGate({ ...parts, calendar: openCalendar(config.timeZone), rules: config.warmUp })
    this.#departures = new Departures({ ...parts, pools: new Pools(parts), gate: this.#warmUps })
    this.#returns = new Returns({
      ...parts,
      leases: this.#leases,
      underWay: this.#underWay,
      onRoom: () => this.#claims.roomFreed(),
      giveBack: groups => this.#departures.giveBack(groups),
    })
    const { workers } = config.delivery
    this.#memory = new LimitsMemory({ ...parts, workers: workers === 'auto' ? 1 : workers, senders: this.#senders })
    this.#ring = new SiteRing({
      clock,
      rules: config.sites,
      learned: key => this.#memory.of(key),
      firstConnections: config.delivery.firstConnections,
      isKnown: key => this.#memory.isKnown(key),
      maxAttempts: config.delivery.maxAttempts,
      open: () => this.#phase === 'running' && this.#gate.isOpen,
      run: (site, group) => this.#underWay.add(runner.run(site, group)),
    })
    const shared = this.#shared()
    const placement = new Placement(shared)
    this.#placement = placement
    const runner: Runner = new Runner({
      ...shared,
      placement,
      onHungUp: (site, messages) => runner.hungUp(site, messages),
      onLearned: limits => this.#memory.note(limits),
      remember: (key, learned) => this.#memory.adopt(key, learned),
    })
    this.#hear = lesson => runner.hear(lesson)
    const intake = new Intake({ ...shared, placement })
    this.#claims = new Claims({
      ...parts,
      lease: () => this.#leases.next(),
      room: () => intake.room,
      take: (leased, lease) => intake.take(leased, lease),
    })
    this.fresh = intake
    settler.onDue(at => this.#claims.waiting(at))
    this.#unsubscribe = store.onChange(change => {
      if (change.kind === 'recall') this.#recall(change.entries)
      if (change.kind !== 'queue') return
      if (change.retried) this.#probeSites()
      this.wake()
    })
  }

  /** Only lanes with retried mail were opened, so only their sites really get a connection. */
  #probeSites(): void {
    for (const site of this.#ring.sites()) site.probe()
    this.#senders.probe()
  }

  /** What is still on its way to a site is found by the runner. */
  #recall(entries: readonly EntryId[]): void {
    this.#leases.recall(entries)
    const found: Group[] = []
    const lightened = new Map<SiteLimits, Site>()
    for (const site of this.#ring.sites()) {
      if (site.waiting === 0) continue
      for (const group of this.#ring.drain(site)) {
        if (!this.#leases.areRecalled(group.leased)) {
          this.#ring.push(site, group)
          continue
        }
        found.push(group)
        lightened.set(site.limits, site)
      }
    }
    this.#underWay.add(this.#returns.releaseGroups(found, this.#parts.clock.now()))
    for (const site of lightened.values()) this.#underWay.add(this.#placement.lightened(site))
    this.#ring.turn()
  }

  /** What placement, runner and intake have in common. */
  #shared() {
    const { config, resolver, clock, tls, tlsResults, detoured, ...parts } = this.#parts
    return {
      ...parts,
      config,
      resolver,
      clock,
      ...(tls && { accountLevels: tls.accountLevels }),
      ...(tlsResults && { tlsResults }),
      verpKey: createSecretKey(this.#parts.verpKey),
      lostGraceMs: config.domains.lostGrace,
      leaseMs: config.queue.lease,
      capacity: config.delivery.maxAttempts * entriesPerAttempt,
      lookup: config.delivery,
      destinations: new Destinations(resolver, config.delivery, clock, tls?.policies, detoured),
      budget: new ContentBudget(contentBytes),
      leases: this.#leases,
      ring: this.#ring,
      returns: this.#returns,
      departures: this.#departures,
      senders: this.#senders,
      connections: this.#connections,
      underWay: this.#underWay,
      open: () => this.#phase === 'running' && this.#gate.writable,
      stopping: () => this.#phase === 'stopping' || this.#phase === 'cut-off',
      cutOff: () => this.#phase === 'cut-off',
      waiting: (at: Instant) => this.#claims.waiting(at),
      onRoom: () => this.#claims.roomFreed(),
      onDue: () => this.#claims.wake(),
    }
  }

  /** What this owner held in an earlier life was under way when it died: it comes back in doubt, then work begins. */
  async start(): Promise<void> {
    const { store, owner, clock, log } = this.#parts
    await this.#memory.load()
    while (this.#phase === 'starting') {
      try {
        await this.#warmUps.load()
        const count = await store.reclaim({ owner })
        if (count > 0) log.warn({ entries: count }, `${count} entries were under way when ${owner} ended last`)
        if (this.#phase === 'starting') this.#phase = 'running'
      } catch (error) {
        log.warn({ err: error }, 'leases of an earlier life could not be taken back yet')
        await clock.sleep(reclaimAgainMs)
      }
    }
    this.#goOn()
  }

  hear(lesson: Lesson): void {
    if (this.#phase !== 'running') return
    this.#hear(lesson)
    if (lesson.told === 'opened') this.#goOn()
  }

  wake(): void {
    this.#claims.wake()
  }

  sites(): SiteState[] {
    const shown = new Set<SiteLimits>()
    const found: SiteState[] = []
    for (const site of this.#ring.sites()) {
      const { limits } = site
      const isAdapted = limits.learned !== null && !shown.has(limits)
      const senders = this.#senders.at(site)
      if (!isAdapted && !site.inUse && site.closedUntil === null && senders.length === 0) continue
      shown.add(limits)
      found.push({ ...site.state, senders })
    }
    return found
  }

  whereabouts(sought: Sought): Whereabouts {
    return whereabouts({ sites: this.#ring.sites(), senders: this.#senders }, sought)
  }

  /** The same promise however often it is called. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const { clock } = this.#parts
    this.#phase = 'stopping'
    this.#unsubscribe()
    this.#ring.stop()
    await this.#claims.stop()
    const waiting = [...this.#ring.sites()].flatMap(site => this.#ring.drain(site))
    this.#underWay.add(this.#returns.releaseGroups(waiting, clock.now()))
    await this.#underWay.idleWithin(endMs, clock)
    this.#phase = 'cut-off'
    await this.#connections.stop()
    await this.#underWay.idleWithin(cutOffMs, clock)
    await this.#memory.stop()
    this.#gate.stop()
    this.#warmUps.stop()
    this.#leases.stop()
  }

  #goOn(): void {
    this.#ring.turn()
    this.#claims.wake()
  }
}

function openConnections({ config: { delivery }, transport, clock }: DispatcherParts): Connections {
  return new Connections({
    transport,
    limits: {
      connectTimeoutMs: delivery.connectTimeout,
      commandTimeoutMs: delivery.commandTimeout,
      dotTimeoutMs: delivery.dotTimeout,
    },
    tlsPolicy: new TlsPolicy(clock),
    clock,
    idleMs: delivery.idleConnection,
    maxIdle: delivery.maxAttempts,
  })
}
