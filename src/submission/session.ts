/**
 * One SMTP session (RFC 5321 §3, RFC 6409): its state, and what each command is answered.
 *
 * Knows nothing of sockets. Every command method answers a reply and never throws: a refusal is thrown as SmtpError by
 * whoever finds it, a store that is down becomes 452, and whatever else goes wrong is 451 4.3.0 with its stack in the log
 * (design invariants 6 and 9). A transaction ends with its message, RSET, a new greeting or STARTTLS (RFC 5321 §4.1.4).
 */
import type { Credential } from '../mail/account.ts'
import type { Mailbox } from '../mail/ids.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { authFailed, type ClientFacts, type Refusal, refused } from '../outcome/delivery-log.ts'
import { suppressedReply } from '../outcome/verdict.ts'
import { actsForItself, type Login } from './authentication.ts'
import type { Submitter } from './checks/check.ts'
import { CheckRefusal, checkMail, checkRcpt } from './checks/index.ts'
import { readMail, readRcpt } from './commands.ts'
import type { SessionParts } from './host.ts'
import { Intake } from './intake.ts'
import type { Transaction } from './message-facts.ts'
import { findOwners } from './originators.ts'
import { replies, SmtpError } from './replies.ts'
import { findSubmitter, type Identity } from './submitter.ts'
import { reasonOf, replyTo } from './trouble.ts'

/** What is known about a refused command besides the session. */
type RefusedFacts = {
  -readonly [fact in Exclude<keyof Refusal, keyof ClientFacts | 'reply' | 'check'>]?: Refusal[fact]
} & {
  account?: Refusal['account']
}

/** A line of the log stays readable; `recipients` counts all. */
const recipientsLogged = 100

export class Session {
  readonly #parts: SessionParts
  readonly #address: string
  /** Made when somebody waits for it: to abort one for every connection takes 40 µs. */
  #closed: AbortController | null = null
  #isClosed = false
  #tls: string | null = null
  #ehlo = ''
  #extended = false
  #identity: Identity | null = null
  /** As found at the last MAIL. */
  #submitter: Submitter | null = null
  #mayHearUtf8 = false
  #failedLogins = 0
  #transaction: Transaction | null = null
  /** The last MAIL, when it was refused: clients that pipeline name the recipients all the same (RFC 2920). */
  #refusedMail: Pick<RefusedFacts, 'sender' | 'reason'> | null = null
  #intake: Intake | null = null

  constructor(parts: SessionParts, address: string) {
    this.#parts = parts
    this.#address = address
    this.#identity = this.#trusted()
  }

  get isInTransaction(): boolean {
    return this.#transaction !== null
  }

  /** Content is coming in. */
  get isReceiving(): boolean {
    return this.#intake !== null
  }

  /** Whether the last MAIL had SMTPUTF8: only then may a reply hold UTF-8 (RFC 6531 §3.7.4.2). */
  get mayHearUtf8(): boolean {
    return this.#mayHearUtf8
  }

  get isSecured(): boolean {
    return this.#tls !== null
  }

  /** RFC 4954 §4: no password over an open line, unless the configuration says so. */
  get mayLogIn(): boolean {
    return this.#tls !== null || !this.#parts.config.submission.requireTlsForAuth
  }

  greet(name: string, extended: boolean): void {
    this.reset()
    this.#ehlo = name
    this.#extended = extended
  }

  /** TLS begins: all that was said before is forgotten (RFC 3207 §4.2). */
  secured(tls: string): void {
    this.reset()
    this.#tls = tls
    this.#ehlo = ''
    this.#identity = this.#trusted()
  }

  reset(): void {
    this.#transaction = null
    this.#refusedMail = null
    this.#mayHearUtf8 = false
    this.#intake?.abort()
    this.#intake = null
  }

  /** The client is gone. A message that came to its final dot is still accepted. */
  close(): void {
    this.#isClosed = true
    this.#closed?.abort()
    this.reset()
  }

