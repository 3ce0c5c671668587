/**
 * Accounts, credentials, sender addresses, sender domains, settings: created once, found, changed, told.
 */
import assert from 'node:assert/strict'
import type { NewEvent } from '../../src/mail/event.ts'
import type { Check } from '../../src/mail/sender-domain.ts'
import { type Change, Conflict, NotFound } from '../../src/store/store.ts'
import type { StoreFactory } from './factory.ts'
import { account, credential, day, dkimKey, newMessage, outcome, senderDomain } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }

function check(purpose: Check['purpose'], state: Check['state'], checkedAt: number): Check {
  return { purpose, name: `${purpose}.ours.example`, state, reason: state, found: [], detail: {}, checkedAt }
}

export function contractOfAccounts(factory: StoreFactory): void {
  describe('an account', () => {
    it('is created, changed, listed and deleted', async () => {
      await using t = await factory()
      for (const id of ['b', 'a', 'c']) await t.store.createAccount(account(id))
      await assert.rejects(t.store.createAccount(account('a')), Conflict)
      const changed = await t.store.updateAccount('a', { name: 'Acme', unaligned: 'refuse' })
      assert.deepEqual(await t.store.account('a'), changed)
      assert.deepEqual(
        (await t.store.listAccounts({ limit: 2, after: 'a' })).map(({ id }) => id),
        ['b', 'c'],
      )
      await t.store.deleteAccount('a')
      assert.equal(await t.store.account('a'), null)
      await assert.rejects(t.store.updateAccount('a', { name: 'x' }), NotFound)
      await assert.rejects(t.store.deleteAccount('a'), NotFound)
    })

    it('stays while something of it is in use', async () => {
      await using t = await factory()
      await t.store.createAccount(account('acme'))
      await t.store.createCredential(credential('one', 'acme'))
      await t.store.createSender({ address: 'a@ours.example', account: 'acme', smtp: null, note: '', createdAt: 0 })
      const message = newMessage({ now: t.clock.now(), lease })
      await t.store.accept(message)
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      await assert.rejects(t.store.deleteAccount('acme'), /sender domains, sender addresses, queued mail/)
      await t.store.deleteSender('a@ours.example')
      await t.store.updateDomain('ours.example', { archivedAt: 5 }, [])
      await t.store.settle({
        outcomes: [outcome(message.entries[0]!.id, 'delivered', 1)],
        reports: [],
        events: [],
      })
      await t.store.deleteAccount('acme')
      assert.equal(await t.store.credentialByUsername('user-one'), null)
      assert.equal(await t.store.domain('ours.example', { archived: true }), null)
    })
  })

  describe('a credential', () => {
    it('has a username nobody else has', async () => {
      await using t = await factory()
      await t.store.createCredential(credential('one', 'acme'))
      await t.store.createCredential(credential('crm', null))
      const taken = { ...credential('two', 'other'), username: 'user-one' }
      await assert.rejects(t.store.createCredential(taken), (error: Conflict) => error.holder === 'acme')
      const revoked = await t.store.updateCredential('one', { revokedAt: 7 })
      assert.deepEqual(await t.store.credentialByUsername('user-one'), revoked)
      assert.deepEqual(await t.store.credential('one'), revoked)
      assert.equal((await t.store.listCredentials({ account: 'acme' }, { limit: 10 })).length, 1)
      assert.equal((await t.store.listCredentials({}, { limit: 10 })).length, 2)
    })
  })

  describe('a sender address', () => {
    it('belongs to one account, whatever the case of its letters', async () => {
      await using t = await factory()
      const sender = { address: 'Sales@ours.example', account: 'acme', smtp: null, note: '', createdAt: 0 }
      await t.store.createSender(sender)
      await assert.rejects(
        t.store.createSender({ ...sender, address: 'sales@ours.example', account: 'other' }),
        (error: Conflict) => error instanceof Conflict && error.holder === 'acme' && error.code === 'conflict',
      )
      assert.deepEqual(await t.store.sender('SALES@ours.example'), sender)
      assert.equal((await t.store.updateSender('sales@ours.example', { note: 'n' })).note, 'n')
      assert.equal((await t.store.listSenders({ account: 'acme' }, { limit: 10 })).length, 1)
      await t.store.deleteSender('sales@ours.example')
      await assert.rejects(t.store.deleteSender('sales@ours.example'), NotFound)
    })
  })

  describe("trouble with a sender's own SMTP server", () => {
    const address = 'sales@ours.example'
    const smtp = { host: 'h', port: 587, tls: 'required', username: 'u', sealedPassword: 'one' } as const
    const refused = { since: 5, class: 'own-smtp-login', reply: '535 5.7.8 no' } as const
    const told = (at: number): NewEvent => ({ type: 'sender.smtp_failed', at, account: 'acme', data: { address } })

    it('is noted once for each kind, since it began, and told', async () => {
      await using t = await factory()
      await t.store.createSender({ address, account: 'acme', smtp, note: '', createdAt: 0 })
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      const of = { address: 'SALES@ours.example', sealedPassword: 'one' }
      assert.equal(await t.store.noteSmtpTrouble(of, null, [told(4)]), false, 'there was none')
      assert.equal(await t.store.noteSmtpTrouble(of, refused, [told(5)]), true)
      assert.equal(await t.store.noteSmtpTrouble(of, { ...refused, since: 6 }, [told(6)]), false)
      assert.equal(await t.store.noteSmtpTrouble(of, { ...refused, since: 7, class: 'tls' }, [told(7)]), true)
      assert.deepEqual((await t.store.sender(address))!.smtpTrouble, { ...refused, class: 'tls' })
      assert.deepEqual(
        (await t.store.events({ type: 'sender.smtp_failed' }, 10)).map(({ at }) => at),
        [5, 7],
      )
      assert.deepEqual(changes, [
        { kind: 'sender', address },
        { kind: 'sender', address },
      ])
      assert.equal(await t.store.noteSmtpTrouble(of, null, []), true)
      assert.deepEqual(await t.store.sender(address), { address, account: 'acme', smtp, note: '', createdAt: 0 })
    })

    it('ends with the settings it was of, and is none of those that follow', async () => {
      await using t = await factory()
      await t.store.createSender({ address, account: 'acme', smtp, note: '', createdAt: 0 })
      const of = { address, sealedPassword: 'one' }
      await t.store.noteSmtpTrouble(of, refused, [])
      assert.deepEqual((await t.store.updateSender(address, { note: 'n' })).smtpTrouble, refused)
      const mended = await t.store.updateSender(address, { smtp: { ...smtp, sealedPassword: 'two' } })
      assert.equal(mended.smtpTrouble, undefined)
      assert.equal(await t.store.noteSmtpTrouble(of, refused, []), false, 'an attempt from before ended late')
      await t.store.deleteSender(address)
      assert.equal(await t.store.noteSmtpTrouble(of, refused, []), false)
    })
  })

  describe('a sender domain', () => {
    it('belongs to one account until it is archived, and comes back with its keys', async () => {
      await using t = await factory()
      const domain = { ...senderDomain('ours.example', 'acme'), keys: [dkimKey('ours.example', '20260115')] }
      await t.store.createDomain(domain, [])
      assert.deepEqual(await t.store.domain('ours.example'), domain)
      const again = senderDomain('ours.example', 'other')
      await assert.rejects(t.store.createDomain(again, []), (error: Conflict) => error.holder === 'acme')
      await t.store.updateDomain('ours.example', { archivedAt: 5 }, [])
      assert.equal(await t.store.domain('ours.example'), null)
      assert.equal((await t.store.domain('ours.example', { archived: true }))?.keys.length, 1)
      assert.equal((await t.store.listDomains({ archived: true }, { limit: 10 })).length, 1)
      assert.equal((await t.store.updateDomain('ours.example', { archivedAt: null }, [])).keys.length, 1)
      await t.store.updateDomain('ours.example', { archivedAt: 5 }, [])
      await t.store.createDomain(again, [])
      assert.deepEqual(await t.store.domain('ours.example'), again)
      assert.deepEqual(await t.store.listDomains({ account: 'acme' }, { limit: 10 }), [])
    })

    it('has keys whose state moves on', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      await t.store.addKey(dkimKey('ours.example', 's1'), [])
      await assert.rejects(t.store.addKey(dkimKey('ours.example', 's1'), []), Conflict)
      await assert.rejects(t.store.addKey(dkimKey('none.example', 's1'), []), NotFound)
      await t.store.addKey(dkimKey('ours.example', 's0'), [])
      await t.store.setKeyState('ours.example', 's0', 'retired', 8, [])
      await t.store.addKey({ ...dkimKey('ours.example', 's0'), publicKey: 'anew' }, [])
      const [anew] = (await t.store.domain('ours.example'))!.keys
      assert.deepEqual([anew?.publicKey, anew?.state], ['anew', 'pending'], 'in the place of a retired key')
      await t.store.setKeyState('ours.example', 's0', 'retired', 8, [])
      await t.store.setKeyState('ours.example', 's1', 'active', 9, [
        { type: 'domain.key_state', at: 9, account: 'acme', domain: 'ours.example', data: { to: 'active' } },
      ])
      await assert.rejects(t.store.setKeyState('ours.example', 's2', 'active', 9, []), NotFound)
      const key = (await t.store.domain('ours.example'))!.keys.find(({ selector }) => selector === 's1')
      assert.deepEqual([key?.state, key?.stateSince], ['active', 9])
      const events = await t.store.events({ domain: 'ours.example', type: 'domain.key_state' }, 10)
      assert.deepEqual(events[0]?.data, { to: 'active' })
    })

    it('keeps no more than 500 changes of a record', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      const record = (checks: Check[]) => t.store.recordChecks('ours.example', checks, 0, [])
      await record([check('dkim', 'published', 1)])
      for (let at = 1; at <= 510; at++) await record([check('spf', at % 2 ? 'published' : 'not-published', at)])
      const history = await t.store.checkHistory('ours.example', { limit: 1000 })
      const times = history.filter(({ purpose }) => purpose === 'spf').map(({ checkedAt }) => checkedAt)
      assert.deepEqual([times.length, times[0], times.at(-1)], [500, 510, 11])
      assert.equal(history.filter(({ purpose }) => purpose === 'dkim').length, 1)
    })

    it('keeps its latest checks, and a history of what changed', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      const record = (checks: Check[], next: number) => t.store.recordChecks('ours.example', checks, next, [])
      await record([check('spf', 'not-published', 1), check('dkim', 'not-published', 1)], 100)
      await record([check('spf', 'not-published', 2), check('dkim', 'published', 2)], 200)
      await record([check('spf', 'published', 3), check('dkim', 'published', 3)], 300)
      const domain = await t.store.domain('ours.example')
      assert.deepEqual(domain?.checks, [check('dkim', 'published', 3), check('spf', 'published', 3)])
      const history = await t.store.checkHistory('ours.example', { limit: 10 })
      assert.deepEqual(
        history.map(({ purpose, checkedAt }) => [purpose, checkedAt]),
        [
          ['spf', 3],
          ['dkim', 2],
          ['spf', 1],
          ['dkim', 1],
        ],
      )
      const after = '1/spf/spf.ours.example'
      assert.deepEqual(await t.store.checkHistory('ours.example', { limit: 10, after }), [history[3]])
      assert.deepEqual(await t.store.checkBefore('ours.example', history[0]!), history[2])
      assert.equal(await t.store.checkBefore('ours.example', history[2]!), null)
      const edited = { ...check('spf', 'published', 4), found: ['a', 'b'] }
      await record([edited], 300)
      await record([{ ...edited, found: ['b', 'a'], checkedAt: 5 }], 300)
      const [newest] = await t.store.checkHistory('ours.example', { limit: 1 })
      assert.deepEqual(newest, edited, 'what is found counts, its order does not')
      assert.deepEqual(await t.store.dueForCheck(299, 10), [])
      assert.deepEqual(await t.store.dueForCheck(300, 10), ['ours.example'])
    })

    it('that was archived is purged in time', async () => {
      await using t = await factory()
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      await t.store.updateDomain('ours.example', { archivedAt: day }, [])
      assert.deepEqual(await t.store.dueForCheck(day, 10), [])
      assert.equal(await t.store.purgeArchivedDomains(day), 0)
      assert.equal(await t.store.purgeArchivedDomains(day + 1), 1)
      assert.equal(await t.store.domain('ours.example', { archived: true }), null)
    })
  })

  describe('a change', () => {
    it('is told to every thread before its promise resolves', async () => {
      await using t = await factory()
      const changes: Change[] = []
      const stop = t.store.onChange(change => changes.push(change))
      await t.store.createAccount(account('acme'))
      await t.store.createCredential(credential('one', 'acme'))
      await t.store.createDomain(senderDomain('ours.example', 'acme'), [])
      await t.store.createSender({ address: 'a@b.example', account: 'acme', smtp: null, note: '', createdAt: 0 })
      assert.deepEqual(changes, [
        { kind: 'account', id: 'acme' },
        { kind: 'credential', username: 'user-one' },
        { kind: 'domain', name: 'ours.example' },
        { kind: 'sender', address: 'a@b.example' },
      ])
      stop()
      await t.store.deleteSender('a@b.example')
      assert.equal(changes.length, 4)
    })
  })

  describe('a setting', () => {
    it('is set once by init, and again by set', async () => {
      await using t = await factory()
      assert.equal(await t.store.setting('seal'), null)
      assert.equal(await t.store.initSetting('seal', 'one'), 'one')
      assert.equal(await t.store.initSetting('seal', 'two'), 'one')
      await t.store.setSetting('seal', 'three')
      assert.equal(await t.store.setting('seal'), 'three')
    })
  })
}
