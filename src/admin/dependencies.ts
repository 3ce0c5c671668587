/**
 * What the API is given to work with.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { LoopDelay } from '../base/loop-delay.ts'
import type { Seal } from '../base/seal.ts'
import type { OwnServerTester } from '../delivery/own-server-test.ts'
import type { SiteState } from '../delivery/throttle.ts'
import type { Sought, Whereabouts } from '../delivery/whereabouts.ts'
import type { Explainer } from '../domains/explain.ts'
import type { RelayDns } from '../domains/relay-dns.ts'
import type { Domains } from '../domains/service.ts'
import type { BulkOrders, Verbs } from '../outcome/bulk-orders.ts'
import type { MeterReading } from '../outcome/meter.ts'
import type { Suspensions } from '../outcome/suspensions.ts'
import type { Store } from '../store/store.ts'
import type { TlsExplainer } from '../tls/explain.ts'
import type { Webhooks } from '../webhooks/service.ts'

export interface AdminDependencies {
  readonly config: Pick<
    Config,
    | 'http'
    | 'submission'
    | 'dataDir'
    | 'hostname'
    | 'domains'
    | 'timeZone'
    | 'ownSmtp'
    | 'delivery'
    | 'sites'
    | 'classification'
    | 'relayDomain'
    | 'feedback'
    | 'tlsReports'
    | 'pools'
    | 'warmUp'
  >
  readonly store: Store
  readonly domains: Domains
  readonly relay: RelayDns
  readonly explainer: Explainer
  readonly tlsPolicies: TlsExplainer
  readonly webhooks: Webhooks
  readonly queue: Verbs
  /** … to more entries than anybody should wait for. */
  readonly bulkOrders: BulkOrders
  readonly suspensions: Suspensions
  readonly ownServers: OwnServerTester
  /** What only the data plane knows. Rejects while it is not there. */
  readonly live: () => Promise<LiveState>
  /** Where mail waits for its site; as `live`. */
  readonly whereabouts: (sought: Sought) => Promise<Whereabouts>
  /** Of every thread but this one, by name, since the last call. Rejects as `live` does. */
  readonly loopDelays: () => Promise<Readonly<Record<string, LoopDelay>>>
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  /** Overwrites an address in the log's files and answers in how many places; null: there are none. */
  readonly eraseFromLog?: ((address: string) => Promise<number>) | null
  /** Answers requests of its own (the sandbox's pages), true when it does. Asked first, without a token. */
  readonly extra?: ((request: IncomingMessage, response: ServerResponse) => boolean) | null
  /** KITTE_ADMIN_TOKEN; null: the one made at first start. */
  readonly adminToken: string | null
}

export interface LiveState {
  /** Ports that take mail. */
  readonly ports: readonly number[]
  readonly sessions: number
  /** Outcomes not written down yet. */
  readonly unsettled: number
  readonly sites: readonly SiteState[]
  /** Of all threads, since they began. */
  readonly meter: MeterReading
}
