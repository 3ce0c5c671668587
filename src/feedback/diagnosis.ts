/**
 * Finds the SMTP reply in what a report quotes or tells: code, enhanced status, text, and what had been asked.
 *
 * The code decides permanent or not where there is one, then the status, then the words (`phrases.ts`). Always answers:
 * a failure that says nothing of itself is 550 with the text as it stands. Linear in the text, which is cut first.
 */
import type { Phase } from '../mail/attempt-result.ts'
import { maxReplyText, type Reply } from '../mail/reply.ts'
import { statusOfWords } from './status-of-words.ts'

export interface Diagnosis {
  readonly reply: Reply
  /** Null: nothing is said of it. */
  readonly phase: Phase | null
}

const maxDiagnosis = 4000
/** A code at the beginning, behind a bracket, a colon or `said:`; not the number of an address, a port or a line. */
const coded =
  /(?:^|[\s:;"'<([#=])([45]\d\d)(?:[\s#,:-]{1,3}|-)\(?#?([245])\.(\d{1,3}\.\d{1,3})\b|(?:^|[\s:;"'<([=])([45][0-5]\d)[\s:,-](?=\s{0,4}\S)/
/** The reply of a server behind the one that is quoted. */
const nested = /[\s:;("'][45]\d\d[ -]([45])\.(\d{1,3}\.\d{1,3})\b/
const statusAlone = /(?:^|[\s:;"'<([#=])([45])\.(\d{1,3}\.\d{1,3})(?![\d.]*\d)/

/** `status`: the Status field (RFC 3464 §2.3.4), where the report has one. */
export function diagnose(text: string, status: string | null = null): Diagnosis {
  const said = text
    .slice(0, 2 * maxDiagnosis)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, maxDiagnosis)
  return { reply: replyOf(said, status), phase: phaseOf(said) }
}

function replyOf(said: string, status: string | null): Reply {
  const [, digit, detail] = /^\s*([245])\.(\d{1,3}\.\d{1,3})/.exec(status ?? '') ?? []
  const found = quoted(said)
  if (found === null && digit === undefined) return replyOfWords(said)
  const best = mostTelling(found?.detail, detail) ?? '0.0'
  const code = leastFinal(found?.code ?? codeOf(digit!), found?.digit, digit)
  return { code, detail: best, text: clean(found?.text || said), from: 'remote' }
}

function replyOfWords(said: string): Reply {
  const { digit, detail } = statusOfWords(said) ?? { digit: '5', detail: '0.0' }
  return { code: codeOf(digit), detail, text: clean(said), from: 'remote' }
}

interface Quoted {
  readonly code: number
  readonly digit: string | undefined
  readonly detail: string | undefined
  readonly text: string
}

/** The reply itself, without what stands before it, and said once where it came in several lines. */
function quoted(said: string): Quoted | null {
  const match = coded.exec(said)
  if (match === null) return statusOnly(said)
  const [whole, code, digit, detail, bare] = match
  const rest = said.slice(match.index + whole.length)
  const twice = /^\s*(?:\d{3}[ -])?[-:]?\s*#?([245])\.(\d{1,3}\.\d{1,3})\b/.exec(rest)
  const text = (twice ? rest.slice(twice[0].length) : rest).replaceAll(`${code ?? bare}-${digit}.${detail} `, '')
  const lastLine = `${code} ${digit}.${detail} `
  const inner = twice === null && detail === undefined ? nested.exec(rest) : null
  const isFirst = {
    code: Number(code ?? bare),
    digit: digit ?? twice?.[1] ?? inner?.[1],
    detail: detail ?? twice?.[2] ?? inner?.[2],
  }
  return { ...isFirst, text: text.replace(lastLine, '') }
}

function statusOnly(said: string): Quoted | null {
  const match = statusAlone.exec(said)
  if (match === null) return null
  const [, digit, detail] = match
  // qmail puts it behind its words.
  return { code: codeOf(digit!), digit, detail: detail!, text: said }
}

/** `550 4.4.7`, or a code of 5 under a status of 4: what may pass is not called final. */
function leastFinal(code: number, ...digits: readonly (string | undefined)[]): number {
  return code >= 500 && digits.includes('4') ? 450 : code
}

/** 5.0.0 and 5.7.1 are said of anything; what names a subject and a detail is better, whichever place it stands in. */
function mostTelling(quotedDetail: string | undefined, field: string | undefined): string | null {
  if (quotedDetail === undefined || field === undefined) return quotedDetail ?? field ?? null
  return isVague(quotedDetail) && !isVague(field) ? field : quotedDetail
}

function isVague(detail: string): boolean {
  return detail.endsWith('.0')
}

function codeOf(digit: string): number {
  return digit === '4' ? 450 : 550
}

/** Postfix, Exim, Exchange and qmail each say it in their way. */
const phases: readonly (readonly [Phase, RegExp])[] = [
  [
    'dot',
    /end of (?:message|data)|after (?:sending )?(?:end of data|message|data)|DATA section|for TEXT command|\b(?:URL|link) in message|\bmessage (?:has been |was |is )?(?:rejected|blocked|refused)/i,
  ],
  ['mail', /MAIL FROM command|in reply to MAIL|after MAIL FROM|error from remote.{0,40}MAIL FROM/i],
  ['data', /in reply to DATA|after (?:sending )?DATA\b/i],
  ['rcpt', /in reply to RCPT|after RCPT TO|RCPT TO:/i],
]

function phaseOf(said: string): Phase | null {
  return phases.find(([, pattern]) => pattern.test(said))?.[0] ?? null
}

/** qmail's end of every message that waited: it would be taken for a message that is too long. */
const queueWords = "I'm not going to try again; this message has been in the queue too long."

function clean(text: string): string {
  return text
    .replace(queueWords, '')
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
    .replace(/^[\s:;,.)\]>-]+/, '')
    .trim()
    .slice(0, maxReplyText)
}
