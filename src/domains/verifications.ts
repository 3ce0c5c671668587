/**
 * Which domains are being verified now: each once at a time, and never while its keys or its holder change.
 *
 * Fails with what the verification or the change fails with.
 */
import { Turnstile } from '../dns/turnstile.ts'
import type { DomainName } from '../mail/ids.ts'

export interface Verifications {
  /** Whoever asks while one is under way gets the same one. */
  verify(name: DomainName): Promise<void>
  /** Resolves when none is under way. */
  over(name: DomainName): Promise<void>
  /**
   * Changes keys or holder between verifications, and verifies: one under way could take what it saw of a key for its
   * successor under the same selector, and would tell a former holder.
   */
  alone(name: DomainName, change: () => Promise<void>): Promise<void>
}

/** Each asks a handful of questions at a time: far below what the resolver lets through, so that mail finds its way. */
const checksAtOnce = 16

export function openVerifications(look: (name: DomainName) => Promise<void>): Verifications {
  const turnstile = new Turnstile(checksAtOnce)
  const running = new Map<DomainName, Promise<void>>()

  function run(name: DomainName, verification: Promise<void>): Promise<void> {
    const ended = verification.finally(() => running.delete(name))
    running.set(name, ended)
    return ended
  }

  async function over(name: DomainName): Promise<void> {
    for (let other = running.get(name); other; other = running.get(name)) await other.catch(() => {})
  }

  const check = (name: DomainName) => turnstile.pass(() => look(name))

  return {
    over,
    verify: name => running.get(name) ?? run(name, check(name)),
    async alone(name, change) {
      await over(name)
      const changed = change()
      await run(
        name,
        changed.catch(() => {}).then(() => check(name)),
      )
      await changed
    },
  }
}
