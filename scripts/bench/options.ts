/**
 * What the command line asks for. Fails with CliError, naming what would do.
 */
import { parseArgs } from 'node:util'
import { CliError } from '../../src/cli/cli-error.ts'
import { type Case, caseNamed, caseNames } from './cases.ts'
import { type PeerName, peerNames } from './peers.ts'

/** A case beside a queue that waits: its entries, and messages of its rounds, null: the case's own number. */
interface Waiting {
  readonly entries: number
  readonly messages: number | null
}

export interface Options {
  readonly cases: readonly Case[]
  readonly rounds: number
  readonly peers: readonly PeerName[]
  /** Data plane workers of each variant of ours that is measured. */
  readonly workers: readonly (number | 'auto')[]
  readonly folder: string | undefined
  /** No case lasts longer. */
  readonly timeLimitMs: number
  readonly json: boolean
  /** Entries of the case `dead-site`, and messages of its rounds; null: it is not asked for. */
  readonly deadSite: Waiting | null
  /** The same of the case `tarpit`. */
  readonly tarpit: Waiting | null
  /** Messages of each account of the case `fairness`, null: its own number; null: it is not asked for. */
  readonly fairness: { readonly messages: number | null } | null
}

/** Measured by itself (dead-site.ts): no case of the table. */
const deadSite = 'dead-site'
const tarpit = 'tarpit'
const fairness = 'fairness'
const apart: readonly string[] = [deadSite, tarpit, fairness]
const knownNames = [...caseNames, ...apart].join(', ')

/** More would not make a case truer, only longer. */
const most = { rounds: 50, messages: 1_000_000, entries: 10_000_000, workers: 64, seconds: 3600 }

export function readOptions(args: readonly string[]): Options {
  const values = parse(args)
  const messages = values.messages === undefined ? null : whole('messages', values.messages, most.messages)
  const names = list(values.case ?? 'c20,c100,n20,b20')
  return {
    cases: names
      .filter(name => !apart.includes(name))
      .map(caseNamed)
      .map(found => (messages === null ? found : { ...found, messages })),
    rounds: whole('rounds', values.rounds ?? '5', most.rounds),
    peers: list(values.peer ?? '').map(peerNamed),
    workers: list(values.workers ?? 'auto').map(text =>
      text === 'auto' ? text : whole('workers', text, most.workers),
    ),
    folder: values.folder,
    timeLimitMs: whole('time-limit', values['time-limit'] ?? '600', most.seconds) * 1000,
    json: values.json === true,
    deadSite: names.includes(deadSite)
      ? { entries: whole('entries', values.entries ?? '1000000', most.entries), messages }
      : null,
    fairness: names.includes(fairness) ? { messages } : null,
    tarpit: names.includes(tarpit)
      ? { entries: whole('entries', values.entries ?? '20000', most.entries), messages }
      : null,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    case: text,
    rounds: text,
    messages: text,
    entries: text,
    peer: text,
    workers: text,
    folder: text,
    'time-limit': text,
  }
  try {
    return parseArgs({ args: [...args], options: { ...options, json: { type: 'boolean' } } }).values
  } catch (cause) {
    throw new CliError((cause as Error).message, `the cases are ${knownNames}`, { cause })
  }
}

function list(text: string): string[] {
  return [...new Set(text.split(',').map(part => part.trim()))].filter(part => part !== '')
}

function whole(name: string, text: string, most: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number
  throw new CliError(`--${name} ${text}`, `write a whole number from 1 to ${most}`)
}

function peerNamed(name: string): PeerName {
  const found = peerNames.find(known => known === name)
  if (!found) throw new CliError(`there is no peer ${name}`, `the peers are ${peerNames.join(', ')}`)
  return found
}
