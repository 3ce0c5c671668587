/**
 * Calls between two threads over one MessagePort: a method name and plain arguments out, an answer or an error back.
 *
 * For control (start, stop, state, certificate), not for mail: the store has a batched channel of its own.
 * A call fails with the error the other side threw (message and stack), or when the port closes first.
 */
import type { MessagePort, Worker } from 'node:worker_threads'
import { ConfigError } from './config-error.ts'

type Channel = Pick<MessagePort | Worker, 'postMessage' | 'on'>
type Methods = Readonly<Record<string, (...args: never[]) => unknown>>

interface CallMessage {
  readonly call: number
  readonly method: string
  readonly args: readonly unknown[]
}
interface AnswerMessage {
  readonly answer: number
  readonly value?: unknown
  readonly error?: CrossingError
}

/** What survives the crossing: a ConfigError stays one, because it is told without its stack. */
interface CrossingError {
  readonly message: string
  readonly stack: string | undefined
  readonly config?: { readonly source: string; readonly mistakes: readonly string[] }
}

/** Answers the other side's calls with these methods. Messages of other kinds are left alone. */
export function answerCalls(channel: Channel, methods: Methods): void {
  channel.on('message', async (message: Partial<CallMessage> | null) => {
    if (typeof message?.call !== 'number' || typeof message.method !== 'string') return
    channel.postMessage(await answer(methods, message as CallMessage))
  })
}

async function answer(methods: Methods, { call, method, args }: CallMessage): Promise<AnswerMessage> {
  try {
    return { answer: call, value: await methods[method]!(...(args as never[])) }
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    const config = error instanceof ConfigError && { config: { source: error.source, mistakes: error.mistakes } }
    return { answer: call, error: { message, stack, ...config } }
  }
}

function arrived({ message, stack, config }: CrossingError): Error {
  return config ? new ConfigError(config.source, config.mistakes) : Object.assign(new Error(message), { stack })
}

export interface Caller {
  call(method: string, ...args: readonly unknown[]): Promise<unknown>
  /** Fails every call under way and all later ones with this error. */
  fail(error: Error): void
}

export function createCaller(channel: Channel): Caller {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let next = 0
  let failure: Error | null = null
  channel.on('message', (message: Partial<AnswerMessage> | null) => {
    const call = typeof message?.answer === 'number' ? waiting.get(message.answer) : undefined
    if (!call) return
    waiting.delete(message!.answer!)
    if (message!.error) call.reject(arrived(message!.error))
    else call.resolve(message!.value)
  })
  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        waiting.set(next, { resolve, reject })
        channel.postMessage({ call: next++, method, args } satisfies CallMessage)
      }),
    fail(error) {
      failure = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
  }
}
