/**
 * An address in the log's files, and the files themselves: how both go.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLog } from '../../src/base/log.ts'
import { parsed } from '../support/process-relay.ts'
import { temporaryFolder, waitFor } from '../support/real/program.ts'

const options = { level: 'info', stdout: false, rotateMegabytes: 100, keepFiles: 2 } as const
const address = 'Taro@there.example'

describe('an address that is erased from the log', () => {
  it('goes out of all files, whatever its letter case, while the log goes on', async () => {
    using folder = temporaryFolder('kitte-log-')
    const rotated = join(folder.path, 'delivery.1.log')
    const line = { recipient: address, reply: '550 <TARO@There.example>... no\ntaro@there.example.', n: 1 }
    writeFileSync(rotated, `${JSON.stringify(line)}\n`)
    writeFileSync(join(folder.path, 'delivery.2.log'), '')
    const sink = await openLog({ ...options, folder: folder.path })
    sink.log.info({ recipient: address }, `delivered ${address}`)
    assert.equal(await sink.erase!(address), 5)
    sink.log.info({ n: 2 }, 'later')
    await sink.close()
    const gone = '*'.repeat(address.length)
    assert.deepEqual(parsed(readFileSync(rotated, 'utf8')), [
      { recipient: gone, reply: `550 <${gone}>... no\n${gone}.`, n: 1 },
    ])
    const lines = parsed(readFileSync(join(folder.path, 'delivery.2.log'), 'utf8'))
    assert.deepEqual(
      lines.map(({ recipient, n, text }) => [recipient, n, text]),
      [
        [gone, undefined, `delivered ${gone}`],
        [undefined, 2, 'later'],
      ],
    )
  })

  it('leaves longer addresses and others alone', async () => {
    const others = ['kantaro@there.example', 'x.taro@there.example', 'taro@there.example.jp', 'taro@there.examples']
    const kept = [
      ...others,
      "o'taro@there.example",
      'a&taro@there.example',
      'taro@there.example-x.jp',
      '花taro@there.example',
      'taro@elsewhere.example',
    ]
    assert.equal(await erased(kept.join(' '), address), kept.join(' '))
  })

  it('is found across the chunks that files are read in', async () => {
    const chunk = 1024 * 1024
    for (let shift = 0; shift < address.length + 6; shift++) {
      const text = `${'-'.repeat(chunk - shift)} ${address} ${'-'.repeat(40)}`
      assert.equal(await erased(text, address), text.replace(address, '*'.repeat(address.length)), `shift ${shift}`)
    }
  })

  it('may be in Japanese, or quoted', async () => {
    assert.equal(await erased('<花子@xn--r8jz45g.jp>', '花子@xn--r8jz45g.jp'), `<${'*'.repeat(21)}>`)
    assert.equal(await erased('to \\"a b\\"@x.example', '"a b"@x.example'), `to ${'*'.repeat(17)}`)
    assert.equal(await erased('<ã@x.example>', 'Ã@x.example'), '<ã@x.example>')
  })
})

/** `text` as it stands in a file of the log afterwards. */
async function erased(text: string, whose: string): Promise<string> {
  using folder = temporaryFolder('kitte-log-')
  const file = join(folder.path, 'delivery.1.log')
  writeFileSync(file, text)
  const sink = await openLog({ ...options, folder: folder.path })
  await sink.erase!(whose)
  await sink.close()
  return readFileSync(file, 'utf8')
}

describe('files of the log', () => {
  it('are as many as log.keepFiles says, those of earlier processes counted', async () => {
    using folder = temporaryFolder('kitte-log-')
    for (let n = 1; n <= 8; n++) writeFileSync(join(folder.path, `delivery.${n}.log`), '{}\n')
    const sink = await openLog({ ...options, rotateMegabytes: 0.001, folder: folder.path })
    sink.log.info({}, 'x'.repeat(20_000))
    await waitFor('old files to go', () => readdirSync(folder.path).length <= 1 + 1 + options.keepFiles)
    assert.ok(readdirSync(folder.path).includes('delivery.8.log'))
    await sink.close()
  })
})
