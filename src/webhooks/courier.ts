/**
 * Brings events to one webhook, in the order of seq, one request at a time.
 *
 * States: idle → (events, or woken) → running → idle again, or → waiting after a failure → running …
 * - Nothing is held but the events of the request under way; everything else stays in the store, and the cursor says how
 *   far it has come. It moves when a request was taken and is written down within a second: after a crash the events of
 *   that second are sent again, with the same ids.
 * - A failure is never passed over, since the next event would then come out of order; what can't be delivered waits as
 *   long as events are kept. 410 pauses the webhook (RFC 9110 §15.5.11).
 * - Those that failed or answer slowly share places of their own, so that they can't take those of the others.
 * Trouble of ours (a store that can't be read, a secret that does not open) is a failure like others, with its stack in the log.
 */
import type { Agent } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cancel } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Turnstile } from '../dns/turnstile.ts'
import type { Event } from '../mail/event.ts'
import type { DeliveryFailure, Webhook, WebhookProgress } from '../mail/webhook.ts'
import type { EventStore, WebhookStore } from '../store/store.ts'
import { waitAfter } from './back-off.ts'
import { type Delivered, type DeliveryParts, deliver } from './delivery.ts'
import { originOf } from './endpoint-url.ts'
import { openAgent } from './exchange.ts'
import { nextPage } from './pages.ts'
import { gapPayload, type Payload, payloadOf, type RenderEvent } from './payload.ts'

export interface CourierParts extends DeliveryParts {
  readonly store: WebhookStore & EventStore
  readonly log: Log
  readonly render: RenderEvent
  /** Places for requests to those that answer in time, and to those that don't. */
  readonly prompt: Turnstile
  readonly tardy: Turnstile
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

export interface DeliveryCounts {
  readonly events: number
  readonly failures: number
}

/** Progress of requests taken is written at most this often; the rest would only be work for the disk. */
const saveEveryMs = 1000
/** Progress over events nobody wants: read again after a crash, that is all. */
const saveSkippedEveryMs = 60_000
/** A receiver that takes longer is slow. */
const promptMs = 2000
/** A request under way may end by itself before the relay stops. */
const graceMs = 3000

export class Courier {
  readonly #parts: CourierParts
  #webhook: Webhook
  #agent: Agent
  #running: Promise<void> | null = null
  #waiting: Cancel | null = null
  /** While it ran: there may be more than it saw. */
  #isWoken = false
  #isSlow = false
  /** Grows when an operator moves the cursor or the address: what is under way then counts no more. */
  #epoch = 0
  #savedAt: number
  #unsaved: 'no' | 'skipped' | 'taken' = 'no'
  #counts = { events: 0, failures: 0 }
  readonly #stopping = new AbortController()

  /** Goes on where it was: a wait that had begun before the restart is waited to its end. */
  constructor(parts: CourierParts, webhook: Webhook) {
    this.#parts = parts
    this.#webhook = webhook
    this.#agent = openAgent(new URL(webhook.url))
    this.#savedAt = parts.clock.monotonic()
    const { nextTryAt, failures } = webhook.progress
    const longest = waitAfter(failures, 0, parts.config, 1)
    if (nextTryAt !== null && failures > 0) this.#wait(Math.min(nextTryAt - parts.clock.now(), longest))
  }

  get webhook(): Webhook {
    return this.#webhook
  }

  get counts(): DeliveryCounts {
    return this.#counts
  }

  /** There may be something to tell. */
  wake(): void {
    this.#isWoken = true
    if (this.#running || this.#waiting || this.#webhook.state === 'paused' || this.#stopping.signal.aborted) return
    this.#isWoken = false
    this.#running = this.#run().finally(() => {
      this.#running = null
      if (this.#isWoken) this.wake()
    })
  }

  /** Takes over what was changed; progress is its own. A new address or state is tried at once. */
  change(webhook: Webhook): void {
    const before = this.#webhook
    this.#webhook = { ...webhook, progress: before.progress }
    if (webhook.url !== before.url) this.#turnTo(new URL(webhook.url))
    if (webhook.url !== before.url || webhook.state !== before.state) this.#tryNow()
  }

  /** The event with this seq is the next to be looked at. */
  async moveTo(seq: number): Promise<void> {
    this.#epoch++
    this.#progress({ cursor: seq - 1, gapTold: 0 })
    await this.#save()
    this.#tryNow()
  }

