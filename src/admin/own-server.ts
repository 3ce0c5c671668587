/**
 * A sender's own SMTP server as the API takes and shows it, and what is said about a test of its settings.
 */
import { z } from 'zod'
import type { Config } from '../base/config.ts'
import { type OwnServerFinding, ownServerFindings } from '../delivery/own-server-test.ts'
import type { OwnSmtp, OwnSmtpLimits, SenderAddress } from '../mail/account.ts'
import { outcomeClasses } from '../mail/outcome.ts'
import { classes } from '../outcome/classes.ts'
import { bilingual, hostName, mend, port, text, time, timestamp } from './fields.ts'
import { invalidField } from './problem.ts'
import type { Bilingual } from './texts.ts'

/** RFC 6409 §3.1. */
const submissionPort = 587

const limit = z.int(mend('limit')).min(1, mend('limit')).nullable()

export const ownServer = z
  .strictObject(
    {
      host: hostName,
      port: port.optional().meta({ description: '587 when absent; 465 means TLS from the first byte' }),
      username: text(1, 500, 'smtp-username'),
      password: z
        .string(mend('password'))
        .min(1, mend('password'))
        .max(500, mend('password'))
        .optional()
        .meta({ description: 'May be left out in a change that leaves host and username as they are' }),
      tls: z.enum(['required', 'opportunistic'], mend('smtp-tls')).optional(),
      limits: z
        .strictObject({ connections: limit, messagesPerConnection: limit, perMinute: limit }, mend('object'))
        .partial()
        .optional()
        .meta({ description: 'What that server takes; null: as ownSmtp in the configuration says; absent: as before' }),
    },
    mend('object'),
  )
  .meta({ description: "The sender's own SMTP server (mode own-smtp)" })
export type OwnServerBody = z.output<typeof ownServer>

export const testWish = z.enum(['report', 'require', 'skip'], mend('smtp-test')).meta({
  description:
    'Whether the settings are tried first (connection, TLS, login; no mail): report saves them whatever comes of it, require only when they work, skip does not try. Default report',
})

export const ownServerAnswer = z.object({
  host: z.string(),
  port: z.int(),
  tls: z.enum(['required', 'opportunistic']),
  username: z.string(),
  limits: z
    .object({ connections: z.int(), messagesPerConnection: z.int(), perMinute: z.int().nullable() })
    .meta({ description: 'In force, of all delivery workers together; perMinute counts recipients, null: no limit' }),
  trouble: z
    .object({
      since: timestamp,
      class: z.enum(outcomeClasses),
      reply: z.string(),
      message: bilingual,
      next: bilingual,
    })
    .nullable()
    .meta({ description: 'Why mail through it waits; null: it does not, or none was sent yet' }),
})

export const testAnswer = z.object({
  finding: z.enum(ownServerFindings),
  works: z.boolean().nullable().meta({ description: 'null: not tested' }),
  message: bilingual,
})
export type TestAnswer = z.output<typeof testAnswer>

type OwnServerAnswer = z.output<typeof ownServerAnswer>

/**
 * What is stored but for the password. Fails with a Problem when the port is none that own servers may have. `before`:
 * the same login's settings so far, whose limits stay unless they are changed.
 */
export function readOwnServer(
  body: OwnServerBody,
  before: OwnSmtp | null,
  { ownSmtp, delivery }: Pick<Config, 'ownSmtp' | 'delivery'>,
): Omit<OwnSmtp, 'sealedPassword'> {
  const { host, port: at = submissionPort, username, tls = 'required' } = body
  if (!delivery.allowPrivateAddresses && !ownSmtp.ports.includes(at)) throw invalidField('smtp.port', 'smtp-port')
  const limits = Object.entries({ ...before?.limits, ...body.limits }).filter(([, value]) => typeof value === 'number')
  return { host, port: at, tls, username, ...(limits.length > 0 && { limits: Object.fromEntries(limits) }) }
}

/** The sealed password stays out. */
export function renderOwnServer(
  { smtp, smtpTrouble }: SenderAddress,
  { ownSmtp }: Pick<Config, 'ownSmtp'>,
): OwnServerAnswer | null {
  if (smtp === null) return null
  const { host, port: at, tls, username, limits = {} } = smtp
  const trouble = smtpTrouble && {
    since: time(smtpTrouble.since),
    class: smtpTrouble.class,
    reply: smtpTrouble.reply,
    message: classes[smtpTrouble.class].sentence,
    next: classes[smtpTrouble.class].next,
  }
  return { host, port: at, tls, username, limits: inForce(limits, ownSmtp), trouble: trouble ?? null }
}

function inForce(limits: OwnSmtpLimits, configured: Config['ownSmtp']): OwnServerAnswer['limits'] {
  const { connections, messagesPerConnection, perMinute } = configured
  return { connections, messagesPerConnection, perMinute, ...limits }
}

export function renderTest(finding: OwnServerFinding): TestAnswer {
  const works = finding === 'not-tested' ? null : finding === 'works'
  return { finding, works, message: findingTexts[finding] }
}

const findingTexts: Readonly<Record<OwnServerFinding, Bilingual>> = {
  works: {
    ja: '接続とログインに成功しました。',
    en: 'The server answers, and the login works.',
  },
  'no-server': {
    ja: '時間内にSMTPサーバーとして応答がありませんでした。サーバー名とポート、外部からの接続が許可されているかをご確認ください。社内などのプライベートアドレスは使用できません。',
    en: 'Nothing answered as an SMTP server in time. Check host and port, and whether it may be reached from outside; private addresses can not be used.',
  },
  'no-tls': {
    ja: 'サーバーとTLS（暗号化）の接続ができませんでした。ポート（587・465）をご確認ください。暗号化に対応していないサーバーの場合は、TLSの設定を変えてください。',
    en: 'There is no TLS with this server. Check the port (587, 465); for a server without TLS set tls to opportunistic.',
  },
  certificate: {
    ja: 'サーバーの証明書を確認できませんでした。証明書に記載された名前をサーバー名に指定してください。期限切れや自己署名の証明書は使用できません。',
    en: 'The certificate of the server can not be verified. Write the host name that stands in it; it must be neither expired nor self-signed.',
  },
  'no-auth': {
    ja: 'このサーバーはログイン（SMTP認証）を受け付けていません。メール送信用のサーバー名とポートをご確認ください。',
    en: 'The server offers no login (SMTP AUTH). Check that host and port are those for sending mail.',
  },
  'login-refused': {
    ja: 'ログインを拒否されました。ユーザー名とパスワードをご確認ください。アプリ用パスワードが必要なサービスもあります。',
    en: 'The login was refused. Check username and password; some services want an app password.',
  },
  'try-later': {
    ja: 'サーバーが一時的にログインを受け付けませんでした。しばらくしてからもう一度お試しください。',
    en: 'The server takes no login at the moment. Try again later.',
  },
  'not-tested': {
    ja: '設定のテストが続いたため、今回は実行しませんでした。しばらくしてからもう一度お試しください。',
    en: 'Not tested: too many tests lately. Try again later.',
  },
}
