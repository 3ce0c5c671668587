/**
 * `kitte bench`: measures this relay on this machine, and its peers beside it; loopback only, in a temporary folder.
 *
 * The measuring stands in scripts/bench, outside of what is installed to run a relay: it needs a checkout.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CliError } from './cli-error.ts'
import { type CliContext, commonOptions } from './context.ts'

const scripts = join(import.meta.dirname, '../../scripts/bench')
/** Measured by themselves: they are no matter of messages. */
const aloneCases: Readonly<Record<string, string>> = { domains: 'domains.ts', orders: 'orders.ts' }

export function register(program: Command, context: CliContext): void {
  program
    .command('bench')
    .description('measure throughput, CPU, memory and latency on this machine, beside its peers')
    .option(
      '--case <names>',
      'c20, c100, n20, b20 (these when not given), starttls, multi, slow-disk, half-rate, half-rate-heavy, fair, fairness, dead-site, tarpit; or domains or orders, by itself',
    )
    .option('--rounds <number>', 'rounds of each relay in turn, after one that warms it up: 5')
    .option('--messages <number>', 'messages of a round; each case has its own number')
    .option(
      '--entries <number>',
      'entries that wait in the case dead-site: 1000000; in tarpit: 20000; in orders: 100000',
    )
    .option('--domains <number>', 'sender domains of the case domains: 5000')
    .option('--rate <number>', 'mails a second meanwhile, in the case domains: 20; in orders: 50')
    .option(
      '--peer <names>',
      'relays to compare with, if they are installed: postfix-opendkim, postfix-rspamd, exim, haraka',
    )
    .option('--workers <numbers>', 'data plane workers, each number measured by itself: auto')
    .option('--folder <folder>', 'where the queues stand while it runs: the folder for temporary files')
    .option('--time-limit <seconds>', 'of each case: 600; of orders: 1800')
    .action((options: Readonly<Record<string, string>>, command: Command) => {
      const { json } = commonOptions(context, command)
      const alone = aloneCases[options.case ?? '']
      return alone === undefined
        ? runScript(context, 'bench.ts', argumentsOf(options, json))
        : runScript(context, alone, argumentsOf(without(options, 'case'), json))
    })
}

function without(options: Readonly<Record<string, string>>, left: string): Record<string, string> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== left))
}

function argumentsOf(options: Readonly<Record<string, string>>, json: boolean): string[] {
  const given = Object.entries(options).filter(([name]) => name !== 'json')
  const named = given.map(
    ([name, value]) => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}=${value}`,
  )
  return json ? [...named, '--json'] : named
}

async function runScript(context: CliContext, name: string, args: readonly string[]): Promise<void> {
  const script = join(scripts, name)
  if (!existsSync(script)) throw new CliError('kitte bench is not part of this installation', 'run it in a checkout')
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.pipe(context.output, { end: false })
  child.stderr.pipe(context.errors, { end: false })
  // At a terminal Ctrl-C reaches both; it ends what it started, then we end.
  const end = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  const [code] = await once(child, 'close')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  if (code !== 0) throw new CliError('the measurement failed', 'what is wrong stands above')
}
