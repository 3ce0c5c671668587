/**
 * Counts what is open in all and per address, against bounds.
 *
 * Several threads that listen on one port count together, in shared memory: which of them gets a connection is up to the
 * system, so a part of the bounds for each would refuse long before they are reached.
 */
export interface AdmissionLimits {
  readonly inAll: number
  readonly perAddress: number
}

export type Entered = { readonly leave: () => void } | { readonly bound: keyof AdmissionLimits }

/** Counters of many threads; the first is of all, each other of the addresses that fall on it. */
export type AdmissionCounters = Int32Array<SharedArrayBuffer>

/** Two of 1,000 addresses share a counter now and then and are bounded as one; 256 KB. */
const addressCounters = 65_536

export function admissionCounters(): AdmissionCounters {
  return new Int32Array(new SharedArrayBuffer((1 + addressCounters) * Int32Array.BYTES_PER_ELEMENT))
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #counters: AdmissionCounters
  #inside = 0

  constructor(limits: AdmissionLimits, counters: AdmissionCounters = admissionCounters()) {
    this.#limits = limits
    this.#counters = counters
  }

  /** Of this thread. */
  get inAll(): number {
    return this.#inside
  }

  /** Answers how to leave again (once counts, more do no harm), or the bound that stands in the way. */
  enter(address: string): Entered {
    const counter = counterOf(address)
    if (!this.#take(0, this.#limits.inAll)) return { bound: 'inAll' }
    if (!this.#take(counter, this.#limits.perAddress)) {
      Atomics.sub(this.#counters, 0, 1)
      return { bound: 'perAddress' }
    }
    this.#inside++
    let inside = true
    const leave = () => {
      if (inside) this.#leave(counter)
      inside = false
    }
    return { leave }
  }

  #take(counter: number, limit: number): boolean {
    if (Atomics.add(this.#counters, counter, 1) < limit) return true
    Atomics.sub(this.#counters, counter, 1)
    return false
  }

  #leave(counter: number): void {
    this.#inside--
    Atomics.sub(this.#counters, counter, 1)
    Atomics.sub(this.#counters, 0, 1)
  }
}

/** FNV-1a: spreads addresses of one network well. */
function counterOf(address: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < address.length; at++) hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193)
  return 1 + ((hash ^ (hash >>> 16)) & (addressCounters - 1))
}
