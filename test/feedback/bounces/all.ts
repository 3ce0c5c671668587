/**
 * All bounce mails together.
 */
import { groupware } from './groupware.ts'
import { japan } from './japan.ts'
import { later } from './later.ts'
import { otherServers } from './other-servers.ts'
import { relatives } from './relatives.ts'
import { reportsOfProviders } from './reports-of-providers.ts'
import { reportsOfServers } from './reports-of-servers.ts'
import { servers } from './servers.ts'
import type { BounceMail } from './shape.ts'

export const bounceMails: readonly BounceMail[] = [
  ...reportsOfServers,
  ...reportsOfProviders,
  ...servers,
  ...otherServers,
  ...groupware,
  ...japan,
  ...later,
  ...relatives,
]
