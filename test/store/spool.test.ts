import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { openStore } from '../../src/store/open.ts'
import { openSpool } from '../../src/store/spool.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { storeOptions } from './factory.ts'
import { newMessage, temporaryFolder } from './fixtures.ts'

const hourMs = 3_600_000

describe('a spool file', () => {
  it('holds what was written, chunk by chunk', async () => {
    using folder = temporaryFolder()
    const spool = openSpool(folder.path)
    const file = await spool.create()
    for (const chunk of ['one ', 'two ', 'three']) await file.write(Buffer.from(chunk))
    const path = await file.commit()
    assert.match(path, /^spool\/([0-9a-z]{2})\/\1[0-9a-z]{22}\.eml$/)
    assert.equal(spool.absolute(path), join(folder.path, path))
    assert.equal(readFileSync(spool.absolute(path), 'utf8'), 'one two three')
  })

  it('is gone when discarded, before or after its commit', async () => {
    using folder = temporaryFolder()
    const spool = openSpool(folder.path)
    for (const committed of [false, true]) {
      const file = await spool.create()
      await file.write(Buffer.from('x'))
      const path = committed ? await file.commit() : null
      await file.discard()
      await file.discard()
      if (path !== null) assert.ok(!existsSync(spool.absolute(path)))
    }
  })

  it('fails with StoreUnavailable when it can not be written', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'spool'), 'in the way')
    await assert.rejects(openSpool(folder.path).create(), StoreUnavailable)
    rmSync(join(folder.path, 'spool'))
    const file = await openSpool(folder.path).create()
    await file.commit()
    await assert.rejects(file.write(Buffer.from('late')), StoreUnavailable)
  })

  it('that no message names is swept at the next start, once it is old', async () => {
    using folder = temporaryFolder()
    const spool = openSpool(folder.path)
    const options = { ...storeOptions(folder.path, systemClock), inProcess: true }
    const place = async (old: boolean) => {
      const file = await spool.create()
      const path = await file.commit()
      if (old) utimesSync(spool.absolute(path), new Date(), new Date(systemClock.now() - hourMs))
      return path
    }
    mkdirSync(join(folder.path, 'spool', 'zz'), { recursive: true })
    const first = await openStore(options)
    const [named, young, forgotten] = [await place(true), await place(false), await place(true)]
    await first.store.accept(newMessage({ now: systemClock.now(), content: { kind: 'file', path: named } }))
    await first.close()
    await (await openStore(options)).close()
    assert.deepEqual(
      [named, young, forgotten].map(path => existsSync(spool.absolute(path))),
      [true, true, false],
    )
  })
})
