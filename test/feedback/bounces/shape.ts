/**
 * Bounce mails as mail systems write them, made up from their documentation: nobody's mail, nobody's words about it.
 */
import type { OutcomeClass } from '../../../src/mail/outcome.ts'

export interface BounceMail {
  /** Who writes it so. */
  readonly system: string
  readonly raw: string | Buffer
  readonly expected: {
    readonly kind: 'bounce' | 'delay'
    readonly recipient: string
    /** `5.1.1` */
    readonly status: string
    readonly class: OutcomeClass
  }
}

/** The mail that bounced: from here it came. */
export const returnPath = 'b-01jhm3w5c0f8k2v6q9x7r1t4ab-0-0123456789abcdef@bounce.relay.example.jp'

export const originalHeader = (to: string) =>
  `Return-Path: <${returnPath}>
Received: from crm.example.jp ([192.0.2.10])
	by relay.example.jp with ESMTPSA id 01jhm3w5c0f8k2v6q9x7r1t4ab
	for <${to}>;
	Thu, 15 Jan 2026 12:00:00 +0900
From: =?utf-8?B?5Za25qWt6YOo?= <sales@ours.example>
To: ${to}
Subject: =?utf-8?B?44GK6KaL56mN44KK?=
Date: Thu, 15 Jan 2026 12:00:00 +0900
Message-ID: <1@crm.example.jp>
`

export interface TextBounce {
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly fields?: string
  readonly charset?: string
  readonly encoding?: string
}

/** One text, no report. */
export function textBounce({ from, subject, text, fields = '', charset = 'us-ascii', encoding = '7bit' }: TextBounce) {
  return `Return-Path: <>
From: ${from}
To: ${returnPath}
Subject: ${subject}
Date: Thu, 15 Jan 2026 12:00:05 +0900
${fields}MIME-Version: 1.0
Content-Type: text/plain; charset=${charset}
Content-Transfer-Encoding: ${encoding}

${text}`
}

export interface Reported {
  readonly original?: string
  readonly final: string
  readonly action?: string
  readonly status: string
  readonly remote?: string
  readonly diagnostic?: string
}

export interface ReportBounce {
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly mta: string
  readonly message?: string
  readonly recipients: readonly Reported[]
  readonly fields?: string
  readonly returned?: 'message/rfc822' | 'text/rfc822-headers' | null
}

/** RFC 3462 and RFC 3464. */
export function reportBounce(report: ReportBounce): string {
  const { from, subject, text, mta, message = '', recipients, fields = '', returned = 'message/rfc822' } = report
  const attached =
    returned === null
      ? ''
      : `\n--=_bound/1\nContent-Type: ${returned}\n\n${originalHeader(recipients[0]!.original ?? recipients[0]!.final)}${returned === 'message/rfc822' ? '\n550 5.1.1 is what this mail is about\n' : ''}`
  return `Return-Path: <>
From: ${from}
To: ${returnPath}
Subject: ${subject}
Date: Thu, 15 Jan 2026 12:00:05 +0900
${fields}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_bound/1"

This is a MIME-encapsulated message.

--=_bound/1
Content-Type: text/plain; charset=us-ascii

${text}
--=_bound/1
Content-Type: message/delivery-status

Reporting-MTA: dns; ${mta}
${message}
${recipients.map(groupOf).join('\n')}${attached}
--=_bound/1--
`
}

function groupOf({ original, final, action = 'failed', status, remote, diagnostic }: Reported): string {
  return `${original === undefined ? '' : `Original-Recipient: rfc822;${original}\n`}Final-Recipient: rfc822; ${final}
Action: ${action}
Status: ${status}
${remote === undefined ? '' : `Remote-MTA: dns; ${remote}\n`}${diagnostic === undefined ? '' : `Diagnostic-Code: ${diagnostic}\n`}`
}

export const bounce = (
  system: string,
  recipient: string,
  status: string,
  found: OutcomeClass,
  raw: string | Buffer,
  kind: 'bounce' | 'delay' = 'bounce',
): BounceMail => ({ system, raw, expected: { kind, recipient, status, class: found } })

/** Text in an encoding of Japan that Node reads and does not write: its own reading, turned round. */
export function encoded(text: string, charset: 'iso-2022-jp' | 'shift_jis'): Buffer {
  const pairs = charset === 'iso-2022-jp' ? eucPairs() : shiftJisPairs()
  const octets: number[] = []
  let isJis = false
  const shift = (jis: boolean) => {
    if (charset === 'iso-2022-jp' && jis !== isJis) octets.push(...Buffer.from(jis ? '\x1b$B' : '\x1b(B', 'latin1'))
    isJis = jis
  }
  for (const character of text) {
    const pair = pairs.get(character)
    shift(pair !== undefined)
    if (pair === undefined) octets.push(character.charCodeAt(0))
    else octets.push(...(charset === 'iso-2022-jp' ? pair.map(octet => octet & 0x7f) : pair))
  }
  shift(false)
  return Buffer.from(octets)
}

const eucPairs = () => new Map(pairsOf('euc-jp', [0xa1, 0xfe], [0xa1, 0xfe]))
const shiftJisPairs = () =>
  new Map([...pairsOf('shift_jis', [0x81, 0x9f], [0x40, 0xfc]), ...pairsOf('shift_jis', [0xe0, 0xef], [0x40, 0xfc])])

function* pairsOf(
  charset: string,
  [firstLead, lastLead]: readonly [number, number],
  [firstTrail, lastTrail]: readonly [number, number],
): Generator<readonly [string, readonly number[]]> {
  const decoder = new TextDecoder(charset)
  for (let lead = firstLead; lead <= lastLead; lead++)
    for (let trail = firstTrail; trail <= lastTrail; trail++) {
      const character = decoder.decode(Buffer.from([lead, trail]))
      if (character.length === 1 && character !== '\ufffd') yield [character, [lead, trail]]
    }
}

export function base64Of(text: string): string {
  return Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n')
}
