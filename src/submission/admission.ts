/**
 * Counts what is open in all and per address, against bounds.
 */
export interface AdmissionLimits {
  readonly inAll: number
  readonly perAddress: number
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #perAddress = new Map<string, number>()
  #inAll = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  get inAll(): number {
    return this.#inAll
  }

  /** The bound that stands in the way; null: entered, and `leave` is owed. */
  enter(address: string): keyof AdmissionLimits | null {
    if (this.#inAll >= this.#limits.inAll) return 'inAll'
    const open = this.#perAddress.get(address) ?? 0
    if (open >= this.#limits.perAddress) return 'perAddress'
    this.#perAddress.set(address, open + 1)
    this.#inAll++
    return null
  }

  leave(address: string): void {
    const open = this.#perAddress.get(address) ?? 0
    if (open <= 1) this.#perAddress.delete(address)
    else this.#perAddress.set(address, open - 1)
    this.#inAll--
  }
}
