/**
 * Mailbox providers that write bounces of their own.
 */
import { address, type TextRule } from '../text-rule.ts'

const bracketed = new RegExp(
  String.raw`^[ \t]{0,8}<?(?<address>${address})>?:[ \t]*\n?(?<reason>[^\n]{0,600}(?:\n(?![ \t]{0,8}<|[ \t]*$)[^\n]{1,600}){0,8})`,
  'gm',
)

export const providerRules: readonly TextRule[] = [
  {
    system: 'Gmail',
    marker:
      /Delivery to the following recipients? (?:failed permanently|has been delayed)|Your message (?:wasn't|couldn't be) delivered to|(?:\*\* (?:Address not found|Message (?:blocked|not delivered)|Delivery incomplete|Message too large|Recipient inbox full) \*\*)|メッセージが .{1,200} に配信されませんでした|アドレスが見つからないため/i,
    recipients: new RegExp(
      String.raw`(?:^[ \t]{2,8}|delivered to |delivering your message to |^メッセージが )<?(?<address>${address})>?(?=[ \t]*$| because|[.]? | に)`,
      'gm',
    ),
    reason:
      /(?:The (?:error that the other server returned was|response(?: from the remote server)? was):|リモート サーバーからの応答:|The error was:|Technical details of (?:permanent|temporary) failure:)\s{1,8}(?<reason>[^\n]{1,600}(?:\n[^\n]{1,600}){0,4})/i,
    until: /^----- (?:Original message|Message header follows)/im,
    delayed:
      /has been delayed|Delivery incomplete|temporary problem delivering|Gmail will (?:retry|continue to try)|配信未完了/i,
  },
  {
    system: 'Yahoo! JAPAN',
    marker: /Message from {1,3}yahoo\.co\.jp/i,
    recipients: bracketed,
    from: /to the following address/i,
    until: /^--- (?:Original message|Below this line) /im,
  },
  {
    system: 'Yahoo',
    marker:
      /Message from (?:yahoo|ymail|rocketmail)\.|Sorry,? we were unable to deliver your message to the following address/i,
    recipients: bracketed,
    from: /to the following address/i,
    until: /^--- (?:Original message|Below this line) /im,
  },
  {
    system: 'AOL',
    marker:
      /The mail system at (?:AOL|aol\.com)|mail you sent to the following recipients? could not be delivered[\s\S]{0,200}AOL/i,
    recipients: bracketed,
  },
  {
    system: 'Zoho',
    marker: /ERROR[ _]CODE ?:/i,
    recipients: new RegExp(
      String.raw`(?<address>${address})(?:,| Invalid Address,) ERROR[ _]CODE ?:(?:[45]\d\d, ERROR[ _]CODE ?:)?(?<reason>[^\n]{0,600})`,
      'gi',
    ),
    delayed: /has not been delivered yet/i,
  },
  {
    system: 'Biglobe',
    marker: /The following addresses had delivery problems -----[\s\S]{0,1200}Non-delivered information/i,
    recipients: new RegExp(String.raw`^[ \t]{0,8}<?(?<address>${address})>?[ \t]*$`, 'gm'),
    reason: /Non-delivered information -----\s{1,8}(?<reason>[^\n]{1,600}(?:\n[^\n]{1,600}){0,2})/i,
    until: /^[ \t]*-{3,20} ?Original (?:mail|message)/im,
  },
]
