/**
 * DKIM keys of sender domains. Fails with Conflict where a key stands in the way, and with NotFound.
 */
import type { DomainName, Instant } from '../../mail/ids.ts'
import type { DkimKey, KeyState } from '../../mail/sender-domain.ts'
import { Conflict, NotFound } from '../store.ts'
import type { Connection, Statement } from './connection.ts'

export function openDomainKeys(db: Connection) {
  const insert = db.prepare('insert or replace into dkim_key (domain, selector, data) values (?, ?, ?)')
  const find: Statement<string> = db.prepare('select data from dkim_key where domain = ? and selector = ?')
  find.pluck()

  function existing(domain: DomainName, selector: string): DkimKey | null {
    const data = find.get(domain, selector)
    return data === undefined ? null : (JSON.parse(data) as DkimKey)
  }

  function write(key: DkimKey): void {
    insert.run(key.domain, key.selector, JSON.stringify(key))
  }

  return {
    write,

    /** A selector whose key is retired can be used again. */
    add(key: DkimKey): void {
      const { domain, selector } = key
      const before = existing(domain, selector)
      if (before !== null && before.state !== 'retired')
        throw new Conflict(`${domain} has a key ${selector} already`, null)
      write(key)
    },

    setState(domain: DomainName, selector: string, state: KeyState, at: Instant): void {
      const key = existing(domain, selector)
      if (key === null) throw new NotFound(`${domain} has no key ${selector}`)
      // Whoever decided on an older state of affairs must not wake a key of a former holder.
      if (key.state === 'retired' && state !== 'retired')
        throw new Conflict(`the key ${selector} of ${domain} is retired`, null)
      write({ ...key, state, stateSince: at })
    },
  }
}
