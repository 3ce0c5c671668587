/**
 * Mail servers that people run: qmail, Exim, Postfix, sendmail and their younger relatives.
 */
import { address, type TextRule } from '../text-rule.ts'

const bracketed = new RegExp(
  String.raw`^[ \t]{0,8}<(?<address>${address})>:?[ \t]*(?<reason>[^\n]{0,600}(?:\n(?![ \t]{0,8}<|[ \t]*$)[^\n]{1,600}){0,20})`,
  'gm',
)

export const serverRules: readonly TextRule[] = [
  {
    system: 'Apache James',
    marker: /Hi\. This is the James mail server at/i,
    recipients: new RegExp(String.raw`Failed recipient\(s\):\s{0,8}(?<address>${address})`, 'gi'),
    reason: /Error message:(?<reason>[\s\S]{0,800})/i,
  },
  {
    system: 'qmail',
    marker: /Hi\. This is the (?:qmail-send program|deliver program|mail system)|This is the qmail-send program/i,
    recipients: bracketed,
    until: /^--- (?:Below this line is a copy|Undelivered message follows)/m,
  },
  {
    system: 'GMX',
    marker:
      /A message that you sent could not be delivered to one or more of\s{1,4}its recipients\.[\s\S]{0,200}?The following address(?:\(es\))?\s{1,4}failed:/i,
    recipients: new RegExp(
      String.raw`^[ \t]{0,8}[<"]?(?<address>${address})[>"]?:[ \t]*\n(?<reason>(?:[^\n]{1,600}\n?){1,8})`,
      'gm',
    ),
    until: /^--- The header of the original message/m,
  },
  {
    system: 'Exim',
    marker:
      /This message was created automatically by mail delivery software|A message that you sent (?:could not be delivered|has not yet been delivered)|message (?:that you sent )?(?:has|have) (?:not|been delayed)/i,
    recipients: new RegExp(
      String.raw`^[ \t]{1,8}(?:<)?(?<address>${address})>?(?:, ERROR CODE :|:)?(?<reason>[^\n]{0,600}(?:\n[ \t]{1,8}(?!<?${address}>?[ \t]*\n)[^\n]{1,600}){0,10})`,
      'gm',
    ),
    from: /The following (?:address|recipient)|failed:|permanent error|The address to which|message has not yet been delivered|recipients? after more than/i,
    until: /^-{4,20} (?:This is a copy|Nachricht|The original)/m,
    delayed:
      /No action is required on your part|has not (?:yet )?been delivered|Delivery attempts will continue|Warning: message .{0,60}delayed/i,
  },
  {
    system: 'OpenSMTPD',
    marker: /This is the MAILER-DAEMON, please DO NOT REPLY to this e?-?mail/i,
    recipients: new RegExp(String.raw`^[ \t]{0,8}<?(?<address>${address})>?:[ \t]*(?<reason>[^\n]{0,600})`, 'gm'),
    from: /list of recipients:/i,
    until: /Below is a copy of the original message/i,
    delayed: /message is delayed|delayed for more than|currently unable to deliver/i,
  },
  {
    system: 'Postfix',
    marker: /This is the (?:mail system|Postfix program) at host|The (?:mail system|Postfix program)\s{0,8}$/im,
    recipients: bracketed,
    delayed: /THIS IS A WARNING ONLY|Your message could not be delivered for (?:more than )?[\d.]{1,8} hours?/i,
  },
  {
    system: 'sendmail',
    marker:
      /--- ?The following addresses had (?:permanent (?:fatal )?(?:delivery )?errors|transient non-fatal errors|delivery problems(?=[^\n]{0,20}\n[^\n]{0,200}\n[^\n]{0,200}Transcript))|Transcript of session follows/i,
    recipients: new RegExp(
      String.raw`^[ \t]{0,4}<?(?<address>${address})>?[ \t]*\n(?<reason>(?:[ \t]+\([^\n]{1,600}\n?){0,4})`,
      'gm',
    ),
    until: /^[ \t]*-{3,20} ?(?:Original message follows|Message header follows|Unsent message follows)/im,
    reason: /(?:^<<< (?<reason>[45][^\n]{0,600})|^(?:[45]\d\d) [^\n]{0,600})/m,
    delayed: /WARNING MESSAGE ONLY|transient non-fatal errors|will keep trying/i,
  },
  {
    system: 'Courier',
    marker: /running the Courier mail server|UNDELIVERABLE MAIL\s/,
    recipients: new RegExp(String.raw`^[ \t]{0,8}<(?<address>${address})>:\n(?<reason>(?:[^\n]{1,600}\n){1,10})`, 'gm'),
    reason: /^<<< (?<reason>[45][^\n]{0,600})/m,
    delayed: /DELAYED MAIL|delivery (?:of your message )?(?:has been|was) delayed/i,
  },
  {
    system: 'Oracle Messaging Server',
    marker: /This report relates to a message you sent with the following header fields/i,
    recipients: new RegExp(
      String.raw`Recipient address:\s{0,8}(?:@[^:\s]{1,190}:)?<?(?<address>${address})>?(?<reason>[^\n]{0,100}(?:\n[ \t]+(?!Recipient address)[^\n]{1,600}){0,8})`,
      'gi',
    ),
    delayed: /delivery attempts are still pending|will continue to (?:attempt|try)|enqueued and undeliverable/i,
  },
  {
    system: 'IMail',
    marker:
      /^(?:User mailbox exceeds allowed size|Unknown user|Unknown host|Delivery failed \d{1,5} attempts|undeliverable to)[: ]/im,
    recipients: new RegExp(
      String.raw`^(?<reason>User mailbox exceeds allowed size|Unknown user|Unknown host|Delivery failed \d{1,5} attempts|undeliverable to)[: ]{1,3}<?(?<address>${address})`,
      'gim',
    ),
    reason: /^Body of message generated response:\s{1,8}(?<reason>[^\n]{1,600}(?:\n[^\n]{1,600}){0,4})/im,
    until: /^Original message follows/im,
  },
  {
    system: 'MDaemon',
    marker:
      /The (?:attached|following) message had (?:PERMANENT|TRANSIENT|NON-FATAL)|had PERMANENT fatal delivery errors|MDaemon/i,
    recipients: new RegExp(`Failed address: <?(?<address>${address})`, 'gi'),
    reason: /<-- (?<reason>[45]\d\d[^\n]{0,600})/,
    delayed: /TRANSIENT (?:fatal )?delivery errors|had NON-FATAL|will continue to be retried/i,
  },
]
