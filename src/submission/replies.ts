/**
 * Every reply of the submission server, named once (RFC 5321 §4.2, RFC 3463, RFC 5248).
 *
 * A refusal says what is wrong and how to mend it. The class of the enhanced status comes from the code
 * (`mail/reply.ts`). Throw `SmtpError` to refuse; whatever else is thrown becomes `replies.localTrouble`.
 */
import type { Instant } from '../mail/ids.ts'
import { formatReply, type Reply, statusOf } from '../mail/reply.ts'

/** A refusal on its way to the client; `cause` is for the log only. */
export class SmtpError extends Error {
  readonly reply: Reply
  constructor(reply: Reply, options?: ErrorOptions) {
    super(formatReply(reply), options)
    this.reply = reply
  }
}

const say = (code: number, detail: string, text: string): Reply => ({ code, detail, text, from: 'relay' })
/** What a client wrote, cut to what a reply line can hold. */
const cut = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text)

export const replies = {
  // ── 2xx, 3xx ──
  senderOk: say(250, '1.0', 'Sender ok'),
  recipientOk: say(250, '1.5', 'Recipient ok'),
  flushed: say(250, '0.0', 'Flushed'),
  queued: (id: string) => say(250, '0.0', `Ok: queued as ${id}`),
  /** A 354 has no enhanced status (RFC 2034 §4). */
  sendContent: say(354, '', 'End data with <CR><LF>.<CR><LF>'),

  // ── closing the connection ──
  tooManyConnections: say(421, '7.0', 'Too many connections to this server; close some or try again in a minute'),
  tooManyFromAddress: (limit: number) =>
    say(421, '7.0', `Too many connections from your address; at most ${limit} at once are allowed`),
  tooManyFailedLogins: say(421, '7.0', 'Too many failed logins on this connection; check username and password'),
  stopping: say(421, '3.2', 'The server is stopping; connect again in a moment'),
  commandTimeout: say(421, '4.2', 'Closing the connection: no complete command arrived in time'),
  sessionTimeout: say(421, '4.2', 'Closing the connection: the session has lasted too long; connect again'),
  dataTimeout: say(421, '4.2', 'Closing the connection: the message did not arrive in time'),
  dataTooSlow: (rate: number) =>
    say(421, '4.2', `Closing the connection: the message arrived with less than ${rate} bytes a second`),
  commandTooLong: say(421, '7.0', 'Closing the connection: the command line is too long'),
  tooManyBadCommands: say(421, '7.0', 'Closing the connection: too many unknown commands'),
  notSmtp: say(421, '7.0', 'Closing the connection: this is an SMTP server'),

  // ── trouble of ours ──
  localTrouble: say(451, '3.0', 'Temporary local problem; try again later'),
  storeTrouble: say(452, '3.1', 'The server can not store mail at the moment; try again later'),
  loginTrouble: say(454, '7.0', 'Logins can not be checked at the moment; try again later'),
  loginsBusy: say(454, '7.0', 'Too many logins are being checked; try again in a moment'),
  addressBlocked: say(454, '7.0', 'Too many failed logins from your address; try again in 10 minutes'),

  // ── login ──
  loginRequired: say(530, '7.0', 'Authentication required: log in with AUTH PLAIN or AUTH LOGIN first'),
  tlsRequiredForMail: say(530, '7.0', 'Authentication required: issue STARTTLS, then log in with AUTH'),
  credentialRevoked: say(530, '7.0', 'Authentication required: the credential of this session was revoked'),
  trustedCredentialMissing: say(530, '7.0', 'Authentication required: this network is trusted for no valid credential'),
  loginFailed: say(535, '7.8', 'Username or password is wrong, or the credential was revoked'),
  tlsRequiredForLogin: say(538, '7.11', 'Encryption required for authentication: issue STARTTLS or use the TLS port'),
  requireTlsWithoutTls: say(
    530,
    '7.10',
    'REQUIRETLS is taken under TLS only: issue STARTTLS, or use the TLS port (RFC 8689)',
  ),
  loginInTransaction: say(503, '5.1', 'AUTH is not allowed between MAIL and the end of the message; send RSET first'),
  loginAborted: say(501, '7.0', 'Authentication aborted; send AUTH to begin again'),
  loginSyntax: say(501, '5.4', 'Syntax: AUTH PLAIN or AUTH LOGIN, and at most one string of base64 behind it'),
  loginUnreadable: say(
    501,
    '5.2',
    'The login can not be read; send base64 of username and password (AUTH PLAIN: NUL, username, NUL, password)',
  ),
  unknownMechanism: say(504, '5.4', 'This way to log in is not known here; use AUTH PLAIN or AUTH LOGIN'),
  alreadyLoggedIn: say(503, '5.1', 'Logged in already; open another connection to log in as somebody else'),

  // ── syntax and order ──
  unknownCommand: say(
    500,
    '5.1',
    'Command not recognized; EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, RSET, NOOP, VRFY and QUIT are known here',
  ),
  greetingSyntax: (verb: string) => say(501, '5.4', `Syntax: ${verb} followed by the name or [address] of your host`),
  greetingFirst: say(503, '5.1', 'Send EHLO with the name or [address] of your host first'),
  startTlsSyntax: say(501, '5.4', 'Syntax: STARTTLS without parameters'),
  tlsAlready: say(503, '5.1', 'TLS is active already; go on with EHLO'),
  vrfySyntax: say(501, '5.4', 'Syntax: VRFY followed by an address'),
  mailSyntax: say(501, '5.4', 'Syntax: MAIL FROM:<address> followed by parameters'),
  rcptSyntax: say(501, '5.4', 'Syntax: RCPT TO:<address> followed by parameters'),
  badReversePath: (path: string) => say(553, '1.7', `${cut(path)} is not a mailbox; write it as local-part@domain`),
  badForwardPath: (path: string) => say(553, '1.3', `${cut(path)} is not a mailbox; write it as local-part@domain`),
  utf8WithoutExtension: (path: string) =>
    say(553, '6.7', `${cut(path)} is beyond ASCII; add the parameter SMTPUTF8 to MAIL (RFC 6531)`),
  unknownParameter: (name: string) => say(555, '5.4', `The parameter ${cut(name)} is not known here; leave it out`),
  badParameter: (name: string, rule: string) => say(501, '5.4', `The parameter ${cut(name)} is malformed: ${rule}`),
  badHoldUntil: say(
    501,
    '5.4',
    'The parameter HOLDUNTIL is malformed: it must be a time with its zone, such as 2026-01-15T09:00:00Z (RFC 4865)',
  ),
  holdTooLong: (maxMs: number) =>
    say(501, '5.4', `HOLDFOR or HOLDUNTIL reaches too far; mail is kept for later for at most ${maxMs / 1000} seconds`),
  nestedMail: say(503, '5.1', 'MAIL was given already; send RSET to start again'),
  needMail: say(503, '5.1', 'Send MAIL first'),
  needRcpt: say(503, '5.1', 'Send RCPT first'),
  noValidRcpt: say(554, '5.1', 'No recipient was accepted'),
  tooManyRecipients: (limit: number) =>
    say(452, '5.3', `Too many recipients; at most ${limit} per message, send the others in another one`),

  // ── policy ──
  accountSuspended: (reason: string) => say(550, '7.1', `This account is suspended: ${reason}`),
  accountGone: say(550, '7.1', 'The account of this credential does not exist any more'),
  senderNotYours: (address: string) =>
    say(
      550,
      '7.1',
      `${cut(address)} is not a sender address of this account; register its domain or the address, or send from a registered one`,
    ),
  hiddenNotYours: (field: string, address: string) =>
    say(
      550,
      '7.1',
      `${cut(address)} inside the display name or a comment of ${field} is not a sender address of this account; leave it out`,
    ),
  unalignedRefused: (domain: string, record: string) =>
    say(
      550,
      '7.26',
      `Recipients' DMARC rules would fail mail from ${domain}: publish ${record}, then verify the domain`,
    ),

  // ── content ──
  messageTooBig: (limit: number) => say(552, '3.4', `The message is too big; at most ${limit} bytes are accepted`),
  headerTooBig: (limit: number) =>
    say(552, '3.4', `The header of the message is too big; at most ${limit} bytes, then an empty line`),
  tooManyFields: (limit: number) =>
    say(552, '3.4', `The header of the message has too many fields; at most ${limit} are accepted`),
  fieldTooBig: (name: string, limit: number) =>
    say(552, '3.4', `The header field ${cut(name)} is too big; at most ${limit} bytes`),
  loop: (limit: number) => say(554, '4.6', `The message has more than ${limit} Received fields; it is in a mail loop`),
  fromMissing: say(
    550,
    '6.0',
    'The message has no From field; add one with your sender address (RFC 5322 section 3.6.2)',
  ),
  fromMissingBehind: (line: string) =>
    say(
      550,
      '6.0',
      `The message has no From field before the line "${cut(line)}", which is no header field and starts the body`,
    ),
  severalFields: (name: string) =>
    say(550, '6.0', `The message has several ${name} fields; leave one (RFC 5322 section 3.6)`),
  severalSenders: say(550, '6.0', 'The Sender field names several addresses; leave one (RFC 5322 section 3.6.2)'),
  tooManyAuthors: (limit: number) => say(550, '6.0', `The From field names more than ${limit} addresses`),
  unreadableField: (name: string, problem: string) =>
    say(550, '6.0', `The ${name} field can not be read: ${cut(problem)}`),
  badPriority: (text: string) =>
    say(550, '6.0', `The X-Kitte-Priority field says "${cut(text)}"; write transactional, normal or bulk`),
  badSendAt: (text: string) =>
    say(
      550,
      '6.0',
      `The X-Kitte-Send-At field says "${cut(text)}"; write a time with its zone, such as 2026-01-15T09:00:00+09:00`,
    ),
  sendAtTooLate: (latest: Instant) =>
    say(
      550,
      '6.0',
      `The X-Kitte-Send-At field names a time too far ahead; ${new Date(latest).toISOString()} is the latest`,
    ),
  sendAtOff: say(550, '6.0', 'Mail is not kept for later here; leave the X-Kitte-Send-At field out'),
  hiddenField: say(550, '6.0', 'The header hides an originator field behind a control character; remove the character'),
  leadingSpace: say(550, '6.0', 'The header begins with white space; begin with a header field'),
  utf8FromWithoutExtension: (address: string) =>
    say(550, '6.7', `${cut(address)} is beyond ASCII; add the parameter SMTPUTF8 to MAIL (RFC 6531)`),
} as const

