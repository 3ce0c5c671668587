/**
 * The cases: what is handed in, over how many sessions, and to how many recipients.
 */
import { CliError } from '../../src/cli/cli-error.ts'

export interface Case {
  readonly name: string
  readonly description: string
  /** Size of one message with its header. */
  readonly bytes: number
  readonly sessions: number
  /** After so many a session connects again. */
  readonly messagesPerConnection: number
  readonly recipients: readonly string[]
  readonly starttls: boolean
  /** Each fsync and fdatasync of the relay takes so much longer. */
  readonly syncDelayMs: number
  /** Enough for rounds of seconds on two cores. */
  readonly messages: number
  /** No more rounds are needed to find the rate that the check is half of. */
  readonly mostRounds: number
  /** What goes on beside the mail whose latency is measured (`heavy.ts`, `fairness.ts`). */
  readonly beside: 'nothing' | 'heavy' | 'flood'
}

/** Header field that tells one message of our own load from every other. */
export const numberField = 'X-Bench-Number'

const plain = {
  bytes: 4900,
  sessions: 20,
  messagesPerConnection: Number.POSITIVE_INFINITY,
  recipients: ['someone@site0.bench.test'],
  starttls: false,
  syncDelayMs: 0,
  messages: 5000,
  mostRounds: Number.POSITIVE_INFINITY,
  beside: 'nothing',
} as const

/** Ten recipients on three sites, four at the first. */
const spread = Array.from({ length: 10 }, (_, number) => `someone${number}@site${number % 3}.bench.test`)

const cases: readonly Case[] = [
  { ...plain, name: 'c20', description: '4.9 KB, 20 sessions' },
  { ...plain, name: 'c100', description: '4.9 KB, 100 sessions', sessions: 100 },
  { ...plain, name: 'n20', description: '4.9 KB, 20 sessions, a new connection per message', messagesPerConnection: 1 },
  { ...plain, name: 'b20', description: '100 KB, 20 sessions', bytes: 100_000, messages: 2000 },
  {
    ...plain,
    name: 'starttls',
    description: '4.9 KB, 20 sessions, STARTTLS, a new connection every 10 messages',
    messagesPerConnection: 10,
    starttls: true,
  },
  {
    ...plain,
    name: 'multi',
    description: '4.9 KB, 20 sessions, 10 recipients on 3 sites',
    recipients: spread,
    messages: 1000,
  },
  {
    ...plain,
    name: 'slow-disk',
    description: '4.9 KB, 100 sessions, each sync 5 ms slower',
    sessions: 100,
    syncDelayMs: 5,
  },
  { ...plain, name: 'half-rate', description: '4.9 KB, latency at half of the maximum rate', mostRounds: 1 },
  {
    ...plain,
    name: 'half-rate-heavy',
    description: '4.9 KB, latency at half of the maximum rate, beside 30 MB mails and header bombs',
    mostRounds: 1,
    beside: 'heavy',
  },
  {
    ...plain,
    name: 'fair',
    description: '4.9 KB, one account floods with 100 sessions while another sends a mail every 100 ms',
    sessions: 100,
    mostRounds: 1,
    beside: 'flood',
  },
]

export const caseNames = cases.map(({ name }) => name)

export function caseNamed(name: string): Case {
  const found = cases.find(known => known.name === name)
  if (!found) throw new CliError(`there is no case ${name}`, `the cases are ${caseNames.join(', ')}`)
  return found
}

/** Recipient domains of a case, in the order of their sites. */
export function domainsOf({ recipients }: Case): string[] {
  return [...new Set(recipients.map(address => address.split('@')[1]!))]
}

/** Each site is an address of its own on loopback, all with the same port. */
export function addressOf(site: number): string {
  return `127.0.0.${2 + site}`
}
