/**
 * Reads delivery status reports: RFC 3464, and RFC 6533 where addresses go beyond ASCII.
 *
 * Lenient as reports need it: the group of the message may be missing or run into the first recipient's, the part may
 * stand in a multipart of any kind, a status may lack its diagnostic and the other way round. Null: there is no such part.
 */
import { diagnose } from './diagnosis.ts'
import { type Fields, readFields, typedAddress, typedName } from './fields.ts'
import { type Part, partsOf, plainBody } from './mime.ts'
import type { RecipientReport, ReportedAction, StatusReport } from './reading.ts'
import { readTextBounce } from './text-bounce.ts'

const actions: ReadonlySet<string> = new Set<ReportedAction>(['failed', 'delayed', 'delivered', 'relayed', 'expanded'])
/** A transaction of ours has no more recipients. */
const maxRecipients = 1000

export function readDeliveryStatus(mail: Part): StatusReport | null {
  const part = [...partsOf(mail)].find(({ contentType: { value } }) =>
    /^message\/(?:global-)?delivery-status$/.test(value),
  )
  if (part === undefined) return null
  const groups = plainBody(part)
    .split(/\n(?:[ \t]*\n)+/)
    .slice(0, maxRecipients + 1)
    .map(readFields)
    .filter(group => group.size > 0)
  const about = groups.find(group => group.first('reporting-mta') !== null)
  const recipients = groups.flatMap(group => readRecipient(group) ?? [])
  if (recipients.length === 0) return null
  const reportingMta = typedName(about?.first('reporting-mta') ?? null)
  const prose = readTextBounce(mail)
  return {
    ...{ kind: 'status', format: 'rfc3464', reportingMta, system: systemOf(mail, groups) ?? prose?.system ?? null },
    recipients: recipients.map(report => completed(report, prose?.recipients ?? [])),
  }
}

/**
 * The text beside the report knows more at times: OpenSMTPD says what was answered there only (and 5.0.0 here), Postfix
 * which command it was the answer to.
 */
function completed(report: RecipientReport, prose: readonly RecipientReport[]): RecipientReport {
  const addresses = new Set(report.addresses.map(address => address.toLowerCase()))
  const told = prose.find(one => one.addresses.some(address => addresses.has(address.toLowerCase())))
  if (told === undefined) return report
  const isSilent = report.reply.text === '' && Math.trunc(told.reply.code / 100) === Math.trunc(report.reply.code / 100)
  return { ...report, reply: isSilent ? told.reply : report.reply, phase: report.phase ?? told.phase }
}

function readRecipient(group: Fields): RecipientReport | null {
  const addresses = ['original-recipient', 'final-recipient']
    .map(name => typedAddress(group.first(name)))
    .filter(address => address !== null)
  const status = group.first('status')
  if (addresses.length === 0 && status === null) return null
  const [diagnostic = ''] = group.all('diagnostic-code')
  return {
    action: actionOf(group.first('action'), status),
    addresses,
    ...diagnose(diagnostic.replace(/^\s*[\w.-]{1,40}\s*;/, ''), status),
    remoteMta: typedName(group.first('remote-mta')),
  }
}

/** `failed (bad address)`, `FAILED`; without one the status says it. */
function actionOf(text: string | null, status: string | null): ReportedAction {
  const [word = ''] = /^[a-z]+/.exec(text?.trim().toLowerCase() ?? '') ?? []
  if (actions.has(word)) return word as ReportedAction
  const digit = status?.trim()[0]
  return digit === '2' ? 'delivered' : digit === '4' ? 'delayed' : 'failed'
}

/** As far as field names of their own or the sender's name tell. */
function systemOf(mail: Part, groups: readonly Fields[]): string | null {
  const names: readonly (readonly [string, string])[] = [
    ['x-postfix-queue-id', 'Postfix'],
    ['x-display-name', 'Exchange'],
    ['x-actual-recipient', 'sendmail'],
  ]
  const known = names.find(([field]) => groups.some(group => group.first(field) !== null))
  if (known) return known[1]
  const agent = mail.fields.first('x-mailer') ?? mail.fields.first('user-agent')
  return agent === null ? null : agent.slice(0, 60)
}
