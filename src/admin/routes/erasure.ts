/**
 * Erasure: takes a recipient's address out of the history, when a person asks for it (個人情報の消去).
 *
 * The address stands in the body, because addresses of requests end up in logs. What is still queued is told, or
 * cancelled first when the request says so.
 */
import { z } from 'zod'
import type { Mailbox } from '../../mail/ids.ts'
import { erased } from '../../outcome/delivery-log.ts'
import type { MessageSummary } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { mailbox, mend } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'

const erasureAnswer = z.object({
  messages: z.int().meta({ description: 'Messages whose recipient was erased' }),
  events: z.int().meta({ description: 'Events that were changed' }),
  cancelled: z.int().meta({ description: 'Queue entries that were cancelled first' }),
  suppressions: z.int().meta({ description: 'Suppressions after hard bounces that were removed' }),
  suppressionsKept: z.int().meta({
    description: 'Others that stay, because they keep mail from somebody who wants none; removed one by one',
  }),
  logged: z.int().meta({ description: 'Places in log files where it was overwritten by asterisks' }),
  queued: z.int().meta({ description: 'Messages left alone because they are still queued for this recipient' }),
})
export type ErasureAnswer = z.output<typeof erasureAnswer>

/** One transaction's worth: acceptance waits for it. */
const messagesAtOnce = 200

export function erasureRoutes({ store, queue, log, eraseFromLog }: AdminDependencies): Operation[] {
  async function eraseAll(address: Mailbox): Promise<Pick<ErasureAnswer, 'messages' | 'events' | 'queued'>> {
    const total = { messages: 0, events: 0, queued: 0 }
    let after: string | undefined
    for (;;) {
      const found: readonly MessageSummary[] = await store.listMessages(
        { recipient: address },
        { limit: messagesAtOnce, ...(after !== undefined && { after }) },
      )
      const done = await store.eraseRecipient(
        address,
        found.map(({ message }) => message.id),
      )
      for (const name of ['messages', 'events', 'queued'] as const) total[name] += done[name]
      if (found.length < messagesAtOnce) return total
      after = found.at(-1)!.message.id
    }
  }

  return [
    operation({
      method: 'post',
      path: '/v1/recipients/erase',
      id: 'eraseRecipient',
      summary:
        "Takes a recipient's address out of finished messages, their outcomes and events; counts and other recipients stay. In log files it is overwritten wherever it stands",
      body: z.strictObject(
        {
          address: mailbox,
          cancel: z
            .boolean(mend('yes-no'))
            .optional()
            .meta({ description: 'Cancel first what is still queued for this recipient' }),
        },
        mend('object'),
      ),
      answer: { status: 200, schema: erasureAnswer },
      async run({ body: { address, cancel = false } }) {
        const cancelled = cancel ? (await queue.cancel({ recipient: address }, 'the recipient is erased')).changed : 0
        const { messages, events, queued } = await eraseAll(address)
        const suppressions = await store.eraseSuppressions(address)
        const logged = (await eraseFromLog?.(address)) ?? 0
        erased(log, { entries: messages })
        return {
          ...{ messages, events: events + suppressions.events, cancelled, queued, logged },
          suppressions: suppressions.removed,
          suppressionsKept: suppressions.kept,
        }
      },
    }),
  ]
}
