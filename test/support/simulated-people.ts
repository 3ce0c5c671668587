/**
 * Whoever hands in mail and whoever gives orders, in a simulation: messages of one or many recipients, and what an operator
 * may want at any moment. What an order met comes back as its promise.
 */
import type { Message } from '../../src/mail/message.ts'
import type { Priority } from '../../src/mail/priority.ts'
import { cancelEntries } from '../../src/outcome/expiry.ts'
import type { Suspensions } from '../../src/outcome/suspensions.ts'
import type { LeasedEntry, Store } from '../../src/store/store.ts'
import type { ManualClock } from './manual-clock.ts'
import type { SimulatedWorker } from './simulated-worker.ts'
import { accounts, type Lot, leaseMs, type SimulatedSite, second } from './simulated-world.ts'

export interface PeopleParts {
  readonly lot: Lot
  readonly clock: ManualClock
  readonly sites: readonly SimulatedSite[]
  readonly store: Store
  readonly workers: readonly SimulatedWorker[]
}

export class SimulatedPeople {
  #messages = 0
  /** Recipients so far. */
  submitted = 0
  readonly #lot: Lot
  readonly #clock: ManualClock
  readonly #sites: readonly SimulatedSite[]
  readonly #store: Store
  readonly #workers: readonly SimulatedWorker[]

  constructor({ lot, clock, sites, store, workers }: PeopleParts) {
    this.#lot = lot
    this.#clock = clock
    this.#sites = sites
    this.#store = store
    this.#workers = workers
  }

  #recipients(): string[] {
    const lot = this.#lot
    const count = lot.chance(0.01) ? 1 + lot.below(lot.oneOf([150, 500])) : lot.oneOf([1, 1, 1, 2, 5])
    const site = lot.chance(0.5) ? lot.oneOf(this.#sites) : null
    return Array.from(
      { length: count },
      () => `r${this.submitted++}@${lot.oneOf((site ?? lot.oneOf(this.#sites)).domains)}`,
    )
  }

  async submit(): Promise<void> {
    const lot = this.#lot
    const { dispatcher } = lot.oneOf(this.#workers)
    const now = this.#clock.now()
    const id = `m${String(this.#messages++).padStart(6, '0')}`
    const account = lot.chance(0.6) ? accounts[0]! : lot.oneOf(accounts)
    const priority = lot.chance(0.5) ? undefined : lot.oneOf<Priority>(['transactional', 'normal', 'bulk'])
    const from = `a@${account}.example`
    const recipients = this.#recipients().map(address => ({ address }))
    const bytes = Buffer.from(`From: ${from}\r\nMessage-ID: <${id}@${account}.example>\r\n\r\nhello\r\n`)
    const message: Message = {
      ...{
        id,
        account,
        credential: null,
        from,
        senderDomain: `${account}.example`,
        receivedAt: now,
        size: bytes.length,
      },
      envelope: { reversePath: null, recipients, body: '7BIT', smtpUtf8: false },
      content: { kind: 'inline' },
      messageIdHeader: `${id}@${account}.example`,
      origin: 'submission',
      ...(priority && { priority }),
    }
    const ask = dispatcher.fresh.ask(recipients.length, account, priority)
    const fresh = lot.chance(0.7) && ask.lease !== undefined
    const entries = recipients.map((recipient, n) => {
      const domain = recipient.address.split('@')[1]!
      const at = { leasable: ask.leasable(domain), nextAttemptAt: ask.nextAttemptAt(domain) }
      return { id: `${id}.${n}`, recipient, domain, expiresAt: now + 4 * 86_400 * second, ...at }
    })
    const { leased, nextDueAt } = await this.#store.accept({
      ...{ message, entries, limits: [], content: { kind: 'inline', bytes } },
      events: [{ type: 'message.accepted', at: now, account, message: id, data: {} }],
      ...(fresh ? { lease: ask.lease! } : {}),
    })
    const taken = entries
      .filter(entry => leased.includes(entry.id))
      .map(
        ({ leasable: _, ...entry }): LeasedEntry => ({
          message,
          entry: { ...entry, message: id, attempts: 0, delayNotified: false, inDoubt: false },
        }),
      )
    dispatcher.fresh.offer(taken, bytes, entries.length)
    if (nextDueAt !== null) dispatcher.fresh.waiting(nextDueAt)
  }

  /** What an operator may want. */
  draw(order: (work: Promise<unknown>) => void, suspensions: Suspensions): void {
    const work = this.#order(suspensions)
    if (work !== null) order(work)
  }

  #order(suspensions: Suspensions): Promise<unknown> | null {
    const lot = this.#lot
    const now = this.#clock.now()
    const site = lot.oneOf(this.#sites)
    const filter = lot.oneOf([
      { account: lot.oneOf(accounts) },
      { domain: lot.oneOf(site.domains) },
      { site: site.name },
      { message: `m${String(lot.below(this.#messages + 1)).padStart(6, '0')}` },
    ])
    const { settler } = lot.oneOf(this.#workers)
    switch (
      lot.oneOf(['hold', 'unhold', 'unhold', 'retry', 'retry', 'cancel', 'suspend', 'resume', 'resume'] as const)
    ) {
      case 'hold':
        return this.#store.hold(filter, 'by lot', now)
      case 'unhold':
        return this.#store.unhold(lot.chance(0.5) ? {} : filter, now)
      case 'retry':
        return this.#store.retryNow(filter, now)
      case 'cancel': {
        const { message } = filter as { readonly message?: string }
        if (message === undefined) return null
        const parts = { store: this.#store, settler, clock: this.#clock, owner: 'node-1/main', leaseMs }
        return this.#store.hold({ message }, 'cancel', now).then(() => cancelEntries(parts, { message }, 'by lot'))
      }
      case 'suspend': {
        const { message: _, ...slice } = filter as { readonly message?: string; readonly account?: string }
        if (Object.keys(slice).length === 0) return null
        const until = lot.chance(0.7) ? now + lot.below(60) * second : null
        return suspensions.suspend({ filter: slice, reason: 'by lot', until })
      }
      case 'resume':
        return this.#store
          .suspensions()
          .then(all => Promise.all(all.slice(0, 1).map(({ id }) => suspensions.resume(id))))
    }
  }
}
