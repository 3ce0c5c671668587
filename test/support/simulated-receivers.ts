/**
 * Receivers whose mood is drawn by lot: slow, busy, down, silent, greylisting … They note what no receiver may ever see: more
 * connections than its rule allows, a recipient twice at once, a recipient again after it was taken.
 */
import type { OpenResult } from '../../src/delivery/transport.ts'
import type { RecipientResult } from '../../src/mail/attempt-result.ts'
import type { ManualClock } from './manual-clock.ts'
import { answerAll, refusedConnection, type Sending, scriptedTransport, silentHost } from './scripted-transport.ts'
import { accounts, type Lot, type SimulatedSite, second } from './simulated-world.ts'

const troubles = [
  'fine',
  'slow',
  'busy',
  'greylisting',
  'refusing',
  'down',
  'silent',
  'few',
  'sender',
  'address',
  'mixed',
] as const
type Mood = (typeof troubles)[number]

export class Receivers {
  readonly faults: string[] = []
  readonly #moods = new Map<string, Mood>()
  readonly #underWay = new Set<string>()
  readonly delivered = new Set<string>()
  attempts = 0
  calm = false
  readonly #lot: Lot
  readonly #clock: ManualClock
  readonly #sites: ReadonlyMap<string, SimulatedSite>

  constructor(lot: Lot, clock: ManualClock, sites: readonly SimulatedSite[]) {
    this.#lot = lot
    this.#clock = clock
    this.#sites = new Map(sites.map(site => [site.host, site]))
  }

  turn(): void {
    for (const host of this.#sites.keys()) if (this.#lot.chance(0.06)) this.#moods.set(host, this.#lot.oneOf(troubles))
  }

  #moodOf(host: string): Mood {
    if (this.calm) return 'fine'
    const mood = this.#moods.get(host) ?? 'mixed'
    return mood === 'mixed' ? this.#lot.oneOf(troubles) : mood
  }

  /** What one worker sees of them. */
  transport(maxAttempts: number) {
    const busy = new Map<string, number>()
    let all = 0
    return scriptedTransport({
      open: ({ host }) => this.#open(host),
      send: async sending => {
        const { host } = sending.spec
        const site = this.#sites.get(host)!
        const party = site.shared ? 'Big' : host
        const now = (busy.get(party) ?? 0) + 1
        busy.set(party, now)
        if (now > site.rule.connections)
          this.faults.push(`${now} connections to ${party}, not ${site.rule.connections}`)
        if (++all > maxAttempts) this.faults.push(`${all} attempts at once`)
        try {
          return await this.#send(sending)
        } finally {
          busy.set(party, busy.get(party)! - 1)
          all--
        }
      },
    })
  }

  async #open(host: string): Promise<OpenResult | null> {
    const lot = this.#lot
    if (lot.chance(0.3)) await this.#clock.sleep(lot.oneOf([1, 30, 300]))
    switch (this.#moodOf(host)) {
      case 'down':
        return refusedConnection()
      case 'silent':
        await this.#clock.sleep(5 * second)
        return silentHost()
      case 'busy':
        return lot.chance(0.5) ? null : { reply: reply('421 4.3.2 too many connections'), phase: 'banner' }
      case 'address': {
        if (!lot.chance(0.5)) return null
        const failure = { phase: 'connect', kind: 'unreachable', detail: 'EADDRNOTAVAIL', inDoubt: false } as const
        return { failure, tlsFailed: false }
      }
      default:
        return null
    }
  }

  async #send(sending: Sending): Promise<readonly RecipientResult[]> {
    const addresses = sending.envelope.recipients.map(({ address }) => address)
    this.attempts += addresses.length
    for (const address of addresses) {
      if (this.#underWay.has(address)) this.faults.push(`${address} is under way twice`)
      if (this.delivered.has(address)) this.faults.push(`${address} is sent again`)
      this.#underWay.add(address)
    }
    const results = await this.#answer(sending)
    for (const address of addresses) this.#underWay.delete(address)
    for (const one of results) if ('reply' in one && one.reply.code === 250) this.delivered.add(one.address)
    return results
  }

  async #answer({ envelope, spec: { host } }: Sending): Promise<readonly RecipientResult[]> {
    const lot = this.#lot
    const mood = this.#moodOf(host)
    await this.#clock.sleep(mood === 'slow' ? lot.oneOf([5, 20, 45]) * second : lot.oneOf([0, 10, 200, 2000]))
    switch (mood) {
      case 'busy':
        return answerAll(
          envelope,
          lot.oneOf(['421 4.3.2 later', '421 4.7.0 try again later', '450 4.7.1 too fast']),
          lot.oneOf(['mail', 'dot']),
        )
      case 'greylisting':
        return envelope.recipients.map(one => answerOne(one.address, lot.chance(0.5) ? '451 4.7.1 greylisted' : null))
      case 'refusing':
        return envelope.recipients.map(one => answerOne(one.address, lot.chance(0.5) ? '550 5.1.1 unknown' : null))
      case 'few': {
        const most = 1 + lot.below(5)
        return envelope.recipients.map((one, n) =>
          answerOne(one.address, n < most ? null : '452 4.5.3 too many recipients'),
        )
      }
      case 'sender':
        if (lot.chance(0.9)) return answerAll(envelope, '250 2.0.0 ok')
        return answerAll(envelope, `421 4.7.28 unusual rate from your domain ${lot.oneOf(accounts)}.example`, 'dot')
      case 'silent':
        return envelope.recipients.map(({ address }) => ({
          address,
          failure: { phase: 'dot', kind: 'timeout', detail: 'no answer', inDoubt: true },
        }))
      default:
        return answerAll(envelope, '250 2.0.0 ok')
    }
  }
}

function reply(line: string) {
  const [answer] = answerAll(
    { recipients: [{ address: 'x@x.example' }] } as unknown as Parameters<typeof answerAll>[0],
    line,
  )
  return (answer as Extract<RecipientResult, { reply: unknown }>).reply
}

function answerOne(address: string, refused: string | null): RecipientResult {
  return { address, reply: reply(refused ?? '250 2.0.0 ok'), phase: refused === null ? 'dot' : 'rcpt' }
}
