/**
 * The sandbox's pages: what arrived, and one message, in Japanese and English, readable on a telephone.
 *
 * Plain HTML without scripts; the list loads itself again. Everything a stranger wrote is escaped.
 */
import type { Arrival } from './inbox.ts'
import { fieldOf } from './readable.ts'
import { summaryOf, type Verdict } from './verify-arrival.ts'

export interface PageWords {
  /** A line that sends a mail, ready to paste. */
  readonly sendCommand: string
  readonly timeZone: string
}

/** Without a script nothing else can tell that mail came. */
const refreshSeconds = 3

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent) }
body { font: 16px/1.6 system-ui, "Hiragino Sans", "Noto Sans JP", sans-serif; margin: 0 auto; padding: 1rem; max-width: 60rem }
h1 { font-size: 1.35rem; margin: 0 0 .25rem } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem }
p { margin: .4rem 0 } .en { opacity: .75; font-size: .9em }
a { color: inherit } ul { list-style: none; padding: 0; margin: 1rem 0 }
li a { display: block; padding: .75rem .25rem; border-top: 1px solid var(--line); text-decoration: none; min-height: 44px }
li a:hover, li a:focus { background: color-mix(in srgb, currentColor 6%, transparent) }
.subject { font-weight: 600; overflow-wrap: anywhere } .who { font-size: .9em; overflow-wrap: anywhere }
.badge { display: inline-block; border: 1px solid; border-radius: .3rem; padding: 0 .4rem; margin: .15rem .3rem .15rem 0; font: .85em ui-monospace, monospace }
.pass { color: light-dark(#0a6b2d, #6fdc95) } .other { color: light-dark(#a12a12, #ff9d85) }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: .4rem; padding: .75rem; margin: .5rem 0; font: .85em/1.5 ui-monospace, monospace }
table { border-collapse: collapse; width: 100%; font-size: .9em } th, td { text-align: left; vertical-align: top; padding: .35rem .5rem .35rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere }
th { font-weight: 600; white-space: nowrap }
`

export function listPage(arrivals: readonly Arrival[], words: PageWords): string {
  const head = `<meta http-equiv="refresh" content="${refreshSeconds}">`
  return page(
    'Kitte sandbox',
    `<h1>届いたメール <span class="en" lang="en">What arrived</span></h1>
<p>このページのメールは、このマシンから外へは出ていません。<br><span class="en" lang="en">Nothing on this page has left this machine.</span></p>
${arrivals.length === 0 ? emptyList(words) : `<ul>${arrivals.map(arrival => row(arrival, words)).join('\n')}</ul>`}`,
    head,
  )
}

export function arrivalPage(arrival: Arrival, words: PageWords): string {
  const { message } = arrival
  const facts: [string, string][] = [
    ['時刻 Received', timeOf(arrival, words)],
    ['差出人 Envelope sender', arrival.reversePath === '' ? '<>' : arrival.reversePath],
    ['宛先 Recipients', arrival.recipients.join(', ')],
    ['接続元 Client', `${arrival.helo} [${arrival.remoteIp}] ${arrival.tls ?? 'plain text'}`],
    ['大きさ Size', `${arrival.raw.length.toLocaleString('en')} octets`],
    ['SPF', `${arrival.verdict.spf.result} smtp.mailfrom=${arrival.verdict.spf.domain}`],
    ...arrival.verdict.dkim.map((signature): [string, string] => [
      'DKIM',
      `${signature.result} header.d=${signature.domain} header.s=${signature.selector}`,
    ]),
    [
      'DMARC',
      `${arrival.verdict.dmarc.result} header.from=${arrival.verdict.dmarc.domain} p=${arrival.verdict.dmarc.policy}`,
    ],
  ]
  return page(
    fieldOf(message, 'subject') || 'Kitte sandbox',
    `<p><a href="/sandbox">← 届いたメール <span class="en" lang="en">What arrived</span></a></p>
<h1>${escapeHtml(fieldOf(message, 'subject')) || '（件名なし）<span class="en">no subject</span>'}</h1>
<p>${badges(arrival.verdict)}</p>
${table(facts)}
<h2>本文 <span class="en" lang="en">Text</span></h2><pre>${escapeHtml(message.text)}</pre>
<h2>認証結果 <span class="en" lang="en">Authentication-Results</span></h2><pre>${escapeHtml(arrival.verdict.authenticationResults)}</pre>
<h2>ヘッダー <span class="en" lang="en">Header</span></h2>${table(message.fields)}
<p><a href="/sandbox/messages/${arrival.number}/source">原文 <span class="en" lang="en">Source</span></a></p>`,
  )
}

function row(arrival: Arrival, words: PageWords): string {
  const { message } = arrival
  return `<li><a href="/sandbox/arrivals/${arrival.number}">
<div class="subject">${escapeHtml(fieldOf(message, 'subject')) || '（件名なし）<span class="en">no subject</span>'}</div>
<div class="who">${escapeHtml(fieldOf(message, 'from'))} → ${escapeHtml(arrival.recipients.join(', ').slice(0, 200))}</div>
<div>${badges(arrival.verdict)}<span class="en">${timeOf(arrival, words)}</span></div></a></li>`
}

function emptyList({ sendCommand }: PageWords): string {
  return `<p>まだ届いていません。次の行をターミナルに貼り付けると、ここに表示されます。<br>
<span class="en" lang="en">Nothing yet. Paste this line into a terminal; the mail shows up here by itself.</span></p>
<pre>${escapeHtml(sendCommand)}</pre>`
}

function badges(verdict: Verdict): string {
  return summaryOf(verdict)
    .split(' ')
    .map(text => `<span class="badge ${text.endsWith('=pass') ? 'pass' : 'other'}">${escapeHtml(text)}</span>`)
    .join('')
}

function table(rows: readonly (readonly [string, string])[]): string {
  return `<table>${rows.map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join('')}</table>`
}

function timeOf({ receivedAt }: Arrival, { timeZone }: PageWords): string {
  return new Intl.DateTimeFormat('ja-JP', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(receivedAt)
}

function page(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>${head}<style>${style}</style></head>
<body><main>${body}</main></body></html>
`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
