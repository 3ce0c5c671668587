/**
 * The relay as a process: starts it, says what to try next, ends it on SIGTERM or SIGINT, reloads certificates on SIGHUP.
 *
 * A second SIGTERM or SIGINT ends at once: nothing accepted is lost by that, only connections are cut.
 */
import { type Config, loadConfig, loadSecrets, sandboxFile } from './base/config.ts'
import { prepareThreads } from './base/threads.ts'
import { type Relay, startRelay } from './main.ts'

/** `config: null` is the sandbox. Resolves when the relay runs; the process then lives until it is told to end. */
export async function run(config: Config | null, warnings: readonly string[]): Promise<void> {
  await prepareThreads()
  const sandbox = config === null
  const relay = await startRelay({
    config: config ?? loadConfig([sandboxFile]),
    secrets: loadSecrets(),
    warnings,
    sandbox,
    onDeath: error => {
      process.stderr.write(`kitte: ${error.stack ?? error.message}\n`)
      process.exit(1)
    },
  })
  endOnSignal(relay)
  process.stdout.write(relay.sandbox ? relay.sandbox.banner(relay) : greeting(relay))
}

function endOnSignal(relay: Relay): void {
  let ending = false
  const end = async () => {
    if (ending) process.exit(1)
    ending = true
    await relay.stop()
    process.exit(0)
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', () => void relay.reloadCertificate())
}

/** The token is shown when it was made, and never again. */
function greeting({ httpPort, madeToken }: Relay): string {
  const token = madeToken === null ? '' : `kitte: admin token, shown this once: ${madeToken}\n`
  const next = 'kitte: "kitte relay show" prints the DNS records to publish for the relay itself\n'
  return `kitte: running, API on port ${httpPort}\n${token}${next}`
}
