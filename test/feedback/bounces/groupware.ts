/**
 * Groupware, gateways and mailbox providers that write their bounces in prose.
 */
import { type BounceMail, bounce, encoded, originalHeader, textBounce } from './shape.ts'

const exchange55 = (to: string, reason: string) =>
  textBounce({
    from: 'System Administrator <postmaster@theirs.example>',
    subject: 'Undeliverable: Quote',
    text: `Your message

  To:      ${to}
  Subject: Quote
  Sent:    Thu, 15 Jan 2026 12:00:00 +0900

did not reach the following recipient(s):

${to} on Thu, 15 Jan 2026 12:00:05 +0900
    ${reason}
	The MTS-ID of the original message is: c=jp;a= ;p=theirs;l=MX0601150300XYZ
    MSEXCH:IMS:THEIRS:TOKYO:MX 0 (000C05A6) Unknown Recipient
`,
  })

const exchange2003 = (to: string, reason: string, code: string) =>
  textBounce({
    from: 'postmaster@theirs.example',
    subject: 'Undeliverable: Quote',
    text: `Your message did not reach some or all of the intended recipients.

      Subject:	Quote
      Sent:	2026/01/15 12:00

The following recipient(s) could not be reached:

      ${to} on 2026/01/15 12:00
            ${reason}
            <mx.theirs.example ${code}>

`,
  })

const exchangeText = (to: string, name: string, code: string) =>
  textBounce({
    from: 'Microsoft Exchange <postmaster@theirs.example>',
    subject: 'Undeliverable: Quote',
    text: `Delivery has failed to these recipients or distribution lists:

${name}<mailto:${to}>
The recipient's e-mail address was not found in the recipient's e-mail system.

Diagnostic information for administrators:

Generating server: mx.theirs.example

${to}
#${code}

Original message headers:

${originalHeader(to)}
`,
  })

const domino = (to: string, reason: string) =>
  textBounce({
    from: 'postmaster@theirs.example',
    subject: 'DELIVERY FAILURE: Quote',
    text: `Your message

  Subject: Quote

was not delivered to:

  ${to}

because:

  ${reason}

`,
  })

const gateways: BounceMail[] = [
  bounce(
    'Exchange 5.5',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    exchange55('a@theirs.example', 'The recipient name is not recognized'),
  ),
  bounce(
    'Exchange 2003',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    exchange2003(
      'a@theirs.example',
      'The e-mail account does not exist at the organization this message was sent to.',
      '#5.1.1',
    ),
  ),
  bounce(
    'Exchange 2003',
    'b@theirs.example',
    '5.2.2',
    'mailbox-full',
    exchange2003('b@theirs.example', "The recipient's mailbox is full.", '#5.2.2 smtp;552 5.2.2 mailbox full'),
  ),
  bounce(
    'Exchange',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    exchangeText('a@theirs.example', 'A', '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##'),
  ),
  bounce(
    'Exchange',
    'b@theirs.example',
    '5.7.1',
    'blocked-by-recipient',
    exchangeText('b@theirs.example', 'B', '550 5.7.1 RESOLVER.RST.AuthRequired; authentication required ##'),
  ),
  bounce(
    'Domino',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    domino('a@theirs.example', 'User a (a@theirs.example) not listed in Domino Directory'),
  ),
  bounce(
    'Domino',
    'b@theirs.example',
    '5.2.2',
    'mailbox-full',
    domino('b@theirs.example', 'Cannot store document; database has exceeded its disk quota'),
  ),
  bounce(
    'GroupWise',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'Mailer-Daemon@theirs.example',
      subject: 'Message status - undeliverable',
      text: 'The message that you sent was undeliverable to the following:\n\ta@theirs.example (user not found)\n\nPossibly truncated original message follows:\n',
    }),
  ),
  bounce(
    'GroupWise',
    'b@theirs.example',
    '5.2.2',
    'mailbox-full',
    textBounce({
      from: 'Mailer-Daemon@theirs.example',
      subject: 'Message status - undeliverable',
      text: 'The message that you sent was undeliverable to the following:\n\tb@theirs.example (mailbox is full)\n',
    }),
  ),
  bounce(
    'MailMarshal',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'MailMarshal@theirs.example',
      subject: 'Undeliverable: Quote',
      text: `Your message:
   From:    sales@ours.example
   Subject: Quote

Could not be delivered because of

550 5.1.1 User unknown

The following recipients were affected:
   a@theirs.example

Additional Information
======================
`,
    }),
  ),
  bounce(
    'InterScan',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: '"InterScan MSS" <postmaster@theirs.example>',
      subject: 'Mail could not be delivered',
      text: `****** Message from InterScan Messaging Security Suite ******

Sent <<< RCPT TO:<a@theirs.example>
Received >>> 550 5.1.1 a@theirs.example... User unknown

Could not deliver mail to this user.
*****************     End of message     ***************
`,
    }),
  ),
  bounce(
    'Barracuda',
    'a@theirs.example',
    '5.7.1',
    'spam-block',
    textBounce({
      from: 'Mailer-Daemon@theirs.example',
      subject: '**Message you sent blocked by our bulk email filter**',
      text: 'Your message to: a@theirs.example\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: Quote\n',
    }),
  ),
]

