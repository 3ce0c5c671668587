/**
 * Delivery workers before one receiver, by a clock of ours: the real ring, limits and lessons; no store and no network.
 *
 * There is always more mail than the receiver takes. What is deferred comes back after two minutes; while a worker has the
 * site closed, no worker claims any of its mail, as its lane is parked in the store. Everything is counted by the minute.
 */
import { silentLog } from '../../src/base/log.ts'
import type { HeldMessage } from '../../src/delivery/held-message.ts'
import { type Lesson, Lessons } from '../../src/delivery/lessons.ts'
import type { Route } from '../../src/delivery/route.ts'
import { SiteRing } from '../../src/delivery/site-ring.ts'
import { endsOnlyConnection } from '../../src/delivery/site-signals.ts'
import { SlowedSenders } from '../../src/delivery/slowed-senders.ts'
import type { Group, Site } from '../../src/delivery/throttle.ts'
import type { RecipientResult } from '../../src/mail/attempt-result.ts'
import { parseReply } from '../../src/mail/reply.ts'
import type { SettledAttempt } from '../../src/outcome/settled-attempt.ts'
import type { SiteRule } from '../../src/policy/site-rules.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { minute, type Said, type SiteModel, second } from './site-models.ts'

export interface SimulationOptions {
  readonly site: SiteModel
  readonly minutes: number
  readonly workers?: number
  readonly rule?: Partial<SiteRule>
  /** Connections at first contact. */
  readonly first?: number
}

export interface Simulated {
  /** Messages that were taken in each minute. */
  readonly taken: readonly number[]
  /** Connections and messages that were refused. */
  readonly refused: readonly number[]
  readonly sites: readonly Site[]
}

const rule: SiteRule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }
const connectMs = 300
const messageMs = second
const retryMs = 2 * minute
const idleMs = 10 * second
/** Of one worker. */
const inMemory = 400
const closing = { firstMs: minute, maximumMs: 30 * minute }
const route: Route = { kind: 'mx', key: 'mx.example', site: 'mx.example', hosts: [], own: null }

interface Connection {
  carried: number
  idleSince: number
}

/** What all workers have in common: the receiver, the queue, the counts. */
class World {
  readonly clock: ManualClock = manualClock()
  readonly taken: number[]
  readonly refused: number[]
  readonly site: SiteModel
  open = 0
  parkedUntil = 0
  #next = 0
  /** In the order they are due. */
  readonly #deferred: { readonly recipient: number; readonly due: number }[] = []

  constructor({ site, minutes }: SimulationOptions) {
    this.site = site
    this.taken = Array.from({ length: minutes }, () => 0)
    this.refused = Array.from({ length: minutes }, () => 0)
  }

  get now(): number {
    return this.clock.monotonic()
  }

  claim(): number {
    const first = this.#deferred[0]
    if (first === undefined || first.due > this.now) return this.#next++
    this.#deferred.shift()
    return first.recipient
  }

  defer(recipient: number, due: number): void {
    let at = this.#deferred.length
    while (at > 0 && this.#deferred[at - 1]!.due > due) at--
    this.#deferred.splice(at, 0, { recipient, due })
  }

  count(counts: number[]): void {
    const at = Math.floor(this.now / minute)
    if (at < counts.length) counts[at]!++
  }
}

class SimulatedWorker {
  readonly #world: World
  readonly #ring: SiteRing
  readonly #lessons: Lessons
  readonly site: Site
  #idle: Connection[] = []

