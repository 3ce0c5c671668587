/**
 * Shows the API's times in the time zone of the configuration, or in this machine's when that can't be read.
 *
 * What is no time is shown as it stands: a log may hold lines of other versions, or of other programs.
 */
import type { Command } from 'commander'
import { type CliContext, configOf } from './context.ts'

export type TimeText = (time: string | null) => string

export function timesOf(context: CliContext, command: Command): TimeText {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    ...zone(context, command),
  })
  return time => {
    if (time === null) return '–'
    const date = new Date(time)
    return Number.isNaN(date.getTime()) ? time : format.format(date)
  }
}

function zone(context: CliContext, command: Command): { timeZone?: string } {
  try {
    return { timeZone: configOf(context, command).timeZone }
  } catch {
    return {}
  }
}
