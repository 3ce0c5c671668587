/**
 * Bounce mails as relatives of known systems write them: other words, other marks, the header of the original left open. Of 44
 * that do without RFC 3464, gathered and labelled before they were read, 28 had kind, recipient and class right at first.
 */
import { type BounceMail, bounce, originalHeader, textBounce } from './shape.ts'

export const relatives: readonly BounceMail[] = [
  bounce(
    'GMX',
    'a@theirs.example',
    '5.2.2',
    'mailbox-full',
    textBounce({
      from: 'MAILER-DAEMON@mail.theirs.example',
      subject: 'Mail delivery failed: returning message to sender',
      text: `A message that you sent could not be delivered to one or more of
its recipients. This is a permanent error. The following address
failed:

"a@theirs.example":
SMTP error from remote server after RCPT command:
host: mx.theirs.example
5.2.2 <a@theirs.example>... Mailbox Full


--- The header of the original message is following. ---

${originalHeader('a@theirs.example')}X-Note: account disabled
`,
    }),
  ),
  bounce(
    'Zoho',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'mailer-daemon@mail.theirs.example',
      subject: 'Undelivered Mail Returned to Sender',
      text: `This message was created automatically by mail delivery software.
A message that you sent could not be delivered to one or more of its recipients.

b@theirs.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <b@theirs.example>... No such person

${originalHeader('b@theirs.example')}`,
    }),
  ),
  bounce(
    'OpenSMTPD',
    'c@theirs.example',
    '4.4.1',
    'network',
    textBounce({
      from: 'Mailer Daemon <MAILER-DAEMON@mx.theirs.example>',
      subject: 'Delivery status notification: warning',
      text: `    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

    A message is delayed for more than 10 minutes for the following
    list of recipients:

c@theirs.example: Network error on destination MXs

    Below is a copy of the original message:
`,
    }),
    'delay',
  ),
  bounce(
    'IMail',
    'd@theirs.example',
    '5.0.0',
    'url-block',
    textBounce({
      from: '"Postmaster" <postmaster@mx.theirs.example>',
      subject: 'Undeliverable Mail',
      text: `undeliverable to d@theirs.example

Body of message generated response:
550-REJECTED - Blacklisted URL in message.
550 See the list of links.
`,
    }),
  ),
  bounce(
    'other',
    'e@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'mailer-daemon@theirs.example',
      subject: 'There was an error',
      text: `We had trouble delivering your message. Full details follow:

SMTP Server <mx.theirs.example> rejected recipient <e@theirs.example> (Error following RCPT command). It responded as follows: [550 5.1.1 Nobody has it]
`,
    }),
  ),
]
