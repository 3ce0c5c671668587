/**
 * What an outcome counts for in the counts per day: the day, the receiver, the source address.
 *
 * What the receiver itself answered counts: our own trouble, silence and greylisting say nothing about a sender. Of a
 * sender's own server only deliveries do, for its refusals are its own. The same note is the same object, so that a batch
 * of them crosses to the writer's thread for next to nothing.
 */
import type { Calendar } from '../base/calendar.ts'
import { domainOf } from '../mail/address.ts'
import type { CalendarDay } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { AttemptFacts, Outcome } from '../mail/outcome.ts'
import type { VolumeNote } from '../mail/volume.ts'
import { receiverOf } from '../policy/receivers.ts'

/** Receivers and sources of a day are few; own servers and odd sites could be many. */
const manyNotes = 10_000

export class VolumeNotes {
  readonly #calendar: Calendar
  readonly #notes = new Map<string, VolumeNote>()
  #day: CalendarDay = ''

  constructor(calendar: Calendar) {
    this.#calendar = calendar
  }

  /** Null: it counts for nothing. */
  noteOf(outcome: Outcome, message: Message): VolumeNote | null {
    const { facts } = outcome
    if (facts === null || facts.remoteMta === null || !counts(outcome, facts)) return null
    const day = this.#calendar.dayOf(outcome.at)
    if (day !== this.#day || this.#notes.size > manyNotes) this.#notes.clear()
    this.#day = day
    const isOwn = facts.mode === 'own-smtp'
    const place = isOwn ? `${facts.site} ${domainOf(outcome.recipient)}` : facts.site
    const source = isOwn ? null : facts.sourceIp
    const tls = facts.tls !== null
    const oneClick = message.oneClick === true
    const name = `${place} ${source} ${tls} ${oneClick}`
    const known = this.#notes.get(name)
    if (known) return known
    const receiver = receiverOf(facts.site, domainOf(outcome.recipient))
    const note = { key: { day, receiver, source }, tls, oneClick }
    this.#notes.set(name, note)
    return note
  }
}

function counts(outcome: Outcome, { mode }: AttemptFacts): boolean {
  if (outcome.action === 'delivered') return true
  return mode !== 'own-smtp' && outcome.reply.from === 'remote' && outcome.class !== 'greylisted'
}
