/**
 * What processes use, from /proc: CPU time and memory of whole trees (proc(5)); Linux only.
 *
 * CPU counts every thread and every child, also those that have ended and were waited for. Memory is PSS: pages shared
 * by several processes count in parts, so that a relay of many processes is not charged for one library many times.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100

interface ProcessTimes {
  readonly pid: number
  readonly parent: number
  readonly seconds: number
  /** Of its children that have ended. */
  readonly childSeconds: number
}

/** The processes and all below them. */
export function treeOf(roots: readonly number[]): number[] {
  return treeAmong(allProcesses(), roots).map(({ pid }) => pid)
}

export function cpuSeconds(roots: readonly number[]): number {
  const tree = treeAmong(allProcesses(), roots)
  return tree.reduce((sum, { seconds, childSeconds }) => sum + seconds + childSeconds, 0)
}

/** Seconds that the whole machine's cores were busy since it started. */
export function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/ +/)
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond
}

export function pssBytes(roots: readonly number[]): number {
  return treeOf(roots).reduce((sum, pid) => sum + pssOf(pid), 0)
}

function pssOf(pid: number): number {
  const kilobytes = /^Pss: +(\d+)/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1]
  return Number(kilobytes ?? 0) * 1024
}

function treeAmong(all: readonly ProcessTimes[], roots: readonly number[]): ProcessTimes[] {
  const wanted = new Set(roots)
  // A child can have a smaller number than its parent, once numbers wrap.
  for (let before = -1; before < wanted.size; ) {
    before = wanted.size
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid)
  }
  return all.filter(({ pid }) => wanted.has(pid))
}

function allProcesses(): ProcessTimes[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => timesOf(Number(name)) ?? [])
}

/** Null: it ended in the meantime. */
function timesOf(pid: number): ProcessTimes | null {
  const text = textOf(`/proc/${pid}/stat`)
  // The name in parentheses may hold blanks and parentheses. Then: state, parent … utime is the 14th field of all.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (text === '') return null
  const seconds = (field: number) => Number(fields[field - 3]) / ticksPerSecond
  return {
    pid,
    parent: Number(fields[1]),
    seconds: Math.max(seconds(14) + seconds(15), scheduledSeconds(pid)),
    childSeconds: seconds(16) + seconds(17),
  }
}

/** Finer than ticks, which cut up to 20 ms off each of a hundred processes; knows only the first thread. */
function scheduledSeconds(pid: number): number {
  return Number(textOf(`/proc/${pid}/schedstat`).split(' ')[0]) / 1e9
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