  /** Why AUTH can't be had now; null: it can. */
  loginRefusal(): Reply | null {
    if (!this.mayLogIn) return replies.tlsRequiredForLogin
    return this.isInTransaction ? replies.loginInTransaction : null
  }

  /** Null: logged in. A failed login is answered late, and the connection closed after some (house §7.9). */
  async login(login: Login): Promise<Reply | null> {
    try {
      const { username, passwordHash } = await this.#parts.authentication.check(login, this.#address)
      this.#identity = { kind: 'login', username, passwordHash }
      return null
    } catch (error) {
      const reply = replyTo(error, replies.loginTrouble, this.#parts.log)
      return reply === replies.loginFailed ? this.#slowDown(login, reply) : this.#logFailedLogin(login.username, reply)
    }
  }

  mail(line: Buffer): Promise<Reply> {
    return this.#answer({}, async facts => {
      if (this.#transaction !== null) throw new SmtpError(replies.nestedMail)
      const { directory, config } = this.#parts
      const command = readMail(line)
      facts.sender = command.reversePath
      this.#refusedMail = null
      const found = await findSubmitter(directory, this.#identity, this.mayLogIn)
      const reversePath = command.reversePath === null ? null : await findOwners(directory, command.reversePath)
      facts.account = reversePath?.owners[0]
      const storeAcceptsMail = await this.#parts.storeAcceptsMail()
      this.#submitter = found.submitter
      const secured = this.isSecured
      const now = this.#parts.clock.now()
      checkMail({ ...found, limits: config.submission, command, reversePath, storeAcceptsMail, secured, now })
      this.#mayHearUtf8 = command.smtpUtf8
      this.#transaction = { command, submitter: found.submitter!, reversePath, recipients: new Map() }
      return replies.senderOk
    })
  }

  rcpt(line: Buffer): Promise<Reply> {
    return this.#answer({}, async facts => {
      if (this.#transaction === null) {
        Object.assign(facts, this.#refusedMail, { recipient: recipientIn(line, this.#parts.config.hostname) })
        throw new SmtpError(replies.needMail)
      }
      const { command, recipients } = this.#transaction
      const { hostname, submission: limits } = this.#parts.config
      const recipient = readRcpt(line, command.smtpUtf8, hostname)
      facts.recipient = recipient.address
      if (!recipients.has(recipient.address)) {
        checkRcpt({ limits, recipient, accepted: recipients.size })
        if (this.#mayBeSuppressed(recipient.address)) await this.#refuseSuppressed(recipient.address)
        recipients.set(recipient.address, recipient)
      }
      return replies.recipientOk
    })
  }

  #mayBeSuppressed(address: Mailbox): boolean {
    const { suppressed } = this.#parts
    return suppressed?.mayBe(this.#submitter?.credential.account ?? null, address) === true
  }

  /** Where the login decides the account; otherwise only what is suppressed for all. */
  async #refuseSuppressed(address: Mailbox): Promise<void> {
    const account = this.#submitter?.credential.account ?? null
    const found = await this.#parts.suppressed!.find(account, address)
    if (found !== null) throw new SmtpError(suppressedReply(found))
  }

