/**
 * A bounce host of the domain's own, for domains that opt in: its MX is the relay, and its SPF record lets the relay pass.
 *
 * With both published, reverse-paths that the relay makes (feedback/verp.ts) end in this host, so SPF passes for a name of
 * the customer and aligns (RFC 7489 §3.1.2, relaxed). Until then they end in the relay's own: nothing waits for it.
 */
import type { DomainName } from '../../mail/ids.ts'
import { judgeExchange } from './mail-host.ts'
import { isInPlace, lastCheck, notPublished, type RecordConfig, type RecordKind } from './record-kind.ts'
import { spf } from './spf.ts'

export const returnPath: RecordKind = {
  purpose: 'return-path',
  isAdvice: true,
  isAwaited: true,

  expected(domain, config) {
    if (!domain.returnPath) return []
    return [{ purpose: 'return-path', type: 'MX', name: hostOf(domain, config), value: exchangeOf(config) }]
  },

  judge({ name }, _domain, resolver, config) {
    return judgeExchange({ purpose: 'return-path', type: 'MX', name, value: exchangeOf(config) }, resolver)
  },
}

export const returnPathSpf: RecordKind = {
  purpose: 'return-path-spf',
  isAdvice: true,
  isAwaited: true,

  expected(domain, config) {
    if (!domain.returnPath) return []
    const record = { purpose: 'return-path-spf', type: 'TXT', name: hostOf(domain, config) } as const
    const check = lastCheck(domain, record)
    const live = check && isInPlace(check) ? check.found[0] : undefined
    return [{ ...record, value: live ?? ['v=spf1', ...config.spf.mechanisms, config.spf.all].join(' ') }]
  },

  /** Nothing but bounces knows this host, so -all can't hurt mail that is forwarded under another name. */
  async judge(record, domain, resolver, config) {
    const lenient = { ...config, spf: { ...config.spf, acceptHardFail: true } }
    const judgement = await spf.judge(record, domain, resolver, lenient)
    // A name below the domain need not exist before its first record.
    return judgement.reason === 'no-domain' ? notPublished('absent') : judgement
  },
}

function hostOf({ name }: { readonly name: DomainName }, { domains }: RecordConfig): DomainName {
  return `${domains.returnPathHost}.${name}`
}

/** The host that the MX of the relay's own bounce host names (relay-records.ts). */
function exchangeOf({ hostname }: RecordConfig): string {
  return `10 ${hostname}`
}
