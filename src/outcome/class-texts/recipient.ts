/**
 * Classes of outcomes that lie with the recipient: the address, the mailbox, what its owner lets in.
 */
import type { OutcomeClass } from '../../mail/outcome.ts'
import type { ClassText } from './shape.ts'

export const recipientTexts = {
  none: {
    actor: 'nobody',
    suppressible: false,
    sentence: {
      ja: '宛先のメールサーバーがメールを受け取りました。',
      en: "The recipient's mail server has taken the message.",
    },
    next: { ja: '対応は不要です。', en: 'Nothing needs to be done.' },
  },
  'address-unknown': {
    actor: 'recipient',
    suppressible: true,
    sentence: { ja: '宛先のメールアドレスが存在しません。', en: 'The recipient address does not exist.' },
    next: {
      ja: 'メールアドレスに誤りがないかご確認のうえ、正しいアドレスへ修正するか、配信リストから削除してください。',
      en: 'Check the address for mistakes; correct it, or take it off the list.',
    },
  },
  'unknown-or-filtered': {
    actor: 'recipient',
    // The address may well exist: whoever lifts the filter would never get mail again.
    suppressible: false,
    sentence: {
      ja: '宛先のメールアドレスが存在しないか、受信者の受信拒否設定（携帯電話の迷惑メールフィルター・ドメイン指定受信など）により拒否されました。携帯電話会社の応答では区別できません。',
      en: "The recipient address does not exist, or the recipient's filter at the mobile carrier refuses the sender; the carrier answers both alike.",
    },
    next: {
      ja: 'アドレスに誤りがないかご確認ください。正しい場合は、送信元ドメインを「受信許可」（ドメイン指定受信）に追加していただくよう、受信者に別の方法でご依頼ください。',
      en: 'Check the address. If it is right, ask the recipient by other means to allow mail from the sender domain in the settings of their carrier.',
    },
  },
  'domain-unknown': {
    actor: 'recipient',
    suppressible: true,
    sentence: {
      ja: '宛先のドメイン（@より後ろの部分）が存在しません。',
      en: 'The domain of the recipient address does not exist.',
    },
    next: {
      ja: '@より後ろの部分に誤りがないかご確認ください。',
      en: 'Check the part after the @ for mistakes.',
    },
  },
  'no-mail-accepted': {
    actor: 'recipient',
    // A domain that lost its MX by mistake gets it back.
    suppressible: false,
    sentence: {
      ja: '宛先のドメインはメールを受信していません。',
      en: 'The domain of the recipient address does not accept mail.',
    },
    next: {
      ja: '別のメールアドレスを受信者にご確認ください。',
      en: 'Ask the recipient for another address.',
    },
  },
  'relay-denied': {
    actor: 'recipient',
    suppressible: false,
    sentence: {
      ja: '接続先のメールサーバーは、宛先ドメインのメールを取り扱っていません（中継拒否）。',
      en: 'The mail server named for the recipient domain does not take mail for it (relaying denied).',
    },
    next: {
      ja: 'アドレスに誤りがないかご確認ください。正しい場合は、MXレコードとサーバーの設定が食い違っていることを受信者にお伝えください。',
      en: 'Check the address. If it is right, tell the recipient that the MX records and the mail server of their domain disagree.',
    },
  },
  'mailbox-full': {
    actor: 'recipient',
    suppressible: false,
    sentence: { ja: '宛先のメールボックスの容量がいっぱいです。', en: "The recipient's mailbox is full." },
    next: {
      ja: '受信者がメールボックスを整理するまで届きません。別の方法でお知らせください。',
      en: 'Nothing arrives until the recipient makes room. Tell them by other means.',
    },
  },
  'mailbox-unavailable': {
    actor: 'recipient',
    // Closed accounts are opened again, and a bare 550 says too little.
    suppressible: false,
    sentence: {
      ja: '宛先のメールボックスは停止されているか、利用できない状態です。',
      en: "The recipient's mailbox is disabled or not available.",
    },
    next: {
      ja: '受信者に別の方法で連絡し、現在利用できるメールアドレスをご確認ください。',
      en: 'Ask the recipient by other means for an address that works.',
    },
  },
  'blocked-by-recipient': {
    actor: 'recipient',
    suppressible: false,
    sentence: {
      ja: '受信者または受信者の組織の設定により、この送信元からのメールは受信を拒否されています。',
      en: 'The recipient or their organisation does not let in mail from this sender.',
    },
    next: {
      ja: '受信者に別の方法で連絡し、送信元アドレスまたはドメインの受信を許可していただいてください。',
      en: 'Ask the recipient by other means to allow the sender address or its domain.',
    },
  },
  suppressed: {
    actor: 'recipient',
    suppressible: false,
    sentence: {
      ja: '宛先が配信停止リストに登録されているため、送信しませんでした（以前の宛先不明エラー、迷惑メール報告、または手動での登録によります）。',
      en: 'The mail was not sent: the recipient is suppressed, after an earlier hard bounce or complaint, or by hand.',
    },
    next: {
      ja: 'アドレスに誤りがあれば修正してください。届くはずの宛先であれば、配信停止の解除（kitte suppression remove）を中継サーバーの管理者にご依頼のうえ、再度お送りください。',
      en: 'Correct the address if it is wrong. If it should get mail, have the operator of the relay remove the suppression (kitte suppression remove), then send again.',
    },
  },
} as const satisfies Partial<Record<OutcomeClass, ClassText>>
