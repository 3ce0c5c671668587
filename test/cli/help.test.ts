/**
 * Help and mistyping: every command says what it is and takes, and what isn't there is told with a hint.
 */
import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import type { Command } from 'commander'
import { systemClock } from '../../src/base/clock.ts'
import { programOf } from '../../src/cli/program.ts'
import { cli } from './support/cli.ts'

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
const program = programOf({
  input: new PassThrough(),
  output: nowhere,
  errors: nowhere,
  clock: systemClock,
  variables: {},
  start: async () => {},
})

/** Every command with its words: `domain create`. */
function everyCommand(command: Command = program, words: readonly string[] = []): [string[], Command][] {
  return command.commands.flatMap(inner => {
    const path = [...words, inner.name()]
    return [[path, inner] as [string[], Command], ...everyCommand(inner, path)]
  })
}

describe('the help of', () => {
  for (const [words, command] of everyCommand()) {
    it(`kitte ${words.join(' ')} says what it does and what it takes`, async () => {
      assert.match(command.description(), /^\S.{8,}[^.]$/)
      for (const argument of command.registeredArguments)
        assert.ok(argument.description, `<${argument.name()}> is not described`)
      for (const option of command.options) assert.ok(option.description, `${option.flags} is not described`)
      const { code, out, err } = await cli([...words, '--help'])
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, new RegExp(`^Usage: kitte ${words.join(' ')}\\b`))
      assert.match(out, /--config <file>/)
    })
  }
})

describe('a mistyped command line', () => {
  const cases = [
    [['acount', 'list'], /unknown command 'acount'\n\(Did you mean account\?\)/],
    [['frobnicate'], /unknown command 'frobnicate'\n\(kitte help COMMAND tells more\)/],
    [['domain', 'verfy', 'x'], /unknown command 'verfy'\n\(Did you mean verify\?\)/],
    [['account', 'list', '--jsn'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    [['relay', 'show', '--bogus'], /unknown option '--bogus'\n\(kitte help COMMAND tells more\)/],
    [['relay', 'show', 'x'], /too many arguments for 'show'/],
    [['domain', 'show'], /missing required argument 'name'/],
    [['domain', 'create', 'x.example'], /required option '--account <account>' not specified/],
    [['domain', 'create', 'x.example', '--account', 'a', '--bits', '7'], /Allowed choices are 1024, 2048/],
    [['account', 'set', 'x', '--per-minute', '0'], /Write a whole number of at least 1/],
    [['account'], /^Usage: kitte account/],
    [[], /^Usage: kitte /],
  ] as const
  for (const [args, hint] of cases) {
    it(`is told with a hint and ends with 1: kitte ${args.join(' ')}`, async () => {
      const { code, out, err } = await cli(args)
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, hint)
    })
  }
})
