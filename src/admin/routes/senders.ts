/**
 * Sender addresses (送信元メールアドレス), optionally with the SMTP server their mail goes through.
 *
 * SMTP passwords are sealed for their address and never answered.
 */
import { z } from 'zod'
import type { OwnSmtp, SenderAddress } from '../../mail/account.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, given, hostName, mailbox, mend, next, page, port, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { invalidField, notFound } from '../problem.ts'

/** RFC 6409 §3.1. */
const submissionPort = 587

const params = z.object({ address: mailbox })
const note = text(0, 1000, 'note')
const smtp = z
  .strictObject(
    {
      host: hostName,
      port: port.optional().meta({ description: '587 when absent; 465 means TLS from the first byte' }),
      username: text(1, 500, 'smtp-username'),
      password: z.string(mend('password')).min(1, mend('password')).max(500, mend('password')),
      tls: z.enum(['required', 'opportunistic'], mend('smtp-tls')).optional(),
    },
    mend('object'),
  )
  .meta({ description: "The sender's own SMTP server (mode own-smtp)" })

const newSender = z.strictObject(
  { address: mailbox, account: accountId, smtp: smtp.nullable().optional(), note: note.optional() },
  mend('object'),
)
const senderChange = z
  .strictObject({ smtp: smtp.nullable(), note }, mend('object'))
  .partial()
  .refine(change => Object.keys(change).length > 0, mend('nothing-to-change'))

const senderAnswer = z.object({
  address: z.string(),
  account: z.string(),
  smtp: z
    .object({ host: z.string(), port: z.int(), tls: z.enum(['required', 'opportunistic']), username: z.string() })
    .nullable(),
  note: z.string(),
  createdAt: timestamp,
})

export type SenderAnswer = z.output<typeof senderAnswer>

export function senderRoutes({ store, seal, clock }: AdminDependencies): Operation[] {
  const sealed = (address: string, given: z.output<typeof smtp> | null | undefined): OwnSmtp | null =>
    given
      ? {
          host: given.host,
          port: given.port ?? submissionPort,
          tls: given.tls ?? 'required',
          username: given.username,
          sealedPassword: seal.seal(given.password, `own-smtp:${address}`),
        }
      : null

  return [
    operation({
      method: 'post',
      path: '/v1/senders',
      id: 'createSender',
      summary: 'Registers a sender address; refused when another account has it',
      body: newSender,
      answer: { status: 201, schema: senderAnswer },
      problems: ['conflict'],
      location: sender => `/v1/senders/${encodeURIComponent(sender.address)}`,
      async run({ body }) {
        if (!(await store.account(body.account))) throw invalidField('account', 'no-account')
        const { address, account, note = '' } = body
        const sender = { address, account, smtp: sealed(address, body.smtp), note, createdAt: clock.now() }
        await store.createSender(sender)
        return render(sender)
      },
    }),
    operation({
      method: 'get',
      path: '/v1/senders',
      id: 'listSenders',
      summary: 'Lists sender addresses',
      query: z.strictObject({ account: accountId.optional(), ...page }),
      answer: { status: 200, schema: z.object({ senders: z.array(senderAnswer), next }) },
      async run({ query }) {
        const wanted = pageOf(query)
        const senders = await store.listSenders(given({ account: query.account }), wanted)
        return { senders: senders.map(render), next: nextOf(senders, wanted, row => row.address) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/senders/{address}',
      id: 'getSender',
      summary: 'Tells about one sender address, without its SMTP password',
      params,
      answer: { status: 200, schema: senderAnswer },
      async run({ params }) {
        return render(await find(store, params.address))
      },
    }),
    operation({
      method: 'patch',
      path: '/v1/senders/{address}',
      id: 'changeSender',
      summary: 'Changes the note, or sets, replaces or removes (null) the SMTP server',
      params,
      body: senderChange,
      answer: { status: 200, schema: senderAnswer },
      async run({ params, body }) {
        const { address } = await find(store, params.address)
        const smtp = body.smtp === undefined ? undefined : sealed(address, body.smtp)
        return render(await store.updateSender(address, given({ note: body.note, smtp })))
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/senders/{address}',
      id: 'deleteSender',
      summary: 'Deletes a sender address',
      params,
      async run({ params }) {
        await store.deleteSender((await find(store, params.address)).address)
      },
    }),
  ]
}

async function find(store: AdminDependencies['store'], address: string): Promise<SenderAddress> {
  const sender = await store.sender(address)
  if (!sender) throw notFound({ ja: `送信元メールアドレス ${address} `, en: `sender address ${address}` })
  return sender
}

/** The sealed password stays here. */
function render({ address, account, smtp, note, createdAt }: SenderAddress): SenderAnswer {
  const shown = smtp && { host: smtp.host, port: smtp.port, tls: smtp.tls, username: smtp.username }
  return { address, account, smtp: shown, note, createdAt: time(createdAt) }
}
