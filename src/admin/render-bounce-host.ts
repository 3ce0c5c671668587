/**
 * Whether what comes back finds its way: the MX of the bounce host is of use only while somebody listens there.
 */
import { z } from 'zod'
import type { Config } from '../base/config.ts'
import { bilingual } from './fields.ts'

export const bounceHostAnswer = z.object({
  host: z.string(),
  listeners: z.array(z.string()).meta({ description: 'Address and port of each; empty: nothing is taken' }),
  complaints: z.string().meta({ description: 'Where providers send complaints to (feedback loops)' }),
  postmaster: z
    .string()
    .nullable()
    .meta({ description: 'Who reads mail to postmaster and abuse; null: it is refused' }),
  message: bilingual,
})

type BounceHostConfig = Pick<Config, 'feedback' | 'relayDomain' | 'delivery'>

export function renderBounceHost(config: BounceHostConfig): z.output<typeof bounceHostAnswer> {
  const { feedback, relayDomain } = config
  return {
    host: relayDomain.bounceHost,
    listeners: feedback.listeners.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
    complaints: `${feedback.complaints}@${relayDomain.bounceHost}`,
    postmaster: feedback.postmaster,
    message: messageOf(config),
  }
}

function messageOf({ feedback }: BounceHostConfig) {
  if (feedback.listeners.length === 0)
    return {
      ja: '待ち受けがないため、後から戻るバウンスと苦情は受け取れません。feedback.listenersを設定し、ポート25で受けられるようにしてください。',
      en: 'Nothing listens, so bounces and complaints that come back later are lost: set feedback.listeners, and let port 25 lead there.',
    }
  if (!feedback.listeners.some(({ port }) => port === 25))
    return {
      ja: '他のメールサーバーはポート25に接続します。ポート25からこの待ち受けへ転送されるようにしてください。',
      en: 'Other mail servers come to port 25: make sure that it leads to one of these listeners.',
    }
  return {
    ja: '後から戻るバウンスと苦情を受け取ります。',
    en: 'Bounces and complaints that come back later are taken.',
  }
}