const gmailText = (to: string, words: string, fields = '') =>
  textBounce({
    from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
    subject: 'Delivery Status Notification (Failure)',
    fields: `X-Failed-Recipients: ${to}\n${fields}`,
    text: words,
  })

const providers: BounceMail[] = [
  bounce(
    'Gmail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    gmailText(
      'a@theirs.example',
      `Delivery to the following recipient failed permanently:

     a@theirs.example

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the recipient domain. We recommend contacting the other email provider for further information about the cause of this error. The error that the other server returned was: 550 550 5.1.1 <a@theirs.example>: Recipient address rejected: User unknown in virtual alias table (state 14).

----- Original message -----

${originalHeader('a@theirs.example')}
`,
    ),
  ),
  bounce(
    'Gmail',
    'b@theirs.example',
    '5.7.1',
    'spam-content',
    gmailText(
      'b@theirs.example',
      `** Message blocked **

Your message to b@theirs.example has been blocked. See technical details below for more information.

The response from the remote server was:
554 5.7.1 Message rejected as spam
`,
    ),
  ),
  bounce(
    'Gmail',
    'c@theirs.example',
    '4.4.1',
    'network',
    gmailText(
      'c@theirs.example',
      `This is an automatically generated Delivery Status Notification

THIS IS A WARNING MESSAGE ONLY.

YOU DO NOT NEED TO RESEND YOUR MESSAGE.

Delivery to the following recipient has been delayed:

     c@theirs.example

Message will be retried for 2 more day(s)

Technical details of temporary failure:
The recipient server did not accept our requests to connect. [mx.theirs.example. (10): Connection timed out]
`,
    ),
    'delay',
  ),
  bounce(
    'Yahoo',
    'a@yahoo.com',
    '5.0.0',
    'mailbox-unavailable',
    textBounce({
      from: 'MAILER-DAEMON@mta1001.mail.example',
      subject: 'Failure Notice',
      text: `Sorry, we were unable to deliver your message to the following address.

<a@yahoo.com>:
554: delivery error: dd This user's account has been disabled or discontinued [-7] - mta1001.mail.example

--- Below this line is a copy of the message.
`,
    }),
  ),
  bounce(
    'Yahoo',
    'b@yahoo.com',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'MAILER-DAEMON@mta1002.mail.example',
      subject: 'Failure Notice',
      text: `Message from yahoo.com.
Unable to deliver message to the following address(es).

<b@yahoo.com>:
This user doesn't have a yahoo.com account (b@yahoo.com) [0]

--- Original message follows.
`,
    }),
  ),
  bounce(
    'Zoho',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'mailer-daemon@mail.zoho.example',
      subject: 'Undelivered Mail Returned to Sender',
      text: `This message was created automatically by mail delivery software.
 A message that you sent could not be delivered to one or more of its recipients. This is a permanent error. 

a@theirs.example, ERROR CODE :550 - 5.1.1 <a@theirs.example>: Recipient address rejected: User unknown
`,
    }),
  ),
  bounce(
    'AOL',
    'a@aol.com',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@aol.example>',
      subject: 'Undeliverable: Quote',
      text: `The mail system at AOL could not deliver your message.

<a@aol.com>: 550 5.1.1 <a@aol.com>: Recipient address rejected: aol.com
`,
    }),
  ),
]

/** Written for people, in an encoding of its own and with no more than words. */
const utf8: BounceMail[] = [
  bounce(
    'Exchange',
    'c@theirs.example',
    '5.1.1',
    'address-unknown',
    Buffer.from(
      textBounce({
        from: 'postmaster@theirs.example',
        subject: '=?utf-8?B?6YWN5L+h5LiN6IO9OiDjgYropovnqY3jgoo=?=',
        charset: 'utf-8',
        encoding: '8bit',
        text: `以下の受信者またはグループへの配信が失敗しました:

c@theirs.example
入力したメール アドレスが見つかりませんでした。

管理者用の診断情報:

生成サーバー: mx.theirs.example

c@theirs.example
Remote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'

元のメッセージ ヘッダー:
`,
      }),
    ),
  ),
  bounce(
    'Biglobe',
    'a@biglobe.example',
    '5.2.2',
    'mailbox-full',
    encodedMail(
      'postmaster@biglobe.example',
      'Returned mail',
      `   ----- The following addresses had delivery problems -----
a@biglobe.example

   ----- Non-delivered information -----
The number of messages in recipient's mailbox exceeded the local limit.
受信者のメールボックスの容量を超えています。

   ----- Original mail -----
`,
    ),
  ),
]

function encodedMail(from: string, subject: string, text: string): Buffer {
  const [head] = textBounce({ from, subject, text: '', charset: 'iso-2022-jp' }).split('\n\n', 1)
  return Buffer.concat([Buffer.from(`${head}\n\n`, 'latin1'), encoded(text, 'iso-2022-jp')])
}

export const groupware: readonly BounceMail[] = [...gateways, ...providers, ...utf8]
