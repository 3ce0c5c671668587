/**
 * The command as its own process: exit codes, streams, and nothing that keeps it alive.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { skipAloud } from '../support/real/program.ts'

const program = join(import.meta.dirname, '../../src/kitte.ts')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function kitte(api: Api | null, args: readonly string[], input = ''): Promise<Ended> {
  return ended(args, api === null ? {} : { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token }, input)
}

function ended(args: readonly string[], variables: Readonly<Record<string, string>>, input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env.PATH, ...variables } })
  let [out, err] = ['', '']
  child.stdout.on('data', data => {
    out += data
  })
  child.stderr.on('data', data => {
    err += data
  })
  child.stdin.end(input)
  return new Promise(resolve => child.once('close', code => resolve({ code, out, err })))
}

describe('the command kitte as a process', () => {
  it('does its work, prints, and ends with 0', async () => {
    await using api = await startApi()
    const made = await kitte(api, ['account', 'create', 'Acme', '--json'])
    assert.deepEqual([made.code, made.err], [0, ''])
    assert.equal(JSON.parse(made.out).name, 'Acme')
    const sender = ['sender', 'create', 'a@acme.example', '--account', 'Acme']
    const smtp = ['--smtp-host', 'smtp.acme.example', '--smtp-user', 'a']
    const created = await kitte(api, [...sender, ...smtp], 'secret\n')
    assert.equal(created.code, 0, created.err)
    const sealed = (await api.store.sender('a@acme.example'))!.smtp!.sealedPassword
    assert.equal(api.seal.open(sealed, 'own-smtp:a@acme.example'), 'secret')
  })

  it('ends with 1 and a message on stderr when it fails', async () => {
    await using api = await startApi()
    const { code, out, err } = await kitte(api, ['account', 'show', 'nobody'])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /^kitte: there is no account nobody\n {2}"kitte account list" shows them all\n$/)
  })

  it('strips and compiles its code once', async function () {
    await ended(['--help'], {})
    const { err } = await ended(['--help'], { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' })
    if (/Cannot create cache directory/.test(err)) skipAloud(this, 'may not write beside the code')
    assert.match(err, /transpile cache for StrippedTypeScript file:\S+\/src\/cli\/program\.ts\.\.\.success/)
    assert.match(err, /V8 code cache for ESM file:\S+\/src\/cli\/program\.ts was accepted/)
  })

  it('tells its commands without an argument', async () => {
    const { err } = await kitte(null, [])
    for (const command of ['start', 'account', 'credential', 'domain', 'sender', 'queue', 'tail', 'explain'])
      assert.match(err, new RegExp(`^  ${command}\\b`, 'm'))
  })
})
