/**
 * What the bulk-sender checklist says of each item in each state, and how to mend it, in Japanese and English.
 */
import type { Bilingual } from './reasons.ts'

export type ChecklistItem =
  | 'organisation'
  | 'spf'
  | 'dkim'
  | 'dmarc'
  | 'alignment'
  | 'one-click'
  | 'reverse-name'
  | 'tls'
  | 'spam-rate'

interface Words {
  readonly message: Bilingual
  readonly fix: Bilingual
}

const nothing: Bilingual = { ja: '対応は不要です。', en: 'Nothing needs to be done.' }
const seeRecords: Bilingual = {
  ja: '「kitte domain show」に、設定するレコードと直し方があります。',
  en: '"kitte domain show" prints the record to publish and how to mend it.',
}
const unchecked = (name: string): Words => ({
  message: {
    ja: `${name} レコードを確認できていません。`,
    en: `Nobody could say whether the ${name} record is published.`,
  },
  fix: { ja: '「kitte domain verify」で確認してください。', en: '"kitte domain verify" checks it now.' },
})
const published = (name: string): Words => ({
  message: { ja: `${name} は設定済です。`, en: `${name} is published.` },
  fix: nothing,
})
const absent = (name: string): Words => ({
  message: { ja: `${name} が未設定です。`, en: `${name} is not published.` },
  fix: seeRecords,
})
const record = (name: string) => ({ done: published(name), missing: absent(name), unknown: unchecked(name) })
const noMail: Bilingual = { ja: '直近7日間の配信がありません。', en: 'Nothing was delivered within the last 7 days.' }
const sendFirst: Bilingual = { ja: '配信が始まると判定します。', en: 'It is judged once mail is delivered.' }
const postmasterTools: Bilingual = {
  ja: 'Google Postmaster Tools (https://postmaster.google.com/) で迷惑メール率を確認してください。0.1% 未満が目安、0.3% 以上は拒否の対象です。Outlook.com は SNDS と JMRP で確認できます。',
  en: 'See the spam rate in Google Postmaster Tools (https://postmaster.google.com/): below 0.1 % is good, 0.3 % and more is refused. For Outlook.com see SNDS and JMRP.',
}

