/**
 * Why a command could not do what it was asked, and what to do about it; printed on stderr, exit code 1.
 */
export class CliError extends Error {
  readonly code = 'cli'
  /** What to do, one sentence per line; empty when the message says it all. */
  readonly mend: string
  constructor(message: string, mend = '', options?: ErrorOptions) {
    super(message, options)
    this.mend = mend
  }
}
