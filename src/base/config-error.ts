/**
 * What is wrong with a configuration, all of it at once. Apart from `config.ts`, so that who only throws it does not load
 * what reads one.
 */
export class ConfigError extends Error {
  readonly code = 'config'
  /** One line per mistake: `submission.maxRecipients: write a whole number`. */
  readonly mistakes: readonly string[]
  /** The file or thing they are in. */
  readonly source: string
  constructor(source: string, mistakes: readonly string[]) {
    super(`${source} can't be used:\n${mistakes.map(line => `  ${line}`).join('\n')}`)
    this.source = source
    this.mistakes = mistakes
  }
}