export const checklistTexts: Readonly<Record<ChecklistItem, Readonly<Record<'done' | 'missing' | 'unknown', Words>>>> =
  {
    organisation: {
      done: {
        message: {
          ja: '{organisation} の全サブドメインの合計は、1日最大 {most} 通です({limit} 通未満)。',
          en: 'All subdomains of {organisation} together sent {most} on their highest day, fewer than {limit}.',
        },
        fix: {
          ja: 'Gmail と Outlook.com はサブドメインを合算して数えます。サブドメインを分けても通数は減りません。',
          en: 'Gmail and Outlook.com count subdomains together: spreading mail over them lowers nothing.',
        },
      },
      unknown: {
        message: {
          ja: '{organisation} の全サブドメインの合計が1日最大 {most} 通で、{limit} 通に近づいています。',
          en: 'All subdomains of {organisation} together sent {most} on their highest day, near {limit}.',
        },
        fix: {
          ja: '一括送信者の要件は、超えた後はすべてのサブドメインに適用されます。今のうちに各ドメインの以下の項目を済ませてください。',
          en: 'Beyond, the rules for bulk senders hold for every subdomain. Have the items below done for each of them before.',
        },
      },
      missing: {
        message: {
          ja: '{organisation} の全サブドメインの合計が1日 {most} 通に達したため、{limit} 通以上の一括送信者です。通数の少ないサブドメインにも要件が適用されます。',
          en: 'All subdomains of {organisation} together sent {most} on a day: it is a bulk sender ({limit}). The rules hold for its subdomains that send little, too.',
        },
        fix: {
          ja: '{organisation} の下のすべての送信ドメインで、以下の項目を済ませてください。',
          en: 'Have the items below done for every sender domain of {organisation}.',
        },
      },
    },
    spf: record('SPF'),
    dkim: record('DKIM'),
    dmarc: record('DMARC'),
    alignment: {
      done: {
        message: {
          ja: 'From のドメインと SPF または DKIM のドメインが一致します。',
          en: 'The From domain aligns with that of SPF or DKIM.',
        },
        fix: nothing,
      },
      missing: {
        message: {
          ja: 'SPF も DKIM も From のドメインと一致しません(DMARC 不合格)。',
          en: 'Neither SPF nor DKIM aligns with the From domain: DMARC fails.',
        },
        fix: {
          ja: 'DKIM を設定してください。転送されても一致が保たれます。「kitte domain show」にレコードがあります。',
          en: 'Publish DKIM: it aligns when mail is forwarded, too. "kitte domain show" prints the record.',
        },
      },
      unknown: {
        message: { ja: 'SPF と DKIM を確認できていません。', en: 'Nobody could say whether SPF or DKIM aligns.' },
        fix: { ja: '「kitte domain verify」で確認してください。', en: '"kitte domain verify" checks it now.' },
      },
    },
    'one-click': {
      done: {
        message: {
          ja: '直近7日間の配信 {sent} 通の {oneClick}% にワンクリック登録解除(RFC 8058)が付いています。',
          en: '{oneClick} % of the {sent} mails of the last 7 days can be unsubscribed from with one click (RFC 8058).',
        },
        fix: {
          ja: '宣伝・購読のメールすべてに付けてください。取引のメールには不要です。',
          en: 'Marketing and subscribed mail needs it on every one; transactional mail does not.',
        },
      },
      missing: {
        message: {
          ja: '直近7日間の配信 {sent} 通に、ワンクリック登録解除(RFC 8058)が一つもありません。',
          en: 'None of the {sent} mails of the last 7 days can be unsubscribed from with one click (RFC 8058).',
        },
        fix: {
          ja: '宣伝・購読のメールに List-Unsubscribe: <https://…> と List-Unsubscribe-Post: List-Unsubscribe=One-Click の両ヘッダーを付けてください。取引のメールだけなら不要です。',
          en: 'Give marketing and subscribed mail both fields, List-Unsubscribe: <https://…> and List-Unsubscribe-Post: List-Unsubscribe=One-Click. Transactional mail alone does not need them.',
        },
      },
      unknown: { message: noMail, fix: sendFirst },
    },
    'reverse-name': {
      done: {
        message: {
          ja: '送信元IPアドレスの逆引きと正引きが一致します。',
          en: 'The sending addresses have reverse names that lead back to them.',
        },
        fix: nothing,
      },
      missing: {
        message: {
          ja: '送信元IPアドレスの逆引きか正引きが未設定です。',
          en: 'A sending address lacks its reverse name, or the name does not lead back.',
        },
        fix: {
          ja: 'リレーの運用者は「kitte relay show」をご確認ください。',
          en: 'The operator of the relay sees in "kitte relay show" which one, and how to mend it.',
        },
      },
      unknown: {
        message: {
          ja: '送信元IPアドレスの逆引きを確認できていません。',
          en: 'Nobody could say whether the sending addresses have reverse names.',
        },
        fix: {
          ja: 'リレーの運用者は「kitte relay verify」をご確認ください。',
          en: 'The operator of the relay runs "kitte relay verify".',
        },
      },
    },
    tls: {
      done: {
        message: {
          ja: '直近7日間に Gmail と Outlook.com へ配信した {sent} 通は、すべて TLS で送りました。',
          en: 'All {sent} mails of the last 7 days to Gmail and Outlook.com went under TLS.',
        },
        fix: nothing,
      },
      missing: {
        message: {
          ja: '直近7日間に Gmail と Outlook.com へ配信した {sent} 通のうち、TLS は {tls}% です。',
          en: 'Of the {sent} mails of the last 7 days to Gmail and Outlook.com {tls} % went under TLS.',
        },
        fix: {
          ja: 'どちらも常に TLS を受け付けます。ログの tls-fallback(「kitte tail」)で、TLS が失敗した理由をご確認ください。',
          en: 'Both always take TLS: the lines tls-fallback of the log ("kitte tail") say why it failed.',
        },
      },
      unknown: {
        message: {
          ja: '直近7日間に Gmail と Outlook.com への配信がありません。',
          en: 'Nothing was delivered to Gmail or Outlook.com within the last 7 days.',
        },
        fix: sendFirst,
      },
    },
    'spam-rate': {
      done: { message: { ja: '迷惑メール率は 0.3% 未満です。', en: 'The spam rate is below 0.3 %.' }, fix: nothing },
      missing: {
        message: {
          ja: '直近7日間の配信 {sent} 通のうち {complained}% に苦情が届いています。',
          en: 'Of the {sent} mails of the last 7 days {complained} % were complained about.',
        },
        fix: {
          ja: '同意のない宛先と反応のない宛先への送信をやめ、解除を簡単にしてください。',
          en: 'Stop writing to those who did not ask for it or never react, and make unsubscribing easy.',
        },
      },
      unknown: {
        message: { ja: '迷惑メール率は受信側だけが知っています。', en: 'Only the receivers know the spam rate.' },
        fix: postmasterTools,
      },
    },
  }
