import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../src/base/config.ts'
import { zoneResolver } from '../src/dns/zone-resolver.ts'
import { startRelay } from '../src/main.ts'

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'kitte-main-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

/** A relay as in production, but in this thread and on free ports. */
function start(dataDir: string, warnings: readonly string[] = []) {
  const config = loadConfig([], {
    KITTE_DATA_DIR: dataDir,
    KITTE_LOG_STDOUT: 'false',
    KITTE_HTTP_PORT: '0',
    KITTE_SUBMISSION_LISTENERS: '[{ host: 127.0.0.1, port: 0, tls: starttls }]',
  })
  const secrets = { adminToken: null, sealKey: null }
  return startRelay({ config, secrets, warnings, sandbox: false, resolver: zoneResolver({}), inProcess: true })
}

describe('a relay that starts', () => {
  it('makes its data folder for its user alone, and a log that the group can read', async () => {
    using folder = temporaryFolder()
    const dataDir = join(folder.path, 'data')
    const relay = await start(dataDir)
    await relay.stop()
    const modes = Object.fromEntries(
      ['', 'kitte.db', 'log', 'seal.key', 'admin-token'].map(name => [
        name,
        (statSync(join(dataDir, name)).mode & 0o777).toString(8),
      ]),
    )
    assert.deepEqual(modes, { '': '700', 'kitte.db': '600', log: '750', 'seal.key': '600', 'admin-token': '600' })
  })

  it('logs what was warned of in its configuration', async () => {
    using folder = temporaryFolder()
    const relay = await start(folder.path, ['hostname: set the name of this relay'])
    await relay.stop()
    const lines = readFileSync(join(folder.path, 'log', 'delivery.1.log'), 'utf8').split('\n')
    const { level, text } = JSON.parse(lines[0]!)
    assert.deepEqual([level, text], ['warn', 'configuration: hostname: set the name of this relay'])
  })

  it('names the key when the folder can not be made', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'file'), '')
    for (const path of ['file', 'file/data', 'file/data/deeper'])
      await assert.rejects(start(join(folder.path, path)), /dataDir: \S+ can't be made \(E\w+: .*\); choose another/)
  })
})
