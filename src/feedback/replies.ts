/**
 * Every reply of the bounce host (RFC 5321 §4.2, RFC 3463). It takes what comes back, and nothing else.
 */
import { formatReply, type Reply } from '../mail/reply.ts'

const say = (code: number, detail: string, text: string): Reply => ({ code, detail, text, from: 'relay' })

export const replies = {
  taken: say(250, '0.0', 'Ok'),
  tooManyConnections: say(421, '7.0', 'Too many connections; try again in a minute'),
  sessionTimeout: say(421, '4.2', 'Closing the connection: the session has lasted too long'),
  tooFast: say(451, '7.1', 'Too many mails from your address within a minute; try again later'),
  trouble: say(451, '3.0', 'Temporary local problem; try again later'),
  tooManyRecipients: say(452, '5.3', 'Too many recipients; send the others in another transaction'),
  noSuchAddress: say(550, '1.1', 'There is no such address here'),
  notOurs: say(550, '7.1', 'This host relays nothing; it takes bounces of mail that it sent, and complaints'),
  noPostmaster: say(550, '1.1', 'Nobody reads mail to this address; the operator has named no postmaster'),
  tooLarge: say(552, '3.4', 'Larger than this host takes; a bounce needs the header of the message only'),
} as const

/** As smtp-server takes errors; the text begins with the status. */
export function refusal(reply: Reply): Error & { readonly responseCode: number } {
  return Object.assign(new Error(textOf(reply)), { responseCode: reply.code })
}

/** Without the code. */
export function textOf(reply: Reply): string {
  return formatReply(reply).slice(4)
}
