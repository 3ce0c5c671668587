/**
 * Every way a delivery can fail, with its sentence and the fix in Japanese and English.
 */
import type { DeliveryFailure } from '../mail/webhook.ts'

export interface Bilingual {
  readonly ja: string
  readonly en: string
}

interface Reason {
  readonly message: Bilingual
  readonly fix: Bilingual
}

const seeReceiver: Bilingual = {
  ja: '受信側が動作しているかご確認ください。Kitteは自動で再送します。',
  en: 'See whether the receiver is running; Kitte tries again by itself.',
}
const correctUrl: Bilingual = {
  ja: 'URLのホスト名をご確認ください。Kitteは自動で再送します。',
  en: 'See whether the host in the URL is right; Kitte tries again by itself.',
}

export const failureReasons = {
  'dns-trouble': {
    message: {
      ja: 'ホスト {host} をDNSで調べられませんでした({problem})。',
      en: 'DNS could not tell where {host} is: {problem}',
    },
    fix: correctUrl,
  },
  'no-host': {
    message: { ja: 'ホスト {host} のアドレスがDNSにありません。', en: 'DNS has no address of {host}.' },
    fix: correctUrl,
  },
  'refused-address': {
    message: {
      ja: '{problem}: このアドレスへは送信しません。',
      en: '{problem}: events are not sent to such an address.',
    },
    fix: {
      ja: '公開されたアドレスの受信側を登録するか、社内の受信側であれば webhooks.allowPrivateAddresses を true にしてください。',
      en: 'Register a receiver at a public address, or set webhooks.allowPrivateAddresses to true if it is your own network.',
    },
  },
  connect: {
    message: { ja: '受信側に接続できませんでした({problem})。', en: 'The receiver can not be reached: {problem}' },
    fix: seeReceiver,
  },
  tls: {
    message: {
      ja: '受信側の証明書を確認できないか、TLSで接続できませんでした({problem})。',
      en: "The receiver's certificate can not be verified, or TLS failed: {problem}",
    },
    fix: {
      ja: '受信側に、URLのホスト名に合う有効な証明書を設定してください。',
      en: 'Give the receiver a valid certificate for the host in the URL.',
    },
  },
  timeout: {
    message: {
      ja: '{seconds}秒以内に応答がありませんでした。',
      en: 'There was no answer within {seconds} seconds.',
    },
    fix: {
      ja: '受信側では、イベントを保存したらすぐに200番台で応答し、処理は後で行ってください。',
      en: 'Let the receiver store the event, answer 2xx at once, and do its work afterwards.',
    },
  },
  closed: {
    message: {
      ja: '応答の前に接続が切れました({problem})。',
      en: 'The connection ended before there was an answer: {problem}',
    },
    fix: seeReceiver,
  },
  protocol: {
    message: { ja: '応答がHTTPではありません({problem})。', en: 'The answer is not HTTP: {problem}' },
    fix: {
      ja: 'URLのプロトコル(httpかhttps)とポート番号をご確認ください。',
      en: 'See whether scheme (http or https) and port of the URL are right.',
    },
  },
  redirect: {
    message: {
      ja: '{status} で {location} へ転送されましたが、転送先へは送信しません。',
      en: 'The answer was {status}, to {location}; redirects are not followed.',
    },
    fix: { ja: '転送先のURLを登録してください。', en: 'Register the URL it redirects to.' },
  },
  gone: {
    message: {
      ja: '受信側が 410 (今後不要)と応答したため、停止しました。',
      en: 'The receiver answered 410: it wants no more events, so it was paused.',
    },
    fix: {
      ja: '再び受信する場合は再開してください。停止中のイベントも、保存期間内であれば送信します。',
      en: 'Resume it when it should get events again; those of the meantime are sent too while they are kept.',
    },
  },
  refused: {
    message: { ja: '受信側が {status} で拒否しました。', en: 'The receiver refused with {status}.' },
    fix: {
      ja: 'URL、署名の検証、受信側のログをご確認ください。順序を守るため、受け取られるまで次のイベントは送信しません。',
      en: "Look at the URL, the check of the signature and the receiver's log. To keep the order nothing else is sent before this is taken.",
    },
  },
  'receiver-trouble': {
    message: { ja: '受信側でエラー {status} が発生しました。', en: 'The receiver answered {status}.' },
    fix: seeReceiver,
  },
  'relay-trouble': {
    message: { ja: 'Kitteの内部エラーのため送信できませんでした。', en: 'Kitte ran into an error of its own.' },
    fix: { ja: 'ログの同じ時刻に詳細があります。', en: 'The log has the details at the same time.' },
  },
} as const satisfies Record<string, Reason>

export type FailureReason = keyof typeof failureReasons

/** A code that another version wrote is told as it stands. */
export function tellFailure({ reason, detail }: Pick<DeliveryFailure, 'reason' | 'detail'>): Reason {
  if (!Object.hasOwn(failureReasons, reason))
    return { message: { ja: reason, en: reason }, fix: failureReasons['relay-trouble'].fix }
  const { message, fix } = failureReasons[reason as FailureReason]
  return { message: { ja: fill(message.ja, detail), en: fill(message.en, detail) }, fix }
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder)
}
