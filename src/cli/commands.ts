/**
 * The commands of `kitte`, in the order of its help.
 */
import type { Command } from 'commander'
import { register as account } from './account.ts'
import { register as bench } from './bench.ts'
import { register as checkConfig } from './check-config.ts'
import { register as classify } from './classify.ts'
import type { CliContext } from './context.ts'
import { register as credential } from './credential.ts'
import { register as domain } from './domain.ts'
import { register as erase } from './erase.ts'
import { register as explain } from './explain.ts'
import { register as message } from './message.ts'
import { register as pool } from './pool.ts'
import { register as queue } from './queue.ts'
import { register as relay } from './relay.ts'
import { register as route } from './route.ts'
import { register as sandbox } from './sandbox.ts'
import { register as sender } from './sender.ts'
import { register as limits } from './site-limits.ts'
import { register as start } from './start.ts'
import { register as suppression } from './suppression.ts'
import { register as suspend } from './suspend.ts'
import { register as tail } from './tail.ts'
import { register as tlsPolicy } from './tls-policy.ts'
import { register as tlsReport } from './tls-report.ts'
import { register as warmUp } from './warm-up.ts'
import { register as webhook } from './webhook.ts'

/** Adds one command with its subcommands. */
export type Register = (program: Command, context: CliContext) => void

export const commands: readonly Register[] = [
  start,
  checkConfig,
  account,
  credential,
  domain,
  sender,
  relay,
  pool,
  warmUp,
  queue,
  suspend,
  route,
  suppression,
  limits,
  message,
  tail,
  explain,
  classify,
  erase,
  webhook,
  tlsPolicy,
  tlsReport,
  sandbox,
  bench,
]
