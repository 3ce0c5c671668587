/**
 * The couriers of all webhooks: one each, woken when something happened, and kept what the store says they are.
 *
 * New events are noticed by looking at the newest seq, at an interval and when a domain changed: nobody who writes an
 * event pays for it.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { WebhookId } from '../mail/webhook.ts'
import { type Change, NotFound, type Store } from '../store/store.ts'
import { Courier, type CourierParts } from './courier.ts'

export interface RosterParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly pollMs: number
  readonly courier: CourierParts
}

/** Each is looked after at every round, and has a line in the metrics. */
export const mostWebhooks = 1000

export class Roster {
  readonly #parts: RosterParts
  readonly #couriers = new Map<WebhookId, Courier>()
  readonly #cancels: readonly (() => void)[]
  #seen = -1
  #stopped = false

  static async open(parts: RosterParts): Promise<Roster> {
    const roster = new Roster(parts)
    for (const { id } of await parts.store.listWebhooks({}, { limit: mostWebhooks })) await roster.reload(id)
    return roster
  }

  private constructor(parts: RosterParts) {
    this.#parts = parts
    this.#cancels = [
      parts.clock.every(parts.pollMs, () => void this.#look()),
      parts.store.onChange(change => this.#told(change)),
    ]
  }

  get all(): readonly Courier[] {
    return [...this.#couriers.values()]
  }

  courier(id: WebhookId): Courier {
    const courier = this.#couriers.get(id)
    if (!courier) throw new NotFound(`there is no webhook ${id}`)
    return courier
  }

  /** Its progress as it is now; what stands in the store may be a second old. */
  progressOf(id: WebhookId) {
    return this.#couriers.get(id)?.webhook.progress ?? null
  }

  async reload(id: WebhookId): Promise<void> {
    const webhook = await this.#parts.store.webhook(id)
    if (this.#stopped) return
    const courier = this.#couriers.get(id)
    if (!webhook) {
      this.#couriers.delete(id)
      return courier?.stop(true)
    }
    if (courier) courier.change(webhook)
    else this.#couriers.set(id, new Courier(this.#parts.courier, webhook))
    this.#couriers.get(id)?.wake()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
    await Promise.all(this.all.map(courier => courier.stop()))
  }

  async #look(): Promise<void> {
    try {
      const { newest } = await this.#parts.store.eventRange()
      if (newest === this.#seen) return
      this.#seen = newest
      for (const courier of this.#couriers.values()) courier.wake()
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, 'events could not be looked up for webhooks')
    }
  }

  #told(change: Change): void {
    if (change.kind === 'domain') void this.#look()
    if (change.kind !== 'webhook') return
    this.reload(change.id).catch(error =>
      this.#parts.log.warn({ webhook: change.id, error: String(error) }, 'a webhook could not be reloaded'),
    )
  }
}