  constructor(world: World, siteRule: SiteRule, firstConnections: number, tell: (lesson: Lesson) => void) {
    const { clock } = world
    this.#world = world
    this.#ring = new SiteRing({
      clock,
      rules: [siteRule],
      firstConnections,
      maxAttempts: 200,
      open: () => true,
      run: (site, group) => void this.#run(site, group),
    })
    this.site = this.#ring.site(route)
    this.#lessons = new Lessons({
      closing,
      clock,
      log: silentLog,
      onLearned: () => {},
      remember: () => {},
      siteOf: () => this.site,
      limitsOf: () => this.site.limits,
      tell,
      onClosed: (site, group) => this.#closed(site, group),
      senders: new SlowedSenders({ clock, rest: closing }),
      onSlowed: () => {},
    })
  }

  hear(lesson: Lesson): void {
    this.#lessons.hear(lesson)
    this.fill()
  }

  /** As many as fit into memory. */
  fill(): void {
    const { site } = this
    const now = this.#world.now
    if (site.closedUntil === null && now >= this.#world.parkedUntil)
      while (site.waiting < site.bound(inMemory, 30 * second)) this.#ring.push(site, groupOf(this.#world.claim()))
    this.#leave()
    this.#ring.turn()
  }

  async #run(site: Site, group: Group): Promise<void> {
    const recipient = Number(group.leased[0]!.entry.id)
    const said = await this.#attempt(recipient)
    this.#lessons.learn(site, group, [settledOf(group, said)])
    this.#ring.sent(site)
    if (said !== null) this.#world.defer(recipient, this.#world.now + retryMs)
    else this.#world.count(this.#world.taken)
    this.#ring.ended()
    this.fill()
  }

  /** A kept connection that says 421 to the next message counts as closed: another one is tried. */
  async #attempt(recipient: number): Promise<Said | null> {
    const kept = this.#idle.pop()
    if (kept === undefined) return this.#attemptAnew(recipient)
    const said = await this.#send(kept, recipient)
    if (said === null || !endsOnlyConnection({ reply: parseReply(said.line)!, phase: said.phase })) return said
    this.#lessons.hungUp(this.site, kept.carried)
    return this.#attemptAnew(recipient)
  }

  async #attemptAnew(recipient: number): Promise<Said | null> {
    const world = this.#world
    const refused = world.site.connect(world.now, world.open)
    if (refused !== null) world.count(world.refused)
    else world.open++
    await world.clock.sleep(connectMs)
    return refused ?? this.#send({ carried: 0, idleSince: 0 }, recipient)
  }

  async #send(connection: Connection, recipient: number): Promise<Said | null> {
    const world = this.#world
    const said = world.site.send(world.now, connection.carried, recipient)
    if (said !== null) world.count(world.refused)
    else connection.carried++
    await world.clock.sleep(said === null ? messageMs : connectMs)
    const { messagesPerConnection } = this.site.limits
    if (said?.line.startsWith('421') || connection.carried >= messagesPerConnection) world.open--
    else this.#idle.push(Object.assign(connection, { idleSince: world.now }))
    return said
  }

  /** Kept connections without work. */
  #leave(): void {
    const stay = this.#idle.filter(({ idleSince }) => idleSince > this.#world.now - idleMs)
    this.#world.open -= this.#idle.length - stay.length
    this.#idle = stay
  }

  #closed(site: Site, group: Group | null): void {
    const until = site.closedUntil!
    if (group !== null)
      this.#world.parkedUntil = Math.max(this.#world.parkedUntil, this.#world.now + until - this.#world.clock.now())
    for (const one of this.#ring.drain(site))
      this.#world.defer(Number(one.leased[0]!.entry.id), this.#world.parkedUntil)
  }
}

export async function simulate(options: SimulationOptions): Promise<Simulated> {
  const { workers: count = 1, minutes } = options
  const world = new World(options)
  const whole = { ...rule, ...options.rule }
  const part = (limit: number, number: number) => Math.floor(limit / count) + (number < limit % count ? 1 : 0)
  const tell = (from: number, lesson: Lesson) => {
    for (const [number, worker] of workers.entries())
      if (number !== from) world.clock.after(0, () => worker.hear(lesson))
  }
  const workers: SimulatedWorker[] = Array.from({ length: count }, (_, number) => {
    const { connections, perMinute } = whole
    const own = { connections: part(connections, number), perMinute: perMinute && part(perMinute, number) }
    return new SimulatedWorker(world, { ...whole, ...own }, Math.max(1, part(options.first ?? 2, number)), lesson =>
      tell(number, lesson),
    )
  })
  for (let passed = 0; passed < minutes * minute; passed += second) {
    for (const worker of workers) worker.fill()
    await world.clock.advance(second)
  }
  return { taken: world.taken, refused: world.refused, sites: workers.map(({ site }) => site) }
}

function groupOf(recipient: number): Group {
  const message = makeMessage()
  const leased = [makeLeased(message, undefined, { id: String(recipient) })]
  return { held: { message, leave: () => {} } as unknown as HeldMessage, leased, route }
}

function settledOf({ leased: [leased] }: Group, said: Said | null): SettledAttempt {
  const { line, phase } = said ?? { line: '250 2.0.0 Ok', phase: 'dot' }
  const result: RecipientResult = { address: 'b@example.com', reply: parseReply(line)!, phase }
  const facts = { remoteMta: 'mx.example', remoteIp: '192.0.2.1', site: 'mx.example' } as SettledAttempt['facts']
  return { facts, route: 'mx', results: [{ leased: leased!, result }] }
}
