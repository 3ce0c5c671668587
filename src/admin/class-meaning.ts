/**
 * What a class means and what to do about it while the mail waits; nulls where there was none, or another version named it.
 */
import type { OutcomeClass } from '../mail/outcome.ts'
import { actors, classes, nextStepOf } from '../outcome/classes.ts'
import type { Bilingual } from './texts.ts'

export interface ClassMeaning {
  readonly classMessage: Bilingual | null
  readonly who: Bilingual | null
  readonly next: Bilingual | null
}

export function meaningOf(name: string | null): ClassMeaning {
  if (name === null || !Object.hasOwn(classes, name)) return { classMessage: null, who: null, next: null }
  const known = name as OutcomeClass
  const { sentence, actor } = classes[known]
  return { classMessage: sentence, who: actors[actor], next: nextStepOf(known, false) }
}
