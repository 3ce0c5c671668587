/**
 * Our own load and sink run in threads of this process, so that neither waits for the other.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { createCaller } from '../../src/base/thread-call.ts'

/** The methods of the other side, each answered by a promise. */
export type Remote<Methods> = {
  readonly [Name in keyof Methods]: Methods[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

export interface BenchThread<Methods> extends AsyncDisposable {
  readonly remote: Remote<Methods>
}

export async function startThread<Methods>(file: string): Promise<BenchThread<Methods>> {
  const worker = new Worker(join(import.meta.dirname, file))
  await once(worker, 'online')
  const caller = createCaller(worker)
  worker.on('error', error => caller.fail(error as Error))
  worker.on('exit', () => caller.fail(new Error(`${file} has ended`)))
  const remote = new Proxy(
    {},
    {
      get:
        (_, name) =>
        (...args: unknown[]) =>
          caller.call(String(name), ...args),
    },
  )
  return {
    remote: remote as Remote<Methods>,
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}
