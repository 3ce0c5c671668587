/**
 * One message between 354 and its final reply: receive, read, check, accept.
 *
 * Fails from `finish` with whatever refused it or went wrong, and leaves nothing behind then. `abort` before `finish`
 * throws the content away; afterwards the message is ours to finish, whether the client stays or not.
 */
import { newId } from '../base/ids.ts'
import type { MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Reply } from '../mail/reply.ts'
import { accepted, type Refusal, warned } from '../outcome/delivery-log.ts'
import { accept } from './accept.ts'
import { checkMessage } from './checks/index.ts'
import { feedbackIdField } from './feedback-id.ts'
import type { SessionParts } from './host.ts'
import { gatherFacts, type Transaction, toMessage } from './message-facts.ts'
import { type NormalizedHeader, normalizeRead, readClientHeader } from './normalize.ts'
import { Reception } from './reception.ts'
import { replies } from './replies.ts'
import { receivedField } from './trace-fields.ts'

/** The client as the message remembers it. */
export interface IntakeClient extends NonNullable<Message['client']> {
  readonly extended: boolean
  readonly authenticated: boolean
}

type Told = { -readonly [fact in 'from' | 'senderDomain' | 'account']?: Refusal[fact] }

export class Intake {
  readonly id: MessageId
  readonly #parts: SessionParts
  readonly #transaction: Transaction
  readonly #client: IntakeClient
  readonly #reception: Reception

  constructor(parts: SessionParts, transaction: Transaction, client: IntakeClient) {
    const { config, spool } = parts
    this.id = newId(parts.clock.now())
    this.#parts = parts
    this.#transaction = transaction
    this.#client = client
    this.#reception = new Reception({
      limits: config.submission,
      inlineContentBytes: config.store.inlineContentBytes,
      spool,
      normalizeHeader: block => this.#normalize(block),
    })
  }

  /** Octets so far. */
  get received(): number {
    return this.#reception.received
  }

  /** A promise when the disk needs time; never rejects. */
  receive(content: Buffer): Promise<void> | undefined {
    return this.#reception.write(content)
  }

  abort(): void {
    this.#reception.abort()
  }

  /** `told`: what is found out about the message, for the log of a refusal. */
  async finish(told: Told = {}): Promise<Reply> {
    try {
      return await this.#accept(told)
    } catch (error) {
      this.#reception.abort()
      throw error
    }
  }

  async #accept(told: Told): Promise<Reply> {
    const { directory, config, clock, log, meter, acceptParts } = this.#parts
    const startedAt = clock.monotonic()
    const received = await this.#reception.end()
    const facts = await gatherFacts({ directory, config, now: clock.now() }, this.#transaction, received)
    told.from = facts.from[0]?.address
    told.senderDomain = facts.from[0]?.domain?.name
    told.account = facts.account?.id
    const warnings = checkMessage(facts)
    const content = await this.#reception.content()
    const { ehlo, address, tls } = this.#client
    const message = toMessage(this.id, this.#transaction, facts, received, content, { ehlo, address, tls })
    const account = facts.account!
    const { credential } = facts.submitter
    await accept(acceptParts, { message, content, account, credential, domain: facts.from[0]!.domain, warnings })
    const totalMs = clock.monotonic() - startedAt
    accepted(log, message, { totalMs: Math.round(totalMs) })
    meter.accepted(totalMs)
    for (const warning of warnings) warned(log, message, warning.en)
    return replies.queued(this.id)
  }

  #normalize(block: Buffer): NormalizedHeader | Promise<NormalizedHeader> {
    const header = readClientHeader(block, this.#parts.config.submission.maxHeaderFields)
    const added = this.#addedFields()
    const feedbackId = feedbackIdField(header, this.#transaction.submitter, this.#parts)
    if (typeof feedbackId === 'string') return normalizeRead(block, header, { ...added, feedbackId })
    return feedbackId.then(field => normalizeRead(block, header, { ...added, feedbackId: field }))
  }

  #addedFields() {
    const { config, clock, dateOf } = this.#parts
    const { command, recipients } = this.#transaction
    const { hostname } = config
    const date = dateOf(clock.now())
    const [first] = recipients.keys()
    const onlyRecipient = recipients.size === 1 ? first! : null
    const facts = { id: this.id, hostname, date, onlyRecipient, smtpUtf8: command.smtpUtf8, ...this.#client }
    return { received: receivedField(facts), date, id: this.id, hostname }
  }
}
