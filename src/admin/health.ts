/**
 * Whether the process lives (`/healthz`) and whether it can do its work (`/readyz`), for supervisors and load balancers.
 */
import type { AdminDependencies } from './dependencies.ts'
import type { Bilingual } from './texts.ts'

export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly Bilingual[]
}

/** Never rejects: a question that fails is a reason. */
export async function readiness({ store, live }: Pick<AdminDependencies, 'store' | 'live'>): Promise<Readiness> {
  const [storage, delivery] = await Promise.all([store.health(), live().catch(() => null)])
  const reasons: Bilingual[] = []
  if (!storage.writable || !storage.acceptsMail) {
    const why = storage.reason ?? `${storage.freeBytes} bytes free`
    reasons.push({ ja: `データを保存できません（${why}）`, en: `the store does not take mail: ${why}` })
  }
  if (delivery === null) {
    reasons.push({ ja: '受信と配信の処理が応答しません', en: 'submission and delivery do not answer' })
  } else {
    if (delivery.ports.length === 0)
      reasons.push({ ja: 'メールを受け付けるポートが開いていません', en: 'no port takes mail' })
    if (delivery.unsettled > 0)
      reasons.push({
        ja: `記録できていない配信結果が${delivery.unsettled}件あります`,
        en: `${delivery.unsettled} outcomes are not written down yet`,
      })
  }
  return { ready: reasons.length === 0, reasons }
}
