import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Load } from '../support/load.ts'
import { startProcessWorld } from '../support/process-relay.ts'
import { needProgram, run, skipAloud, temporaryFolder, waitFor } from '../support/real/program.ts'

/** A system call as the tracer saw it; places in the trace, where all threads are in one order. */
interface Call {
  readonly name: string
  /** Of the file descriptor. */
  readonly path: string
  readonly text: string
  readonly began: number
  readonly ended: number
}

/** Calls of all threads that succeeded, by their beginning. An interrupted line is told in two parts. */
function callsIn(trace: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, { readonly began: number; readonly start: string }>()
  trace.split('\n').forEach((line, place) => {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (rest.endsWith('<unfinished ...>')) open.set(thread, { began: place, start: rest })
    const first = rest.startsWith('<... ') ? open.get(thread) : undefined
    const call = readCall(`${first?.start ?? rest} ${rest}`)
    if (call && /= \d+$/.test(rest)) calls.push({ ...call, began: first?.began ?? place, ended: place })
  })
  return calls.sort((a, b) => a.began - b.began)
}

function readCall(text: string): Pick<Call, 'name' | 'path' | 'text'> | null {
  const [, name, path] = /^(\w+)\(\d+<([^>]*)>/.exec(text) ?? []
  return name === undefined ? null : { name, path: path ?? '', text }
}

/** The write that carried the 354 of this message's connection, and the one with its 250. */
function repliesTo(calls: readonly Call[], id: string): { readonly asked: Call; readonly told: Call } {
  const replies = calls.filter(({ name, path }) => /^writev?$|^send/.test(name) && /socket|TCP/.test(path))
  const told = replies.find(({ text }) => text.includes(`queued as ${id}`))
  assert.ok(told, `the trace has no 250 for ${id}`)
  const asked = replies.findLast(
    reply => reply.ended < told.began && reply.path === told.path && reply.text.includes('354 '),
  )
  assert.ok(asked, `the trace has no 354 for ${id}`)
  return { asked, told }
}

function syncsOf(calls: readonly Call[], path: RegExp): Call[] {
  return calls.filter(call => /^f(?:data)?sync$/.test(call.name) && path.test(call.path))
}

/** Between 354 and 250: the page with the message goes to the log of the database, and the log is synced. */
function assertSynced(calls: readonly Call[], id: string): { readonly asked: Call; readonly written: Call } {
  const { asked, told } = repliesTo(calls, id)
  const written = calls.find(
    ({ name, path, text }) => name === 'pwrite64' && /kitte\.db-wal$/.test(path) && text.includes(id),
  )
  assert.ok(written && written.began > asked.began, `${id} was not written after its 354`)
  const synced = syncsOf(calls, /kitte\.db(?:-wal)?$/).find(
    sync => sync.began > written.began && sync.ended < told.began,
  )
  assert.ok(synced, `no sync between the row of ${id} and its 250`)
  return { asked, written }
}

/** A large content stands in a synced file of a synced folder before the row names it. */
function assertFileSynced(calls: readonly Call[], asked: Call, written: Call): void {
  const during = calls.filter(call => call.began > asked.began && call.ended < written.began)
  const [file, ...others] = syncsOf(during, /\/spool\/\w\w\/\w+\.eml$/)
  assert.ok(file, 'the file was not synced before the row was written')
  assert.deepEqual(others, [], 'one file, one sync')
  const lastWrite = during.findLast(call => /^p?writev?(?:64)?$/.test(call.name) && call.path === file.path)
  assert.ok(lastWrite && lastWrite.ended < file.began, 'the file was written after its sync')
  const folder = syncsOf(during, /\/spool\/\w\w$/).find(sync => sync.began > file.ended)
  assert.ok(folder, 'the folder of the file was not synced after it')
}

function idOf(reply: string): string {
  return /queued as (\S+)/.exec(reply)?.[1] ?? assert.fail(reply)
}

describe('a 250 of the running relay', () => {
  it('comes after the message was synced, alone, in parallel, and in a file', async function () {
    const strace = needProgram(this, 'strace')
    if ((await run(strace, ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true'])).code !== 0)
      skipAloud(this, 'strace may not trace here')
    using folder = temporaryFolder('kitte-trace-')
    const file = join(folder.path, 'trace')
    const traced = 'trace=fsync,fdatasync,write,writev,pwrite64,pwritev,sendto,sendmsg'
    // -D: the relay is our child, not the tracer. 4,096 octets: a page of the database.
    const through = [strace, '-D', '-f', '-y', '--seccomp-bpf', '-s', '4096', '-e', traced, '-o', file]
    const handedIn: Load[] = []
    {
      await using world = await startProcessWorld({ through })
      const { relay, sink, login } = world
      const handIn = async (count: number, connections: number, size: number, name: string) => {
        const to = (number: number) => [`${name}${number}@sink.example`]
        await using load = new Load({
          ...login,
          port: relay.port,
          connections,
          count,
          mail: number => ({ to: to(number), size }),
        })
        handedIn.push(load)
        await load.done()
      }
      await handIn(30, 1, 2000, 'alone')
      await handIn(50, 10, 2000, 'parallel')
      await handIn(2, 1, 1_000_000, 'large')
      await sink.received(82)
      await relay.end('SIGTERM')
    }
    await waitFor(
      'the end of the trace',
      () => existsSync(file) && /\+\+\+ exited with 0 \+\+\+\n$/.test(readFileSync(file, 'latin1')),
    )
    const calls = callsIn(readFileSync(file, 'latin1'))
    const [alone, parallel, large] = handedIn.map(load => load.of('accepted').map(({ reply }) => idOf(reply)))
    assert.deepEqual([alone!.length, parallel!.length, large!.length], [30, 50, 2])
    for (const id of [...alone!, ...parallel!]) assertSynced(calls, id)
    for (const id of large!) {
      const { asked, written } = assertSynced(calls, id)
      assertFileSynced(calls, asked, written)
    }
  })
})
