/**
 * Checks of sender domains: the latest of each record, and the history of those that found something else.
 */
import type { DomainName } from '../../mail/ids.ts'
import type { Check } from '../../mail/sender-domain.ts'
import type { Connection, Statement } from './connection.ts'

/** Of each record: years of an honest one, and an end to those that somebody changes all the time. */
const historyKept = 500

/** Answers what writes a check down. */
export function openDomainChecks(db: Connection): (domain: DomainName, check: Check) => void {
  const find: Statement<string> = db.prepare(
    'select data from latest_check where domain = ? and purpose = ? and name = ?',
  )
  find.pluck()
  const insert = db.prepare('insert or replace into latest_check (domain, purpose, name, data) values (?, ?, ?, ?)')
  const insertHistory = db.prepare(
    'insert into check_history (domain, checked_at, purpose, name, data) values (?, ?, ?, ?, ?)',
  )
  const forgetHistory = db.prepare(`
    delete from check_history where domain = ? and purpose = ? and name = ? and checked_at <=
      (select checked_at from check_history where domain = ? and purpose = ? and name = ?
      order by checked_at desc limit 1 offset ${historyKept})`)

  return (domain, check) => {
    const { purpose, name, checkedAt } = check
    const before = find.get(domain, purpose, name)
    const data = JSON.stringify(check)
    insert.run(domain, purpose, name, data)
    if (before !== undefined && !isChange(JSON.parse(before) as Check, check)) return
    insertHistory.run(domain, checkedAt, purpose, name, data)
    forgetHistory.run(domain, purpose, name, domain, purpose, name)
  }
}

/** What was found counts as a set: DNS answers several records in any order. */
function isChange(before: Check, after: Check): boolean {
  if (before.state !== after.state || before.reason !== after.reason) return true
  return before.found.toSorted().join('\n') !== after.found.toSorted().join('\n')
}
