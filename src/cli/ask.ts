/**
 * Questions at the terminal: secrets without echo, and a yes before something goes for good.
 *
 * Without a terminal a secret is the first line of standard input, and nothing is asked. Arguments never carry
 * secrets: every user of the machine can read them in the list of processes.
 */
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { CliError } from './cli-error.ts'
import type { CliContext } from './context.ts'

/** `file`: where the secret stands, `-` for standard input; null: ask. */
export async function readSecret(context: CliContext, question: string, file: string | null): Promise<string> {
  const read = file !== null && file !== '-' ? readFileSync(file, 'utf8') : await fromInput(context, question)
  const secret = read.replace(/\r?\n[\s\S]*$/, '')
  if (secret === '') throw new CliError(`${question}: nothing was given`, 'type it, pipe it in, or name a file')
  return secret
}

async function fromInput(context: CliContext, question: string): Promise<string> {
  if (!context.input.isTTY) return text(context.input)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: context.input, output: silent, terminal: true })
  // The terminal echoes no more from here on, so what is typed ahead stays hidden too.
  context.errors.write(`${question}: `)
  try {
    return await answerOf(lines, '')
  } finally {
    lines.close()
    context.errors.write('\n')
  }
}

/** Asks on a terminal only: a script has said what it wants. */
export async function confirm(context: CliContext, warning: string, yes: boolean): Promise<void> {
  if (yes) return
  if (!context.input.isTTY) return void context.errors.write(`${warning}\n`)
  const lines = createInterface({ input: context.input, output: context.errors })
  try {
    const answer = await answerOf(lines, `${warning}\nType yes to go on: `)
    if (answer.trim().toLowerCase() !== 'yes') throw new CliError('nothing was changed')
  } finally {
    lines.close()
  }
}

/** Ctrl+C and Ctrl+D are answers too. */
async function answerOf(lines: Interface, question: string): Promise<string> {
  const closed = Promise.withResolvers<never>()
  lines.once('close', () => closed.reject(new CliError('nothing was changed')))
  return Promise.race([closed.promise, lines.question(question).catch(() => closed.promise)])
}
