/**
 * The folder of everything the relay keeps: mail, keys, database. Made for its user alone.
 *
 * A folder that exists stays as its owner made it (a container's volume, a folder shared with a backup); what is secret
 * in it has modes of its own. Fails with ConfigError, naming the key.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from './config-error.ts'

export function makeDataDir(dataDir: string): void {
  try {
    if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) return
    mkdirSync(dirname(dataDir), { recursive: true })
    mkdirSync(dataDir, { mode: 0o700 })
  } catch (error) {
    throw new ConfigError('the configuration', [
      `dataDir: ${dataDir} can't be made (${(error as Error).message}); choose another folder, or make it for the relay's user`,
    ])
  }
}
