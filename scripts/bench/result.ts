/**
 * What a case found, as data: the shape that --json prints.
 */
import type { Case } from './cases.ts'
import { type Check, problemsOf } from './check.ts'
import type { Fairness } from './fairness.ts'
import type { Machine } from './machine.ts'
import type { Round } from './round.ts'
import { quotients, type Spread, spreadOf } from './statistics.ts'

export interface SubjectResult {
  readonly name: string
  readonly isPeer: boolean
  readonly acceptedPerSecond: Spread
  readonly perSecond: Spread
  readonly cpuSecondsPer1000: Spread
  readonly peakPssBytes: number
  readonly rounds: readonly Round[]
  readonly check: Check
  /** Null where the case doesn't ask. */
  readonly fairness: Fairness | null
  readonly problems: readonly string[]
}

/** Ours divided by the peer's, round by round. */
export interface Ratio {
  readonly subject: string
  readonly peer: string
  readonly acceptedPerSecond: Spread
  readonly perSecond: Spread
  readonly cpuSecondsPer1000: Spread
}

export interface CaseResult {
  readonly name: string
  readonly description: string
  readonly messages: number
  readonly rounds: number
  readonly load: 'smtp-source' | 'own'
  readonly othersShare: Spread
  readonly subjects: readonly SubjectResult[]
  readonly ratios: readonly Ratio[]
}

export interface BenchResult {
  readonly machine: Machine
  readonly cases: readonly CaseResult[]
  /** What was asked for and not measured, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  /** Cases that failed. */
  readonly failures: readonly { readonly name: string; readonly reason: string }[]
}

const measures = ['acceptedPerSecond', 'perSecond', 'cpuSecondsPer1000'] as const

type Measured = Pick<SubjectResult, 'name' | 'isPeer' | 'peakPssBytes' | 'rounds' | 'check' | 'fairness'>

export function subjectResult(measured: Measured): SubjectResult {
  const spreads = spreadsOf(measure => spreadOf(valuesOf(measured, measure)))
  return { ...measured, ...spreads, problems: [...problemsOf(measured.check), ...(measured.fairness?.problems ?? [])] }
}

interface CaseParts {
  readonly work: Case
  readonly load: CaseResult['load']
  readonly rounds: number
  readonly subjects: readonly SubjectResult[]
}

export function caseResult({ work, load, rounds, subjects }: CaseParts): CaseResult {
  const { name, description, messages } = work
  const shares = subjects.flatMap(subject => subject.rounds.map(({ othersShare }) => othersShare))
  return {
    name,
    description,
    messages,
    rounds,
    load,
    othersShare: spreadOf(shares),
    subjects,
    ratios: ratiosOf(subjects),
  }
}

function ratiosOf(subjects: readonly SubjectResult[]): Ratio[] {
  const [ours, peers] = [subjects.filter(({ isPeer }) => !isPeer), subjects.filter(({ isPeer }) => isPeer)]
  return ours.flatMap(subject =>
    peers.map(peer => ({
      subject: subject.name,
      peer: peer.name,
      ...spreadsOf(measure => quotients(valuesOf(subject, measure), valuesOf(peer, measure))),
    })),
  )
}

function spreadsOf(spread: (measure: (typeof measures)[number]) => Spread) {
  const [acceptedPerSecond, perSecond, cpuSecondsPer1000] = measures.map(spread) as [Spread, Spread, Spread]
  return { acceptedPerSecond, perSecond, cpuSecondsPer1000 }
}

function valuesOf({ rounds }: Measured, measure: (typeof measures)[number]): number[] {
  return rounds.map(round => round[measure])
}
