/**
 * Unbound, a real validating resolver, on loopback: asks one authoritative server for everything, and trusts given anchors.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { needProgram, run, start, temporaryFolder } from './program.ts'

export interface UnboundOptions {
  readonly port: number
  /** The authoritative server: `127.0.0.1@5353`. */
  readonly authority: string
  /** Zones it serves. All other names fail. */
  readonly zones: readonly string[]
  /** DS records of signed zones; what lies below none of them is insecure. */
  readonly anchors: readonly string[]
}

export async function startUnbound(test: Context, options: UnboundOptions): Promise<AsyncDisposable> {
  const [unbound, dig] = [needProgram(test, 'unbound'), needProgram(test, 'dig')]
  const folder = temporaryFolder('kitte-unbound-')
  chmodSync(folder.path, 0o755)
  const [file, anchors] = [join(folder.path, 'unbound.conf'), join(folder.path, 'anchors')]
  writeFileSync(anchors, options.anchors.join(''))
  writeFileSync(file, configurationOf(anchors, options))
  const answers = async () => {
    const asked = ['@127.0.0.1', '-p', String(options.port), '+short', '+time=1', '+tries=1', 'SOA', options.zones[0]!]
    return (await run(dig, asked)).stdout.includes('hostmaster')
  }
  const running = await start(unbound, ['-d', '-p', '-c', file], answers)
  return {
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** The stub for the root keeps it from asking anybody else. */
function configurationOf(anchors: string, { port, authority, zones }: UnboundOptions): string {
  return `server:
  interface: 127.0.0.1
  port: ${port}
  do-ip6: no
  num-threads: 1
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "${anchors}"
  qname-minimisation: no
remote-control:
  control-enable: no
${['.', ...zones].map(zone => `stub-zone:\n  name: "${zone}"\n  stub-addr: ${authority}\n`).join('')}`
}
