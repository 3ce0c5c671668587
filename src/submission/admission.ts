/**
 * Counts what is open in all and per address, against bounds.
 */
export interface AdmissionLimits {
  readonly inAll: number
  readonly perAddress: number
}

export type Entered = { readonly leave: () => void } | { readonly bound: keyof AdmissionLimits }

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

  /** Answers how to leave again (once counts, more do no harm), or the bound that stands in the way. */
  enter(address: string): Entered {
    if (this.#inAll >= this.#limits.inAll) return { bound: 'inAll' }
    if ((this.#perAddress.get(address) ?? 0) >= this.#limits.perAddress) return { bound: 'perAddress' }
    this.#count(address, 1)
    let inside = true
    const leave = () => {
      if (inside) this.#count(address, -1)
      inside = false
    }
    return { leave }
  }

  #count(address: string, change: 1 | -1): void {
    const open = (this.#perAddress.get(address) ?? 0) + change
    if (open > 0) this.#perAddress.set(address, open)
    else this.#perAddress.delete(address)
    this.#inAll += change
  }
}
