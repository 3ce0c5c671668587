/**
 * DKIM verifiers over a folder of messages: dkimpy and Mail::DKIM, which share no code with us, and mailauth.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DNSResolver } from 'mailauth'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { run } from './program.ts'

export type Verifier = 'dkimpy' | 'Mail::DKIM' | 'mailauth'

/** File name → `pass` or why not, per signature in the order of the header. */
export type Verdicts = ReadonlyMap<string, readonly string[]>

const scripts = join(import.meta.dirname, '../../signing')
/** Debian's own, whatever Python comes first in PATH: python3-dkim belongs to it. */
const python = '/usr/bin/python3'

/** Null: the verifier is not installed. */
export async function missingVerifier(verifier: Verifier): Promise<string | null> {
  if (verifier === 'mailauth') return null
  const { code } = await (verifier === 'dkimpy'
    ? run(python, ['-c', 'import dkim'])
    : run('perl', ['-MMail::DKIM::Verifier', '-e', '1']))
  return code === 0 ? null : `${verifier} is not installed (.ci/run installs it)`
}

/** `messages`: file name → message; `records`: owner name of a key → its TXT. */
export async function verifyAll(
  verifier: Verifier,
  folder: string,
  messages: ReadonlyMap<string, Buffer>,
  records: Readonly<Record<string, string>>,
): Promise<Verdicts> {
  for (const [name, raw] of messages) writeFileSync(join(folder, name), raw)
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(records))
  const lines = Object.entries(records).map(([name, text]) => `${name}\t${text}\n`)
  writeFileSync(join(folder, 'keys.txt'), lines.join(''))
  if (verifier === 'mailauth') return verifyWithMailauth(folder, [...messages.keys()], records)
  const ended = await (verifier === 'dkimpy'
    ? run(python, [join(scripts, 'verify-dkimpy.py'), folder])
    : run('perl', [join(scripts, 'verify-mail-dkim.pl'), folder]))
  if (ended.code !== 0) throw new Error(`${verifier}: ${ended.stderr}`)
  return verdictsOf(ended.stdout)
}

function verdictsOf(output: string): Verdicts {
  const verdicts = new Map<string, string[]>()
  for (const line of output.trim().split('\n')) {
    const [file = '', , verdict = ''] = line.split('\t')
    verdicts.set(file, [...(verdicts.get(file) ?? []), verdict])
  }
  return verdicts
}

async function verifyWithMailauth(
  folder: string,
  files: readonly string[],
  records: Readonly<Record<string, string>>,
): Promise<Verdicts> {
  const resolver: DNSResolver = async name => [[records[name]!]]
  const verdicts = new Map<string, string[]>()
  for (const file of files) {
    const { results } = await dkimVerify(readFileSync(join(folder, file)), { resolver })
    verdicts.set(
      file,
      results.map(({ status }) => status.result),
    )
  }
  return verdicts
}
