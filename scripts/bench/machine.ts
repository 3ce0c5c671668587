/**
 * The machine the figures come from: nobody can read a rate without it.
 */
import { mkdirSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { findProgram, run } from '../../test/support/real/program.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  /** One core, by `openssl speed`; null without openssl. */
  readonly rsa2048SignaturesPerSecond: number | null
  /** Where the queues stand. In memory a sync is free, and no figure worth anything. */
  readonly folderInMemory: boolean
  readonly loadBefore: readonly number[]
}

const tmpfs = 0x01021994

export async function describeMachine(folder: string): Promise<Machine> {
  mkdirSync(folder, { recursive: true })
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg().map(load => Math.round(load * 100) / 100),
    rsa2048SignaturesPerSecond: await signaturesPerSecond(),
    folderInMemory: statfsSync(folder).type === tmpfs,
  }
}

async function signaturesPerSecond(): Promise<number | null> {
  const openssl = findProgram('openssl')
  if (openssl === null) return null
  const { stdout } = await run(openssl, ['speed', '-seconds', '1', 'rsa2048'])
  const rate = /^rsa 2048 bits +\S+s +\S+s +([\d.]+)/m.exec(stdout)?.[1]
  return rate === undefined ? null : Number(rate)
}
