/**
 * A message in this worker's hands: its content is read once and signed once for all recipients under way.
 *
 * Contents stay in memory within a common bound (`ContentBudget`); beyond it they are read again for each attempt.
 * Fails with StoreUnavailable, or with what reading a file or signing throws.
 */
import type { Message } from '../mail/message.ts'
import type { Spool } from '../store/spool.ts'
import type { Store } from '../store/store.ts'
import type { Decision } from './decision.ts'
import type { FreshContent } from './fresh.ts'
import { type SigningParts, signFor } from './signature.ts'
import type { Outgoing } from './transport.ts'

/** Octets of contents kept in memory between attempts. */
export class ContentBudget {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  take(octets: number): boolean {
    if (this.#used + octets > this.#limit) return false
    this.#used += octets
    return true
  }

  giveBack(octets: number): void {
    this.#used -= octets
  }
}

export interface HeldMessageParts extends SigningParts {
  readonly store: Pick<Store, 'content'>
  readonly spool: Pick<Spool, 'absolute'>
  readonly budget: ContentBudget
}

export interface SignedContent {
  readonly outgoing: Outgoing
  readonly signatures: readonly string[]
}

export class HeldMessage {
  readonly message: Message
  readonly #parts: HeldMessageParts
  #content: FreshContent | null = null
  #signed: { readonly by: string; readonly content: Promise<SignedContent> } | null = null
  #charged = 0
  #holders = 0

  /** `fresh`: the content as submission hands it over; null: it is read from the store. */
  constructor(message: Message, fresh: FreshContent | null, parts: HeldMessageParts) {
    this.message = message
    this.#parts = parts
    if (fresh !== null && this.#charge(fresh)) this.#content = fresh
  }

  /** One more group of recipients needs it; `leave` when its attempt is over. */
  join(): void {
    this.#holders++
  }

  leave(): void {
    if (--this.#holders > 0) return
    this.#parts.budget.giveBack(this.#charged)
    this.#charged = 0
    this.#content = null
    this.#signed = null
  }

  /** Signed as the decision says; the same bytes for every group that is decided alike. */
  async signed(decision: Decision): Promise<SignedContent> {
    const by = signersOf(decision)
    if (this.#signed?.by === by) return this.#signed.content
    const signed = { by, content: this.#sign(decision) }
    this.#signed = signed
    let keep = false
    try {
      const content = await signed.content
      keep = this.#content !== null
      return content
    } finally {
      // Neither what the budget can't hold nor what failed is kept for the next group.
      if (!keep && this.#signed === signed) this.#signed = null
    }
  }

  async #sign(decision: Decision): Promise<SignedContent> {
    const content = await this.#load()
    const { fields, names } = await signFor(this.message, content, decision, this.#parts)
    const outgoing = { prefix: fields, content, size: fields.length + this.message.size }
    return { outgoing, signatures: names }
  }

  async #load(): Promise<FreshContent> {
    if (this.#content !== null) return this.#content
    const stored = await this.#parts.store.content(this.message.id)
    if (stored === null) throw new Error(`message ${this.message.id} has leased entries but no content`)
    const content =
      stored.kind === 'file' ? { path: this.#parts.spool.absolute(stored.path) } : bufferOver(stored.bytes)
    if (this.#holders > 1 && this.#charge(content)) this.#content = content
    return content
  }

  #charge(content: FreshContent): boolean {
    const octets = Buffer.isBuffer(content) ? content.length : 0
    if (!this.#parts.budget.take(octets)) return false
    this.#charged += octets
    return true
  }
}

/** Domain and active selectors: a rotated key makes a new signature. */
function signersOf({ dkim, domain }: Decision): string {
  if (dkim !== 'domain' || domain === null) return dkim
  const active = domain.keys.filter(key => key.state === 'active').map(key => key.selector)
  return `${domain.name} ${active.join(' ')}`
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
