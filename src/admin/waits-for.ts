/**
 * What an entry waits for, as a person reads it.
 */
import type { SlowedSender } from '../delivery/slowed-senders.ts'
import { localTime } from './local-time.ts'
import type { Bilingual } from './texts.ts'

/** `waitsFor` as in QueueEntry; null where it says nothing that is known. */
export function waitsForMessage(waitsFor: string | undefined): Bilingual | null {
  const [, what, name] =
    /^(warm-up domain|warm-up pool|source pool|source address|sender domain|room at|own server of) (.+)$/.exec(
      waitsFor ?? '',
    ) ?? []
  switch (what) {
    case 'warm-up domain':
      return {
        ja: `送信ドメイン ${name} のウォームアップの本日の上限に達したため、翌日まで待ちます。`,
        en: `The warm-up of ${name} has reached its cap for today; it goes on tomorrow.`,
      }
    case 'warm-up pool':
      return {
        ja: `プール ${name} の送信元IPはすべて、ウォームアップの本日の上限に達しました。翌日まで待ちます。`,
        en: `All source addresses of the pool ${name} have reached the caps of their warm-ups for today; it goes on tomorrow.`,
      }
    case 'source pool':
      return {
        ja: `プール ${name} には、宛先のIPアドレスの種類(IPv4/IPv6)に合う送信元IPがありません。`,
        en: `The pool ${name} has no source address of the kind (IPv4, IPv6) that the recipient's servers are reached at.`,
      }
    case 'room at':
      return {
        ja: `宛先サーバー ${name} へのメールが多数あり、先に届いた分を順に送信しています。空きができしだい送信します。`,
        en: `Much mail for ${name} is being sent already; this goes on as soon as there is room.`,
      }
    case 'own server of':
      return {
        ja: `${name} に登録されたSMTPサーバーが今は受け付けていないため、再開を待っています。設定を直すと、すぐに送信します。`,
        en: `The SMTP server registered for ${name} takes no mail now; it waits until that is tried again, or goes at once when its settings are mended.`,
      }
    case 'sender domain':
      return slowedSender(name!)
    case 'source address':
      return {
        ja: `プール ${name} の送信元IPがこのサーバーにない(または空きポートがない)ため、1分ごとに確認しながら待ちます。ほかのIPからは送信しません。アドレスをサーバーに割り当てるか、設定の pools(または delivery.sourceIpv4・sourceIpv6)を直して再起動してください。`,
        en: `This machine has none of the source addresses of the pool ${name} (or no free port at them); it waits, is looked at every minute and leaves from no other address. Give the machine the address, or mend pools (or delivery.sourceIpv4 and sourceIpv6) in the configuration and restart.`,
      }
    default:
      return null
  }
}

/** Null: it waits for something else. */
export function slowedIn(waitsFor: string | undefined): readonly [domain: string, where: string] | null {
  const [, domain, where] = /^sender domain (\S+) at (.+)$/.exec(waitsFor ?? '') ?? []
  return domain === undefined || where === undefined ? null : [domain, where]
}

/** How slowly, since when and because of which answer. */
export function slowedText({ perMinute, restsUntil, reply, at }: SlowedSender, zone: string): Bilingual {
  const until = restsUntil === null ? null : localTime(restsUntil, zone)
  return {
    ja: `${localTime(at, zone)}の応答：${reply}。${until === null ? '今は' : `${until}まで休止し、その後は`}毎分${perMinute}通までです。`,
    en: `At ${localTime(at, zone)} it said: ${reply}. ${until === null ? 'Now' : `It rests until ${until}; then`} ${perMinute} a minute may go.`,
  }
}

/** `DOMAIN at SITE`. */
function slowedSender(where: string): Bilingual {
  const [domain, site] = where.split(' at ')
  return {
    ja: `宛先サーバー（${site}）が、送信ドメイン ${domain} からのメールが多すぎる（または迷惑メールが多い）と応答したため、このドメインの送信だけを一時的に控えています。ほかのお客様の送信には影響しません。宛先リストと内容を見直し、送信量を減らしてください。`,
    en: `The receiver (${site}) answered that too much mail, or too much unwanted mail, comes from ${domain}, so only mail of that domain rests or goes slowly; nobody else's does. Have the customer look at the list and the content, and send less.`,
  }
}
