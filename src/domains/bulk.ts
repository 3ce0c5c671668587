/**
 * Sender domains by the thousand: registered at once, their keys made and their records checked one after the other.
 *
 * An RSA key of 2048 bits costs a core a tenth of a second: 5,000 at once would keep the thread pool, on which mail is
 * signed, for minutes. So a registration in bulk leaves the key to a line in which one is made at a time; one asked for
 * by a person waits for at most one of them. A key that can't be made leaves `keyFailure`, as for a single domain.
 * What is owed stands with the domain (`keyWanted`), so a restart forgets none.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Turnstile } from '../dns/turnstile.ts'
import type { DomainName } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import { newDkimKey } from '../signing/key-factory.ts'
import type { DomainStore } from '../store/store.ts'
import { issueKey, type KeyIssuer } from './key-rotation.ts'
import { type LineProgress, WaitingLine } from './waiting-line.ts'

export interface BulkParts extends KeyIssuer {
  readonly store: DomainStore
  readonly clock: Clock
  readonly log: Log
  /** Checks one domain, in turn with everybody who wants a check. */
  readonly verify: (name: DomainName) => Promise<unknown>
}

export interface Bulk {
  /** Checks them when their turn comes; answers how many were not waiting yet. */
  checkLater(names: Iterable<DomainName>): number
  makeKeysLater(names: Iterable<DomainName>): void
  progress(): BulkProgress
  stop(): Promise<void>
}

export interface BulkProgress {
  readonly checks: LineProgress
  readonly keys: LineProgress
}

/** Fewer than may run at all (service.ts), so that a person's check never waits for thousands. */
const checksAtOnce = 6

export function openBulk(parts: BulkParts): Bulk {
  const { clock, log } = parts
  const checks = new WaitingLine({
    ...{ name: 'a check', places: checksAtOnce, clock, log },
    work: async name => void (await parts.verify(name)),
  })
  const keys = new WaitingLine({
    ...{ name: 'making a DKIM key', places: 1, clock, log },
    async work(name) {
      await makeOwedKey(parts, name)
      checks.add([name])
    },
  })
  return {
    checkLater: names => checks.add(names),
    makeKeysLater: names => void keys.add(names),
    progress: () => ({ checks: checks.progress(), keys: keys.progress() }),
    async stop() {
      await keys.stop()
      await checks.stop()
    },
  }
}

/** One generation at a time, whoever asks: the others wait in line. */
export function inTurn(makeKey: typeof newDkimKey = newDkimKey): typeof newDkimKey {
  const turnstile = new Turnstile(1)
  return spec => turnstile.pass(() => makeKey(spec))
}

async function makeOwedKey(parts: BulkParts, name: DomainName): Promise<void> {
  const domain = await parts.store.domain(name)
  if (!domain || !owesKey(domain)) return
  const keyFailure = await issueKey(parts, domain, domain.keyWanted ?? {}).then(
    () => null,
    (error: Error) => {
      parts.log.error({ domain: name, error: String(error) }, 'no DKIM key could be made')
      return `no DKIM key could be made: ${error.message}`
    },
  )
  await parts.store.updateDomain(name, { keyWanted: null, keyFailure }, [])
}

/** A crash between key and note leaves the note behind: then there is a key already. */
export function owesKey({ keyWanted, keys }: SenderDomain): boolean {
  return keyWanted != null && keys.length === 0
}
