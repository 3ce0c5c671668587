/**
 * Japanese mobile carriers and providers, in Japanese and in the English that their gateways write.
 */
import { address, type TextRule } from '../text-rule.ts'

const anywhere = new RegExp(String.raw`(?:^|[\s<（(「：:])(?<address>${address})(?=$|[\s>）)」:：])`, 'gm')

export const carrierRules: readonly TextRule[] = [
  {
    system: 'SoftBank',
    marker: /(?:softbank|vodafone|ソフトバンク)[\s\S]{0,600}(?:送信でき|配信でき|届け|delivered)|^Error-for:/im,
    recipients: new RegExp(
      String.raw`(?:^Error-for:\s{0,4}<?|^[ \t　]{0,8}<?|(?:宛先|あて先|送信先)[ 　]{0,2}[:：]\s{0,4}<?)(?<address>${address})`,
      'gim',
    ),
    reason: /(?:(?:^Error-(?:Code|Message):|理由|原因|エラー内容)[ 　:：]{0,4})(?<reason>[^\n]{1,300})/im,
  },
  {
    system: 'au',
    marker:
      /@(?:ezweb\.ne\.jp|au\.com)[\s\S]{0,600}(?:送信でき|配信でき|届け)|The user\(s\) account is|As their mailbox is full|Could not be delivered to:|Each of the following recipients was rejected by a remote mail server/i,
    recipients: new RegExp(
      String.raw`^[ \t]{0,8}(?:Could not be delivered to:? ?|Recipient: ?)?<(?<address>${address})>(?<reason>[^\n]{0,300}(?:\n[^\n]{1,300}){0,2})`,
      'gim',
    ),
    reason:
      /(?<reason>The user\(s\) account is[^\n]{1,200}|As their mailbox is full[^\n]{0,200}|>>>? ?[45]\d\d[^\n]{1,300})/i,
  },
  {
    system: 'docomo',
    marker:
      /宛先メールアドレスの入力誤り|次のあて先へのメッセージはエラーのため送信できませんでした|(?:ドコモメール|iモード|spモード|docomo\.ne\.jp)[\s\S]{0,300}(?:送信でき|配信でき|届け)/i,
    recipients: anywhere,
    reason:
      /(?<reason>(?:[45]\d\d )?(?:宛先メールアドレスの入力誤り|Unknown user|受信(?:拒否|制限)|メールボックス)[^\n]{0,200}|(?:理由|原因)[ 　:：]{0,4}[^\n]{1,300})/i,
  },
  {
    system: 'Japanese gateway',
    marker:
      /(?:メール|メッセージ)(?:を|は|が)?.{0,40}(?:送信|配信|配送|お届け)(?:する(?:こと|事)が)?(?:でき(?:ませんでした|ません)|されませんでした|に失敗)|(?:宛先|あて先)(?:の)?(?:メール)?アドレス.{0,20}(?:存在しません|見つかりません|誤り|不明)|エラーのため送信でき/,
    recipients: anywhere,
    reason: /(?:理由|原因|エラー(?:内容|メッセージ)?|詳細)[ 　]{0,2}[:：]\s{0,8}(?<reason>[^\n]{1,300})/,
    until: /^-{3,20} ?(?:Original|元の|送信された)/im,
    delayed: /(?:配信|配送|送信)(?:が|を)?(?:遅れて|遅延|再試行|継続)|まだ(?:配信|配送|お届け)/,
  },
]
