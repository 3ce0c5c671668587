/**
 * Sender addresses (送信元メールアドレス), optionally with the SMTP server their mail goes through.
 *
 * SMTP passwords are sealed for their address and never answered. The settings of a server are tried when they are saved
 * (`delivery/own-server-test.ts`); mail that waited because of the old ones is tried again at once.
 */
import { z } from 'zod'
import { ownServerOf } from '../../delivery/own-server.ts'
import type { OwnServerFinding } from '../../delivery/own-server-test.ts'
import { ownSmtpPurpose } from '../../delivery/route.ts'
import type { OwnSmtp, SenderAddress } from '../../mail/account.ts'
import { domainOf } from '../../mail/address.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, given, mailbox, mend, next, page, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import {
  type OwnServerBody,
  ownServer,
  ownServerAnswer,
  readOwnServer,
  renderOwnServer,
  renderTest,
  testAnswer,
  testWish,
} from '../own-server.ts'
import { nextOf, pageOf } from '../paging.ts'
import { invalidField, notFound, Problem } from '../problem.ts'

const params = z.object({ address: mailbox })
const note = text(0, 1000, 'note')

const newSender = z.strictObject(
  {
    address: mailbox,
    account: accountId,
    smtp: ownServer.nullable().optional(),
    test: testWish.optional(),
    note: note.optional(),
  },
  mend('object'),
)
const senderChange = z
  .strictObject({ smtp: ownServer.nullable(), test: testWish, note }, mend('object'))
  .partial()
  .refine(change => change.smtp !== undefined || change.note !== undefined, mend('nothing-to-change'))

const senderAnswer = z.object({
  address: z.string(),
  account: z.string(),
  smtp: ownServerAnswer.nullable(),
  note: z.string(),
  createdAt: timestamp,
})
const savedAnswer = senderAnswer.extend({
  test: testAnswer.optional().meta({ description: 'What came of the test; absent: none was asked for' }),
})

export type SenderAnswer = z.output<typeof senderAnswer>
export type SavedSenderAnswer = z.output<typeof savedAnswer>

