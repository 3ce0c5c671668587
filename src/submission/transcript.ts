/**
 * The SMTP conversation as debug lines: smtp-server's own logger, which hides what follows AUTH.
 */
import { format } from 'node:util'
import type { Log } from '../base/log.ts'

/** As smtp-server takes loggers; false when nobody reads it, so that no line is built. */
export function transcript(log: Log) {
  if (!log.debugs) return false
  const write = (_entry: unknown, ...text: unknown[]) => log.debug({}, format(...text))
  return { level: () => {}, trace: () => {}, debug: write, info: write, warn: write, error: write, fatal: write }
}
