/**
 * Keeps note of senders' own SMTP servers that let no mail through, so that somebody hears of it before mail expires.
 *
 * A refused login is no bounce: the mail waits until the settings are mended, and the sender address says why. Told by an
 * event when trouble begins, changes its kind and ends, not for every attempt. What the server says of a recipient is none
 * of it, nor is a limit that it puts on sending. Never fails: a note that can't be written comes with the next attempt.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { SmtpTrouble } from '../mail/account.ts'
import { domainOf } from '../mail/address.ts'
import type { NewEvent } from '../mail/event.ts'
import type { AccountId, Mailbox } from '../mail/ids.ts'
import type { OutcomeClass } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import { classify } from '../outcome/classify.ts'
import type { EntryResult, SettledAttempt } from '../outcome/settled-attempt.ts'
import type { Directory } from '../store/directory.ts'
import type { Store } from '../store/store.ts'
import type { Decision } from './decision.ts'

export interface OwnServerParts {
  readonly directory: Pick<Directory, 'sender'>
  readonly store: Pick<Store, 'noteSmtpTrouble'>
  readonly clock: Clock
  readonly log: Log
}

/** Null: nothing was learnt about the server. */
type Seen = Omit<SmtpTrouble, 'since'> | 'works' | null

/** What mail waits for that the closed server was not given. Of the address, not the login: each mends its own settings. */
export function ownServerOf(sender: Mailbox): string {
  return `own server of ${sender}`
}

/** They pass by themselves, and tell nobody to mend anything. */
const passing: ReadonlySet<OutcomeClass> = new Set(['own-smtp-limit', 'rate', 'too-many-recipients', 'relay-trouble'])

export async function noteOwnServer(
  { smtp, sender: address }: NonNullable<Decision['own']>,
  settled: readonly SettledAttempt[],
  { directory, store, clock, log }: OwnServerParts,
): Promise<void> {
  const seen = seenIn(settled)
  if (seen === null) return
  try {
    const sender = await directory.sender(address)
    const before = sender?.smtpTrouble ?? null
    if (sender === null || before?.class === (seen === 'works' ? undefined : seen.class)) return
    const now = clock.now()
    const trouble = seen === 'works' ? null : { ...seen, since: before?.since ?? now }
    const { sealedPassword, host, port } = smtp
    const event = eventOf(sender.account, { address, host, port }, trouble, before, now)
    await store.noteSmtpTrouble({ address, sealedPassword }, trouble, [event])
  } catch (error) {
    log.warn({ err: error, sender: address }, 'what became of mail through an own SMTP server could not be noted')
  }
}

function eventOf(
  account: AccountId,
  server: { readonly address: string; readonly host: string; readonly port: number },
  trouble: SmtpTrouble | null,
  before: SmtpTrouble | null,
  at: number,
): NewEvent {
  const about = { at, account, domain: domainOf(server.address) }
  const since = new Date((trouble ?? before)?.since ?? at).toISOString()
  if (trouble === null) return { ...about, type: 'sender.smtp_works', data: { ...server, since } }
  const { class: found, reply } = trouble
  return { ...about, type: 'sender.smtp_failed', data: { ...server, class: found, reply, since } }
}

function seenIn(settled: readonly SettledAttempt[]): Seen {
  const all = settled.flatMap(({ results }) => results.map(seenInOne))
  return all.find(seen => seen === 'works') ?? all.find(seen => seen !== null) ?? null
}

function seenInOne(ended: EntryResult): Seen {
  const judged = classify({
    ...('lookup' in ended ? { lookup: ended.lookup } : { result: ended.result }),
    route: 'own-smtp',
  })
  if (judged.action === 'delivered') return 'works'
  if (passing.has(judged.class)) return null
  if (judged.actor === 'own-smtp') return { class: judged.class, reply: formatReply(judged.reply) }
  // It let us in and judged a message.
  return 'result' in ended && 'reply' in ended.result && ended.result.reply.from === 'remote' ? 'works' : null
}