  /** After a 354 content comes by `receive`, then `endOfData`. */
  data(): Promise<Reply> {
    return this.#answer({}, async () => {
      if (this.#transaction === null) throw new SmtpError(replies.needMail)
      if (this.#transaction.recipients.size === 0) throw new SmtpError(replies.needRcpt)
      this.#intake = new Intake(this.#parts, this.#transaction, {
        ...this.#client(),
        extended: this.#extended,
        authenticated: this.#identity?.kind === 'login',
      })
      return replies.sendContent
    })
  }

  /** A promise when the disk needs time; never rejects. */
  receive(content: Buffer): Promise<void> | undefined {
    return this.#intake?.receive(content)
  }

  async endOfData(): Promise<Reply> {
    const intake = this.#intake
    if (intake === null) return replies.localTrouble
    // From here on the message is finished, whether the client stays or not.
    this.#intake = null
    const facts = { message: intake.id, recipients: this.#transaction?.recipients.size, size: intake.received }
    const reply = await this.#answer(facts, told => intake.finish(told))
    this.#transaction = null
    return reply
  }

  /** For the log, with the secret left out. */
  describe(): ClientFacts {
    const { address: client, ehlo, tls } = this.#client()
    const { id: credential, account } = this.#submitter?.credential ?? {}
    return { client, ehlo, tls, username: this.#identity?.username, credential, account }
  }

  /** `facts` may grow while `work` runs. */
  async #answer(facts: RefusedFacts, work: (facts: RefusedFacts) => Promise<Reply>): Promise<Reply> {
    try {
      return await work(facts)
    } catch (error) {
      const reply = replyTo(error, replies.localTrouble, this.#parts.log)
      const { command, reversePath, recipients = new Map() } = this.#transaction ?? {}
      const client = this.describe()
      // Of a credential of the CRM itself the mail says whose it is.
      const account = client.account ?? facts.account ?? reversePath?.owners[0]
      const sender = command?.reversePath
      const to = facts.recipient === undefined ? recipientsOf(recipients) : {}
      const check = error instanceof CheckRefusal ? error.check : undefined
      const told = { reply: formatReply(reply), check, reason: reasonOf(error) ?? facts.reason }
      refused(this.#parts.log, { ...client, sender, ...to, ...facts, account, ...told })
      this.#parts.meter.refused(told.reply)
      if (command === undefined && facts.recipient === undefined && facts.sender !== undefined)
        this.#refusedMail = { sender: facts.sender, reason: `its MAIL was answered ${told.reply}` }
      return reply
    }
  }

  async #slowDown(login: Login, reply: Reply): Promise<Reply> {
    const { clock, config } = this.#parts
    this.#failedLogins++
    this.#closed ??= new AbortController()
    if (!this.#isClosed) await clock.sleep(config.submission.authFailureDelay, this.#closed.signal)
    const last = this.#failedLogins >= config.submission.maxAuthFailures
    const known = await this.#parts.directory.credential(login.username).catch(() => undefined)
    const whose = known ? { credential: known.id, account: known.account } : {}
    const reason = known === undefined ? undefined : whyFailed(known, login)
    return this.#logFailedLogin(login.username, last ? replies.tooManyFailedLogins : reply, { ...whose, reason })
  }

  #logFailedLogin(username: string, reply: Reply, known: Partial<Refusal> = {}): Reply {
    const told = formatReply(reply)
    authFailed(this.#parts.log, { ...this.describe(), username, ...known, reply: told })
    this.#parts.meter.refused(told)
    return reply
  }

  #trusted(): Identity | null {
    const username = this.#parts.trustedUsername(this.#address)
    return username === null ? null : { kind: 'trusted', username }
  }

  #client() {
    return { ehlo: this.#ehlo, address: this.#address, tls: this.#tls }
  }
}

/** Of a refused transaction: whoever waits for the mail asks by their address. */
function recipientsOf(recipients: ReadonlyMap<Mailbox, unknown>): Pick<Refusal, 'recipient' | 'to'> {
  const [first, ...others] = [...recipients.keys()].slice(0, recipientsLogged)
  if (first === undefined) return {}
  return others.length === 0 ? { recipient: first } : { to: [first, ...others] }
}

/** Undefined: none can be read. */
function recipientIn(line: Buffer, hostname: string): Mailbox | undefined {
  try {
    return readRcpt(line, true, hostname).address
  } catch {
    return undefined
  }
}

/** What the client isn't told: it helps whoever guesses. */
function whyFailed(credential: Credential | null, login: Login): string {
  if (credential === null) return 'there is no such username'
  if (credential.revokedAt !== null) return 'the credential is revoked'
  return actsForItself(login) ? 'wrong password' : 'wrong password, or on behalf of another'
}
