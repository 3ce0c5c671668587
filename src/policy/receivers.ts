/**
 * The large receivers that mail is counted for: found by the MX hosts that serve a recipient, or by the recipient's domain.
 *
 * Gmail's and Microsoft's rules for bulk senders are about mailboxes of persons, so those of organisations are told apart:
 * personal Gmail is served by gmail-smtp-in.l.google.com, outlook.com by olc.protection.outlook.com. Both call whoever sends
 * 5,000 a day a bulk sender (support.google.com/a/answer/81126; Microsoft since May 2025). Pure.
 */
import type { DomainName } from '../mail/ids.ts'

export interface Receiver {
  readonly id: string
  readonly name: { readonly ja: string; readonly en: string }
  /** Endings of MX host names, whole labels. */
  readonly hosts: readonly string[]
  /** Recipient domains, for mail whose MX we don't see (a sender's own server). */
  readonly domains: readonly string[]
  /** From so many mails a day on the sender counts as a bulk sender; null: no number is published. */
  readonly bulkFrom: number | null
}

const same = (name: string) => ({ ja: name, en: name })

export const receivers: readonly Receiver[] = [
  {
    id: 'gmail',
    name: same('Gmail'),
    hosts: ['gmail-smtp-in.l.google.com'],
    domains: ['gmail.com', 'googlemail.com'],
    bulkFrom: 5000,
  },
  {
    id: 'google-workspace',
    name: same('Google Workspace'),
    hosts: ['google.com', 'googlemail.com', 'psmtp.com'],
    domains: [],
    bulkFrom: null,
  },
  {
    id: 'microsoft',
    name: same('Outlook.com'),
    hosts: ['olc.protection.outlook.com'],
    domains: ['outlook.com', 'outlook.jp', 'hotmail.com', 'hotmail.co.jp', 'live.com', 'live.jp', 'msn.com'],
    bulkFrom: 5000,
  },
  {
    id: 'microsoft-365',
    name: same('Microsoft 365'),
    hosts: ['protection.outlook.com', 'mx.microsoft'],
    domains: [],
    bulkFrom: null,
  },
  {
    id: 'yahoo',
    name: same('Yahoo'),
    hosts: ['yahoodns.net'],
    domains: ['yahoo.com', 'ymail.com', 'aol.com'],
    bulkFrom: null,
  },
  {
    id: 'yahoo-japan',
    name: { ja: 'Yahoo!メール', en: 'Yahoo! Japan Mail' },
    hosts: ['yahoo.co.jp'],
    domains: ['yahoo.co.jp', 'ymail.ne.jp'],
    bulkFrom: null,
  },
  {
    id: 'docomo',
    name: { ja: 'ドコモメール', en: 'docomo' },
    hosts: ['docomo.ne.jp'],
    domains: ['docomo.ne.jp'],
    bulkFrom: null,
  },
  {
    id: 'au',
    name: { ja: 'auメール', en: 'au' },
    hosts: ['au.com', 'ezweb.ne.jp'],
    domains: ['au.com', 'ezweb.ne.jp', 'uqmobile.jp'],
    bulkFrom: null,
  },
  {
    id: 'softbank',
    name: { ja: 'ソフトバンク', en: 'SoftBank' },
    hosts: ['softbank.ne.jp', 'softbank.jp', 'ybb.ne.jp'],
    domains: ['softbank.ne.jp', 'i.softbank.jp', 'vodafone.ne.jp', 'disney.ne.jp', 'ymobile.ne.jp'],
    bulkFrom: null,
  },
  {
    id: 'icloud',
    name: same('iCloud'),
    hosts: ['icloud.com'],
    domains: ['icloud.com', 'me.com', 'mac.com'],
    bulkFrom: null,
  },
]

/** Everybody else. */
export const otherReceiver = 'other'

/** Of what a bulk sender sends, when a domain is told that it comes near. */
export const nearShare = 0.8

const bulkLimits = new Map(receivers.map(({ id, bulkFrom }) => [id, bulkFrom]))

export function bulkFrom(receiver: string): number | null {
  return bulkLimits.get(receiver) ?? null
}

/** `site` as in `AttemptFacts`: MX hosts joined by comma, or `smtp:host:port`, which says nothing about the receiver. */
export function receiverOf(site: string, recipientDomain: DomainName): string {
  if (site.startsWith('smtp:'))
    return receivers.find(({ domains }) => domains.includes(recipientDomain))?.id ?? otherReceiver
  const hosts = site.toLowerCase().split(',')
  return receivers.find(one => hosts.some(host => one.hosts.some(end => isBelow(host, end))))?.id ?? otherReceiver
}

function isBelow(host: string, end: string): boolean {
  return host === end || host.endsWith(`.${end}`)
}