/**
 * What smtp-server says by itself and how it is said here: its texts start so, its own enhanced codes are generic
 * (a 421 is always 4.4.2). Its other replies are right as they are.
 */
const libraryReplies: readonly (readonly [code: number, starts: RegExp, reply: Reply])[] = [
  [421, /^Error: Command line too long/, replies.commandTooLong],
  [421, /^Error: too many un/, replies.tooManyBadCommands],
  [421, /^HTTP requests/, replies.notSmtp],
  [421, /You talk too soon$/, replies.notSmtp],
  [421, /^Server shutting down/, replies.stopping],
  [451, /^Error: internal server error/, replies.localTrouble],
  [500, /^Error: command not recognized/, replies.unknownCommand],
  [501, /^Authentication aborted/, replies.loginAborted],
  [501, /^Error: syntax: AUTH/, replies.loginSyntax],
  [501, /^Error: (?:invalid userdata|missing username)/, replies.loginUnreadable],
  [501, /^Error: syntax: STARTTLS/, replies.startTlsSyntax],
  [501, /^Error: Syntax: VRFY/, replies.vrfySyntax],
  [503, /^Error: send HELO\/EHLO first/, replies.greetingFirst],
  [503, /^Error: TLS already active/, replies.tlsAlready],
  [503, /^Error: No identity changes/, replies.alreadyLoggedIn],
  [504, /^Error: Unrecognized authentication type/, replies.unknownMechanism],
]

export function replyOfLibrary(code: number, text: string): Reply | null {
  return libraryReplies.find(([known, starts]) => known === code && starts.test(text))?.[2] ?? null
}

/** RFC 5321 §4.5.3.1.5: 512 octets a line with code, status and CRLF. */
const maxLineOctets = 480
/** Of UTF-8, for a unit of UTF-16. */
const maxOctetsPerSign = 3
const beyondAscii = /[^\x00-\x7f]/

/** The lines of a reply without their code: status and text, broken at spaces; ASCII unless told otherwise. */
export function linesOf(reply: Reply, utf8 = false): string[] {
  const text = utf8 || !beyondAscii.test(reply.text) ? reply.text : reply.text.replace(/[^\x00-\x7f]/g, '?')
  return reply.detail === '' ? [text] : textLines(text).map(line => `${statusOf(reply)} ${line}`)
}

/** Broken shorter than need be: a sign can have four octets. */
function textLines(text: string): string[] {
  if (text.length * maxOctetsPerSign <= maxLineOctets) return [text]
  if (Buffer.byteLength(text) <= maxLineOctets) return [text]
  return text.match(/.{1,119}(?:\s|$)|\S{1,119}/gs)?.map(line => line.trimEnd()) ?? [text]
}
