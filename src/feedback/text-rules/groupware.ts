/**
 * Groupware and gateways: Exchange in its ages, Domino, GroupWise, filters that stand before them.
 */
import { address, type TextRule } from '../text-rule.ts'

export const groupwareRules: readonly TextRule[] = [
  {
    system: 'hMailServer',
    marker: /hMailServer/i,
    recipients: new RegExp(
      String.raw`^[ \t]{0,8}(?<address>${address})[ \t]*\n(?<reason>(?:[ \t]+[^\n]{1,600}\n?){1,10})`,
      'gm',
    ),
    reason: /Remote server replied: (?<reason>[^\n]{1,600})/i,
  },
  {
    system: 'Exchange 5.5',
    marker: /did not reach the following recipient\(s\):/i,
    recipients: new RegExp(
      String.raw`^[ \t]{0,8}(?:[^\n<]{0,100}<)?(?:SMTP:)?(?<address>${address})>? (?:on|am) (?<reason>[^\n]{0,200}(?:\n[ \t]+[^\n]{1,600}){0,8})`,
      'gim',
    ),
    from: /did not reach the following recipient\(s\):/i,
  },
  {
    system: 'Exchange 2003',
    marker:
      /The following recipient\(s\) could not be reached:|Your message did not reach some or all of the intended recipients/i,
    recipients: new RegExp(
      String.raw`^[ \t]{1,12}'?(?<address>${address})'? on (?<reason>[^\n]{0,200}(?:\n[ \t]+(?!'?${address}'? on )[^\n]{1,600}){0,8})`,
      'gm',
    ),
    from: /could not be reached:/i,
  },
  {
    system: 'Exchange',
    marker:
      /Delivery has failed to these recipients or (?:groups|distribution lists)|couldn't be delivered to the following recipients|以下の受信者(?:またはグループ)?への配信が失敗しました|次の受信者または(?:グループ|配布リスト)への(?:配信に失敗|メッセージを配信できません)/i,
    recipients: new RegExp(String.raw`(?:^|[( \t<'])(?<address>${address})(?:\)|>|')?`, 'gm'),
    reason:
      /(?:Remote Server (?:at [^\n]{0,200} )?returned|リモート サーバーから)[:：]? ?'?<?(?<reason>[^\n]{1,600})|^[^\n]{0,200}#<?\s?#?(?<status>[45]\d\d[^\n]{0,600})/im,
    until: /^(?:Original message headers|元のメッセージ ヘッダー)/im,
    delayed: /Delivery (?:is|of this message) delayed|配信(?:が|は)遅れて/i,
  },
  {
    system: 'Domino',
    marker: /was not delivered to:\s|(?:送信できませんでした|次の宛先に配信されませんでした):?\s[\s\S]{0,400}Domino/i,
    recipients: new RegExp(String.raw`was not delivered to:\s{1,20}(?:[^\n<]{0,100}<)?(?<address>${address})>?`, 'gi'),
    reason: /because:\s{1,20}(?<reason>[^\n]{1,600})/i,
  },
  {
    system: 'GroupWise',
    marker:
      /The (?:message that you sent was undeliverable to|attached file had) the following(?: undeliverable recipient)?/i,
    recipients: new RegExp(String.raw`^[ \t]{1,12}<?(?<address>${address})>?[ \t]*(?<reason>\([^)\n]{1,300}\)|)`, 'gm'),
    reason: /^(?:.{0,10}<<< ?|\s{0,8})(?<reason>[45]\d\d [^\n]{1,600})/m,
  },
  {
    system: 'MailMarshal',
    marker: /MailMarshal|Your message:[\s\S]{0,400}?Could not be delivered because of/i,
    recipients: new RegExp(String.raw`^[ \t]{1,12}(?<address>${address})[ \t]*$`, 'gm'),
    from: /The following recipients were affected:/i,
    reason: /Could not be delivered because of\s{1,8}(?<reason>[^\n]{1,600})/i,
    until: /^Additional Information/im,
  },
  {
    system: 'InterScan',
    marker: /InterScan (?:Messaging|NT|VirusWall)|^Received >>> [45]\d\d/im,
    recipients: new RegExp(`Sent (?:>>>|<<<) RCPT TO:<(?<address>${address})>`, 'gi'),
    reason: /Received (?:<<<|>>>) (?<reason>[45]\d\d[^\n]{0,600})/i,
  },
  {
    system: 'm-FILTER',
    marker: /--- ?server message/i,
    recipients: new RegExp(
      String.raw`^(?:RCPT TO:\s?<|To:? |.{0,60}not delivered to\s{1,4})(?<address>${address})`,
      'gim',
    ),
    reason: /--- ?server message\s{1,8}(?<reason>[^\n]{1,600})/i,
  },
  {
    system: 'Barracuda',
    marker: /blocked by our Spam Firewall/i,
    recipients: new RegExp(String.raw`Your message to:? <?(?<address>${address})>?(?<reason>[^\n]{0,300})`, 'gi'),
  },
]
