/**
 * Which limits a sender's own SMTP server has: what its address says, else the configuration. Pure.
 */
import type { Config } from '../base/config.ts'
import type { OwnSmtpLimits } from '../mail/account.ts'
import type { SiteRule } from './site-rules.ts'

/**
 * As one delivery worker obeys it: limits of sender addresses stand in the store and are many, so each worker takes its
 * part of them here, rounded down. Never nothing, or its mail would wait for ever.
 */
export function ownServerRule(
  { ownSmtp, delivery }: Pick<Config, 'ownSmtp' | 'delivery'>,
  limits: OwnSmtpLimits = {},
): SiteRule {
  const workers = delivery.workers === 'auto' ? 1 : delivery.workers
  const part = (limit: number) => Math.max(1, Math.floor(limit / workers))
  const { perMinute = ownSmtp.perMinute } = limits
  return {
    suffix: '',
    connections: part(limits.connections ?? ownSmtp.connections),
    messagesPerConnection: limits.messagesPerConnection ?? ownSmtp.messagesPerConnection,
    perMinute: perMinute === null ? null : part(perMinute),
  }
}
