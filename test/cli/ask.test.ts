/**
 * Questions at a terminal; without one nothing is asked.
 */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { systemClock } from '../../src/base/clock.ts'
import { confirm, readSecret } from '../../src/cli/ask.ts'
import type { CliContext } from '../../src/cli/context.ts'

function context(isTTY: boolean, typed: string): CliContext & { asked(): string; hangUp(): void } {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()]
  let asked = ''
  errors.on('data', data => {
    asked += data
  })
  input.write(typed)
  if (!isTTY) input.end()
  return {
    input: Object.assign(input, { isTTY }),
    output,
    errors,
    clock: systemClock,
    variables: {},
    start: async () => {},
    asked: () => asked,
    hangUp: () => void input.end(),
  }
}

describe('a secret', () => {
  it('is asked for at a terminal and not shown', async () => {
    const terminal = context(true, 'open sesame\r')
    assert.equal(await readSecret(terminal, 'Password', null), 'open sesame')
    assert.equal(terminal.asked(), 'Password: \n')
  })

  it('is the first line of standard input without one', async () => {
    assert.equal(await readSecret(context(false, 'open sesame\r\nmore\n'), 'Password', '-'), 'open sesame')
  })
})

describe('what can not be undone', () => {
  it('needs a yes at a terminal', async () => {
    const terminal = context(true, 'yes\n')
    await confirm(terminal, 'All goes.', false)
    assert.match(terminal.asked(), /All goes\.\nType yes to go on: /)
    await assert.rejects(confirm(context(true, 'y\n'), 'All goes.', false), /nothing was changed/)
    const gone = context(true, '')
    gone.hangUp()
    await assert.rejects(confirm(gone, 'All goes.', false), /nothing was changed/)
  })

  it('is only told to a script, and not even that with --yes', async () => {
    const script = context(false, '')
    await confirm(script, 'All goes.', false)
    assert.equal(script.asked(), 'All goes.\n')
    await confirm(context(true, ''), 'All goes.', true)
  })
})
