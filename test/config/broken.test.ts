/**
 * Configuration files that must not be used: each has a file of texts that its refusal must contain.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cli } from '../cli/support/cli.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(import.meta.dirname, 'broken')

function expected(name: string): string[] {
  return readFileSync(join(folder, `${name}.txt`), 'utf8')
    .trimEnd()
    .split('\n')
}

describe('a broken configuration file', () => {
  const files = globSync('*.yaml', { cwd: folder }).sort()

  it('comes in many kinds', () => assert.ok(files.length >= 20))

  for (const file of files) {
    const name = basename(file, '.yaml')
    it(`is refused by check-config and start, naming key and mend: ${name}`, async () => {
      const path = join(folder, file)
      for (const args of [
        ['check-config', path],
        ['start', '--config', path],
      ]) {
        const { code, out, err, started } = await cli(args)
        assert.equal(code, 1)
        assert.equal(out, '')
        assert.deepEqual(started, [])
        for (const text of expected(name)) assert.ok(err.includes(text), `${text}\nis not in\n${err}`)
      }
    })
  }

  it('keeps the real command from starting', async () => {
    const { code, stderr } = await kitte(['start', '--config', join(folder, 'everything-at-once.yaml')])
    assert.equal(code, 1)
    for (const text of expected('everything-at-once')) assert.ok(stderr.includes(text), stderr)
    assert.doesNotMatch(stderr, /\n +at /, 'a mistake of the operator needs no stack')
  })

  it('is refused when it is not there at all', async () => {
    const { code, err } = await cli(['check-config', join(folder, 'no-such.yaml')])
    assert.equal(code, 1)
    assert.match(err, /no-such\.yaml: there is no such file/)
  })
})

describe('the environment', () => {
  const file = join(root, 'test/config/sound.yaml')

  it('is refused when a variable names no key', async () => {
    const { code, err } = await cli(['check-config', file], { KITTE_SUBMISSION_MAX_RECIPIANTS: '5' })
    assert.equal(code, 1)
    assert.match(
      err,
      /KITTE_SUBMISSION_MAX_RECIPIANTS: there is no such key \(did you mean KITTE_SUBMISSION_MAX_RECIPIENTS\?\)/,
    )
  })

  it('is named when the value it gives is wrong', async () => {
    const { err } = await cli(['check-config', file], { KITTE_SUBMISSION_MAX_RECIPIENTS: 'many' })
    assert.match(err, /submission\.maxRecipients: write a whole number \(set by KITTE_SUBMISSION_MAX_RECIPIENTS\)/)
  })

  it('may set a group, whose other keys stay, and whose variables win', async () => {
    const { code, out, err } = await cli(['check-config', file, '--json'], {
      KITTE_RELAY_DOMAIN_NAME: 'one.kitte.test',
      KITTE_RELAY_DOMAIN: '{ name: two.kitte.test }',
      KITTE_SUBMISSION_TLS: '{ keyFile: null }',
    })
    assert.equal(err, '')
    assert.equal(code, 0)
    const values = JSON.parse(out)
    assert.equal(values['relayDomain.name'], 'one.kitte.test')
    assert.match(values['relayDomain.bounceHost'], /./)
    assert.equal(values['submission.tls.certFile'], null)
    const wrong = await cli(['check-config', file], { KITTE_SUBMISSION_TLS: '/etc/key.pem' })
    assert.match(wrong.err, /submission\.tls: write keys with values under it.* \(set by KITTE_SUBMISSION_TLS\)/)
  })

  it('wins over the file', async () => {
    const { code, out } = await cli(['check-config', file, '--json'], { KITTE_SUBMISSION_MAX_RECIPIENTS: '7' })
    assert.equal(code, 0)
    assert.equal(JSON.parse(out)['submission.maxRecipients'], 7)
  })
})

describe('a sound configuration file', () => {
  const file = join(root, 'test/config/sound.yaml')

  it('is told to be ok, with every value that counts', async () => {
    const { code, out, err } = await cli(['check-config', file])
    assert.equal(err, '')
    assert.equal(code, 0)
    assert.match(out, /sound\.yaml: ok/)
    assert.match(out, /^hostname +"mail\.kitte\.test"$/m)
    assert.match(out, /^queue\.expireAfter +"4d"$/m)
  })

  it('is handed to the relay by start', async () => {
    const { code, started } = await cli(['start', '--config', file])
    assert.equal(code, 0)
    assert.equal(started[0]?.hostname, 'mail.kitte.test')
  })

  it('may keep example names where no mail leaves for the internet', async () => {
    const { code, err } = await cli(['check-config', join(root, 'config/default.yaml')], {
      KITTE_DELIVERY_PORT: '2525',
    })
    assert.deepEqual([code, err], [0, ''])
  })
})

describe('a configuration file with example names', () => {
  const file = join(root, 'test/config/only-examples.yaml')
  const lines = readFileSync(join(root, 'test/config/only-examples.txt'), 'utf8')

  it('is told to be ok by check-config, with a warning for each', async () => {
    const { code, out, err } = await cli(['check-config', file])
    assert.equal(code, 0)
    assert.match(out, /only-examples\.yaml: ok/)
    assert.equal(err, lines)
  })

  it('is started with, and the warnings are for the log too', async () => {
    const { code, err, started, warnings } = await cli(['start', '--config', file])
    assert.equal(code, 0)
    assert.equal(started[0]?.hostname, 'relay.example.jp')
    assert.equal(err, lines)
    assert.equal(warnings.map(warning => `warning: ${warning}\n`).join(''), lines)
  })

  it('is still refused for its mistakes', async () => {
    const { code, err, started } = await cli(['start', '--config', file], { KITTE_QUEUE_EXPIRE_AFTER: '1h' })
    assert.deepEqual([code, started], [1, []])
    assert.match(err, /queue\.delayNoticeAfter: must be shorter/)
    assert.doesNotMatch(err, /warning/)
  })
})

describe('start without a configuration', () => {
  it('starts the sandbox', async () => {
    assert.deepEqual((await cli(['start'])).started, [null])
  })
})

function kitte(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [join(root, 'src/kitte.ts'), ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    )
  })
}
