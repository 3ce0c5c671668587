/**
 * A second SPF implementation: pyspf, which shares no code with ours, asking a real name server.
 */
import { join } from 'node:path'
import { run } from './program.ts'

/** Debian's own, whatever Python comes first in PATH: python3-spf belongs to it. */
const python = '/usr/bin/python3'

/** Null: it is installed. */
export async function missingPyspf(): Promise<string | null> {
  const { code } = await run(python, ['-c', 'import spf, dns.resolver'])
  return code === 0 ? null : 'python3-spf is not installed (.ci/run installs it)'
}

/** `cases`: address and sender domain; the answers come in their order. */
export async function spfVerdicts(port: number, cases: readonly (readonly [string, string])[]): Promise<string[]> {
  const given = { port, cases: cases.map(([ip, domain]) => [ip, `postmaster@${domain}`]) }
  const script = join(import.meta.dirname, 'spf-verdicts.py')
  const { code, stdout, stderr } = await run(python, [script], Buffer.from(JSON.stringify(given)))
  if (code !== 0) throw new Error(`pyspf: ${stderr}`)
  return JSON.parse(stdout)
}
