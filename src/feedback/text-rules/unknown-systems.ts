/**
 * Bounces of systems that have no rule of their own: known by who writes (a daemon) and what it is about (mail that did not
 * arrive), in the languages that come back to us.
 *
 * Both must hold, and a reason must be told that can be understood; else it is no bounce (`text-bounce.ts`). Whose message it
 * was is proven by the token of the address it came to, not by what it says.
 */
import { address, type TextRule } from '../text-rule.ts'

const daemon = '(?:mailer-?daemon|post-?master|mail(?:er)? ?(?:delivery|system|admin|gateway|server)|mail-?daemon)'

const notDelivered = [
  "undeliver|non-?delivery|not (?:yet )?(?:be(?:en)? )?(?:delivered|accepted for delivery)|n[o']t (?:be )?deliver",
  String.raw`deliver(?:y|ing)?[^\n]{0,60}(?:fail|not succeed|delayed)|failure notice|returned mail|trouble delivering|returned to sender|unable to deliver`,
  String.raw`nicht zugestellt|unzustellbar|zustellung[^\n]{0,40}(?:fehl|gescheitert|verz)`,
  'non remis|pas pu [eê]tre (?:remis|distribu|d[eé]livr)|[eé]chec de la remise|non distribu',
  String.raw`non[^\n]{0,12} recapitat|mancat[ao] (?:consegna|recapito)|no (?:se )?(?:pudo|ha podido)[^\n]{0,20} entreg|no entregado|n[aã]o (?:p[oô]de|foi)[^\n]{0,20} entreg`,
  'не доставлен|не может быть доставлен|не удалось доставить|退信|退回|无法(?:投递|送达)|無法投遞|반송|전달되지',
  '返送|不達|(?:届け|送信|配信|配送)(?:が|を)?(?:することが)?(?:でき(?:ません|ず)|られません|失敗|遅)|受信(?:が|を)?拒否',
].join('|')

const label =
  '(?:reason|responded as follows|error|result|response|diagnostic|status|motivo|grund|raison|causa|причина|原因|理由|状況|エラー(?:内容)?|退信原因)'

export const unknownSystems: TextRule = {
  system: 'other',
  marker: new RegExp(String.raw`^[^\n]{0,300}${daemon}[^\n]{0,300}\n[\s\S]{0,3000}?(?:${notDelivered})`, 'i'),
  recipients: new RegExp(
    String.raw`(?:^[ \t　]{0,12}|[<\[([「]|[:：][ \t　]{0,4}|(?:to|for|送给|发送给|address|recipient) )(?:SMTP:)?(?<address>${address})(?=[\s>\])」,:;]|$)`,
    'gim',
  ),
  until:
    /^(?:[-_*]{2,40} ?(?:original|returned message|below|this is a copy|header|undelivered|dies ist|ceci est|元の|以下)|Return-Path:|Received:|Message-ID:)/im,
  reason: new RegExp(
    String.raw`^(?:(?=[\s\S]{0,4000}?${label}[ \t　]{0,8}[:：]\s{0,8}(?<reason>[^\n]{3,600}))|(?<whole>[\s\S]{1,4000}))`,
    'i',
  ),
  delayed:
    /delivery[^\n]{0,60}delayed|not (?:yet )?been delivered yet|will be (?:re)?tried|(?:do not|no) need to (?:re)?send|still being retried|遅延|遅れて|再送は自動|延迟|继续尝试|verz(?:ö|oe)gert|retard/i,
  mustTell: true,
}
