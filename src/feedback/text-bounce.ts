/**
 * Reads bounces in prose, of systems that write no delivery status (RFC 3464), by the rules of `text-rules/`.
 *
 * The first rule whose marker stands in the text decides. Text that no rule knows is no bounce: a wrong guess would end
 * somebody's mail, a missed one changes nothing. Bounded text, bounded repetitions: linear.
 */
import { subjectOf } from './auto-reply.ts'
import { diagnose } from './diagnosis.ts'
import { type Part, partsOf, textOf } from './mime.ts'
import type { RecipientReport, StatusReport } from './reading.ts'
import { statusOfWords } from './status-of-words.ts'
import { address, type TextRule } from './text-rule.ts'
import { carrierRules } from './text-rules/carriers.ts'
import { groupwareRules } from './text-rules/groupware.ts'
import { providerRules } from './text-rules/providers.ts'
import { serverRules } from './text-rules/servers.ts'
import { unknownSystems } from './text-rules/unknown-systems.ts'

/** Carriers late: theirs are sentences that any Japanese system might write. Last, what nobody else claims. */
export const textRules: readonly TextRule[] = [
  ...providerRules,
  ...groupwareRules,
  ...serverRules,
  ...carrierRules,
  unknownSystems,
]
const maxText = 16_000
const maxRecipients = 100
/** The header of our own message, whichever system quotes it: its words are no reason. */
const ourOwn = /^(?:--- The header of the original message|Received: ?(?:from|by) )/m
const anyAddress = new RegExp(`(?<address>${address})`, 'g')

export function readTextBounce(mail: Part): StatusReport | null {
  const text = wordsOf(mail)
  const rule = textRules.find(({ marker }) => marker.test(text))
  if (rule === undefined) return null
  const recipients = recipientsOf(rule, text, mail.fields.first('x-failed-recipients'))
  if (rule.mustTell && !recipients.every(tells)) return null
  return { kind: 'status', format: 'text', system: rule.system, reportingMta: null, recipients }
}

/** What a person would read: sender, subject and first text; HTML only where there is nothing else. */
function wordsOf(mail: Part): string {
  const parts = [...partsOf(mail)]
  const part =
    parts.find(({ contentType }) => contentType.value === 'text/plain') ??
    parts.find(({ contentType }) => contentType.value === 'text/html') ??
    parts.find(({ contentType }) => contentType.value === 'message/delivery-status')
  const body = part ? textOf(part) : ''
  return `${mail.fields.first('from') ?? ''}\n${subjectOf(mail)}\n\n${body}`.slice(0, maxText)
}

function recipientsOf(rule: TextRule, text: string, failed: string | null): RecipientReport[] {
  const end = Math.min(...[rule.until, ourOwn].map(pattern => pattern?.exec(text)?.index ?? text.length))
  const told = text.slice(0, end)
  const action = rule.delayed?.test(told) ? 'delayed' : 'failed'
  const common = reasonIn(rule.reason?.exec(told)?.groups)
  const list = told.slice(rule.from?.exec(told)?.index ?? told.indexOf('\n\n'))
  const own = [...list.matchAll(rule.recipients ?? anyAddress)]
  // A relative of the system that words its list in another way.
  const found = (own.length > 0 || failed !== null ? own : [...list.matchAll(unknownSystems.recipients!)]).slice(
    0,
    maxRecipients,
  )
  const reports = found.map(({ groups, index, 0: whole }) =>
    reportOf(action, [groups!.address!], common ?? (groups!.reason?.trim() || list.slice(index + whole.length))),
  )
  if (reports.length > 0) return unique(reports)
  // Exim and Gmail name them in a field too.
  const named = failed?.match(anyAddress)?.slice(0, maxRecipients) ?? []
  const reason = common ?? list
  return named.length > 0 ? named.map(one => reportOf(action, [one], reason)) : [reportOf(action, [], reason)]
}

/** Without an address, or without a status or words that are known, it may be anything. */
function tells({ addresses, reply: { detail, text } }: RecipientReport): boolean {
  return addresses.length > 0 && (detail !== '0.0' || statusOfWords(text) !== null)
}

function reasonIn(groups: Readonly<Record<string, string | undefined>> | undefined): string | null {
  return Object.values(groups ?? {}).find(text => text !== undefined && text.trim() !== '') ?? null
}

function reportOf(action: RecipientReport['action'], addresses: readonly string[], reason: string): RecipientReport {
  return { action, addresses, ...diagnose(reason), remoteMta: null }
}

function unique(reports: readonly RecipientReport[]): RecipientReport[] {
  return [...new Map(reports.map(report => [report.addresses[0]!.toLowerCase(), report])).values()]
}
