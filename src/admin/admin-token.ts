/**
 * The admin token: given by KITTE_ADMIN_TOKEN, or made at first start.
 *
 * A made token is stored hashed and written once to dataDir/admin-token (mode 0600) for commands of the relay's own
 * user; whoever deletes that file and forgets the token sets KITTE_ADMIN_TOKEN.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminTokenFile } from '../base/config.ts'
import { randomText } from '../base/ids.ts'
import type { SettingStore } from '../store/store.ts'
import { hashToken } from './auth.ts'

const settingName = 'admin-token-hash'
/** 200 bits. */
const tokenLength = 40

export interface AdminToken {
  readonly hash: string
  /** The token itself when it was made just now: to be printed once. */
  readonly made: string | null
}

/** Fails with StoreUnavailable, or when dataDir can't be written. */
export async function prepareAdminToken(
  store: SettingStore,
  dataDir: string,
  given: string | null,
): Promise<AdminToken> {
  if (given !== null) return { hash: hashToken(given), made: null }
  const stored = await store.setting(settingName)
  if (stored !== null) return { hash: stored, made: null }
  const token = randomText(tokenLength)
  // The file first: a crash in between leaves a file that the next start replaces, never a token nobody knows.
  const file = join(dataDir, adminTokenFile)
  rmSync(file, { force: true })
  writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx', flush: true })
  const hash = await store.initSetting(settingName, hashToken(token))
  return { hash, made: token }
}
