/**
 * Which class a 4xx or 5xx reply belongs to: ordered rules, the first that fits wins.
 *
 * Texts come before statuses where a status is used for anything (X.7.1 most of all), statuses before codes, because
 * codes are coarser. To add a class: a rule here, its sentences in `classes.ts`, a line in the test's table.
 */
import type { Phase } from '../mail/attempt-result.ts'
import type { Actor, OutcomeClass } from '../mail/outcome.ts'

export type Route = 'mx' | 'own-smtp'

export interface Rule {
  readonly class: OutcomeClass
  /** When it isn't the class's usual one. */
  readonly actor?: Actor
  /** All given conditions must hold. */
  readonly when: {
    readonly digit?: 4 | 5
    readonly codes?: readonly number[]
    /** Subject and detail of the enhanced status: `7.1`; `0.0` when there was none. */
    readonly status?: RegExp
    readonly text?: RegExp
    readonly phases?: readonly Phase[]
    readonly route?: Route
  }
}

/** Says nothing by itself: absent, "other", or the catch-all of security statuses. */
const vague = /^(?:\d\.0|7\.1)$/

const quota =
  /quota|(?:mailbox|mail box|inbox|user).{0,20}\bfull\b|\bfull\b.{0,10}(?:mailbox|inbox)|over ?quota|exceeded.{0,20}storage|not enough (?:space|storage) in (?:the )?(?:mailbox|user)/i
