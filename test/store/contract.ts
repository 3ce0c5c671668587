/**
 * What every store must do, whatever it is made of: run for each implementation by `contract.test.ts`.
 */
import { contractOfAccounts } from './contract-accounts.ts'
import { contractOfClaims } from './contract-claims.ts'
import { contractOfErasure } from './contract-erasure.ts'
import { contractOfLimits } from './contract-limits.ts'
import { contractOfMessages } from './contract-messages.ts'
import { contractOfOrder } from './contract-order.ts'
import { contractOfOwnership } from './contract-ownership.ts'
import { contractOfQueue } from './contract-queue.ts'
import { contractOfReturned } from './contract-returned.ts'
import { contractOfSettling } from './contract-settling.ts'
import { contractOfShareLinks } from './contract-share-links.ts'
import { contractOfStsPolicies } from './contract-sts-policies.ts'
import { contractOfSuppressions } from './contract-suppressions.ts'
import { contractOfSuspensions } from './contract-suspensions.ts'
import { contractOfTlsReports } from './contract-tls-reports.ts'
import { contractOfTurns } from './contract-turns.ts'
import { contractOfWarmUps } from './contract-warm-ups.ts'
import { contractOfWebhooks } from './contract-webhooks.ts'
import type { StoreFactory } from './factory.ts'

export function storeContract(name: string, factory: StoreFactory): void {
  describe(`a store (${name})`, () => {
    contractOfMessages(factory)
    contractOfClaims(factory)
    contractOfTurns(factory)
    contractOfOrder(factory)
    contractOfSettling(factory)
    contractOfReturned(factory)
    contractOfQueue(factory)
    contractOfLimits(factory)
    contractOfAccounts(factory)
    contractOfWarmUps(factory)
    contractOfWebhooks(factory)
    contractOfTlsReports(factory)
    contractOfOwnership(factory)
    contractOfShareLinks(factory)
    contractOfStsPolicies(factory)
    contractOfSuppressions(factory)
    contractOfSuspensions(factory)
    contractOfErasure(factory)
  })
}
