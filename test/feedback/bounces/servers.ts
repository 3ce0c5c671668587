/**
 * The mail servers that everybody knows, where they write their bounces in prose.
 */
import { type BounceMail, bounce, originalHeader, textBounce } from './shape.ts'

const qmail = (to: string, reason: string) =>
  textBounce({
    from: 'MAILER-DAEMON@mx.qmail.example',
    subject: 'failure notice',
    text: `Hi. This is the qmail-send program at mx.qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<${to}>:
${reason}

--- Below this line is a copy of the message.

${originalHeader(to)}
550 5.7.1 is what this mail is about, says <other@ours.example>:
`,
  })

const qmailMails: BounceMail[] = [
  bounce(
    'qmail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    qmail('a@theirs.example', 'Sorry, no mailbox here by that name. (#5.1.1)'),
  ),
  bounce(
    'qmail',
    'b@theirs.example',
    '5.0.0',
    'address-unknown',
    qmail(
      'b@theirs.example',
      '192.0.2.20 does not like recipient.\nRemote host said: 550 User unknown\nGiving up on 192.0.2.20.',
    ),
  ),
  bounce(
    'qmail',
    'c@no-such.example',
    '5.1.2',
    'domain-unknown',
    qmail('c@no-such.example', "Sorry, I couldn't find any host named no-such.example. (#5.1.2)"),
  ),
  bounce(
    'qmail',
    'd@theirs.example',
    '5.2.2',
    'mailbox-full',
    qmail('d@theirs.example', 'user is over quota (#5.2.2)'),
  ),
  bounce(
    'qmail',
    'e@theirs.example',
    '4.4.1',
    'network',
    qmail(
      'e@theirs.example',
      "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.",
    ),
  ),
]

const eximText = (to: string, reason: string) =>
  textBounce({
    from: 'Mail Delivery System <Mailer-Daemon@mx.exim.example>',
    subject: 'Mail delivery failed: returning message to sender',
    fields: `X-Failed-Recipients: ${to}\nAuto-Submitted: auto-replied\n`,
    text: `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ${to}
${reason}

------ This is a copy of the message, including all the headers. ------

${originalHeader(to)}
`,
  })

const eximMails: BounceMail[] = [
  bounce(
    'Exim',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    eximText(
      'a@theirs.example',
      '    SMTP error from remote mail server after RCPT TO:<a@theirs.example>:\n    host mx.theirs.example [192.0.2.20]: 550 5.1.1 <a@theirs.example>: Recipient address rejected:\n    User unknown in relay recipient table',
    ),
  ),
  bounce(
    'Exim',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    eximText('b@theirs.example', '    Unrouteable address'),
  ),
  bounce(
    'Exim',
    'c@theirs.example',
    '5.2.2',
    'mailbox-full',
    eximText(
      'c@theirs.example',
      '    mailbox is full (MTA-imposed quota exceeded while writing to /home/c/Maildir/tmp)',
    ),
  ),
  bounce('Exim', 'd@theirs.example', '4.4.7', 'expired', eximText('d@theirs.example', '    retry timeout exceeded')),
  bounce(
    'Exim',
    'e@theirs.example',
    '4.4.1',
    'network',
    textBounce({
      from: 'Mail Delivery System <Mailer-Daemon@mx.exim.example>',
      subject: 'Warning: message 1vg0Xy-000000001Ab-2cDe delayed 24 hours',
      fields: 'Auto-Submitted: auto-replied\n',
      text: `This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.exim.example.

The message identifier is:     1vg0Xy-000000001Ab-2cDe
The subject of the message is: Quote
The date of the message is:    Thu, 15 Jan 2026 12:00:00 +0900

The address to which the message has not yet been delivered is:

  e@theirs.example
    host mx.theirs.example [192.0.2.20]
    Delay reason: Connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
`,
    }),
    'delay',
  ),
]

const postfixText = (to: string, reason: string) =>
  textBounce({
    from: 'MAILER-DAEMON@mx.postfix.example (Mail Delivery System)',
    subject: 'Undelivered Mail Returned to Sender',
    text: `This is the Postfix program at host mx.postfix.example.

I'm sorry to have to inform you that the message returned
below could not be delivered to one or more destinations.

For further assistance, please send mail to <postmaster>

If you do so, please include this problem report. You can
delete your own text from the message returned below.

			The Postfix program

<${to}>: ${reason}
`,
  })

const postfixMails: BounceMail[] = [
  bounce(
    'Postfix',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    postfixText(
      'a@theirs.example',
      'host mx.theirs.example[192.0.2.20] said: 550 5.1.1\n    <a@theirs.example>: Recipient address rejected: User unknown (in reply to RCPT\n    TO command)',
    ),
  ),
  bounce(
    'Postfix',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    postfixText('b@theirs.example', 'unknown user: "b"'),
  ),
  bounce(
    'Postfix',
    'c@no-such.example',
    '5.1.2',
    'domain-unknown',
    postfixText('c@no-such.example', 'Name service error for name=no-such.example type=A: Host not found'),
  ),
  bounce(
    'Postfix',
    'd@theirs.example',
    '5.7.1',
    'spam-content',
    postfixText(
      'd@theirs.example',
      'host mx.theirs.example[192.0.2.20] said: 554 5.7.1 This message looks like spam (in reply to end of DATA command)',
    ),
  ),
]

const sendmailText = (to: string, head: string, transcript: string) =>
  textBounce({
    from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.sendmail.example>',
    subject: 'Returned mail: User unknown',
    text: `The original message was received at Thu, 15 Jan 2026 12:00:01 +0900
from relay.example.jp [192.0.2.1]

   ----- ${head} -----
<${to}>

   ----- Transcript of session follows -----
${transcript}

   ----- Original message follows -----
${originalHeader(to)}
`,
  })

const sendmailMails: BounceMail[] = [
  bounce(
    'sendmail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    sendmailText(
      'a@theirs.example',
      'The following addresses had permanent fatal errors',
      '... while talking to mx.theirs.example.:\n>>> RCPT To:<a@theirs.example>\n<<< 550 5.1.1 <a@theirs.example>... User unknown\n550 <a@theirs.example>... User unknown',
    ),
  ),
  bounce(
    'sendmail',
    'b@no-such.example',
    '5.1.2',
    'domain-unknown',
    sendmailText(
      'b@no-such.example',
      'The following addresses had permanent fatal errors',
      '550 5.1.2 <b@no-such.example>... Host unknown (Name server: no-such.example: host not found)',
    ),
  ),
  bounce(
    'sendmail',
    'c@theirs.example',
    '4.4.1',
    'network',
    sendmailText(
      'c@theirs.example',
      'The following addresses had transient non-fatal errors',
      '<c@theirs.example>... Deferred: Connection timed out with mx.theirs.example.\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old',
    ),
    'delay',
  ),
]

export const servers: readonly BounceMail[] = [...qmailMails, ...eximMails, ...postfixMails, ...sendmailMails]