const unknownUser =
  /(?:user|recipient|mailbox|account|address|addressee|local part).{0,40}(?:unknown|not found|does ?n[o']t exist|not exist|not known|invalid|not valid|no such)|(?:unknown|no such|invalid|unrouteable|unroutable|non-?existent|bad destination) (?:local )?(?:user|recipient|mailbox|address|account|person)|no mailbox|not a (?:known|valid) (?:user|mailbox|recipient)|(?:user )?(?:doesn't|does not) have an? .{0,30}account|does not like recipient|not our customer|not listed in.{0,30}directory/i
const disabled =
  /(?:mailbox|account|user|recipient|address).{0,60}(?:disabled|inactive|suspended|locked|deactivated|unavailable|not available|expired|over its activity)/i
const tooLarge =
  /too (?:large|big)|(?:message|mail|content|data).{0,20}(?:size|length).{0,30}(?:exceed|limit|maximum)|exceed.{0,40}(?:message )?size|size limit/i
const greylist = /gr[ae]y[- ]?list|gr[ae]ylisted|postgrey|first attempt|try again in \d+ (?:seconds|minutes)/i
const rate =
  /too many (?:connections|concurrent|messages|mails|emails|sessions|requests|recipients|errors)|rate[- ]?limit|throttl|(?:exceed|reach).{0,40}(?:rate|limit|quota of messages)|too (?:fast|quickly|frequent)|unusual(?:ly high)? (?:rate|volume)|(?:high|excessive|large) (?:volume|rate|number)|connection (?:rate|count)|messages per (?:hour|minute|connection)|\bTSS?0\d\b|slow down/i
const senderAuth =
  /\bdmarc\b|\bdkim\b|\bspf\b|sender policy framework|unauthenticated|authentication (?:checks?|results?)|(?:domain of )?sender (?:address )?domain.{0,30}(?:not (?:found|exist)|does not|invalid|no mx)|domain of sender|not authorized to send|(?:mail|email).{0,20}is not authenticated/i
const reverseDns =
  /\bptr\b|reverse (?:dns|host|lookup|hostname)|\brdns\b|(?:cannot|can't|could not) find your (?:hostname|reverse)|helo command rejected/i
const blockList =
  /spamhaus|spamcop|barracuda|sorbs|mailspike|uceprotect|invaluement|\bd?n?s?r?bls?\b|(?:block|black|deny)[- ]?list|blocked (?:using|by)|(?:client|your|sending)(?: host| server)? ?(?:ip|address|network|\[).{0,60}(?:block|banned|denied|refused|reject|listed|reputation)|(?:ip|server).{0,20}reputation|poor reputation|\bs31[45]0\b|\bS775\b|client host.{0,60}(?:blocked|rejected)|access denied.{0,40}banned|bad reputation|low reputation|part of their network is on our block/i
const badContent =
  /\bspam\b|spammy|unsolicited|\bjunk\b|\bbulk\b|virus|malware|phish|infected|malicious|content|attachment|prohibited|executable|\burls?\b|message (?:was )?(?:rejected|blocked|refused|looks)|fails? (?:filter|validation)|suspicious/i
const relayDenied =
  /relay(?:ing)?.{0,20}(?:denied|not (?:permitted|allowed)|access denied|prohibited)|(?:unable|not (?:permitted|allowed)|refuse) to relay|we do not relay|not (?:a|an|one of) (?:local|our|valid) (?:domain|relay)|no relay/i
const sessionTrouble =
  /service (?:is )?(?:not |un)available|overload|too busy|system (?:load|resources)|out of (?:memory|disk)|insufficient (?:system|disk)|internal (?:server )?error|local (?:error|problem)|queue file write|timed? ?out|maintenance|shutting down/i

export const rules: readonly Rule[] = [
  // The sender's own server wants another login, whatever status it gives (RFC 4954 §6).
  { class: 'own-smtp-login', when: { route: 'own-smtp', codes: [454, 530, 534, 535, 538] } },
  { class: 'own-smtp-login', when: { route: 'own-smtp', status: /^7\.8$/ } },
  { class: 'policy', actor: 'own-smtp', when: { route: 'own-smtp', text: relayDenied } },

  // The host doesn't take mail for that domain, or none at all.
  // Exchange Online says 5.1.10 for an unknown recipient, in spite of RFC 7505.
  { class: 'address-unknown', when: { codes: [550], status: /^1\.10$/, phases: ['rcpt', 'dot'] } },
  { class: 'no-mail-accepted', when: { digit: 5, status: /^1\.10$/ } },
  { class: 'no-mail-accepted', when: { codes: [556] } },
  { class: 'spam-block', when: { codes: [521, 554, 550], phases: ['connect', 'banner', 'ehlo'], text: blockList } },
  { class: 'no-mail-accepted', when: { codes: [521], phases: ['connect', 'banner', 'ehlo'] } },
  { class: 'no-mail-accepted', when: { digit: 5, text: relayDenied } },

  // Only ever temporary.
  { class: 'greylisted', when: { digit: 4, text: greylist } },

  // Statuses that say exactly one thing. 7.25 is the sending host's PTR, the other 7.2x are the sender domain's.
  { class: 'mailbox-full', when: { status: /^2\.2$/ } },
  { class: 'rate', actor: 'own-ip', when: { digit: 5, status: /^7\.28$/ } },
  { class: 'rate', when: { status: /^7\.28$/ } },
  { class: 'spam-block', when: { status: /^7\.25$/ } },
  { class: 'tls', when: { status: /^7\.30$/ } },
  { class: 'authentication', when: { status: /^7\.(?:2[0-46-7]|29|3[1-9]|509|515)$/ } },
  { class: 'authentication', when: { status: /^1\.[78]$/, text: senderAuth } },
  { class: 'authentication', when: { status: /^1\.8$/ } },
  { class: 'spam-block', when: { status: /^7\.(?:60[6-9]|6[1-4]\d|511|512|508|60[0-5])$/ } },
  { class: 'rate', when: { digit: 4, status: /^7\.(?:650|500)$/ } },
  { class: 'message-too-large', when: { status: /^(?:2\.3|3\.4)$/ } },
  { class: 'domain-unknown', when: { digit: 5, status: /^1\.2$/ } },
  { class: 'rate', when: { status: /^5\.3$/ } },
  { class: 'content-refused', when: { digit: 5, status: /^6\.(?!7)\d+$/ } },

  // Texts, most telling first: a block list's name beats "rejected", "SPF" beats "policy", "quota" beats "552".
  { class: 'mailbox-full', when: { text: quota, phases: ['rcpt', 'data', 'dot'] } },
  { class: 'rate', when: { digit: 4, text: rate } },
  { class: 'rate', when: { codes: [552, 550], text: /too many (?:recipients|rcpts?)/i, phases: ['rcpt'] } },
  { class: 'spam-block', when: { text: blockList } },
  { class: 'spam-block', when: { text: reverseDns } },
  { class: 'authentication', when: { text: senderAuth } },
  { class: 'mailbox-unavailable', when: { status: /^2\.[014]$/ } },
  { class: 'address-unknown', when: { status: /^1\.(?:[0136])$/, phases: ['rcpt', 'data', 'dot'] } },
  { class: 'address-unknown', when: { status: vague, text: unknownUser, phases: ['rcpt', 'data', 'dot'] } },
  // Exchange Online's edge for an unknown recipient.
  { class: 'address-unknown', when: { digit: 5, status: /^4\.1$/, text: /recipient address rejected/i } },
  { class: 'mailbox-unavailable', when: { status: vague, text: disabled, phases: ['rcpt', 'data', 'dot'] } },
  { class: 'message-too-large', when: { text: tooLarge } },
  { class: 'content-refused', when: { status: vague, text: badContent, phases: ['data', 'dot'] } },
  { class: 'remote-trouble', when: { digit: 4, status: vague, text: sessionTrouble } },

  // What is left of the statuses, subject by subject (RFC 3463 §3).
  { class: 'policy', when: { status: /^1\.[78]$/ } },
  { class: 'protocol', when: { digit: 5, status: /^6\.7$/ } },
  { class: 'remote-trouble', when: { digit: 4, status: /^3\.\d+$/ } },
  { class: 'no-mail-accepted', when: { digit: 5, status: /^3\.2$/ } },
  { class: 'remote-trouble', when: { status: /^3\.\d+$/ } },
  { class: 'network', when: { status: /^4\.[12]$/ } },
  { class: 'dns-trouble', when: { status: /^4\.[34]$/ } },
  { class: 'protocol', when: { status: /^4\.6$/ } },
  { class: 'remote-trouble', when: { status: /^4\.\d+$/ } },
  { class: 'protocol', when: { status: /^5\.\d+$/ } },
  { class: 'tls', when: { status: /^7\.(?:4|5|10|11|12)$/ } },
  { class: 'content-refused', when: { status: /^7\.(?:6|7|13)$/ } },
  {
    class: 'rate',
    actor: 'own-ip',
    when: { digit: 4, status: /^7\.\d+$/, phases: ['connect', 'banner', 'ehlo', 'mail'] },
  },
  { class: 'greylisted', when: { digit: 4, codes: [450, 451], status: /^7\.1$/, phases: ['rcpt'] } },
  { class: 'policy', when: { status: /^7\.\d+$/ } },
  { class: 'mailbox-unavailable', when: { status: /^2\.\d+$/ } },
  { class: 'address-unknown', when: { status: /^1\.\d+$/ } },

  // Bare codes (RFC 5321 §4.2.3).
  { class: 'spam-block', when: { digit: 5, phases: ['connect', 'banner', 'ehlo'] } },
  { class: 'remote-trouble', when: { codes: [421, 432, 451, 452] } },
  { class: 'mailbox-unavailable', when: { codes: [450], phases: ['rcpt'] } },
  { class: 'protocol', when: { codes: [500, 501, 502, 503, 504, 555] } },
  { class: 'message-too-large', when: { codes: [552] } },
  { class: 'address-unknown', when: { codes: [551, 553], phases: ['rcpt'] } },
  { class: 'mailbox-unavailable', when: { codes: [550], phases: ['rcpt'] } },
  { class: 'policy', when: { codes: [550, 553, 554], phases: ['mail', 'rcpt', 'data'] } },
  { class: 'content-refused', when: { codes: [550, 554], phases: ['dot'] } },
  { class: 'remote-trouble', when: { digit: 4 } },
]
