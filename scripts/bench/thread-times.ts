/**
 * What each kind of thread of one of our relays uses: where the CPU time of a message goes. Linux only (proc(5)).
 */
import { readdirSync, readFileSync } from 'node:fs'

export const threadKinds = ['data plane', 'signing', 'writer', 'V8', 'main'] as const
export type ThreadKind = (typeof threadKinds)[number]
export type ThreadTimes = Readonly<Record<ThreadKind, number>>

const ticksPerSecond = 100

/** As Node and libuv name their threads; a data plane has the name of its worker. */
const kinds: Readonly<Record<string, ThreadKind>> = {
  'libuv-worker': 'signing',
  WorkerThread: 'writer',
  V8Worker: 'V8',
  MainThread: 'main',
  node: 'main',
}

export function kindOf(name: string): ThreadKind {
  return kinds[name] ?? 'data plane'
}

/** Seconds so far, by kind. */
export function threadSeconds(pid: number): ThreadTimes {
  const seconds = { 'data plane': 0, signing: 0, writer: 0, V8: 0, main: 0 }
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const stat = statOf(pid, id)
    if (stat !== null) seconds[kindOf(stat.name)] += stat.seconds
  }
  return seconds
}

/** Microseconds a message, by kind. */
export function perMessage(before: ThreadTimes, after: ThreadTimes, messages: number): ThreadTimes {
  const each = (kind: ThreadKind) => [kind, Math.max(0, ((after[kind] - before[kind]) * 1e6) / messages)]
  return Object.fromEntries(threadKinds.map(each)) as Record<ThreadKind, number>
}

/** Null: it ended in the meantime. */
function statOf(pid: number, id: string): { readonly name: string; readonly seconds: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')
    const end = text.lastIndexOf(')')
    const fields = text.slice(end + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { name: text.slice(text.indexOf('(') + 1, end), seconds: ticks / ticksPerSecond }
  } catch {
    return null
  }
}