export function senderRoutes(dependencies: AdminDependencies): Operation[] {
  const { store, clock } = dependencies
  const render = (sender: SenderAddress) => renderSender(sender, dependencies)

  return [
    operation({
      method: 'post',
      path: '/v1/senders',
      id: 'createSender',
      summary: 'Registers a sender address; refused when another account has it',
      body: newSender,
      answer: { status: 201, schema: savedAnswer },
      problems: ['conflict', 'smtp-test-failed', 'too-many-tests'],
      location: sender => `/v1/senders/${encodeURIComponent(sender.address)}`,
      async run({ body }) {
        if (!(await store.account(body.account))) throw invalidField('account', 'no-account')
        const { address, account, note = '' } = body
        const holder = await store.sender(address)
        // Before the test: a taken address must not cost a connection.
        const { smtp, finding } =
          holder === null ? await prepared({ address, account, smtp: null }, body, dependencies) : nothingToSave
        const sender = { address, account, smtp: smtp ?? null, note, createdAt: clock.now() }
        await store.createSender(sender)
        return { ...render(sender), ...finding }
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
      answer: { status: 200, schema: savedAnswer },
      problems: ['smtp-test-failed', 'too-many-tests'],
      async run({ params, body }) {
        const before = await find(store, params.address)
        const { smtp, finding } = await prepared(before, body, dependencies)
        const sender = await store.updateSender(before.address, given({ note: body.note, smtp }))
        if (smtp !== undefined) await retryWaiting(before, dependencies)
        return { ...render(sender), ...finding }
      },
    }),
    operation({
      method: 'post',
      path: '/v1/senders/{address}/test',
      id: 'testSender',
      summary: 'Tries the SMTP server of a sender address: connection, TLS and login, no mail',
      params,
      answer: { status: 200, schema: testAnswer },
      problems: ['not-found', 'too-many-tests'],
      async run({ params }) {
        const sender = await find(store, params.address)
        if (sender.smtp === null) throw notFound(serverOf(sender.address))
        const finding = await dependencies.ownServers.test(
          sender.account,
          sender.smtp,
          passwordOf(sender, dependencies),
        )
        if (finding === 'not-tested') throw tooManyTests()
        return renderTest(finding)
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/senders/{address}',
      id: 'deleteSender',
      summary: 'Deletes a sender address',
      params,
      async run({ params }) {
        const before = await find(store, params.address)
        await store.deleteSender(before.address)
        await retryWaiting(before, dependencies)
      },
    }),
  ]
}

async function find(store: AdminDependencies['store'], address: string): Promise<SenderAddress> {
  const sender = await store.sender(address)
  if (!sender) throw notFound({ ja: `送信元メールアドレス ${address} `, en: `sender address ${address}` })
  return sender
}

const serverOf = (address: string) => ({
  ja: `${address} に登録されたSMTPサーバー`,
  en: `SMTP server registered for ${address}`,
})

interface Prepared {
  /** Undefined: stays as it is. */
  readonly smtp: OwnSmtp | null | undefined
  readonly finding: { readonly test?: ReturnType<typeof renderTest> }
}

const nothingToSave: Prepared = { smtp: undefined, finding: {} }

/** The settings as they will be stored, after the test that was wished for. */
async function prepared(
  before: Pick<SenderAddress, 'address' | 'account' | 'smtp'>,
  body: { readonly smtp?: OwnServerBody | null | undefined; readonly test?: 'report' | 'require' | 'skip' | undefined },
  dependencies: AdminDependencies,
): Promise<Prepared> {
  if (!body.smtp) return { smtp: body.smtp, finding: {} }
  const { host, username } = body.smtp
  const same = before.smtp?.host === host && before.smtp.username === username ? before.smtp : null
  const settings = readOwnServer(body.smtp, same, dependencies.config)
  // A password goes to no other server than the one it was given for.
  if (body.smtp.password === undefined && same === null) throw invalidField('smtp.password', 'password')
  const password = body.smtp.password ?? passwordOf(before, dependencies)
  const sealedPassword = dependencies.seal.seal(password, ownSmtpPurpose(before.address))
  const smtp = { ...settings, sealedPassword }
  const { test = 'report' } = body
  if (test === 'skip') return { smtp, finding: {} }
  const finding = await dependencies.ownServers.test(before.account, settings, password)
  if (test === 'require') requireWorking(finding)
  return { smtp, finding: { test: renderTest(finding) } }
}

function passwordOf(
  { address, smtp }: Pick<SenderAddress, 'address' | 'smtp'>,
  { seal }: Pick<AdminDependencies, 'seal'>,
): string {
  return seal.open(smtp!.sealedPassword, ownSmtpPurpose(address))
}

function requireWorking(finding: OwnServerFinding): void {
  if (finding === 'works') return
  if (finding === 'not-tested') throw tooManyTests()
  throw new Problem('smtp-test-failed', { detail: renderTest(finding).message, extra: { finding } })
}

function tooManyTests(): Problem {
  return new Problem('too-many-tests', { detail: renderTest('not-tested').message, headers: { 'Retry-After': '120' } })
}

/** What the server before kept waiting, tried or not; also other addresses' of that domain: one try too many does no harm. */
async function retryWaiting(before: SenderAddress, { store, clock }: AdminDependencies): Promise<void> {
  if (before.smtp === null) return
  const site = `smtp:${before.smtp.host}:${before.smtp.port}`
  await store.retryNow({ account: before.account, senderDomain: domainOf(before.address), site }, clock.now())
  await store.wakeWaiting(ownServerOf(before.address))
}

function renderSender(sender: SenderAddress, { config }: Pick<AdminDependencies, 'config'>): SenderAnswer {
  const { address, account, note, createdAt } = sender
  return { address, account, smtp: renderOwnServer(sender, config), note, createdAt: time(createdAt) }
}
