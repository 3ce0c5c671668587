/**
 * How many connections a site gets of which nothing is known yet: few, and half a one more for each message it takes.
 *
 * Only a site that is given all it may have is asked for more (RFC 7661): half of them again with each round of answers, so
 * that twenty are there after some forty messages, and one that takes two has turned a single connection away by then.
 * Postfix begins with 5 and adds one for each success in a full round. Plain state. Never fails.
 */
export class SlowStart {
  readonly #first: number
  readonly #full: number
  /** Half connections. */
  #halves: number

  /** `first`: connections at the beginning. */
  constructor(first: number, full: number) {
    this.#first = first
    this.#full = full
    this.#halves = 2 * Math.min(first, full)
  }

  get connections(): number {
    return this.#halves >> 1
  }

  get isOver(): boolean {
    return this.connections >= this.#full
  }

  /** A message was taken while so many were under way. True: that ended it. */
  widen(running: number): boolean {
    if (this.isOver || running < this.connections) return false
    this.#halves++
    return this.isOver
  }

  /** The site is known. */
  end(): void {
    this.#halves = 2 * this.#full
  }

  /** It has to be met anew. */
  again(): void {
    this.#halves = 2 * Math.min(this.#first, this.#full)
  }
}
