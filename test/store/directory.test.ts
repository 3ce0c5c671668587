import assert from 'node:assert/strict'
import { type Directory, openDirectory } from '../../src/store/directory.ts'
import type { Change } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { sqliteFactory } from './factory.ts'
import { account, credential, senderDomain } from './fixtures.ts'

/** A store that counts what it is asked and changes only what it answers. */
function counting() {
  let listener: (change: Change) => void = () => {}
  const source = {
    asked: 0,
    answer: null as ReturnType<typeof account> | null,
    told: (change: Change) => listener(change),
  }
  const ask = async () => {
    source.asked++
    return source.answer
  }
  const store = {
    account: ask,
    credential: async () => null,
    credentialByUsername: async () => (await ask()) && null,
    sender: async () => (await ask()) && null,
    domain: async () => (await ask()) && null,
    onChange(added: (change: Change) => void) {
      listener = added
      return () => {
        listener = () => {}
      }
    },
  }
  return { source, store }
}

describe('a directory', () => {
  it('asks the store once, also about what is not there', async () => {
    const { source, store } = counting()
    const directory = openDirectory({ store, clock: manualClock() })
    for (let i = 0; i < 3; i++) assert.equal(await directory.account('none'), null)
    assert.equal(source.asked, 1)
    directory.close()
  })

  it('asks again after its age, for changes made on other nodes', async () => {
    const { source, store } = counting()
    const clock = manualClock()
    const directory = openDirectory({ store, clock, maxAgeMs: 30_000 })
    await directory.account('acme')
    source.answer = account('acme')
    await clock.advance(29_999)
    assert.equal(await directory.account('acme'), null)
    await clock.advance(1)
    assert.equal((await directory.account('acme'))?.id, 'acme')
    directory.close()
  })

  it('does not keep an answer that a change overtook', async () => {
    const { source, store } = counting()
    const directory = openDirectory({ store, clock: manualClock() })
    const asking = directory.account('acme')
    source.told({ kind: 'account', id: 'acme' })
    await asking
    await directory.account('acme')
    assert.equal(source.asked, 2)
    directory.close()
  })

  it('sees changes through the store at once', async () => {
    await using t = await sqliteFactory(false)()
    const directory: Directory = openDirectory({ store: t.store, clock: t.clock })
    assert.equal(await directory.account('acme'), null)
    assert.equal(await directory.domain('ours.example'), null)
    assert.equal(await directory.sender('Sales@ours.example'), null)
    assert.equal(await directory.credential('user-one'), null)
    await t.store.createAccount(account('acme'))
    await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
    await t.store.createSender({ address: 'sales@ours.example', account: 'acme', smtp: null, note: '', createdAt: 0 })
    await t.store.createCredential(credential('one', 'acme'))
    assert.equal((await directory.account('acme'))?.name, 'acme')
    assert.equal((await directory.domain('ours.example'))?.account, 'acme')
    assert.equal((await directory.sender('Sales@ours.example'))?.account, 'acme')
    assert.equal((await directory.credential('user-one'))?.id, 'one')
    await t.store.updateCredential('one', { revokedAt: 1 })
    assert.equal((await directory.credential('user-one'))?.revokedAt, 1)
    directory.close()
  })
})
