/**
 * Japanese carriers and providers: prose in ISO-2022-JP, Shift_JIS or UTF-8, and the English of their gateways.
 */
import { type BounceMail, base64Of, bounce, encoded, originalHeader, textBounce } from './shape.ts'

type Charset = 'iso-2022-jp' | 'shift_jis' | 'utf-8'

const japanese = (from: string, charset: Charset, text: string, subject = 'Mail System Error - Returned Mail') => {
  const head = textBounce({ from, subject, text: '', charset, encoding: charset === 'iso-2022-jp' ? '7bit' : '8bit' })
  const body = charset === 'utf-8' ? Buffer.from(text) : encoded(text, charset)
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

const docomo = 'docomo <mail-error@docomo.ne.jp>'
const au = 'Post_Office@ezweb.ne.jp'
const softbank = 'MAILER-DAEMON@softbank.ne.jp'

const carriers: BounceMail[] = [
  bounce(
    'docomo',
    'a@docomo.ne.jp',
    '5.1.1',
    'unknown-or-filtered',
    japanese(
      docomo,
      'iso-2022-jp',
      `次のあて先へのメッセージはエラーのため送信できませんでした。

あて先: a@docomo.ne.jp
理由: 宛先メールアドレスの入力誤り、または受信者が存在しません。

--- Original message ---
`,
    ),
  ),
  bounce(
    'docomo',
    'b@docomo.ne.jp',
    '5.2.2',
    'mailbox-full',
    japanese(
      docomo,
      'iso-2022-jp',
      `ドコモメールの次の宛先に配信できませんでした。

<b@docomo.ne.jp>
理由: 受信者のメールボックスがいっぱいです。
`,
    ),
  ),
  bounce(
    'docomo',
    'c@docomo.ne.jp',
    '5.0.0',
    'unknown-or-filtered',
    japanese(
      docomo,
      'shift_jis',
      `次のあて先へのメッセージはエラーのため送信できませんでした。

c@docomo.ne.jp
550 Unknown user c@docomo.ne.jp
`,
    ),
  ),
  bounce(
    'docomo',
    'd@docomo.ne.jp',
    '5.7.1',
    'blocked-by-recipient',
    japanese(
      docomo,
      'utf-8',
      `ドコモメールの宛先へ配信できませんでした。

宛先：d@docomo.ne.jp
原因：受信拒否設定またはドメイン指定受信により拒否されました。
`,
    ),
  ),
  bounce(
    'au',
    'a@ezweb.ne.jp',
    '5.0.0',
    'unknown-or-filtered',
    textBounce({
      from: au,
      subject: 'Mail System Error - Returned Mail',
      text: `Each of the following recipients was rejected by a remote mail server.
The reasons given by the server are included to help you determine why each recipient was rejected.

    Recipient: <a@ezweb.ne.jp>
    >>> 550 <a@ezweb.ne.jp>: User unknown
`,
    }),
  ),
  bounce(
    'au',
    'b@ezweb.ne.jp',
    '5.2.1',
    'mailbox-unavailable',
    textBounce({
      from: au,
      subject: 'Mail System Error - Returned Mail',
      text: `The user(s) account is disabled.

<b@ezweb.ne.jp>

`,
    }),
  ),
  bounce(
    'au',
    'c@au.com',
    '5.2.2',
    'mailbox-full',
    textBounce({
      from: 'no-reply@au.com',
      subject: 'Mail System Error - Returned Mail',
      text: `Your mail sent on: Thu, 15 Jan 2026 12:00:01 +0900

Could not be delivered to: <c@au.com>
As their mailbox is full.
`,
    }),
  ),
  bounce(
    'au',
    'd@ezweb.ne.jp',
    '5.1.1',
    'unknown-or-filtered',
    japanese(
      au,
      'iso-2022-jp',
      `次の宛先へのメールは送信できませんでした。

<d@ezweb.ne.jp>
理由: 宛先が存在しません。
`,
    ),
  ),
  bounce(
    'SoftBank',
    'a@softbank.ne.jp',
    '5.1.1',
    'address-unknown',
    japanese(
      softbank,
      'iso-2022-jp',
      `ソフトバンクです。以下の宛先にメールを送信できませんでした。

宛先: a@softbank.ne.jp
理由: 宛先メールアドレスの入力誤り
`,
    ),
  ),
  bounce(
    'SoftBank',
    'b@softbank.ne.jp',
    '5.2.2',
    'mailbox-full',
    japanese(
      softbank,
      'shift_jis',
      `ソフトバンクのメールサーバーです。次のメールを届けることができませんでした。

あて先：b@softbank.ne.jp
理由：メールボックスの容量を超過しています
`,
    ),
  ),
  bounce(
    'SoftBank',
    'c@softbank.ne.jp',
    '5.0.0',
    'address-unknown',
    textBounce({
      from: softbank,
      subject: 'Undeliverable message',
      text: `Error-for:  c@softbank.ne.jp
Error-Code: 550 Invalid recipient: <c@softbank.ne.jp>
`,
    }),
  ),
]

const providers: BounceMail[] = [
  bounce(
    'Yahoo! JAPAN',
    'a@yahoo.co.jp',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'MAILER-DAEMON@yahoo.co.jp',
      subject: 'Failure Notice',
      text: `Message from yahoo.co.jp.
Unable to deliver message to the following address(es).

<a@yahoo.co.jp>:
550 5.1.1 This user doesn't have a yahoo.co.jp account (a@yahoo.co.jp) [0]

--- Original message follows.

${originalHeader('a@yahoo.co.jp')}
`,
    }),
  ),
  bounce(
    'Yahoo! JAPAN',
    'b@yahoo.co.jp',
    '5.2.2',
    'mailbox-full',
    textBounce({
      from: 'MAILER-DAEMON@yahoo.co.jp',
      subject: 'Failure Notice',
      text: `Message from yahoo.co.jp.
Unable to deliver message to the following address(es).

<b@yahoo.co.jp>:
The user mailbox is full, over quota (#5.2.2)

--- Original message follows.
`,
    }),
  ),
  bounce(
    'm-FILTER',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'postmaster@theirs.example',
      subject: 'Returned mail',
      text: `Message was not delivered to a@theirs.example

-------server message
550 5.1.1 <a@theirs.example>: Recipient address rejected: User unknown

-------SMTP command
RCPT TO:<a@theirs.example>

-------original mail info
`,
    }),
  ),
  bounce(
    'Japanese gateway',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'postmaster@theirs.example',
      subject: '=?iso-2022-jp?B?GyRCMDg4Ikh+GyhC?=',
      charset: 'utf-8',
      encoding: 'base64',
      text: base64Of(
        'お送りいただいたメールを配信できませんでした。\n\n宛先: a@theirs.example\n理由: 指定されたユーザーは存在しません。\n',
      ),
    }),
  ),
  bounce(
    'Japanese gateway',
    'b@theirs.example',
    '4.4.1',
    'network',
    japanese(
      'postmaster@theirs.example',
      'iso-2022-jp',
      `メールの配信が遅れています。次の宛先へのメールを配信できませんが、再試行を継続します。

宛先: b@theirs.example
理由: サーバーに接続できません。
`,
    ),
    'delay',
  ),
]

export const japan: readonly BounceMail[] = [...carriers, ...providers]
