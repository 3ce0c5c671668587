/**
 * What is said of one class of outcome.
 */
import type { Actor } from '../../mail/outcome.ts'

export interface Bilingual {
  readonly ja: string
  readonly en: string
}

export interface ClassText {
  /** Who usually must act; a rule may name another. */
  readonly actor: Actor
  readonly sentence: Bilingual
  readonly next: Bilingual
  /**
   * A bounce of this class says that the address does not exist, so that it need not be tried again by anybody. False
   * where the same recipient may be reached tomorrow, or by another message, or from another sender.
   */
  readonly suppressible: boolean
}
