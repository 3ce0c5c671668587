/**
 * An open SMTP session as a `Connection`: one transaction after the other, and whether it may be used again.
 *
 * Network trouble comes back as results. Throws only for trouble of our own: content that can't be read (before MAIL
 * the session stays usable, later it is closed), or two transactions at once.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { Failure, RecipientResult } from '../mail/attempt-result.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Mailbox } from '../mail/ids.ts'
import { formatReply } from '../mail/reply.ts'
import { hasEightBitHeader } from './smtp-content.ts'
import { mailCommand, rcptCommand, refusedForAll, refusedRecipient } from './smtp-envelope.ts'
import { transact } from './smtp-transaction.ts'
import type { Wire } from './smtp-wire.ts'
import type { Connection, HostSpec, Outgoing } from './transport.ts'

export interface OpenSession {
  readonly spec: HostSpec
  readonly tls: string | null
  readonly certificateProblem: string | null
  readonly extensions: ReadonlyMap<string, string>
  readonly wire: Wire
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>
}

export class SmtpConnection implements Connection {
  readonly spec: HostSpec
  readonly tls: string | null
  readonly certificateProblem: string | null
  readonly extensions: ReadonlyMap<string, string>
  readonly #wire: Wire
  readonly #closed: Promise<void>
  #sent = 0
  #busy = false
  #transactionOpen = false

  constructor({ spec, tls, certificateProblem, extensions, wire, closed }: OpenSession) {
    this.spec = spec
    this.tls = tls
    this.certificateProblem = certificateProblem
    this.extensions = extensions
    this.#wire = wire
    this.#closed = closed
  }

  get sent(): number {
    return this.#sent
  }

  get conversation(): readonly string[] {
    return this.#wire.conversation
  }

  get reusable(): boolean {
    return !this.#busy && this.#wire.clean
  }

  async send(envelope: Envelope, reversePath: Mailbox | null, outgoing: Outgoing): Promise<readonly RecipientResult[]> {
    if (this.#busy) throw new Error('a connection carries one transaction at a time')
    this.#busy = true
    try {
      if (Buffer.isBuffer(outgoing.content)) return await this.#send(envelope, reversePath, outgoing, null)
      const file = await open(outgoing.content.path)
      try {
        return await this.#send(envelope, reversePath, outgoing, file)
      } finally {
        await file.close()
      }
    } finally {
      this.#busy = false
    }
  }

  async quit(): Promise<void> {
    if (this.reusable) await this.#wire.exchange('QUIT\r\n', ['idle'])
    this.destroy()
    await this.#closed
  }

  destroy(): void {
    this.#wire.fail('closed', 'closed by the relay')
  }

  /** Sends to those whom the host can be asked for; the others are refused in its name. */
  async #send(envelope: Envelope, reversePath: Mailbox | null, outgoing: Outgoing, file: FileHandle | null) {
    const undeclared = envelope.smtpUtf8 && !this.extensions.has('SMTPUTF8')
    const eightBitHeader = undeclared && (await hasEightBitHeader(outgoing, file))
    const forAll = refusedForAll(this.extensions, reversePath, outgoing.size, eightBitHeader)
    // The address first: it stands in our own Received field too, and so makes the header one beyond ASCII.
    const refusals = envelope.recipients.map(recipient => refusedRecipient(this.extensions, recipient) ?? forAll)
    if (refusals.every(refusal => refusal === null)) return this.#transact(envelope, reversePath, outgoing, file)
    const recipients = envelope.recipients.filter((_, index) => refusals[index] === null)
    const sent =
      recipients.length === 0 ? [] : await this.#transact({ ...envelope, recipients }, reversePath, outgoing, file)
    const inOrder = sent.values()
    return envelope.recipients.map(({ address }, index): RecipientResult => {
      const reply = refusals[index]
      return reply ? { address, reply, phase: reply.code === 552 ? 'mail' : 'rcpt' } : inOrder.next().value!
    })
  }

  async #transact(envelope: Envelope, reversePath: Mailbox | null, outgoing: Outgoing, file: FileHandle | null) {
    const { recipients } = envelope
    const mail = mailCommand(this.extensions, envelope, reversePath, outgoing)
    const rcpt = recipients.map(recipient => rcptCommand(this.extensions, recipient))
    const pipelining = this.extensions.has('PIPELINING')
    this.#wire.begin()
    if (this.#transactionOpen) await this.#leaveTransaction()
    if (!this.#wire.clean) return recipients.map(({ address }) => ({ address, failure: this.#closedBefore() }))
    this.#sent++
    const { results, open } = await transact(this.#wire, { mail, rcpt, recipients, outgoing, file, pipelining })
    this.#transactionOpen = open
    this.#wire.rest()
    return results
  }

  /** A transaction without content is still open at the host (RFC 5321 §4.1.4: MAIL within one is an error). */
  async #leaveTransaction(): Promise<void> {
    const { replies } = await this.#wire.exchange('RSET\r\n', ['mail'])
    this.#transactionOpen = false
    if (replies[0] && replies[0].code >= 400) this.#wire.fail('closed', `RSET: ${formatReply(replies[0])}`)
  }

  /** The host went away, or out of step, between two transactions: nothing of this one was sent. */
  #closedBefore(): Failure {
    const { kind, detail } = this.#wire.failure ?? { kind: 'closed', detail: 'closed by the host' }
    return { phase: 'mail', kind, detail, inDoubt: false }
  }
}
