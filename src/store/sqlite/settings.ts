/**
 * Settings: small named values.
 */
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

export function openSettings(db: Connection) {
  const init = db.prepare('insert or ignore into setting (name, value) values (?, ?)')
  const set = db.prepare('insert or replace into setting (name, value) values (?, ?)')
  const { setting } = openSettingsReader(db)
  return {
    initSetting(_tx: Transaction, name: string, value: string): string {
      init.run(name, value)
      return setting(name) ?? value
    },
    setSetting(_tx: Transaction, name: string, value: string): void {
      set.run(name, value)
    },
  }
}

export function openSettingsReader(db: Connection) {
  const find: Statement<string> = db.prepare('select value from setting where name = ?')
  find.pluck()
  return { setting: (name: string): string | null => find.get(name) ?? null }
}
