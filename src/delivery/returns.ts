/**
 * How entries leave this worker's hands: settled, or given back to the queue without an attempt.
 *
 * Also parks the lanes of a site that takes none, so that `claim` doesn't hand out what can't be sent. Fails softly: an
 * entry that can be neither settled nor given back is let go, and comes back in doubt when its lease runs out; a lane that
 * can't be parked costs claims for nothing.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { DomainName, EntryId, Instant } from '../mail/ids.ts'
import type { Suspension } from '../mail/suspension.ts'
import { held } from '../outcome/delivery-log.ts'
import type { Settler } from '../outcome/settle.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import type { Verdict } from '../outcome/verdict.ts'
import { GivingBack } from '../queue/giving-back.ts'
import type { Leases } from '../queue/leases.ts'
import type { LeasedEntry, Release, Store } from '../store/store.ts'
import type { Group, Site } from './throttle.ts'
import type { UnderWay } from './under-way.ts'

export interface ReturnsParts {
  readonly store: Pick<Store, 'release' | 'postpone' | 'wakeWaiting'>
  readonly settler: Pick<Settler, 'settle' | 'finish'>
  readonly clock: Clock
  readonly log: Log
  readonly leases: Leases
  readonly owner: string
  readonly underWay: UnderWay
  /** There is room for other entries. */
  onRoom(): void
  /** Places under warm-ups of groups that were not tried. */
  giveBack(groups: readonly Group[]): Promise<void>
}

export class Returns {
  readonly #parts: ReturnsParts
  readonly #givingBack: GivingBack

  constructor(parts: ReturnsParts) {
    this.#parts = parts
    this.#givingBack = new GivingBack({ ...parts, gone: releases => this.#drop(releases.map(({ entry }) => entry)) })
  }

  /** Resolves when the outcomes stand. */
  async settle(attempts: readonly SettledAttempt[]): Promise<void> {
    try {
      await this.#parts.settler.settle(attempts)
    } catch (error) {
      this.#parts.log.error({ err: error }, 'outcomes could not be settled; their entries come back in doubt')
    }
    this.#drop(attempts.flatMap(({ results }) => results.map(({ leased }) => leased.entry.id)))
  }

  /** Ends without an attempt. */
  async finish(verdicts: readonly Verdict[]): Promise<void> {
    try {
      await this.#parts.settler.finish(verdicts)
    } catch (error) {
      this.#parts.log.error({ err: error }, 'outcomes could not be settled; their entries come back in doubt')
    }
    this.#drop(verdicts.map(({ leased }) => leased.entry.id))
  }

  /** Due again then. `waitsFor`: as in QueueEntry. */
  async release(leased: readonly LeasedEntry[], nextAttemptAt: Instant, waitsFor?: string): Promise<void> {
    if (leased.length === 0) return
    const { log } = this.#parts
    try {
      await this.#givingBack.release(
        leased.map(({ entry }) => ({ entry: entry.id, nextAttemptAt, ...(waitsFor !== undefined && { waitsFor }) })),
      )
    } catch (error) {
      log.warn({ err: error, entries: leased.length }, 'entries could not be given back; they come back in doubt')
    }
  }

  /** Held from now on, unless it ends meanwhile. They stay due when they were: then they go in their old order. */
  async suspend(leased: readonly LeasedEntry[], { id: suspension, reason }: Suspension): Promise<void> {
    const { log } = this.#parts
    try {
      await this.#givingBack.release(
        leased.map(({ entry: { id, nextAttemptAt } }) => ({ entry: id, nextAttemptAt, suspension })),
      )
      const { id: message, account, senderDomain } = leased[0]!.message
      held(log, { entries: leased.length, message, account: account ?? undefined, senderDomain, reason })
    } catch (error) {
      log.warn({ err: error, entries: leased.length }, 'entries could not be held; they come back in doubt')
    }
  }

  /** Groups that were taken out of the ring. */
  async releaseGroups(groups: readonly Group[], nextAttemptAt: Instant, waitsFor?: string): Promise<void> {
    for (const { held } of groups) held.leave()
    await this.untried(groups)
    await this.release(
      groups.flatMap(({ leased }) => leased),
      nextAttemptAt,
      waitsFor,
    )
  }

  /** Groups that ended without an attempt. */
  async untried(groups: readonly Group[]): Promise<void> {
    const withPlaces = groups.filter(({ places }) => places !== undefined)
    if (withPlaces.length > 0) await this.#parts.giveBack(withPlaces)
  }

  /** Until then, or until `unpark`. Only for MX sites: lanes are recipient domains, no sender's own server serves one. */
  async park(site: Site, domains: Iterable<DomainName>, until: Instant): Promise<void> {
    await this.#postpone(site.park(domains, until), until)
  }

  async unpark(sites: readonly Site[]): Promise<void> {
    await this.#postpone(
      sites.flatMap(site => site.unpark()),
      this.#parts.clock.now(),
    )
  }

  /** Makes due what waits for that, so many at most; answers how many. */
  async wake(waitsFor: string, most: number): Promise<number> {
    try {
      return await this.#parts.store.wakeWaiting(waitsFor, most)
    } catch (error) {
      this.#parts.log.warn({ err: error }, `what waits for ${waitsFor} could not be woken`)
      return 0
    }
  }

  /** What a second claim brought meanwhile goes back once more: only now it can be taken. */
  #drop(entries: readonly EntryId[]): void {
    const { leases, log, onRoom } = this.#parts
    const again: Release[] = []
    for (const entry of entries) {
      const nextAttemptAt = leases.drop(entry)
      if (nextAttemptAt !== null) again.push({ entry, nextAttemptAt })
    }
    onRoom()
    if (again.length === 0) return
    const released = this.#givingBack.release(again).catch(error => {
      log.warn({ err: error, entries: again.length }, 'entries could not be given back; they come back in doubt')
    })
    this.#parts.underWay.add(released)
  }

  async #postpone(domains: readonly DomainName[], until: Instant): Promise<void> {
    if (domains.length === 0) return
    try {
      await this.#parts.store.postpone(domains, until)
    } catch (error) {
      this.#parts.log.warn({ err: error, lanes: domains.length }, 'lanes could not be postponed')
    }
  }
}