  /** Sends one payload out of turn; the order and the progress stay as they are. */
  send(payload: Payload): Promise<Delivered> {
    const url = new URL(this.#webhook.url)
    const agent = openAgent(url)
    const route = { url, agent, signal: this.#stopping.signal }
    return deliver(this.#parts, this.#webhook, payload, route).finally(() => agent.destroy())
  }

  /** `gone`: it was deleted, so there is nothing to write down. */
  async stop(gone = false): Promise<void> {
    this.#waiting?.()
    this.#waiting = null
    if (gone) this.#webhook = { ...this.#webhook, state: 'paused' }
    const cancel = this.#running && this.#parts.clock.after(graceMs, () => this.#stopping.abort())
    if (!this.#running || gone) this.#stopping.abort()
    this.#webhook = { ...this.#webhook, state: 'paused' }
    await this.#running
    cancel?.()
    this.#stopping.abort()
    this.#agent.destroy()
    if (this.#unsaved !== 'no' && !gone) await this.#save().catch(() => {})
  }

  async #run(): Promise<void> {
    try {
      while (this.#webhook.state === 'enabled' && !this.#waiting) {
        const epoch = this.#epoch
        const page = await nextPage(this.#parts.store, this.#webhook)
        if (epoch !== this.#epoch) continue
        if (!page) break
        if ('gap' in page) await this.#tellGap(page.gap)
        else if (page.events.length > 0) await this.#tell(page.events, page.through)
        else this.#pass(page.through)
        await this.#saveWhenDue()
        // Reading answers without waiting: others get their turn.
        await nextTurn()
      }
      if (this.#unsaved === 'taken') await this.#save()
    } catch (error) {
      this.#parts.log.error({ err: error, webhook: this.#webhook.id }, 'a webhook could not be served')
      this.#fail({ at: this.#parts.clock.now(), reason: 'relay-trouble', status: null, detail: {}, reply: '' }, 0)
    }
  }

  async #tell(events: readonly Event[], through: number): Promise<void> {
    const { render } = this.#parts
    const payload = payloadOf(this.#webhook, events, render)
    const isWhole = payload.count === events.length
    await this.#request(payload, { cursor: isWhole ? through : events[payload.count - 1]!.seq })
  }

  async #tellGap({ after, through }: { readonly after: number; readonly through: number }): Promise<void> {
    const payload = gapPayload(this.#webhook, after, through, this.#parts.clock.now())
    await this.#request(payload, { gapTold: through })
  }

  async #request(payload: Payload, reached: Partial<WebhookProgress>): Promise<void> {
    const { prompt, tardy, clock } = this.#parts
    const epoch = this.#epoch
    const isTardy = this.#isSlow || this.#webhook.progress.failures > 0
    const delivered = await (isTardy ? tardy : prompt).pass(async () => {
      // It may have been paused while it waited for a place.
      if (this.#webhook.state === 'paused') return null
      const startedAt = clock.monotonic()
      const route = { url: new URL(this.#webhook.url), agent: this.#agent, signal: this.#stopping.signal }
      const result = await deliver(this.#parts, this.#webhook, payload, route)
      this.#isSlow = clock.monotonic() - startedAt > promptMs
      return result
    })
    if (delivered === null || epoch !== this.#epoch) return
    if (delivered.taken) this.#take(payload, delivered.status, reached)
    else if (!this.#stopping.signal.aborted) await this.#refused(delivered.failure, delivered.askedMs)
  }

  #take({ count }: Payload, status: number, reached: Partial<WebhookProgress>): void {
    const { log, clock } = this.#parts
    if (this.#webhook.progress.failures > 0) log.info(this.#about(), 'a webhook takes events again')
    const lastSuccess = { at: clock.now(), status }
    this.#progress({ ...reached, failures: 0, nextTryAt: null, lastSuccess })
    this.#counts = { ...this.#counts, events: this.#counts.events + count }
    this.#unsaved = 'taken'
  }

  #pass(through: number): void {
    this.#progress({ cursor: through })
    if (this.#unsaved === 'no') this.#unsaved = 'skipped'
  }

  async #refused(failure: DeliveryFailure, askedMs: number): Promise<void> {
    this.#fail(failure, askedMs)
    if (failure.reason === 'gone') await this.#pause()
    else await this.#save()
  }

  #fail(failure: DeliveryFailure, askedMs: number): void {
    const { log, clock, config, random } = this.#parts
    const failures = this.#webhook.progress.failures + 1
    const waitMs = waitAfter(failures, askedMs, config, random())
    this.#progress({ failures, nextTryAt: clock.now() + waitMs, lastFailure: failure })
    this.#counts = { ...this.#counts, failures: this.#counts.failures + 1 }
    const { reason, status } = failure
    if (failures === 1) log.warn({ ...this.#about(), reason, status }, 'a webhook does not take events')
    this.#wait(waitMs)
  }

  async #pause(): Promise<void> {
    const { log, store } = this.#parts
    this.#waiting?.()
    this.#waiting = null
    this.#progress({ nextTryAt: null })
    this.#webhook = { ...this.#webhook, state: 'paused', stateReason: 'gone' }
    log.warn(this.#about(), 'a webhook is paused: its receiver answered 410')
    const { state, stateReason, progress } = this.#webhook
    await store.updateWebhook(this.#webhook.id, { state, stateReason, progress })
  }

  /** What another address answers to what is under way counts no more. */
  #turnTo(url: URL): void {
    this.#epoch++
    this.#isSlow = false
    this.#agent.destroy()
    this.#agent = openAgent(url)
  }

  #tryNow(): void {
    this.#waiting?.()
    this.#waiting = null
    this.#progress({ nextTryAt: null })
    this.wake()
  }

  #wait(ms: number): void {
    this.#waiting?.()
    if (this.#stopping.signal.aborted || this.#webhook.state === 'paused') return
    this.#waiting = this.#parts.clock.after(ms, () => {
      this.#waiting = null
      this.wake()
    })
  }

  #progress(change: Partial<WebhookProgress>): void {
    this.#webhook = { ...this.#webhook, progress: { ...this.#webhook.progress, ...change } }
  }

  async #saveWhenDue(): Promise<void> {
    const due = this.#unsaved === 'taken' ? saveEveryMs : saveSkippedEveryMs
    if (this.#unsaved !== 'no' && this.#parts.clock.monotonic() - this.#savedAt >= due) await this.#save()
  }

  async #save(): Promise<void> {
    this.#savedAt = this.#parts.clock.monotonic()
    this.#unsaved = 'no'
    await this.#parts.store.saveProgress(this.#webhook.id, this.#webhook.progress)
  }

  #about() {
    return { webhook: this.#webhook.id, receiver: originOf(this.#webhook.url) }
  }
}
