/**
 * Zones signed with a key of our own by ldns-signzone (DNSSEC, RFC 4033 to 4035).
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { needProgram, run, temporaryFolder } from './program.ts'

export interface SignedZone {
  /** The zone with its signatures, as text. */
  readonly text: string
  /** The DS record that a resolver is to trust. */
  readonly anchor: string
}

export async function signZone(test: Context, apex: string, text: string): Promise<SignedZone> {
  const [keygen, signer] = [needProgram(test, 'ldns-keygen'), needProgram(test, 'ldns-signzone')]
  using folder = temporaryFolder('kitte-signed-')
  const [zone, keys] = [join(folder.path, 'zone'), join(folder.path, 'keys')]
  mkdirSync(keys)
  writeFileSync(zone, text)
  const made = await run('/bin/sh', [
    '-c',
    'cd "$1" && exec "$2" -r /dev/urandom -a ECDSAP256SHA256 -k "$3"',
    'sh',
    keys,
    keygen,
    apex,
  ])
  const key = readdirSync(keys).find(name => name.endsWith('.key'))
  if (key === undefined) throw new Error(`ldns-keygen made no key: ${made.stderr}`)
  const base = join(keys, key.replace(/\.key$/, ''))
  const signed = await run(signer, ['-f', join(folder.path, 'signed'), zone, base])
  if (signed.code !== 0) throw new Error(`ldns-signzone: ${signed.stderr}`)
  return { text: readFileSync(join(folder.path, 'signed'), 'utf8'), anchor: readFileSync(`${base}.ds`, 'utf8') }
}
