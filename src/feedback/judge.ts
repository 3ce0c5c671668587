/**
 * What a report on a recipient means: its class, who must act, and whether the address can ever be reached.
 *
 * The class is outcome/classify.ts's, as for a reply that Kitte itself had met. Only what no reply says is added: that
 * another host gave up after its own time (RFC 3463 X.4.7). What can never be reached is the class's to say
 * (`suppressible`), the same for a refusal at once and for a bounce later.
 */
import { domainOf } from '../mail/address.ts'
import type { Actor, OutcomeClass } from '../mail/outcome.ts'
import { classes } from '../outcome/classes.ts'
import type { Explanation } from '../outcome/classify.ts'
import type { Said } from '../outcome/match-rule.ts'
import type { RecipientReport } from './reading.ts'

export type Explain = (said: Said) => Pick<Explanation, 'class' | 'actor'>

export interface Meaning {
  readonly class: OutcomeClass
  readonly actor: Actor
  readonly permanent: boolean
}

/** Where nothing is said of the command it was RCPT, as for nearly all. */
export function judgeReport(explain: Explain, { reply, phase, addresses, remoteMta }: RecipientReport): Meaning {
  const hosts = [remoteMta, ...addresses.map(domainOf)].filter(name => name !== null)
  const told = explain({
    reply,
    phase: phase ?? 'rcpt',
    route: 'mx',
    site: hosts.length === 0 ? null : hosts.join(','),
  })
  const found = reply.detail === '4.7' ? 'expired' : told.class
  return { class: found, actor: told.actor, permanent: reply.code >= 500 && classes[found].suppressible }
}
