/**
 * The flow of mail in a thread of its own, so that no work of the bench counts as the relay's time.
 */
import { parentPort } from 'node:worker_threads'
import { answerCalls } from '../../src/base/thread-call.ts'
import { type MailFlow, type MailFlowOptions, startMailFlow } from './mail-flow.ts'

export type FlowMethods = {
  start(options: MailFlowOptions): void
  take(): ReturnType<MailFlow['take']>
  /** Answers how many mails were accepted in all. */
  stop(): Promise<number>
}

if (parentPort) {
  let flow: MailFlow | null = null
  const started = (): MailFlow => {
    if (flow === null) throw new Error('the flow of mail has not begun')
    return flow
  }
  answerCalls(parentPort, {
    start(options) {
      flow = startMailFlow(options)
    },
    take: () => started().take(),
    async stop() {
      await started().stop()
      return started().accepted()
    },
  } satisfies FlowMethods)
}
